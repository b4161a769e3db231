#include "sensor/pipeline/pipeline.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <vector>

#include "tests/unit/sensor/decode/packets.h"

namespace vedette {
namespace {

using testing::Ethernet;
using testing::Ipv4;
using testing::OwnedFrame;
using testing::Tcp;

// One packet of a flow long ago, then one of another flow a burst, without a pause: far fewer than a sweep by frames
// takes.
class BusySource : public CaptureSource {
 public:
  PollStatus Poll(std::span<const Frame>& frames) override {
    if (++polls_ == 1'000) return PollStatus::kEnd;
    Frame& frame = polls_ == 1 ? old_ : new_;
    frame.number = polls_;
    frames = {&frame, 1};
    return PollStatus::kFrames;
  }
  std::string_view FileName(uint32_t) const override { return "busy"; }
  CaptureCounters counters() const override { return {}; }
  std::span<const CaptureDamage> damage() const override { return {}; }

 private:
  static std::string Packet(uint16_t port) {
    Tcp tcp;
    tcp.source_port = port;
    return Ethernet(0x0800, Ipv4()(tcp("x")));
  }
  static uint64_t SecondsAgo(int64_t seconds) {
    const auto now = std::chrono::system_clock::now().time_since_epoch() - std::chrono::seconds(seconds);
    return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(now).count());
  }

  const OwnedFrame idle_{Packet(40'000), kLinkEthernet, SecondsAgo(590)};
  const OwnedFrame busy_{Packet(40'001), kLinkEthernet, SecondsAgo(0)};
  Frame old_ = *idle_, new_ = *busy_;
  uint64_t polls_ = 0;
};

class Nothing : public BurstConsumer {
 public:
  void OnBurst(const ObservableBatch&, std::span<const EmissionContext>, std::span<const EndedFlow>) override {}
  void OnProgress(uint32_t, uint64_t) override {}
};

WorkerCounters RunBusy(Sharing sharing) {
  std::vector<LaneSetup> setups(1);
  setups[0].source = std::make_unique<BusySource>();
  setups[0].consumer = std::make_unique<Nothing>();
  setups[0].options.tcp_timeout_ns = 500'000'000'000;
  Pipeline pipeline(std::move(setups), sharing);
  const std::atomic<bool> stop{false};
  return pipeline.Run(stop, nullptr).workers;
}

TEST(Pipeline, ALiveSensorSweepsByTheClockOnALinkThatIsNeverIdle) {
  const WorkerCounters counters = RunBusy(Sharing::kOwnPackets);
  EXPECT_EQ(counters.flows, 2u);
  EXPECT_EQ(counters.flows_timed_out, 1u);
}

TEST(Pipeline, AReplayNeverLooksAtTheClock) {
  const WorkerCounters counters = RunBusy(Sharing::kSameCapture);
  EXPECT_EQ(counters.flows, 2u);
  EXPECT_EQ(counters.flows_timed_out, 0u);
}

}  // namespace
}  // namespace vedette
