// Compressed files and pipes through CaptureFiles: what workers see.
#include "sensor/capture/files/shared_stream.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "sensor/capture/files/capture_files.h"
#include "tests/unit/sensor/capture/capture_writer.h"
#include "tests/unit/sensor/capture/stream/compressed_writer.h"
#include "tests/unit/temporary_folder.h"

namespace vedette {
namespace {

using testing::Gzip;
using testing::PcapngWriter;
using testing::PcapWriter;
using testing::Zstd;
using Data = std::vector<uint8_t>;

struct Seen {
  std::vector<Data> packets;
  std::vector<uint64_t> numbers;
  std::vector<CaptureDamage> damage;
};

std::shared_ptr<const CaptureList> MustResolve(const std::vector<std::string>& paths) {
  std::string error;
  auto list = CaptureList::Resolve(paths, {}, error);
  EXPECT_NE(list, nullptr) << error;
  return list;
}

// `pause` is called between bursts.
Seen Read(CaptureSource& source, const std::function<void()>& pause = {}) {
  Seen seen;
  std::span<const Frame> frames;
  for (;;) {
    const PollStatus status = source.Poll(frames);
    if (status == PollStatus::kWaiting || status == PollStatus::kWorking) continue;
    if (status != PollStatus::kFrames) break;
    for (const Frame& frame : frames) {
      seen.packets.emplace_back(frame.data, frame.data + frame.captured_bytes);
      seen.numbers.push_back(uint64_t{frame.file} << 32 | frame.number);
    }
    if (pause) pause();
  }
  seen.damage.assign(source.damage().begin(), source.damage().end());
  return seen;
}

Seen ReadAlone(const std::string& path) {
  CaptureFiles files(MustResolve({path}));
  return Read(files);
}

void ExpectSame(const Seen& a, const Seen& b) {
  ASSERT_EQ(a.numbers, b.numbers);
  ASSERT_TRUE(a.packets == b.packets);
  ASSERT_EQ(a.damage.size(), b.damage.size());
  for (size_t i = 0; i < a.damage.size(); ++i) {
    EXPECT_EQ(a.damage[i].reason, b.damage[i].reason);
    EXPECT_EQ(a.damage[i].offset, b.damage[i].offset);
  }
}

Data PcapngCapture(int num_packets) {
  std::mt19937_64 random(7);
  PcapngWriter writer;
  writer.Section(false);
  writer.Interface(1);
  for (int i = 0; i < num_packets; ++i) {
    const Data data = testing::RandomBytes(random, random() % 100);
    writer.Enhanced(0, 1000 + static_cast<uint64_t>(i), 0, data, 100);
    if (i % 10 == 0) writer.Other(0x0bad, Data(200));
  }
  return writer.out.bytes;
}

TEST(SharedStream, WorkersOfAnyNumberAndPaceSeeWhatThePlainFilesHold) {
  const TemporaryFolder plain;
  const TemporaryFolder packed;
  std::mt19937_64 random(1);
  const auto add = [&](const std::string& name, const Data& capture, const Data& compressed) {
    plain.Write(name, capture);
    packed.Write(name, compressed);
  };
  PcapWriter small;
  small.RandomPackets(random, 300, 200);
  PcapWriter large;  // larger than the ring
  for (int i = 0; i < 1200; ++i) large.Packet(1, 2, Data(60'000, static_cast<uint8_t>(i)), 60'000);
  add("1.pcap", small.out.bytes, Gzip(small.out.bytes));
  add("2.pcap", large.out.bytes, Zstd(large.out.bytes));
  add("3.pcap", small.out.bytes, small.out.bytes);
  add("4.pcapng", PcapngCapture(5000), Gzip(PcapngCapture(5000), 3000));
  add("5.pcap", small.out.bytes, Zstd(small.out.bytes, 700));
  const Seen expected = ReadAlone(plain.path());
  ASSERT_EQ(expected.packets.size(), 300u * 3 + 1200 + 5000);
  ASSERT_TRUE(expected.damage.empty());

  const auto list = MustResolve({packed.path()});
  for (const size_t num_workers : {1, 3}) {
    std::string error;
    auto sources = CaptureFiles::ForWorkers(list, num_workers, error);
    ASSERT_EQ(sources.size(), num_workers) << error;
    std::vector<Seen> seen(num_workers);
    std::vector<std::thread> threads;
    for (size_t i = 0; i < num_workers; ++i) {
      threads.emplace_back([&, i] {
        std::mt19937_64 pace(i);
        seen[i] = Read(*sources[i], [&] {
          if (pace() % 16 < i) std::this_thread::sleep_for(std::chrono::microseconds(100 * i));
        });
      });
    }
    for (std::thread& thread : threads) thread.join();
    for (size_t i = 0; i < num_workers; ++i) {
      ExpectSame(seen[i], expected);
      EXPECT_EQ(sources[i]->counters().input_bytes_read, list->total_bytes());
      EXPECT_EQ(sources[i]->counters().total_input_bytes, list->total_bytes());
    }
  }
}

TEST(SharedStream, RecordsLargerThanTheLead) {
  const TemporaryFolder folder;
  PcapWriter writer(false, 0xa1b2c3d4, 1, UINT32_MAX);
  for (int i = 0; i < 8; ++i) writer.Packet(1, 2, Data(kLargestPacketBytes, static_cast<uint8_t>(i)), 1);
  const Seen seen = ReadAlone(folder.Write("1", Zstd(writer.out.bytes)));
  ASSERT_EQ(seen.packets.size(), 8u);
  for (int i = 0; i < 8; ++i)
    EXPECT_EQ(seen.packets[static_cast<size_t>(i)], Data(kLargestPacketBytes, static_cast<uint8_t>(i)));
  EXPECT_TRUE(seen.damage.empty());
}

TEST(SharedStream, TheFastestWaitsWhenTheSlowestIsARingBehind) {
  const TemporaryFolder folder;
  PcapWriter writer;
  for (int i = 0; i < 2000; ++i) writer.Packet(1, 2, Data(60'000), 60'000);  // 120 MB
  const auto list = MustResolve({folder.Write("1", Zstd(writer.out.bytes))});
  std::string error;
  auto sources = CaptureFiles::ForWorkers(list, 2, error);
  std::span<const Frame> frames;
  size_t seen = 0;
  int waits = 0;
  while (waits < 4) {
    const PollStatus status = sources[0]->Poll(frames);
    ASSERT_NE(status, PollStatus::kEnd);
    seen += frames.size();
    waits = status == PollStatus::kWaiting ? waits + 1 : 0;
  }
  EXPECT_LE(seen * 60'000, StreamRing::kRingBytes);
  EXPECT_GT(seen * 60'000, StreamRing::kRingBytes / 2);
  sources[1].reset();  // who is gone holds nobody up
  EXPECT_EQ(seen + Read(*sources[0]).packets.size(), 2000u);
}

// What the first bytes of a compressed file give, by the plain file and how many of its bytes they decompress to.
void ExpectAllPacketsBefore(const Seen& seen, const PcapWriter& writer, size_t plain_bytes) {
  size_t whole = 0;
  while (whole < writer.expected.size() && writer.expected[whole].end_offset <= plain_bytes) ++whole;
  ASSERT_EQ(seen.packets.size(), whole);
  for (size_t i = 0; i < whole; ++i) ASSERT_EQ(seen.packets[i], writer.expected[i].bytes);
}

// How many bytes can be known, byte by byte.
size_t DecompressedBytes(Compression compression, Bytes in) {
  std::string error;
  const auto decompressor = Decompressor::Make(compression, error);
  Data room(1 << 20);
  size_t produced = 0;
  for (const uint8_t& byte : in) produced += decompressor->Run({&byte, 1}, room).produced;
  return produced;
}

TEST(SharedStream, EveryTruncationGivesEveryPacketBeforeIt) {
  const TemporaryFolder folder;
  std::mt19937_64 random(2);
  PcapWriter writer;
  writer.RandomPackets(random, 30, 40);
  for (const Compression compression : {Compression::kGzip, Compression::kZstd}) {
    const Data whole = compression == Compression::kGzip ? Gzip(writer.out.bytes, 100) : Zstd(writer.out.bytes, 100);
    size_t most = 0;
    for (size_t size = 4; size < whole.size(); ++size) {
      SCOPED_TRACE(std::string(NameOf(compression)) + " " + std::to_string(size));
      const Bytes cut(whole.data(), size);
      const Seen seen = ReadAlone(folder.Write("cut.pcap", cut));
      ExpectAllPacketsBefore(seen, writer, DecompressedBytes(compression, cut));
      ASSERT_EQ(seen.damage.size(), 1u);
      ASSERT_FALSE(seen.damage[0].decompressed);
      ASSERT_LE(seen.damage[0].offset, size);
      most = std::max(most, seen.packets.size());
    }
    EXPECT_GE(most, 28u);
    EXPECT_TRUE(ReadAlone(folder.Write("whole.pcap", whole)).damage.empty());
  }
}

TEST(SharedStream, DamageOfTheCompressionAndOfTheCaptureIsToldApart) {
  const TemporaryFolder folder;
  std::mt19937_64 random(3);
  PcapWriter writer;
  writer.RandomPackets(random, 20, 100);
  const size_t good = writer.out.bytes.size();
  writer.out.U32(1).U32(1).U32(UINT32_MAX).U32(UINT32_MAX).Raw(Data(3000));
  Seen seen = ReadAlone(folder.Write("1.pcap", Gzip(writer.out.bytes)));
  EXPECT_EQ(seen.packets.size(), 20u);
  ASSERT_EQ(seen.damage.size(), 1u);
  EXPECT_TRUE(seen.damage[0].decompressed);
  EXPECT_EQ(seen.damage[0].offset, good);

  Data wrong = Gzip(writer.out.bytes);
  wrong[wrong.size() - 8] ^= 1;
  seen = ReadAlone(folder.Write("2.pcap", wrong));
  EXPECT_EQ(seen.packets.size(), 20u);
  ASSERT_EQ(seen.damage.size(), 2u);
  EXPECT_TRUE(seen.damage[0].decompressed);
  EXPECT_FALSE(seen.damage[1].decompressed);
  EXPECT_EQ(seen.damage[1].offset, wrong.size() - 4) << "behind the checksum";

  // The next file goes on.
  folder.Write("3.pcap", Gzip(PcapWriter().out.bytes));
  EXPECT_EQ(ReadAlone(folder.path()).damage.size(), 3u);
}

TEST(SharedStream, FilesCutSinceTheRunBegan) {
  const TemporaryFolder folder;
  std::mt19937_64 random(4);
  PcapWriter writer;
  writer.RandomPackets(random, 2000, 1000);
  const Data packed = Gzip(writer.out.bytes);
  const std::string path = folder.Write("1.pcap", packed);
  const auto list = MustResolve({path});
  std::filesystem::resize_file(path, packed.size() / 2);
  CaptureFiles files(list);
  const Seen seen = Read(files);
  EXPECT_GT(seen.packets.size(), 900u);
  ASSERT_EQ(seen.damage.size(), 1u);
  EXPECT_EQ(seen.damage[0].offset, packed.size() / 2);
  EXPECT_NE(seen.damage[0].reason.find("bytes long when the run began"), std::string::npos) << seen.damage[0].reason;

  std::filesystem::rename(folder.Write("other", packed), path);
  CaptureFiles replaced(list);
  const Seen none = Read(replaced);
  EXPECT_TRUE(none.packets.empty());
  ASSERT_EQ(none.damage.size(), 1u);
}

// A pipe in the place of standard input for a moment.
class Pipe {
 public:
  Pipe() : saved_(dup(STDIN_FILENO)) {
    EXPECT_EQ(pipe(ends_), 0);
    dup2(ends_[0], STDIN_FILENO);
  }
  ~Pipe() {
    dup2(saved_, STDIN_FILENO);
    close(saved_);
    close(ends_[0]);
    CloseWriter();
  }
  void Write(Bytes bytes) {
    EXPECT_EQ(write(ends_[1], bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
  }
  void CloseWriter() {
    if (ends_[1] >= 0) close(ends_[1]);
    ends_[1] = -1;
  }

 private:
  int saved_;
  int ends_[2];
};

size_t PollAll(CaptureSource& source, size_t wanted) {
  std::span<const Frame> frames;
  size_t seen = 0;
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (seen < wanted && std::chrono::steady_clock::now() < deadline) {
    source.Poll(frames);
    seen += frames.size();
  }
  return seen;
}

TEST(SharedStream, PacketsOfAPipeComeAsTheyAreWritten) {
  std::mt19937_64 random(5);
  PcapWriter writer;
  writer.RandomPackets(random, 10, 100);
  const Bytes all(writer.out.bytes);
  const auto end_of = [&](size_t packet) { return writer.expected[packet - 1].end_offset; };
  Pipe input;
  input.Write(all.first(end_of(3) + 5));
  CaptureFiles files(MustResolve({"-"}));
  EXPECT_EQ(PollAll(files, 3), 3u);
  std::span<const Frame> frames;
  EXPECT_EQ(files.Poll(frames), PollStatus::kWaiting) << "half a packet is none";
  input.Write(all.subspan(end_of(3) + 5, end_of(7) - end_of(3) - 5));
  EXPECT_EQ(PollAll(files, 4), 4u);
  EXPECT_EQ(files.Poll(frames), PollStatus::kWaiting);
  input.Write(all.subspan(end_of(7)).first(all.size() - end_of(7) - 1));
  input.CloseWriter();
  const Seen rest = Read(files);
  EXPECT_EQ(rest.packets.size(), 2u);
  ASSERT_EQ(rest.damage.size(), 1u) << "the last packet lacks a byte";
  EXPECT_EQ(rest.damage[0].offset, end_of(9));
}

TEST(SharedStream, CompressedPipe) {
  std::mt19937_64 random(6);
  PcapWriter writer;
  writer.RandomPackets(random, 100, 100);
  Pipe input;
  input.Write(Zstd(writer.out.bytes));
  input.CloseWriter();
  CaptureFiles files(MustResolve({"-"}));
  EXPECT_EQ(Read(files).packets.size(), 100u);
  EXPECT_TRUE(files.damage().empty());
}

TEST(SharedStream, WhatShowsTooLateThatItIsNoCaptureIsDamage) {
  const TemporaryFolder folder;
  // A skippable frame longer than what is looked at beforehand.
  Data file = {0x50, 0x2a, 0x4d, 0x18, 0x00, 0x00, 0x10, 0x00};
  file.resize(file.size() + 0x100000);
  const Data text = Zstd(AsBytes("hello, this is text\n"));
  file.insert(file.end(), text.begin(), text.end());
  const Seen seen = ReadAlone(folder.Write("1", file));
  ASSERT_EQ(seen.damage.size(), 1u);
  EXPECT_EQ(seen.damage[0].reason, "not a pcap or pcapng capture: text");
}

}  // namespace
}  // namespace vedette
