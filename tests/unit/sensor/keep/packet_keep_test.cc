// Lanes, exporter and writer in threads of their own.
#include "sensor/keep/packet_keep.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "sensor/capture/files/pcapng_file.h"
#include "tests/unit/temporary_folder.h"

namespace vedette {
namespace {

constexpr uint32_t kLanes = 3;
constexpr int kFlows = 300, kPackets = 40;  // of each lane; of each flow

class WholeKeep : public ::testing::Test {
 protected:
  static uint64_t IdOf(uint32_t lane, int flow) { return uint64_t{lane} * 10'000 + static_cast<uint64_t>(flow) + 1; }
  // Its bytes say whose it is.
  static void Send(FlowKeeper& keeper, Flow& flow, uint32_t lane, int number, int packet) {
    const std::string bytes = std::to_string(IdOf(lane, number)) + ' ' + std::to_string(packet) + std::string(300, '.');
    Frame frame;
    frame.data = reinterpret_cast<const uint8_t*>(bytes.data());
    frame.captured_bytes = frame.wire_bytes = static_cast<uint32_t>(bytes.size());
    frame.time_ns =
        static_cast<uint64_t>(std::chrono::nanoseconds(std::chrono::system_clock::now().time_since_epoch()).count());
    frame.link_type = 1;
    frame.file = lane;
    Packet decoded;
    decoded.frame = &frame;
    flow.CountPacket(0);
    keeper.Add(flow, decoded);
    keeper.Serve();
  }
  std::map<std::string, std::vector<std::string>> ReadAll() const {
    std::map<std::string, std::vector<std::string>> files;
    for (const auto& entry : std::filesystem::directory_iterator(folder_.path())) {
      std::ifstream file(entry.path(), std::ios::binary);
      const std::string text{std::istreambuf_iterator<char>(file), {}};
      PcapngReader reader(AsBytes(text), 0);
      Frame frames[8];
      std::vector<std::string>& packets = files[entry.path().filename().string()];
      while (!reader.done()) {
        const size_t count = reader.Read(frames, UINT64_MAX);
        for (size_t i = 0; i < count; ++i)
          packets.emplace_back(AsText(frames[i].bytes()).substr(0, AsText(frames[i].bytes()).find('.')));
      }
      EXPECT_FALSE(reader.damaged());
    }
    return files;
  }
  TemporaryFolder folder_;
};

// While files rotate every few packets: all of every flow is there once and in order, and begins in the file that its
// alert names.
TEST_F(WholeKeep, FlowsOfAllLanesAreWhole) {
  KeptFiles::Options files;
  files.folder = folder_.path().string();
  files.file_bytes = 30'000;
  files.interfaces = {"a", "b", "c"};
  std::string error;
  const std::unique_ptr<PacketKeep> keep = PacketKeep::Open(files, {}, error);
  ASSERT_NE(keep, nullptr) << error;
  std::vector<FlowKeeper*> keepers;
  for (uint32_t lane = 0; lane < kLanes; ++lane) keepers.push_back(keep->AddLane(error));
  std::vector<std::atomic<int>> raised(kLanes);  // alerts, one of each flow in turn
  std::atomic<uint32_t> running{kLanes};
  std::vector<std::thread> lanes;
  for (uint32_t lane = 0; lane < kLanes; ++lane) {
    lanes.emplace_back([&, lane] {
      for (int number = 0; number < kFlows; ++number) {
        Flow flow;
        flow.first_packet = static_cast<uint64_t>(number) + 1;
        flow.client_port = 1000;
        const uint64_t key = KeepKeyOf(flow.first_packet, 1000, 0);
        for (int packet = 0; packet < kPackets; ++packet) {
          Send(*keepers[lane], flow, lane, number, packet);
          if (packet == kPackets / 2) {
            keepers[lane]->Expect(key);
            raised[lane].store(number + 1);
          }
          if (packet % 8 == 0) std::this_thread::sleep_for(std::chrono::microseconds(50));
        }
        keepers[lane]->End(key);
      }
      keepers[lane]->Ended();
      --running;
    });
  }
  std::map<uint64_t, std::string> names;
  std::thread exporter([&] {
    std::vector<int> taken(kLanes, 0);
    Event event;
    Alert alert;
    event.alert = &alert;
    for (bool last = false;;) {
      bool any = false;
      for (uint32_t lane = 0; lane < kLanes; ++lane) {
        for (; taken[lane] < raised[lane].load(); ++taken[lane]) {
          any = true;
          alert.flow.id = IdOf(lane, taken[lane]);
          alert.lane = lane;
          alert.keep_key = KeepKeyOf(static_cast<uint64_t>(taken[lane]) + 1, 1000, 0);
          ASSERT_TRUE(keep->sink().Accept(event));
          ASSERT_TRUE(keep->sink().Accept(event));  // a second alert of the flow
          names[alert.flow.id] = keep->sink().FileOf(alert.flow.id);
          ASSERT_NE(names[alert.flow.id], "");
        }
      }
      keep->sink().Idle();
      if (last && !any) return;
      last = running.load() == 0;
    }
  });
  for (std::thread& lane : lanes) lane.join();
  exporter.join();
  keep->Finish();

  std::map<std::string, std::vector<std::string>> found;  // packets by flow, in the order of the files
  std::map<std::string, std::string> begins;
  for (const auto& [name, packets] : ReadAll()) {
    for (const std::string& packet : packets) {
      const std::string id = packet.substr(0, packet.find(' '));
      found[id].push_back(packet.substr(packet.find(' ') + 1));
      begins.try_emplace(id, name);
    }
  }
  ASSERT_EQ(found.size(), size_t{kLanes} * kFlows);
  std::vector<std::string> whole;
  for (int packet = 0; packet < kPackets; ++packet) whole.push_back(std::to_string(packet));
  for (const auto& [id, packets] : found) {
    EXPECT_EQ(packets, whole) << id;
    EXPECT_EQ(begins[id], names[std::stoull(id)]) << id;
  }
  Figures figures;
  keep->AppendFigures(figures);
  EXPECT_EQ(figures.Value(families::kKeptPackets), kLanes * kFlows * kPackets);
  EXPECT_EQ(figures.Value(families::kKeptFlows, "kept"), kLanes * kFlows);
  EXPECT_EQ(figures.Sum(families::kKeptLost), 0);
}

}  // namespace
}  // namespace vedette
