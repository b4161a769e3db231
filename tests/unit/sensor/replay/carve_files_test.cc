// Many captures written in small pieces, read back by the project's own reader.
#include "sensor/replay/carve_files.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "sensor/capture/files/pcap_file.h"
#include "tests/unit/temporary_folder.h"

namespace vedette {
namespace {

constexpr uint64_t kSecond = 1'000'000'000;

struct Packet {
  std::string bytes;
  uint64_t time_ns;
  uint32_t wire_bytes;
  uint16_t link_type;

  friend bool operator==(const Packet&, const Packet&) = default;
};

Frame FrameOf(const Packet& packet) {
  Frame frame;
  frame.data = reinterpret_cast<const uint8_t*>(packet.bytes.data());
  frame.captured_bytes = static_cast<uint32_t>(packet.bytes.size());
  frame.wire_bytes = packet.wire_bytes;
  frame.time_ns = packet.time_ns;
  frame.link_type = packet.link_type;
  return frame;
}

std::vector<Packet> Read(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string data{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  PcapReader reader(AsBytes(data), 0);
  std::vector<Packet> packets;
  std::vector<Frame> frames(16);
  while (!reader.done()) {
    const size_t n = reader.Read(frames, data.size());
    for (size_t i = 0; i < n; ++i) {
      packets.push_back(
          {std::string(AsText(frames[i].bytes())), frames[i].time_ns, frames[i].wire_bytes, frames[i].link_type});
    }
  }
  EXPECT_FALSE(reader.damaged()) << reader.damage_reason();
  return packets;
}

std::set<std::string> NamesIn(const TemporaryFolder& folder) {
  std::set<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder.path())) names.insert(entry.path().filename());
  return names;
}

// What goes in comes out, for any sizes of buffers, so also where files turn into nanoseconds half-way.
TEST(CarveFiles, WritesWhatItIsGivenInPiecesOfAnySize) {
  for (const size_t total : {size_t{1}, size_t{300}, size_t{4000}, size_t{1} << 20}) {
    std::mt19937 random(7);
    const TemporaryFolder folder;
    CarveFiles files(folder.path(), 20, {.total_bytes = total, .file_bytes = total / 2 + 1});
    std::map<std::string, std::vector<Packet>> expected;
    std::map<uint32_t, uint16_t> first_link_type;
    for (int i = 0; i < 2000; ++i) {
      const auto flow = static_cast<uint32_t>(random() % 20);
      const bool fine = flow % 2 == 0 && i > 1000;  // every other flow needs nanoseconds, late
      Packet packet{std::string(random() % 200, static_cast<char>('a' + flow)),
                    1'790'000'000 * kSecond + static_cast<uint64_t>(i) * 1000 + (fine ? 1 : 0), 0,
                    static_cast<uint16_t>(flow == 3 && random() % 2 == 0 ? 101 : 1)};
      packet.wire_bytes = static_cast<uint32_t>(packet.bytes.size() + random() % 3);
      ASSERT_TRUE(files.Add(flow, 1000 + flow, FrameOf(packet))) << files.error();
      first_link_type.emplace(flow, packet.link_type);
      const std::string suffix =
          packet.link_type == first_link_type[flow] ? "" : ".link-" + std::to_string(packet.link_type);
      expected[std::to_string(1000 + flow) + suffix + ".pcap"].push_back(packet);
    }
    for (uint32_t flow = 0; flow < 20; ++flow) ASSERT_TRUE(files.Finish(flow)) << files.error();
    std::set<std::string> names;
    for (const auto& [name, packets] : expected) {
      names.insert(name);
      EXPECT_EQ(Read(folder / name), packets) << name << ", buffers of " << total;
    }
    EXPECT_EQ(NamesIn(folder), names);
    EXPECT_EQ(files.num_finished(), names.size());
    EXPECT_EQ(files.NamesOf(3).size(), 2u);
  }
}

TEST(CarveFiles, NothingUnfinishedStays) {
  const TemporaryFolder folder;
  {
    CarveFiles files(folder.path(), 2, {.total_bytes = 1, .file_bytes = 1});
    for (uint32_t flow = 0; flow < 2; ++flow) ASSERT_TRUE(files.Add(flow, flow, FrameOf({"abc", kSecond, 3, 1})));
    ASSERT_TRUE(files.Finish(1));
    EXPECT_EQ(NamesIn(folder), (std::set<std::string>{"0.pcap.part", "1.pcap"}));
  }
  EXPECT_EQ(NamesIn(folder), (std::set<std::string>{"1.pcap"}));
}

TEST(CarveFiles, SaysWhatCouldNotBeWritten) {
  const TemporaryFolder folder;
  CarveFiles files(folder / "missing", 1, {.total_bytes = 1, .file_bytes = 1});
  EXPECT_FALSE(files.Add(0, 77, FrameOf({"abc", kSecond, 3, 1})));
  EXPECT_NE(files.error().find("missing/77.pcap"), std::string::npos) << files.error();
  EXPECT_FALSE(files.Add(0, 77, FrameOf({"abc", kSecond, 3, 1})));
  EXPECT_FALSE(files.Finish(0));
}

TEST(CarveFiles, TimesThatPcapCannotSayAreCounted) {
  const TemporaryFolder folder;
  CarveFiles files(folder.path(), 1, {});
  ASSERT_TRUE(files.Add(0, 5, FrameOf({"abc", UINT64_MAX, 3, 1})));
  ASSERT_TRUE(files.Finish(0));
  EXPECT_EQ(files.times_beyond_pcap(), 1u);
  ASSERT_EQ(Read(folder / "5.pcap").size(), 1u);
  EXPECT_EQ(Read(folder / "5.pcap")[0].time_ns, UINT32_MAX * kSecond);
}

}  // namespace
}  // namespace vedette
