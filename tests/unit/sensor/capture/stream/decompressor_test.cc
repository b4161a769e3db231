#include "sensor/capture/stream/decompressor.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "sensor/capture/files/capture_head.h"
#include "tests/unit/sensor/capture/capture_writer.h"
#include "tests/unit/sensor/capture/stream/compressed_writer.h"

namespace vedette {
namespace {

using testing::Gzip;
using testing::Zstd;
using Data = std::vector<uint8_t>;

struct Outcome {
  Data bytes;
  bool damaged = false;
  std::string reason;
  uint64_t offset = 0;
};

// Feeds `in` in pieces, into outputs of pieces, whose sizes `next` gives.
Outcome Decompress(Compression compression, Bytes in, const std::function<size_t()>& next) {
  std::string error;
  const auto decompressor = Decompressor::Make(compression, error);
  Outcome outcome;
  Data room;
  for (size_t at = 0; !decompressor->damaged();) {
    const size_t given = std::min(next(), in.size() - at);
    room.resize(next());
    const Decompressor::Step step = decompressor->Run(in.subspan(at, given), room);
    EXPECT_LE(step.consumed, given);
    EXPECT_LE(step.produced, room.size());
    outcome.bytes.insert(outcome.bytes.end(), room.begin(), room.begin() + static_cast<ptrdiff_t>(step.produced));
    at += step.consumed;
    if (at == in.size() && step.produced < room.size()) break;
  }
  decompressor->Finish();
  outcome.damaged = decompressor->damaged();
  outcome.reason = decompressor->damage_reason();
  outcome.offset = decompressor->damage_offset();
  return outcome;
}

Outcome DecompressWhole(Compression compression, Bytes in) {
  return Decompress(compression, in, [] { return size_t{1} << 20; });
}

// The library alone, which gets byte by byte and so cannot forget anything.
Outcome Naive(Compression compression, Bytes in) {
  Outcome outcome;
  if (compression == Compression::kZstd) {
    ZSTD_DCtx* const context = ZSTD_createDCtx();
    Data room(1 << 20);
    size_t status = 0;
    for (size_t at = 0; at < in.size() && ZSTD_isError(status) == 0;) {
      ZSTD_inBuffer input{in.data() + at, 1, 0};
      ZSTD_outBuffer output{room.data(), room.size(), 0};
      status = ZSTD_decompressStream(context, &output, &input);
      if (ZSTD_isError(status) != 0) break;
      at += input.pos;
      outcome.bytes.insert(outcome.bytes.end(), room.begin(), room.begin() + static_cast<ptrdiff_t>(output.pos));
    }
    outcome.damaged = status != 0;
    ZSTD_freeDCtx(context);
    return outcome;
  }
  z_stream stream{};
  inflateInit2(&stream, 15 + 16);
  int status = Z_OK;
  bool between = false;
  for (size_t at = 0; at < in.size();) {
    if (between) {
      if (in[at] != 0x1f) {  // padding is not made here
        between = false;
        break;
      }
      inflateReset(&stream);
      between = false;
    }
    uint8_t byte = 0;
    stream.next_in = const_cast<uint8_t*>(in.data() + at);
    stream.avail_in = 1;
    do {
      stream.next_out = &byte;
      stream.avail_out = 1;
      status = inflate(&stream, Z_NO_FLUSH);
      if (stream.avail_out == 0) outcome.bytes.push_back(byte);
    } while (stream.avail_out == 0 && (status == Z_OK || status == Z_BUF_ERROR));
    if (stream.avail_in == 0) ++at;
    between = status == Z_STREAM_END;
    if (status != Z_OK && status != Z_BUF_ERROR && !between) break;
  }
  outcome.damaged = !between;
  inflateEnd(&stream);
  return outcome;
}

// Text that compresses, and noise that does not.
Data Sample(size_t num_bytes, uint64_t seed = 1) {
  std::mt19937_64 random(seed);
  Data data;
  while (data.size() < num_bytes) {
    const size_t count = 1 + random() % 40;
    if (random() % 3 == 0) {
      const Data noise = testing::RandomBytes(random, count);
      data.insert(data.end(), noise.begin(), noise.end());
    } else {
      data.insert(data.end(), count, static_cast<uint8_t>('a' + random() % 4));
    }
  }
  data.resize(num_bytes);
  return data;
}

struct Case {
  const char* name;
  Compression compression;
  Data plain;
  Data compressed;
  std::vector<size_t> ends;  // where a file may end: behind each member or frame
};

void Append(Data& to, const Data& more) { to.insert(to.end(), more.begin(), more.end()); }

std::vector<Case> SmallFiles() {
  std::vector<Case> cases;
  const Data first = Sample(1500, 1);
  const Data second = Sample(700, 2);
  Data plain = first;
  Append(plain, second);
  Data compressed = Gzip(first, 250);
  std::vector<size_t> ends = {compressed.size()};
  Append(compressed, Gzip(second));
  ends.push_back(compressed.size());
  cases.push_back({"gzip, two members", Compression::kGzip, plain, compressed, ends});

  compressed = Zstd(first, 250);
  ends = {compressed.size()};
  Append(compressed, Zstd(second, SIZE_MAX, false));
  ends.push_back(compressed.size());
  cases.push_back({"zstd, two frames", Compression::kZstd, plain, compressed, ends});

  // Skippable first, as pzstd writes it; then blocks of one repeated byte.
  compressed = {0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 'a', 'b', 'c'};
  ends = {compressed.size()};
  const Data same(900, 'x');
  Append(compressed, Zstd(same, 300));
  ends.push_back(compressed.size());
  cases.push_back({"zstd, skippable and repeated", Compression::kZstd, same, compressed, ends});
  return cases;
}

TEST(Decompressor, PiecesDoNotMatter) {
  std::mt19937_64 random(3);
  for (const Case& c : SmallFiles()) {
    SCOPED_TRACE(c.name);
    EXPECT_EQ(IdentifyCompression(c.compressed), c.compression);
    for (const size_t largest : {1, 2, 3, 17, 400, 100'000}) {
      const Outcome outcome = Decompress(c.compression, c.compressed, [&] { return 1 + random() % largest; });
      EXPECT_EQ(outcome.bytes, c.plain);
      EXPECT_FALSE(outcome.damaged) << outcome.reason;
    }
  }
}

TEST(Decompressor, EveryTruncationGivesAllThatCanBeKnown) {
  std::mt19937_64 random(4);
  for (const Case& c : SmallFiles()) {
    SCOPED_TRACE(c.name);
    size_t longest = 0;
    for (size_t size = 4; size < c.compressed.size(); ++size) {
      SCOPED_TRACE(size);
      const Bytes cut(c.compressed.data(), size);
      const Outcome naive = Naive(c.compression, cut);
      ASSERT_TRUE(std::equal(naive.bytes.begin(), naive.bytes.end(), c.plain.begin()));
      const bool at_an_end = std::find(c.ends.begin(), c.ends.end(), size) != c.ends.end();
      for (const size_t largest : {size_t{1}, size_t{50}, size_t{1} << 20}) {
        const Outcome outcome = Decompress(c.compression, cut, [&] { return 1 + random() % largest; });
        ASSERT_EQ(outcome.bytes, naive.bytes);
        ASSERT_EQ(outcome.damaged, !at_an_end);
        ASSERT_LE(outcome.offset, size);
      }
      ASSERT_GE(naive.bytes.size(), longest);
      longest = naive.bytes.size();
    }
    EXPECT_GT(longest, c.plain.size() / 2) << "a truncated file gives most of its content";
  }
}

// Every bit of the headers, and one of each byte behind them.
TEST(Decompressor, FlippedBitsGiveAllThatTheLibraryDoesByteByByte) {
  for (const Case& c : SmallFiles()) {
    SCOPED_TRACE(c.name);
    size_t num_damaged = 0;
    for (size_t at = 4; at < c.compressed.size(); ++at) {
      const int only = at < 64 ? -1 : static_cast<int>(at % 8);
      for (int bit = 0; bit < 8; ++bit) {
        if (only >= 0 && bit != only) continue;
        SCOPED_TRACE(std::to_string(at) + "." + std::to_string(bit));
        Data flipped = c.compressed;
        flipped[at] = static_cast<uint8_t>(flipped[at] ^ (1 << bit));
        const Outcome naive = Naive(c.compression, flipped);
        const Outcome outcome = DecompressWhole(c.compression, flipped);
        ASSERT_TRUE(outcome.bytes == naive.bytes)
            << outcome.bytes.size() << " " << naive.bytes.size() << " " << outcome.reason;
        ASSERT_EQ(outcome.damaged, naive.damaged) << outcome.reason;
        ASSERT_LE(outcome.offset, flipped.size());
        num_damaged += outcome.damaged ? 1 : 0;
      }
    }
    EXPECT_GT(num_damaged, c.compressed.size() / 2);
  }
}

TEST(Decompressor, GoodBlocksBeforeAWrongOneInTheSamePieceAreKept) {
  const Data plain = Sample(4000);
  Data compressed = Zstd(plain, 1000, false);
  const Data whole = Zstd(Data(plain.begin(), plain.begin() + 3000), 1000, false);
  // The last block begins about where the frame of the first three ends.
  for (size_t at = whole.size(); at < compressed.size(); ++at) {
    Data wrong = compressed;
    wrong[at] ^= 0xff;
    const Outcome outcome = DecompressWhole(Compression::kZstd, wrong);
    EXPECT_GE(outcome.bytes.size(), 3000u);
    EXPECT_TRUE(std::equal(plain.begin(), plain.begin() + 3000, outcome.bytes.begin()));
  }
}

TEST(Decompressor, WhatFollowsTheLastMember) {
  Data padded = Gzip(Sample(100));
  const size_t end = padded.size();
  padded.resize(end + 512);
  EXPECT_FALSE(DecompressWhole(Compression::kGzip, padded).damaged) << "as tapes leave it";
  padded[end + 100] = 7;
  Outcome outcome = DecompressWhole(Compression::kGzip, padded);
  EXPECT_EQ(outcome.bytes, Sample(100));
  EXPECT_EQ(outcome.reason, "trailing bytes after the last gzip member");
  EXPECT_EQ(outcome.offset, end + 100);

  Data more = Zstd(Sample(100));
  const size_t frame_end = more.size();
  Append(more, {'a', 'b', 'c', 'd', 'e'});
  outcome = DecompressWhole(Compression::kZstd, more);
  EXPECT_EQ(outcome.bytes, Sample(100));
  EXPECT_EQ(outcome.reason, "trailing bytes after the last zstd frame");
  EXPECT_EQ(outcome.offset, frame_end);
}

TEST(Decompressor, ChecksumsAreChecked) {
  Data gzip = Gzip(Sample(1000));
  gzip[gzip.size() - 8] ^= 1;
  Outcome outcome = DecompressWhole(Compression::kGzip, gzip);
  EXPECT_EQ(outcome.bytes, Sample(1000));
  EXPECT_EQ(outcome.reason, "gzip: incorrect data check");
  Data zstd = Zstd(Sample(1000));
  zstd[zstd.size() - 1] ^= 1;
  outcome = DecompressWhole(Compression::kZstd, zstd);
  EXPECT_EQ(outcome.bytes, Sample(1000));
  EXPECT_EQ(outcome.offset, zstd.size() - 4);
  EXPECT_NE(outcome.reason.find("checksum"), std::string::npos) << outcome.reason;
}

TEST(Decompressor, WindowsOfZstdAreBounded) {
  // Descriptor 0: a window, no content size. The window's exponent is in the upper 5 bits, from 10 on.
  const auto frame = [](int window_log) {
    return Data{0x28, 0xb5, 0x2f, 0xfd, 0, static_cast<uint8_t>((window_log - 10) << 3), 0x0b, 0, 0, 'x'};
  };
  EXPECT_EQ(DecompressWhole(Compression::kZstd, frame(27)).bytes, Data{'x'});
  const Outcome outcome = DecompressWhole(Compression::kZstd, frame(28));
  EXPECT_TRUE(outcome.bytes.empty());
  EXPECT_NE(outcome.reason.find("window of more than 128 MiB"), std::string::npos) << outcome.reason;
  EXPECT_NE(outcome.reason.find("zstd -dc --long=31"), std::string::npos);
}

TEST(Decompressor, BombsCostTimeAndNoMemory) {
  // 512 MiB of one byte in 16 KiB; handed out in pieces of 256 KiB.
  const size_t total = size_t{512} << 20;
  Data bomb = {0x28, 0xb5, 0x2f, 0xfd, 0, (17 - 10) << 3};
  for (size_t made = 0; made < total; made += 131072) {
    const uint32_t header = 131072u << 3 | 1u << 1 | (made + 131072 == total ? 1u : 0u);
    Append(bomb,
           {static_cast<uint8_t>(header), static_cast<uint8_t>(header >> 8), static_cast<uint8_t>(header >> 16), 0});
  }
  std::string error;
  const auto decompressor = Decompressor::Make(Compression::kZstd, error);
  Data room(256 << 10);
  size_t made = 0;
  Bytes in(bomb);
  for (;;) {
    const Decompressor::Step step = decompressor->Run(in, room);
    made += step.produced;
    in = in.subspan(step.consumed);
    if (in.empty() && step.produced < room.size()) break;
  }
  EXPECT_EQ(made, total);
  EXPECT_FALSE(decompressor->damaged());
}

TEST(CaptureHead, SeesThroughCompression) {
  testing::PcapWriter writer;
  std::mt19937_64 random(5);
  writer.RandomPackets(random, 100, 1000);
  for (const Data& file : {Gzip(writer.out.bytes), Zstd(writer.out.bytes)}) {
    const CaptureHead whole = JudgeHead(file, true);
    EXPECT_EQ(whole.format, CaptureFormat::kPcap);
    EXPECT_FALSE(whole.unknown);
    EXPECT_TRUE(JudgeHead(Bytes(file).first(5), false).unknown) << "too little to tell";
  }
  const Data text = Gzip(AsBytes("hello, this is text\n"));
  const CaptureHead verdict = JudgeHead(text, true);
  EXPECT_EQ(verdict.format, CaptureFormat::kOther);
  EXPECT_EQ(verdict.other.description, "gzip-compressed, and then: text");
  EXPECT_EQ(JudgeHead(Gzip({}), true).format, CaptureFormat::kEmpty);
}

}  // namespace
}  // namespace vedette
