#include "sensor/capture/files/pcap_file.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "tests/unit/sensor/capture/capture_writer.h"
#include "tests/unit/sensor/capture/libpcap_oracle.h"

namespace vedette {
namespace {

using testing::ExpectedFrame;
using testing::ExpectFrames;
using testing::ExpectSameStreamed;
using testing::ExpectSane;
using testing::PcapWriter;
using testing::ReadAll;

constexpr uint32_t kMicroseconds = 0xa1b2c3d4, kNanoseconds = 0xa1b23c4d, kKuznetzov = 0xa1b2cd34;

std::string DamageOf(const std::vector<uint8_t>& file, uint64_t& offset, size_t& num_frames) {
  PcapReader reader(file, 0);
  num_frames = ReadAll(reader).size();
  offset = reader.position();
  return reader.damage_reason();
}

TEST(PcapFile, EveryOrderAndResolutionAsWrittenAndAsLibpcapReadsIt) {
  std::mt19937_64 random(1);
  for (const uint32_t magic : {kMicroseconds, kNanoseconds, kKuznetzov}) {
    for (const bool big_endian : {false, true}) {
      PcapWriter writer(big_endian, magic);
      writer.RandomPackets(random, 300, 2000);
      PcapReader reader(writer.out.bytes, 3);
      const std::vector<Frame> frames = ReadAll(reader);
      ExpectFrames(frames, writer.expected);
      EXPECT_FALSE(reader.damaged()) << reader.damage_reason();
      EXPECT_EQ(reader.position(), writer.out.bytes.size());
      EXPECT_EQ(frames[0].file, 3u);
      std::string error;
      ExpectFrames(frames, testing::ReadWithLibpcap(writer.out.bytes, error));
      EXPECT_EQ(error, "");
    }
  }
}

TEST(PcapFile, BurstsAndWindowsDoNotMatter) {
  std::mt19937_64 random(2);
  PcapWriter writer;
  writer.RandomPackets(random, 200, 300);
  for (const size_t burst : {1, 7, 32, 1000}) {
    for (const uint64_t window : {1, 100, 4096, 1 << 30}) {
      PcapReader reader(writer.out.bytes, 0);
      ExpectFrames(ReadAll(reader, burst, window), writer.expected);
    }
  }
  for (const size_t piece : {1, 20, 500, 100'000}) {
    ExpectFrames(testing::ReadStreamed<PcapReader>(writer.out.bytes, kPcapFileHeaderBytes, random, piece).frames,
                 writer.expected);
  }
}

TEST(PcapFile, EveryTruncatedPrefixGivesThePacketsBeforeTheCut) {
  std::mt19937_64 random(3);
  for (const uint32_t magic : {kMicroseconds, kKuznetzov}) {
    PcapWriter writer(false, magic);
    writer.RandomPackets(random, 12, 60);
    for (size_t size = 0; size < writer.out.bytes.size(); ++size) {
      const std::vector<uint8_t> prefix(writer.out.bytes.begin(),
                                        writer.out.bytes.begin() + static_cast<ptrdiff_t>(size));
      PcapReader reader(prefix, 0);
      size_t whole = 0;
      while (whole < writer.expected.size() && writer.expected[whole].end_offset <= size) ++whole;
      ExpectFrames(ReadAll(reader), std::span(writer.expected).first(whole));
      const uint64_t last_end = whole == 0 ? kPcapFileHeaderBytes : writer.expected[whole - 1].end_offset;
      EXPECT_EQ(reader.damaged(), size != last_end) << size;
      EXPECT_EQ(reader.position(), size < kPcapFileHeaderBytes ? 0 : last_end) << size;
      if (size >= kPcapFileHeaderBytes) ExpectSameStreamed<PcapReader>(prefix, kPcapFileHeaderBytes, random);
    }
  }
}

TEST(PcapFile, SaysWhereAndHowAFileIsCut) {
  PcapWriter writer;
  writer.Packet(1, 2, AsBytes("0123456789"), 10);
  writer.Packet(1, 3, AsBytes("0123456789"), 10);
  uint64_t offset = 0;
  size_t num_frames = 0;
  std::vector<uint8_t> file = writer.out.bytes;
  file.pop_back();
  EXPECT_EQ(DamageOf(file, offset, num_frames), "the file ends inside packet 2 (9 of 10 bytes)");
  EXPECT_EQ(offset, 50u);
  EXPECT_EQ(num_frames, 1u);
  file.resize(53);
  EXPECT_EQ(DamageOf(file, offset, num_frames), "the file ends inside the header of packet 2 (3 of 16 bytes)");
  EXPECT_EQ(offset, 50u);
  file.resize(23);
  EXPECT_EQ(DamageOf(file, offset, num_frames), "the file ends inside its header (23 of 24 bytes)");
  EXPECT_EQ(offset, 0u);
}

TEST(PcapFile, ImpossibleLengthIsDamageAndWhatIsBeforeCounts) {
  PcapWriter writer;
  writer.Packet(1, 2, AsBytes("0123456789"), 10);
  writer.out.U32(1).U32(3).U32(UINT32_MAX).U32(10);
  writer.out.bytes.resize(1 << 20);
  uint64_t offset = 0;
  size_t num_frames = 0;
  EXPECT_EQ(DamageOf(writer.out.bytes, offset, num_frames),
            "the header of packet 2 says 4294967295 bytes; the largest possible is 262144");
  EXPECT_EQ(offset, 50u);
  EXPECT_EQ(num_frames, 1u);
}

TEST(PcapFile, SnapLengthRaisesTheBoundOnAPacketButNotForEver) {
  const std::vector<uint8_t> large(300'000, 'x');
  for (const auto& [snap_length, readable] :
       {std::pair{0u, false}, {96u, false}, {299'999u, false}, {300'000u, true}, {UINT32_MAX, true}}) {
    PcapWriter writer(false, kMicroseconds, 1, snap_length);
    writer.Packet(1, 2, large, 300'000);
    PcapReader reader(writer.out.bytes, 0);
    EXPECT_EQ(ReadAll(reader).size(), readable ? 1u : 0u) << snap_length;
  }
  PcapWriter writer(false, kMicroseconds, 1, UINT32_MAX);
  writer.Packet(1, 2, std::vector<uint8_t>(kLargestPacketBytes + 1), 1);
  PcapReader reader(writer.out.bytes, 0);
  EXPECT_EQ(ReadAll(reader).size(), 0u);
  EXPECT_TRUE(reader.damaged());
}

// Writers exist that state a snap length and keep more.
TEST(PcapFile, PacketsAboveTheSnapLengthKeepTheirBytes) {
  PcapWriter writer(false, kMicroseconds, 1, 10);
  writer.Packet(1, 2, std::vector<uint8_t>(1500), 1500);
  PcapReader reader(writer.out.bytes, 0);
  ExpectFrames(ReadAll(reader), writer.expected);
}

TEST(PcapFile, FractionsOfASecondOrMoreCarryOver) {
  PcapWriter writer;
  writer.Packet(1, 2'500'000, {}, 0);
  PcapReader reader(writer.out.bytes, 0);
  const std::vector<Frame> frames = ReadAll(reader);
  ASSERT_EQ(frames.size(), 1u);
  EXPECT_EQ(frames[0].time_ns, 3'500'000'000u);
}

TEST(PcapFile, LastSecondOf32BitsIsIn2106) {
  PcapWriter writer;
  writer.Packet(UINT32_MAX, 999'999, {}, 0);
  PcapReader reader(writer.out.bytes, 0);
  EXPECT_EQ(ReadAll(reader).at(0).time_ns, uint64_t{4294967295} * 1'000'000'000 + 999'999'000);
}

TEST(PcapFile, BitsAboveTheLinkTypeAreIgnored) {
  PcapWriter writer(true, kMicroseconds, 0x4c000071);  // frame check sequence of 4 bytes, present; cooked
  writer.Packet(1, 2, AsBytes("x"), 1);
  PcapReader reader(writer.out.bytes, 0);
  EXPECT_EQ(ReadAll(reader).at(0).link_type, 113);
}

TEST(PcapFile, WireLengthIsNeverBelowTheCapturedOne) {
  PcapWriter writer;
  writer.Packet(1, 2, AsBytes("0123456789"), 4);
  PcapReader reader(writer.out.bytes, 0);
  EXPECT_EQ(ReadAll(reader).at(0).wire_bytes, 10u);
}

TEST(PcapFile, OldVersionsHaveTheLengthsTheOtherWayRound) {
  struct Case {
    uint16_t major, minor;
    bool wire_first;
  };
  for (const Case& c : {Case{2, 2, true}, {2, 3, true}, {2, 3, false}, {543, 0, true}, {2, 4, false}}) {
    PcapWriter writer(false, kMicroseconds, 1, 262144, c.major, c.minor);
    writer.out.U32(1).U32(2).U32(c.wire_first ? 10 : 4).U32(c.wire_first ? 4 : 10).Raw(AsBytes("0123"));
    PcapReader reader(writer.out.bytes, 0);
    const std::vector<Frame> frames = ReadAll(reader);
    ASSERT_EQ(frames.size(), 1u) << reader.damage_reason();
    EXPECT_EQ(frames[0].captured_bytes, 4u);
    EXPECT_EQ(frames[0].wire_bytes, 10u);
  }
}

TEST(PcapFile, UnknownVersionIsSaid) {
  PcapWriter writer(false, kMicroseconds, 1, 262144, 3, 1);
  uint64_t offset = 0;
  size_t num_frames = 0;
  EXPECT_EQ(DamageOf(writer.out.bytes, offset, num_frames), "pcap version 3.1 is not known; only version 2 is");
  EXPECT_EQ(offset, 4u);
}

TEST(PcapFile, CorruptedBytesHurtOnlyWhatFollows) {
  std::mt19937_64 random(4);
  for (int round = 0; round < 3000; ++round) {
    PcapWriter writer(random() % 2 != 0, random() % 2 != 0 ? kMicroseconds : kNanoseconds);
    writer.RandomPackets(random, 10, 80);
    std::vector<uint8_t> file = writer.out.bytes;
    size_t first = file.size();
    for (uint64_t i = 0; i <= random() % 4; ++i) {
      const size_t at = random() % file.size();
      file[at] = static_cast<uint8_t>(random());
      first = std::min(first, at);
    }
    PcapReader reader(file, 0);
    const std::vector<Frame> frames = ReadAll(reader);
    ExpectSane(frames, file);
    if (first < kPcapFileHeaderBytes) continue;
    size_t untouched = 0;
    while (untouched < writer.expected.size() && writer.expected[untouched].end_offset <= first) ++untouched;
    ASSERT_GE(frames.size(), untouched);
    ExpectFrames({frames.begin(), frames.begin() + static_cast<ptrdiff_t>(untouched)},
                 std::span(writer.expected).first(untouched));
    ExpectSameStreamed<PcapReader>(file, kPcapFileHeaderBytes, random);
  }
}

TEST(PcapFile, ShortenedFileEndsThere) {
  PcapWriter writer;
  for (int i = 0; i < 10; ++i) writer.Packet(1, 2, std::vector<uint8_t>(84), 84);
  PcapReader reader(writer.out.bytes, 0);
  std::vector<Frame> frames(2);
  EXPECT_EQ(reader.Read(frames, UINT64_MAX), 2u);
  reader.Shorten(24 + 350);
  EXPECT_EQ(ReadAll(reader).size(), 1u);
  EXPECT_TRUE(reader.damaged());

  PcapReader other(writer.out.bytes, 0);
  EXPECT_EQ(other.Read(frames, UINT64_MAX), 2u);
  other.Shorten(10);  // less than what was read already
  EXPECT_EQ(ReadAll(other).size(), 0u);
}

}  // namespace
}  // namespace vedette
