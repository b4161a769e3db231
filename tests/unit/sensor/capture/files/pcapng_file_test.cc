#include "sensor/capture/files/pcapng_file.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "tests/unit/sensor/capture/capture_writer.h"
#include "tests/unit/sensor/capture/libpcap_oracle.h"

namespace vedette {
namespace {

using testing::ByteWriter;
using testing::ExpectFrames;
using testing::ExpectSameStreamed;
using testing::ExpectSane;
using testing::PcapngOption;
using testing::PcapngWriter;
using testing::RandomBytes;
using testing::ReadAll;

constexpr uint16_t kResolution = 9, kOffset = 14;

PcapngOption Offset(bool big_endian, int64_t seconds) {
  ByteWriter value(big_endian);
  value.U64(static_cast<uint64_t>(seconds));
  return {kOffset, value.bytes};
}

// Everything that the format knows, several times.
void WriteRandomSections(PcapngWriter& writer, std::mt19937_64& random, int num_sections, int num_packets) {
  for (int section = 0; section < num_sections; ++section) {
    const bool big_endian = random() % 2 != 0;
    writer.Section(big_endian);
    writer.Interface(1, 0);
    writer.Interface(113, 96, {{kResolution, {9}}});
    writer.Interface(101, 0, {{2, {'e', 't', 'h'}}, {kResolution, {6}}, Offset(big_endian, 1000)});
    uint64_t last_time_ns = writer.expected.empty() ? 0 : writer.expected.back().time_ns;
    for (int i = 0; i < num_packets; ++i) {
      const std::vector<uint8_t> data = RandomBytes(random, random() % 90);
      const auto wire = static_cast<uint32_t>(data.size() + random() % 3);
      const uint64_t micros = 1'700'000'000'000'000 + random() % 1'000'000'000;
      switch (random() % 6) {
        case 0:
          writer.Enhanced(0, micros, micros * 1000, data, wire, random() % 2 != 0);
          break;
        case 1:
          writer.Enhanced(1, micros * 1000 + 7, micros * 1000 + 7, data, wire);
          break;
        case 2:
          writer.Enhanced(2, micros, micros * 1000 + 1'000'000'000'000, data, wire);
          break;
        case 3:
          writer.Obsolete(1, micros, micros, data, wire);
          break;
        case 4:
          writer.Simple(last_time_ns, data, static_cast<uint32_t>(data.size()));
          break;
        default:
          writer.Other(random() % 2 != 0 ? 0x0bad : 5 + static_cast<uint32_t>(random() % 10) * 2, data);
          break;
      }
      if (!writer.expected.empty()) last_time_ns = writer.expected.back().time_ns;
    }
  }
}

std::string DamageOf(const std::vector<uint8_t>& file, uint64_t& offset, size_t& num_frames) {
  PcapngReader reader(file, 0);
  num_frames = ReadAll(reader).size();
  offset = reader.position();
  return reader.damage_reason();
}

std::string DamageOf(const std::vector<uint8_t>& file) {
  uint64_t offset = 0;
  size_t num_frames = 0;
  return DamageOf(file, offset, num_frames);
}

TEST(PcapngFile, SectionsInterfacesAndPacketBlocksAsWritten) {
  std::mt19937_64 random(1);
  for (int round = 0; round < 50; ++round) {
    PcapngWriter writer;
    WriteRandomSections(writer, random, 4, 60);
    for (const size_t burst : {1, 32}) {
      for (const uint64_t window : {64, 1 << 20}) {
        PcapngReader reader(writer.out.bytes, 0);
        ExpectFrames(ReadAll(reader, burst, window), writer.expected);
        EXPECT_FALSE(reader.damaged()) << reader.damage_reason();
        EXPECT_EQ(reader.position(), writer.out.bytes.size());
      }
    }
    for (const size_t piece : {1, 20, 500, 100'000}) {
      ExpectFrames(
          testing::ReadStreamed<PcapngReader>(writer.out.bytes, kPcapngSectionHeaderBytes, random, piece).frames,
          writer.expected);
    }
  }
}

// libpcap wants one link type, one snap length and one byte order for all interfaces, and knows no time offsets below
// 0.
TEST(PcapngFile, AsLibpcapReadsIt) {
  std::mt19937_64 random(2);
  for (const bool big_endian : {false, true}) {
    PcapngWriter writer;
    for (int section = 0; section < 3; ++section) {
      writer.Section(big_endian);
      writer.Interface(1, 262144);
      writer.Interface(1, 262144, {{kResolution, {9}}});
      writer.Interface(1, 262144, {{kResolution, {0x8a}}, Offset(big_endian, 500)});
      for (int i = 0; i < 200; ++i) {
        const std::vector<uint8_t> data = RandomBytes(random, random() % 1500);
        const auto interface = static_cast<uint16_t>(random() % 3);
        const uint64_t units = (interface == 0   ? 1'000'000
                                : interface == 1 ? 1'000'000'000
                                                 : 1024) *
                                   (1'700'000'000 + random() % 1'000'000) +
                               random() % 1000;
        writer.Enhanced(interface, units, 0, data, static_cast<uint32_t>(data.size() + random() % 10));
      }
    }
    PcapngReader reader(writer.out.bytes, 0);
    const std::vector<Frame> frames = ReadAll(reader);
    std::string error;
    std::vector<testing::ExpectedFrame> expected = testing::ReadWithLibpcap(writer.out.bytes, error);
    ASSERT_EQ(error, "");
    ASSERT_EQ(expected.size(), writer.expected.size());
    for (size_t i = 0; i < expected.size(); ++i) expected[i].interface = writer.expected[i].interface;
    ExpectFrames(frames, expected);
  }
}

TEST(PcapngFile, EveryTruncatedPrefixGivesThePacketsBeforeTheCut) {
  std::mt19937_64 random(3);
  PcapngWriter writer;
  WriteRandomSections(writer, random, 2, 14);
  for (size_t size = 0; size < writer.out.bytes.size(); ++size) {
    const std::vector<uint8_t> prefix(writer.out.bytes.begin(),
                                      writer.out.bytes.begin() + static_cast<ptrdiff_t>(size));
    PcapngReader reader(prefix, 0);
    size_t whole = 0;
    while (whole < writer.expected.size() && writer.expected[whole].end_offset <= size) ++whole;
    ExpectFrames(ReadAll(reader), std::span(writer.expected).first(whole));
    const bool at_block_end =
        std::find(writer.block_ends.begin(), writer.block_ends.end(), size) != writer.block_ends.end();
    EXPECT_EQ(reader.damaged(), !at_block_end) << size;
    if (!at_block_end) {
      const auto after = std::upper_bound(writer.block_ends.begin(), writer.block_ends.end(), size);
      EXPECT_EQ(reader.position(), after == writer.block_ends.begin() ? 0 : *std::prev(after)) << size;
    }
    if (size >= kPcapngSectionHeaderBytes) ExpectSameStreamed<PcapngReader>(prefix, kPcapngSectionHeaderBytes, random);
  }
}

TEST(PcapngFile, CorruptedBytesHurtOnlyWhatFollows) {
  std::mt19937_64 random(4);
  for (int round = 0; round < 3000; ++round) {
    PcapngWriter writer;
    WriteRandomSections(writer, random, 2, 8);
    std::vector<uint8_t> file = writer.out.bytes;
    size_t first = file.size();
    for (uint64_t i = 0; i <= random() % 4; ++i) {
      const size_t at = random() % file.size();
      file[at] = static_cast<uint8_t>(random());
      first = std::min(first, at);
    }
    PcapngReader reader(file, 0);
    const std::vector<Frame> frames = ReadAll(reader);
    ExpectSane(frames, file);
    size_t untouched = 0;
    while (untouched < writer.expected.size() && writer.expected[untouched].end_offset <= first) ++untouched;
    ASSERT_GE(frames.size(), untouched);
    ExpectFrames({frames.begin(), frames.begin() + static_cast<ptrdiff_t>(untouched)},
                 std::span(writer.expected).first(untouched));
    ExpectSameStreamed<PcapngReader>(file, kPcapngSectionHeaderBytes, random);
  }
}

TEST(PcapngClock, ResolutionsOfBothBases) {
  const auto at = [](uint8_t resolution, int64_t offset, uint64_t units) {
    PcapngClock clock;
    clock.SetResolution(resolution);
    clock.SetOffset(offset);
    return clock.Nanoseconds(units);
  };
  EXPECT_EQ(PcapngClock().Nanoseconds(1'500'000), 1'500'000'000u);
  EXPECT_EQ(at(0, 0, 7), 7'000'000'000u);
  EXPECT_EQ(at(3, 0, 7), 7'000'000u);
  EXPECT_EQ(at(9, 0, 7), 7u);
  EXPECT_EQ(at(12, 0, 7999), 7u);
  EXPECT_EQ(at(28, 0, UINT64_MAX), 1u);
  EXPECT_EQ(at(29, 0, UINT64_MAX), 0u);
  EXPECT_EQ(at(127, 0, UINT64_MAX), 0u);
  EXPECT_EQ(at(0x80, 0, 7), 7'000'000'000u);
  EXPECT_EQ(at(0x8a, 0, 1024 + 512), 1'500'000'000u);
  EXPECT_EQ(at(0xa0, 0, (uint64_t{1'700'000'000} << 32) + (1u << 31)), 1'700'000'000'500'000'000u);
  EXPECT_EQ(at(0xff, 0, UINT64_MAX), 0u);
  EXPECT_EQ(at(6, 10, 1), 10'000'001'000u);
  EXPECT_EQ(at(6, -10, 11'000'000), 1'000'000'000u);
  EXPECT_EQ(at(6, -10, 1'000'000), 0u) << "before 1970";
  EXPECT_EQ(at(6, 0, UINT64_MAX), UINT64_MAX) << "after 2554";
  EXPECT_EQ(at(0, INT64_MAX, UINT64_MAX), UINT64_MAX);
  EXPECT_EQ(at(0x80, INT64_MIN, 5), 0u);
}

TEST(PcapngFile, SimplePacketsEndAtTheSnapLength) {
  PcapngWriter writer;
  writer.Section(false);
  writer.Interface(1, 6);
  ByteWriter body;
  body.U32(20).Raw(AsBytes("01234567"));
  writer.Block(3, body);
  PcapngReader reader(writer.out.bytes, 0);
  const std::vector<Frame> frames = ReadAll(reader);
  ASSERT_EQ(frames.size(), 1u);
  EXPECT_EQ(AsText(frames[0].bytes()), "012345");
  EXPECT_EQ(frames[0].wire_bytes, 20u);
  EXPECT_EQ(frames[0].time_ns, 0u);
}

TEST(PcapngFile, SimplePacketsHoldNoMoreThanTheirBlock) {
  PcapngWriter writer;
  writer.Section(true);
  writer.Interface(1, 0);
  ByteWriter body(true);
  body.U32(UINT32_MAX).Raw(AsBytes("01234567"));
  writer.Block(3, body);
  PcapngReader reader(writer.out.bytes, 0);
  EXPECT_EQ(AsText(ReadAll(reader).at(0).bytes()), "01234567");
}

TEST(PcapngFile, SaysWhatIsWrongWithABlock) {
  const std::vector<uint8_t> data(8, 'x');
  const auto start = [] {
    PcapngWriter writer;
    writer.Section(false);
    writer.Interface(1);
    return writer;
  };
  const auto packet = [](PcapngWriter& writer, uint32_t interface, uint32_t captured) {
    ByteWriter body;
    body.U32(interface).U32(0).U32(0).U32(captured).U32(8).Raw(AsBytes("01234567"));
    writer.Block(6, body);
    return writer.out.bytes;
  };
  uint64_t offset = 0;
  size_t num_frames = 0;

  PcapngWriter writer = start();
  writer.Enhanced(0, 1, 1, data, 8);
  EXPECT_EQ(DamageOf(packet(writer, 1, 8), offset, num_frames), "packet 2 is of interface 1; the section describes 1");
  EXPECT_EQ(offset, 28u + 20u + 40u);
  EXPECT_EQ(num_frames, 1u);

  writer = start();
  EXPECT_EQ(DamageOf(packet(writer, 0, 9)), "packet 1 says 9 bytes; its block holds 8");
  writer = start();
  EXPECT_EQ(DamageOf(packet(writer, 0, UINT32_MAX)),
            "packet 1 says 4294967295 bytes; the largest possible is 16777216");

  writer = start();
  writer.out.U32(6).U32(0).U32(0);
  EXPECT_EQ(DamageOf(writer.out.bytes), "block of type 0x6 says 0 bytes; it must be a multiple of 4 and at least 12");
  writer = start();
  writer.out.U32(6).U32(15).U32(0).U32(15);
  EXPECT_EQ(DamageOf(writer.out.bytes), "block of type 0x6 says 15 bytes; it must be a multiple of 4 and at least 12");
  writer = start();
  writer.out.U32(6).U32(16).U32(0).U32(20);
  EXPECT_EQ(DamageOf(writer.out.bytes), "block of type 0x6 says 16 bytes at its start and 20 at its end");
  writer = start();
  writer.out.U32(6).U32(400).U32(0).U32(16);
  EXPECT_EQ(DamageOf(writer.out.bytes), "the file ends inside a block of type 0x6 (16 of 400 bytes)");
  writer = start();
  writer.out.U32(6);
  EXPECT_EQ(DamageOf(writer.out.bytes), "the file ends inside the header of a block (4 of 12 bytes)");
  writer = start();
  writer.Block(6, ByteWriter().U32(0));
  EXPECT_EQ(DamageOf(writer.out.bytes), "packet block of 16 bytes; the shortest has 32");
  writer = start();
  writer.Block(1, ByteWriter().U32(0));
  EXPECT_EQ(DamageOf(writer.out.bytes), "interface description of 16 bytes; the shortest has 20");
  writer = start();
  writer.Block(1, ByteWriter().U32(1).U32(0).U16(kResolution).U16(200).U32(0));
  EXPECT_EQ(DamageOf(writer.out.bytes), "interface description with an option of 200 bytes where 4 are left");
  writer = start();
  writer.Section(false, 2);
  EXPECT_EQ(DamageOf(writer.out.bytes), "pcapng version 2.0 is not known; only version 1 is");
  writer = start();
  writer.Block(0x0a0d0d0a, ByteWriter().U32(0x01020304).U32(0).U32(0).U32(0));
  EXPECT_EQ(DamageOf(writer.out.bytes), "section header without a byte-order mark (it has 0x01020304)");
}

TEST(PcapngFile, BlocksThatAStreamKeepsInOnePieceAreBounded) {
  PcapngWriter writer;
  writer.Section(false);
  writer.Interface(1);
  writer.out.U32(6).U32(kLargestRecordBytes + 4).U32(0).U32(0).U32(0).U32(0).U32(0);
  EXPECT_EQ(DamageOf(writer.out.bytes), "block of type 0x6 says 33554436 bytes; the largest possible is 33554432");
}

TEST(PcapngFile, BlocksOfNoInterestPassAStreamInPieces) {
  std::mt19937_64 random(6);
  PcapngWriter writer;
  writer.Section(true);
  writer.Interface(1);
  writer.Enhanced(0, 1, 1000, std::vector<uint8_t>{1}, 1);
  writer.Other(0x0bad, std::vector<uint8_t>(300'000));
  writer.Enhanced(0, 2, 2000, std::vector<uint8_t>{2}, 1);
  for (int round = 0; round < 20; ++round) {
    ExpectFrames(
        testing::ReadStreamed<PcapngReader>(writer.out.bytes, kPcapngSectionHeaderBytes, random, 20'000).frames,
        writer.expected);
  }
  std::vector<uint8_t> wrong = writer.out.bytes;
  wrong[writer.block_ends[3] - 1] ^= 1;  // the length at the end of the large block
  ExpectSameStreamed<PcapngReader>(wrong, kPcapngSectionHeaderBytes, random);
  wrong.resize(writer.block_ends[3] - 1000);
  ExpectSameStreamed<PcapngReader>(wrong, kPcapngSectionHeaderBytes, random);
}

TEST(PcapngFile, PacketBeforeAnyInterfaceIsDamage) {
  PcapngWriter writer;
  writer.Section(false);
  writer.Block(3, ByteWriter().U32(4).U32(0));
  EXPECT_EQ(DamageOf(writer.out.bytes), "packet 1 is of interface 0; the section describes 0");
}

TEST(PcapngFile, InterfacesAreOfTheirSection) {
  PcapngWriter writer;
  writer.Section(false);
  writer.Interface(113);
  writer.Section(false);
  writer.Block(3, ByteWriter().U32(4).U32(0));
  EXPECT_EQ(DamageOf(writer.out.bytes), "packet 1 is of interface 0; the section describes 0");
}

TEST(PcapngFile, InterfacesAndOptionsAreBounded) {
  PcapngWriter writer;
  writer.Section(false);
  for (size_t i = 0; i <= PcapngReader::kMaxInterfaces; ++i) writer.Interface(1);
  EXPECT_EQ(DamageOf(writer.out.bytes), "more than 65536 interfaces in one section");

  PcapngWriter options;
  options.Section(false);
  options.Interface(1, 0, std::vector<PcapngOption>(PcapngReader::kMaxOptions + 1, PcapngOption{1, {'x'}}));
  EXPECT_EQ(DamageOf(options.out.bytes), "interface description with more than 1024 options");
}

}  // namespace
}  // namespace vedette
