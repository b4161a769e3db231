// Needs root: each case works in a network namespace of its own, between two ends of a virtual cable.
#include "sensor/capture/live/live_interface.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "sensor/hardening/privileges.h"
#include "tests/unit/sensor/capture/live/veth_test.h"

namespace vedette {
namespace {

using Clock = std::chrono::steady_clock;

class LiveInterfaceTest : public VethTest {
 protected:
  void OpenSenderAgain() {
    if (sender_ >= 0) close(sender_);
    sender_ = OpenSender("vt1");
    ASSERT_GE(sender_, 0);
  }
  // Until it is, the kernel drops what is sent over it.
  static bool OtherEndIsUp() {
    for (int i = 0; i < 200; ++i) {
      if (std::system("ip link show vt1 | grep -q 'state UP'") == 0) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    return false;
  }
  static LiveInterface::Options OptionsFor(const std::string& interface) {
    LiveInterface::Options options;
    options.interface = interface;
    return options;
  }
  static std::unique_ptr<LiveInterface> MustOpen(const LiveInterface::Options& options) {
    std::string error;
    auto live = LiveInterface::Open(options, error);
    EXPECT_NE(live, nullptr) << error;
    return live;
  }
  static std::string OpenError(const LiveInterface::Options& options) {
    std::string error;
    EXPECT_EQ(LiveInterface::Open(options, error), nullptr);
    return error;
  }
};

TEST_F(LiveInterfaceTest, EveryFrameSentArrivesAsSent) {
  const auto live = MustOpen(OptionsFor("vt0"));
  EXPECT_EQ(live->link_type(), 1);
  EXPECT_EQ(live->FileName(0), "vt0");
  constexpr size_t kCount = 3000;
  const auto begin = std::chrono::system_clock::now().time_since_epoch();
  std::vector<std::vector<uint8_t>> sent;
  for (size_t i = 0; i < kCount; ++i) {
    sent.push_back(UdpFrame(53, i * 7 % 8000, static_cast<uint8_t>(i)));
    Send(sent.back());
  }
  const std::vector<Packet> packets = Receive(*live, kCount);
  const auto end = std::chrono::system_clock::now().time_since_epoch();
  ASSERT_EQ(packets.size(), kCount);
  for (size_t i = 0; i < kCount; ++i) {
    ASSERT_EQ(packets[i].bytes, sent[i]) << i;
    ASSERT_EQ(packets[i].frame.wire_bytes, sent[i].size());
    ASSERT_EQ(packets[i].frame.number, i + 1);
    ASSERT_EQ(packets[i].frame.link_type, 1);
    const auto at = std::chrono::nanoseconds(packets[i].frame.time_ns);
    ASSERT_TRUE(at >= begin && at <= end) << at.count();
  }
  const CaptureCounters counters = live->counters();
  EXPECT_EQ(counters.frames, kCount);
  EXPECT_EQ(counters.dropped_by_kernel, 0u);
  EXPECT_EQ(counters.total_input_bytes, 0u);
}

TEST_F(LiveInterfaceTest, WhatTheKernelDropsIsCounted) {
  LiveInterface::Options options = OptionsFor("vt0");
  options.buffer_bytes = 1 << 20;
  const auto live = MustOpen(options);
  constexpr size_t kCount = 4000;
  const std::vector<uint8_t> frame = UdpFrame(53, 8000, 1);
  for (size_t i = 0; i < kCount; ++i) Send(frame);
  const size_t received = Receive(*live, kCount).size();
  EXPECT_LT(received, kCount);
  EXPECT_EQ(received + live->counters().dropped_by_kernel, kCount);
}

// The run ends: what had come by then is handed out, to the packet, and nothing that came later.
TEST_F(LiveInterfaceTest, DrainHandsOutWhatHadCome) {
  for (const char* filter : {"", "udp port 53"}) {
    LiveInterface::Options options = OptionsFor("vt0");
    options.filter = filter;
    const auto live = MustOpen(options);
    constexpr size_t kBefore = 1000, kAfter = 100;
    size_t expected = 0;
    for (size_t i = 0; i < kBefore; ++i) {
      const bool is_dns = i % 3 == 0;
      Send(UdpFrame(is_dns ? 53 : 80, 200, 1));
      expected += is_dns || *filter == 0;
    }
    ASSERT_TRUE(live->Drain());
    for (size_t i = 0; i < kAfter; ++i) Send(UdpFrame(53, 200, 1));
    size_t received = 0;
    std::span<const Frame> frames;
    PollStatus status = PollStatus::kFrames;
    while (status == PollStatus::kFrames) {
      status = live->Poll(frames);
      received += frames.size();
    }
    EXPECT_EQ(status, PollStatus::kEnd);
    EXPECT_EQ(received, expected) << "filter: " << filter;
    EXPECT_EQ(live->counters().frames, expected);
    EXPECT_EQ(live->counters().dropped_by_kernel, 0u);
    EXPECT_EQ(live->error(), "");
  }
}

TEST_F(LiveInterfaceTest, DrainAfterDropsAccountsForAllThatWasSent) {
  LiveInterface::Options options = OptionsFor("vt0");
  options.buffer_bytes = 1 << 20;
  const auto live = MustOpen(options);
  size_t sent = 0;
  for (; sent < 20; ++sent) Send(UdpFrame(53, 100, 1));
  EXPECT_EQ(Receive(*live, sent).size(), sent);
  for (; sent < 4000; ++sent) Send(UdpFrame(53, sent % 8000, 1));
  ASSERT_TRUE(live->Drain());
  std::span<const Frame> frames;
  while (live->Poll(frames) == PollStatus::kFrames) {
  }
  const CaptureCounters counters = live->counters();
  EXPECT_GT(counters.dropped_by_kernel, 0u);
  EXPECT_EQ(counters.frames + counters.dropped_by_kernel, sent);
}

TEST_F(LiveInterfaceTest, FilterAndSnapLength) {
  LiveInterface::Options options = OptionsFor("vt0");
  options.filter = "udp port 53";
  options.snap_length = 100;
  const auto live = MustOpen(options);
  for (uint16_t i = 0; i < 50; ++i) Send(UdpFrame(i % 2 == 0 ? 53 : 80, 500, 1));
  const std::vector<Packet> packets = Receive(*live, 50);
  ASSERT_EQ(packets.size(), 25u);
  for (const Packet& packet : packets) {
    EXPECT_EQ(packet.frame.captured_bytes, 100u);
    EXPECT_EQ(packet.frame.wire_bytes, 542u);
  }
}

// The kernel delivers tags beside the packet.
TEST_F(LiveInterfaceTest, VlanTagsAreInTheBytes) {
  const auto live = MustOpen(OptionsFor("vt0"));
  std::vector<uint8_t> tagged = UdpFrame(53, 20, 1);
  const uint8_t tag[] = {0x81, 0x00, 0x00, 0x2a};
  tagged.insert(tagged.begin() + 12, std::begin(tag), std::end(tag));
  Send(tagged);
  const std::vector<Packet> packets = Receive(*live, 1);
  ASSERT_EQ(packets.size(), 1u);
  EXPECT_EQ(packets[0].bytes, tagged);
}

TEST_F(LiveInterfaceTest, IdleAfterTheTimeout) {
  const auto live = MustOpen(OptionsFor("vt0"));
  std::span<const Frame> frames;
  const auto begin = Clock::now();
  EXPECT_EQ(live->Poll(frames), PollStatus::kIdle);
  EXPECT_TRUE(frames.empty());
  EXPECT_LT(Clock::now() - begin, std::chrono::seconds(2));
}

TEST_F(LiveInterfaceTest, StopFromAnotherThreadEndsTheWait) {
  LiveInterface::Options options = OptionsFor("vt0");
  options.timeout_ms = 60'000;
  const auto live = MustOpen(options);
  std::thread stopper([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    live->Stop();
  });
  const auto begin = Clock::now();
  std::span<const Frame> frames;
  PollStatus status = PollStatus::kIdle;
  while (status != PollStatus::kEnd) status = live->Poll(frames);
  stopper.join();
  EXPECT_LT(Clock::now() - begin, std::chrono::seconds(10));
  EXPECT_EQ(live->error(), "");
  EXPECT_TRUE(live->damage().empty());
}

TEST_F(LiveInterfaceTest, OneThatGoesDownIsIdleUntilItIsUpAgain) {
  const auto live = MustOpen(OptionsFor("vt0"));
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(Command("ip link set vt0 down"));
    EXPECT_TRUE(Receive(*live, 1).empty());
    ASSERT_TRUE(Command("ip link set vt0 up"));
    ASSERT_TRUE(OtherEndIsUp());
    Send(UdpFrame(53, 20, 1));
    EXPECT_EQ(Receive(*live, 1).size(), 1u);
  }
  EXPECT_EQ(live->error(), "");
  EXPECT_TRUE(live->damage().empty());
}

// The sensor's keeper of interfaces binds it to the new one of that name; nothing that the old one brought is lost.
TEST_F(LiveInterfaceTest, OneThatIsRemovedIsIdleUntilItIsBoundAgain) {
  LiveInterface::Options options = OptionsFor("vt0");
  options.filter = "udp port 53";
  const auto live = MustOpen(options);
  for (uint64_t i = 1; i <= 3; ++i) {
    Send(UdpFrame(53, 20, 1));
    ASSERT_TRUE(Command("ip link del vt0"));
    const std::vector<Packet> before = Receive(*live, 2);
    ASSERT_EQ(before.size(), 1u);
    ASSERT_TRUE(Command("ip link add vt0 type veth peer name vt1"));
    for (const char* name : {"vt0", "vt1"}) Command(std::string("ip link set ") + name + " addrgenmode none up");
    OpenSenderAgain();
    ASSERT_TRUE(OtherEndIsUp());
    Send(UdpFrame(53, 20, 1));
    EXPECT_TRUE(Receive(*live, 1).empty()) << "it is another interface";
    ASSERT_TRUE(live->Rebind(if_nametoindex("vt0")));
    Send(UdpFrame(80, 20, 1));
    Send(UdpFrame(53, 30, 1));
    const std::vector<Packet> after = Receive(*live, 2);
    ASSERT_EQ(after.size(), 1u) << "the filter stays";
    EXPECT_EQ(after[0].frame.number, 2 * i);
  }
  EXPECT_TRUE(live->damage().empty());
}

TEST_F(LiveInterfaceTest, GoesOnFromWhatAnotherCounted) {
  const auto live = MustOpen(OptionsFor("vt0"));
  CaptureCounters before;
  before.frames = 100;
  before.wire_bytes = 5'000;
  before.dropped_by_kernel = 7;
  live->GoOnFrom(before);
  Send(UdpFrame(53, 20, 1));
  const std::vector<Packet> packets = Receive(*live, 1);
  ASSERT_EQ(packets.size(), 1u);
  EXPECT_EQ(packets[0].frame.number, 101u);
  EXPECT_EQ(live->counters().frames, 101u);
  EXPECT_EQ(live->counters().wire_bytes, 5'062u);
  EXPECT_EQ(live->counters().dropped_by_kernel, 7u);
  Send(UdpFrame(53, 20, 1));
  ASSERT_TRUE(live->Drain());
  EXPECT_EQ(Receive(*live, 5).size(), 1u);
}

TEST_F(LiveInterfaceTest, ErrorsSayWhatToDo) {
  EXPECT_EQ(OpenError(OptionsFor("vt7")).find("vt7: there is no such interface; there are: any, lo (down), vt0, vt1"),
            0u)
      << OpenError(OptionsFor("vt7"));
  LiveInterface::Options options = OptionsFor("vt0");
  options.filter = "port";
  EXPECT_EQ(OpenError(options).find("filter expression \"port\" for vt0: "), 0u) << OpenError(options);
  options = OptionsFor("vt0");
  options.snap_length = 262145;
  EXPECT_EQ(OpenError(options), "vt0: the snap length must be between 1 and 262144");
  ASSERT_TRUE(Command("ip link set vt0 down"));
  EXPECT_EQ(OpenError(OptionsFor("vt0")), "vt0: the interface is down; bring it up first: ip link set vt0 up");
}

// In a child, because there is no way back: 0 where everything holds, else the number of what does not.
TEST_F(LiveInterfaceTest, CapturesOnWithoutAnyRights) {
#ifdef __SANITIZE_THREAD__
  GTEST_SKIP()
      << "does not apply: ThreadSanitizer has a thread of its own, which keeps its rights: DropPrivileges refuses that";
#endif
  const auto live = MustOpen(OptionsFor("vt0"));
  const pid_t child = fork();
  if (child == 0) {
    DroppedPrivileges dropped;
    std::string error;
    if (!DropPrivileges("nobody", dropped, error)) _exit(1);
    std::span<const Frame> frames;
    PollStatus status = PollStatus::kIdle;
    for (int i = 0; i < 500 && status == PollStatus::kIdle; ++i) status = live->Poll(frames);
    if (status != PollStatus::kFrames) _exit(2);
    if (live->counters().frames != 1) _exit(3);
    if (LiveInterface::Open(OptionsFor("vt1"), error)) _exit(4);
    if (error.find("setcap cap_net_raw+ep") == std::string::npos) _exit(5);
    _exit(0);
  }
  Send(UdpFrame(53, 20, 1));
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

}  // namespace
}  // namespace vedette
