// Lanes as a live sensor has them: each with a queue of every interface.
#include "sensor/pipeline/lane.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "sensor/capture/live/live_sources.h"
#include "sensor/pipeline/matching_lane.h"
#include "sensor/pipeline/pipeline.h"
#include "tests/unit/sensor/decode/packets.h"
#include "tests/unit/signatures/sets.h"

namespace vedette {
namespace {

using testing::Ethernet;
using testing::Ipv4;
using testing::OwnedFrame;
using testing::Tcp;

constexpr uint64_t kSecond = 1'000'000'000;
constexpr int kFlows = 20;  // of each lane

// Queue k of one interface: some packets, and then its end.
class Queue final : public LiveSource {
 public:
  Queue(uint32_t file, std::vector<std::string> packets) : file_(file) {
    for (const std::string& packet : packets) {
      frames_.push_back(std::make_unique<OwnedFrame>(packet, kLinkEthernet, kSecond * (2 * frames_.size() + file)));
    }
  }
  PollStatus PollNow(std::span<const Frame>& frames) override {
    if (next_ == frames_.size()) return PollStatus::kIdle;
    frame_ = **frames_[next_++];
    frame_.file = file_;
    frame_.number = ++counters_.frames;
    frames = {&frame_, 1};
    return PollStatus::kFrames;
  }
  PollStatus Poll(std::span<const Frame>& frames) override {
    const PollStatus status = PollNow(frames);
    return status == PollStatus::kIdle ? PollStatus::kEnd : status;
  }
  bool Drain() override { return true; }
  int descriptor() const override { return -1; }
  uint64_t delay_ns() const override { return 0; }
  uint32_t file() const override { return file_; }
  std::string_view FileName(uint32_t) const override { return "test"; }
  CaptureCounters counters() const override { return counters_; }
  void GoOnFrom(const CaptureCounters& before) override { counters_ = before; }
  std::span<const CaptureDamage> damage() const override { return {}; }

 private:
  const uint32_t file_;
  std::vector<std::unique_ptr<OwnedFrame>> frames_;
  size_t next_ = 0;
  Frame frame_;
  CaptureCounters counters_;
};

std::string Segment(uint16_t from, uint16_t to, bool from_client, uint8_t flags, uint32_t sequence,
                    uint32_t acknowledgment, const std::string& text) {
  Tcp tcp;
  tcp.source_port = from;
  tcp.destination_port = to;
  tcp.flags = flags;
  tcp.sequence = sequence;
  tcp.acknowledgment = acknowledgment;
  Ipv4 ip;
  if (!from_client) std::swap(ip.source, ip.destination);
  return Ethernet(0x0800, ip(tcp(text)));
}

// What clients say comes over one interface, what servers say over the other: as from the two outputs of a tap.
std::vector<std::string> FromClients(uint16_t first_port) {
  std::vector<std::string> packets;
  for (uint16_t i = 0; i < kFlows; ++i) {
    const auto port = static_cast<uint16_t>(first_port + i);
    packets.push_back(Segment(port, 80, true, kTcpSyn, 100, 0, ""));
    packets.push_back(Segment(port, 80, true, kTcpAck, 101, 501, "GET / HTTP/1.1\r\nHost: listed.example\r\n\r\n"));
  }
  return packets;
}
std::vector<std::string> FromServers(uint16_t first_port) {
  std::vector<std::string> packets;
  for (uint16_t i = 0; i < kFlows; ++i) {
    const auto port = static_cast<uint16_t>(first_port + i);
    packets.push_back(Segment(80, port, false, kTcpSyn | kTcpAck, 500, 101, ""));
    packets.push_back(Segment(80, port, false, kTcpAck, 501, 200, "HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n"));
  }
  return packets;
}

TEST(Lane, DirectionsOverTwoInterfacesAreOneFlowInEachOfTwoLanes) {
  const auto set = TestSet({MakeIndicator(IndicatorType::kDomain, "listed.example"),
                            MakeIndicator(IndicatorType::kContent, "302 Found")})
                       .set;
  Doorbell doorbell;
  std::vector<LaneSetup> setups(2);
  for (size_t i = 0; i < setups.size(); ++i) {
    const auto first_port = static_cast<uint16_t>(20'000 + 1'000 * i);
    std::vector<std::unique_ptr<LiveSource>> queues;
    queues.push_back(std::make_unique<Queue>(0, FromClients(first_port)));
    queues.push_back(std::make_unique<Queue>(1, FromServers(first_port)));
    setups[i].source = std::make_unique<LiveSources>(std::move(queues));
    setups[i].options.believe_stamps = true;
    ASSERT_NE(MakeMatching(setups[i], set, doorbell, {.generation = 1, .wait_when_full = true}), nullptr);
  }
  Pipeline pipeline(std::move(setups), Sharing::kOwnPackets);
  ASSERT_EQ(pipeline.alert_queues().size(), 2u);
  const std::atomic<bool> stop{true};  // what the queues hold is drained
  const Totals totals = pipeline.Run(stop, nullptr);

  EXPECT_EQ(totals.decode.decoded, 2u * 4 * kFlows);
  EXPECT_EQ(totals.capture.frames, 2u * 4 * kFlows);
  EXPECT_EQ(totals.workers.flows, 2u * kFlows);
  EXPECT_EQ(totals.alerts.alerts, 2u * 2 * kFlows);
  for (size_t i = 0; i < pipeline.num_lanes(); ++i) {
    EXPECT_TRUE(pipeline.lane(i).ended());
    const Totals part = pipeline.lane(i).Snapshot();
    EXPECT_EQ(part.decode.decoded, 4u * kFlows) << "lane " << i;
    EXPECT_EQ(part.workers.flows, uint64_t{kFlows}) << "lane " << i;
    EXPECT_EQ(part.alerts.alerts, 2u * kFlows) << "lane " << i;
  }

  // Each alert names the interface that its packet came over; the flow has both directions.
  std::set<uint64_t> flows;
  for (AlertQueue* queue : pipeline.alert_queues()) {
    EXPECT_TRUE(queue->closed());
    while (queue->Front() != nullptr) {
      const Alert alert = std::move(queue->Pop()->alert);
      flows.insert(alert.flow.id);
      EXPECT_EQ(alert.file, alert.kind == ObservableKind::kHttpHost ? 0u : 1u) << NameOf(alert.kind);
      EXPECT_EQ(alert.flow.server_port, 80);
      if (alert.kind == ObservableKind::kHttpHost) continue;
      EXPECT_GT(alert.flow.packets[0], 0u);
      EXPECT_GT(alert.flow.packets[1], 0u);
    }
  }
  EXPECT_EQ(flows.size(), 2u * kFlows);
}

}  // namespace
}  // namespace vedette
