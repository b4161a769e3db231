// Needs root: each case works in a network namespace of its own, between two ends of a virtual cable.
#include "sensor/capture/live/packet/packet_queue.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/if_tun.h>
#include <net/if_arp.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <string>
#include <vector>

#include "sensor/capture/link_type.h"
#include "sensor/capture/live/packet/packet_socket.h"
#include "sensor/hardening/confinement.h"
#include "sensor/hardening/privileges.h"
#include "tests/unit/sensor/capture/live/veth_test.h"

namespace vedette {
namespace {

using Clock = std::chrono::steady_clock;

// Without its first `count` bytes.
std::vector<uint8_t> Behind(std::span<const uint8_t> bytes, size_t count) {
  const std::span<const uint8_t> rest = bytes.subspan(count);
  return {rest.begin(), rest.end()};
}

// With blocks of packets, and packet by packet.
class PacketQueueTest : public VethTest, public ::testing::WithParamInterface<bool> {
 protected:
  static PacketQueueOptions OptionsFor(const std::string& interface) {
    PacketQueueOptions options;
    options.interface = interface;
    options.low_latency = GetParam();
    return options;
  }
  static std::unique_ptr<PacketQueue> MustOpen(const PacketQueueOptions& options) {
    OpenFailure failure;
    auto queues = PacketQueue::Open(options, 1, failure);
    EXPECT_EQ(queues.size(), 1u) << failure.text;
    return queues.empty() ? nullptr : std::move(queues[0]);
  }
  static OpenFailure FailureOf(const PacketQueueOptions& options, size_t num_queues = 1) {
    OpenFailure failure;
    EXPECT_TRUE(PacketQueue::Open(options, num_queues, failure).empty());
    return failure;
  }
  static size_t ReceiveAll(PacketQueue& queue) {
    size_t received = 0;
    std::span<const Frame> frames;
    PollStatus status = PollStatus::kFrames;
    while ((status = queue.Poll(frames)) == PollStatus::kFrames) received += frames.size();
    EXPECT_EQ(status, PollStatus::kEnd);
    return received;
  }
};

INSTANTIATE_TEST_SUITE_P(Rings, PacketQueueTest, ::testing::Values(false, true),
                         [](const auto& ring) { return ring.param ? "V2" : "V3"; });

TEST_P(PacketQueueTest, EveryFrameSentArrivesAsSent) {
  const auto queue = MustOpen(OptionsFor("vt0"));
  ASSERT_NE(queue, nullptr);
  EXPECT_EQ(queue->link_type(), kLinkEthernet);
  EXPECT_EQ(queue->FileName(0), "vt0");
  constexpr size_t kCount = 3000;
  const auto begin = std::chrono::system_clock::now().time_since_epoch();
  std::vector<std::vector<uint8_t>> sent;
  for (size_t i = 0; i < kCount; ++i) {
    sent.push_back(UdpFrame(53, i * 7 % 8000, static_cast<uint8_t>(i)));
    Send(sent.back());
  }
  const std::vector<Packet> packets = Receive(*queue, kCount);
  const auto end = std::chrono::system_clock::now().time_since_epoch();
  ASSERT_EQ(packets.size(), kCount);
  for (size_t i = 0; i < kCount; ++i) {
    ASSERT_EQ(packets[i].bytes, sent[i]) << i;
    ASSERT_EQ(packets[i].frame.wire_bytes, sent[i].size());
    ASSERT_EQ(packets[i].frame.number, i + 1);
    ASSERT_EQ(packets[i].frame.link_type, kLinkEthernet);
    const auto at = std::chrono::nanoseconds(packets[i].frame.time_ns);
    ASSERT_TRUE(at >= begin && at <= end) << at.count();
  }
  const CaptureCounters counters = queue->counters();
  EXPECT_EQ(counters.frames, kCount);
  EXPECT_EQ(counters.dropped_by_kernel, 0u);
  EXPECT_EQ(counters.total_input_bytes, 0u);
}

// The ring goes round many times, whatever the sizes.
TEST_P(PacketQueueTest, ASmallRingGoesRound) {
  PacketQueueOptions options = OptionsFor("vt0");
  options.buffer_bytes = 1 << 20;
  options.snap_length = 9018;
  const auto queue = MustOpen(options);
  ASSERT_NE(queue, nullptr);
  size_t number = 0;
  for (size_t round = 0; round < 300; ++round) {
    std::vector<std::vector<uint8_t>> sent;
    for (size_t i = 0; i < 40; ++i) {
      sent.push_back(UdpFrame(53, (round * 97 + i * 231) % 8900, static_cast<uint8_t>(round + i)));
      Send(sent.back());
    }
    const std::vector<Packet> packets = Receive(*queue, sent.size());
    ASSERT_EQ(packets.size(), sent.size()) << "round " << round;
    for (size_t i = 0; i < sent.size(); ++i) {
      ASSERT_EQ(packets[i].bytes, sent[i]) << "round " << round << ", " << i;
      ASSERT_EQ(packets[i].frame.number, ++number);
    }
  }
  EXPECT_EQ(queue->counters().dropped_by_kernel, 0u);
}

TEST_P(PacketQueueTest, WhatTheKernelDropsIsCountedExactly) {
  PacketQueueOptions options = OptionsFor("vt0");
  options.buffer_bytes = 1 << 20;
  const auto queue = MustOpen(options);
  ASSERT_NE(queue, nullptr);
  size_t sent = 0, received = 0;
  // Full, emptied, and full again.
  for (int round = 0; round < 3; ++round) {
    for (size_t i = 0; i < 2000; ++i, ++sent) Send(UdpFrame(53, 1 + i % 8000, 1));
    received += Receive(*queue, 2000).size();
    EXPECT_EQ(received + queue->counters().dropped_by_kernel, sent);
  }
  EXPECT_LT(received, sent);
  EXPECT_EQ(queue->counters().frames, received);
}

// The run ends: what had come by then is handed out, to the packet, and nothing that came later.
TEST_P(PacketQueueTest, DrainHandsOutWhatHadCome) {
  for (const char* filter : {"", "udp port 53", "udp port 53 and not vlan"}) {
    PacketQueueOptions options = OptionsFor("vt0");
    options.filter = filter;
    const auto queue = MustOpen(options);
    ASSERT_NE(queue, nullptr);
    constexpr size_t kBefore = 1000, kAfter = 100;
    size_t expected = 0;
    for (size_t i = 0; i < kBefore; ++i) {
      const bool is_dns = i % 3 == 0;
      Send(UdpFrame(is_dns ? 53 : 80, 200, 1));
      expected += is_dns || *filter == 0;
    }
    ASSERT_TRUE(queue->Drain());
    for (size_t i = 0; i < kAfter; ++i) Send(UdpFrame(53, 200, 1));
    EXPECT_EQ(ReceiveAll(*queue), expected) << "filter: " << filter;
    EXPECT_EQ(queue->counters().frames, expected);
    EXPECT_EQ(queue->counters().dropped_by_kernel, 0u);
  }
}

TEST_P(PacketQueueTest, DrainAfterDropsAccountsForAllThatWasSent) {
  PacketQueueOptions options = OptionsFor("vt0");
  options.buffer_bytes = 1 << 20;
  const auto queue = MustOpen(options);
  ASSERT_NE(queue, nullptr);
  size_t sent = 0;
  for (; sent < 20; ++sent) Send(UdpFrame(53, 100, 1));
  EXPECT_EQ(Receive(*queue, sent).size(), sent);
  for (; sent < 4000; ++sent) Send(UdpFrame(53, sent % 8000, 1));
  ASSERT_TRUE(queue->Drain());
  ReceiveAll(*queue);
  const CaptureCounters counters = queue->counters();
  EXPECT_GT(counters.dropped_by_kernel, 0u);
  EXPECT_EQ(counters.frames + counters.dropped_by_kernel, sent);
}

TEST_P(PacketQueueTest, FilterAndSnapLength) {
  for (const char* filter : {"udp port 53", "udp port 53 and not vlan"}) {
    PacketQueueOptions options = OptionsFor("vt0");
    options.filter = filter;
    options.snap_length = 100;
    const auto queue = MustOpen(options);
    ASSERT_NE(queue, nullptr);
    for (uint16_t i = 0; i < 50; ++i) Send(UdpFrame(i % 2 == 0 ? 53 : 80, 500, 1));
    const std::vector<Packet> packets = Receive(*queue, 50);
    ASSERT_EQ(packets.size(), 25u) << filter;
    for (const Packet& packet : packets) {
      EXPECT_EQ(packet.frame.captured_bytes, 100u);
      EXPECT_EQ(packet.frame.wire_bytes, 542u);
    }
  }
}

// The kernel delivers the outermost tag beside the packet, with the number of its protocol.
TEST_P(PacketQueueTest, VlanTagsAreInTheBytes) {
  const auto queue = MustOpen(OptionsFor("vt0"));
  ASSERT_NE(queue, nullptr);
  const std::vector<std::vector<uint8_t>> tags = {
      {0x81, 0x00, 0x00, 0x2a},
      {0x88, 0xa8, 0xa0, 0x07},
      {0x88, 0xa8, 0x00, 0x07, 0x81, 0x00, 0x0f, 0xff},
      {0x81, 0x00, 0x00, 0x00},  // a priority tag: its id is 0
      {0x91, 0x00, 0x00, 0x05, 0x81, 0x00, 0x00, 0x06},
  };
  std::vector<std::vector<uint8_t>> sent;
  for (const std::vector<uint8_t>& tag : tags) {
    sent.push_back(UdpFrame(53, 20, 1));
    sent.back().insert(sent.back().begin() + 12, tag.begin(), tag.end());
    Send(sent.back());
  }
  const std::vector<Packet> packets = Receive(*queue, sent.size());
  ASSERT_EQ(packets.size(), sent.size());
  for (size_t i = 0; i < sent.size(); ++i) {
    EXPECT_EQ(packets[i].bytes, sent[i]) << i;
    EXPECT_EQ(packets[i].frame.wire_bytes, sent[i].size()) << i;
  }
}

TEST_P(PacketQueueTest, AFilterSeesVlanTags) {
  PacketQueueOptions options = OptionsFor("vt0");
  options.filter = "vlan 42 and udp port 53";
  const auto queue = MustOpen(options);
  ASSERT_NE(queue, nullptr);
  for (const uint8_t id : {42, 43, 42}) {
    std::vector<uint8_t> tagged = UdpFrame(53, 20, 1);
    const uint8_t tag[] = {0x81, 0x00, 0x00, id};
    tagged.insert(tagged.begin() + 12, std::begin(tag), std::end(tag));
    Send(tagged);
    Send(UdpFrame(53, 20, 1));
  }
  EXPECT_EQ(Receive(*queue, 6).size(), 2u);
}

// Segments that are merged, as a card or the kernel does it: longer than the MTU, and with a checksum that nobody finished.
std::vector<uint8_t> MergedTcpFrame(size_t payload_bytes, uint8_t seed) {
  std::vector<uint8_t> frame = UdpFrame(53, payload_bytes + 12, seed);
  frame[14 + 9] = 6;
  frame[14 + 20 + 12] = 0x50;  // of the TCP header, which takes the UDP header's place: its length
  frame[14 + 20 + 13] = 0x10;
  return frame;
}

// virtio_net_hdr of <linux/virtio_net.h>, which is no C++.
struct VirtioHeader {
  uint8_t flags = 0;  // 1: the checksum is to be finished
  uint8_t kind = 0;   // 1: TCP over IPv4
  uint16_t header_bytes = 0, segment_bytes = 0, checked_from = 0, sum_at = 0;
};

TEST_P(PacketQueueTest, LongerThanTheMtu) {
  ASSERT_TRUE(Command("ip link set vt0 mtu 1500") && Command("ip link set vt1 mtu 1500"));
  const int header = 1;
  ASSERT_EQ(setsockopt(sender_, SOL_PACKET, PACKET_VNET_HDR, &header, sizeof header), 0);
  const auto queue = MustOpen(OptionsFor("vt0"));
  ASSERT_NE(queue, nullptr);
  for (const size_t payload_bytes : {2000u, 1000u, 65000u, 10u, 65400u, 9000u}) {
    const std::vector<uint8_t> frame = MergedTcpFrame(payload_bytes, 7);
    VirtioHeader merged;
    if (frame.size() > 1514)
      merged = {.flags = 1, .kind = 1, .header_bytes = 54, .segment_bytes = 1400, .checked_from = 34, .sum_at = 16};
    std::vector<uint8_t> sent(sizeof merged);
    std::memcpy(sent.data(), &merged, sizeof merged);
    sent.insert(sent.end(), frame.begin(), frame.end());
    Send(sent);
    const std::vector<Packet> packets = Receive(*queue, 1);
    ASSERT_EQ(packets.size(), 1u) << payload_bytes;
    EXPECT_EQ(packets[0].frame.wire_bytes, frame.size());
    EXPECT_EQ(packets[0].bytes, frame) << payload_bytes;
  }
}

TEST_P(PacketQueueTest, WhatTheHostSendsItself) {
  const int own = OpenSender("vt0");
  ASSERT_GE(own, 0);
  for (const bool ignore : {false, true}) {
    PacketQueueOptions options = OptionsFor("vt0");
    options.ignore_outgoing = ignore;
    const auto queue = MustOpen(options);
    ASSERT_NE(queue, nullptr);
    SendOn(own, UdpFrame(1, 20, 1));
    Send(UdpFrame(2, 20, 1));
    EXPECT_EQ(Receive(*queue, ignore ? 1 : 2).size(), ignore ? 1u : 2u);
    EXPECT_EQ(Receive(*queue, 1).size(), 0u);
  }
  close(own);
}

TEST_P(PacketQueueTest, LoopbackTellsOfEachPacketOnce) {
  ASSERT_TRUE(Command("ip link set lo up"));
  const auto queue = MustOpen(OptionsFor("lo"));
  ASSERT_NE(queue, nullptr);
  const int sender = OpenSender("lo");
  ASSERT_GE(sender, 0);
  for (int i = 0; i < 10; ++i) SendOn(sender, UdpFrame(53, 20, 1));
  const std::vector<Packet> packets = Receive(*queue, 20);
  EXPECT_EQ(packets.size(), 10u);
  for (const Packet& packet : packets) EXPECT_EQ(packet.bytes, UdpFrame(53, 20, 1));
  close(sender);
}

// A link of any kind, without a header of its own: a tun device, and what is written to it has come over it.
FileDescriptor MakeLink(const char* name, uint16_t hardware) {
  FileDescriptor device(open("/dev/net/tun", O_RDWR | O_CLOEXEC));
  ifreq request{};
  request.ifr_flags = IFF_TUN | IFF_NO_PI;
  std::strcpy(request.ifr_name, name);
  if (!device.is_open() || ioctl(device.get(), TUNSETIFF, &request) != 0 ||
      ioctl(device.get(), TUNSETLINK, hardware) != 0 ||
      !Command(std::string("ip link set ") + name + " addrgenmode none up"))
    return FileDescriptor();
  return device;
}

TEST_P(PacketQueueTest, LinksWithoutAHeader) {
  const std::vector<uint8_t> wanted = Behind(UdpFrame(53, 20, 1), 14), other = Behind(UdpFrame(80, 20, 1), 14);
  for (const auto& [hardware, link_type] :
       {std::pair<uint16_t, uint16_t>{ARPHRD_NONE, kLinkRaw}, {ARPHRD_PPP, kLinkCooked}}) {
    for (const char* filter : {"", "udp port 53", "ip[8] = 64 and udp dst port 53", "len > 10 and udp port 53"}) {
      const FileDescriptor device = MakeLink("tn0", hardware);
      if (!device.is_open()) GTEST_SKIP() << "links without a header are NOT tested: no tun device here";
      PacketQueueOptions options = OptionsFor("tn0");
      options.filter = filter;
      const auto queue = MustOpen(options);
      ASSERT_NE(queue, nullptr);
      EXPECT_EQ(queue->link_type(), link_type);
      for (const std::vector<uint8_t>* packet : {&other, &wanted})
        ASSERT_EQ(write(device.get(), packet->data(), packet->size()), static_cast<ssize_t>(packet->size()));
      const std::vector<Packet> packets = Receive(*queue, 2);
      ASSERT_EQ(packets.size(), *filter == 0 ? 2u : 1u) << filter;
      const std::vector<uint8_t>& bytes = packets.back().bytes;
      EXPECT_EQ(packets.back().frame.wire_bytes, bytes.size());
      const size_t header_bytes = link_type == kLinkCooked ? 16 : 0;
      ASSERT_EQ(bytes.size(), header_bytes + wanted.size());
      EXPECT_EQ(Behind(bytes, header_bytes), wanted) << filter;
      if (header_bytes == 0) continue;
      EXPECT_EQ(bytes[2] << 8 | bytes[3], ARPHRD_PPP);
      EXPECT_EQ(bytes[14] << 8 | bytes[15], 0x0800);
    }
  }
}

TEST_P(PacketQueueTest, IdleAfterAWhile) {
  const auto queue = MustOpen(OptionsFor("vt0"));
  ASSERT_NE(queue, nullptr);
  std::span<const Frame> frames;
  const auto begin = Clock::now();
  EXPECT_EQ(queue->Poll(frames), PollStatus::kIdle);
  EXPECT_TRUE(frames.empty());
  EXPECT_LT(Clock::now() - begin, std::chrono::seconds(2));
}

// Its keeper looks at that; the queue is idle.
TEST_P(PacketQueueTest, AnInterfaceThatGoesAwayHandsOutWhatItHad) {
  for (const char* command : {"ip link set vt0 down", "ip link del vt0"}) {
    const auto queue = MustOpen(OptionsFor("vt0"));
    ASSERT_NE(queue, nullptr);
    for (int i = 0; i < 3; ++i) Send(UdpFrame(53, 20, 1));
    ASSERT_TRUE(Command(command));
    EXPECT_EQ(Receive(*queue, 3).size(), 3u);
    std::span<const Frame> frames;
    for (int i = 0; i < 3; ++i) EXPECT_EQ(queue->Poll(frames), PollStatus::kIdle) << command;
    if (Command("ip link set vt0 up")) {
      for (int i = 0; i < 200 && !Command("ip link show vt1 | grep 'state UP'"); ++i) usleep(20'000);
    }
  }
}

// Shorter than a look at it: nobody notices, and the same ring goes on.
TEST_P(PacketQueueTest, AFlapIsPassedOver) {
  const auto queue = MustOpen(OptionsFor("vt0"));
  ASSERT_NE(queue, nullptr);
  Send(UdpFrame(53, 20, 1));
  ASSERT_TRUE(Command("ip link set vt0 down") && Command("ip link set vt0 up"));
  for (int i = 0; i < 5; ++i) Send(UdpFrame(53, 20, 2));
  EXPECT_EQ(Receive(*queue, 6).size(), 6u);
}

TEST_P(PacketQueueTest, ANewNameIsTheSameInterface) {
  const auto queue = MustOpen(OptionsFor("vt0"));
  ASSERT_NE(queue, nullptr);
  ASSERT_TRUE(Command("ip link set vt0 name vt9"));
  for (int i = 0; i < 5; ++i) Send(UdpFrame(53, 20, 2));
  EXPECT_EQ(Receive(*queue, 5).size(), 5u);
}

TEST_P(PacketQueueTest, FailuresSayWhatToDo) {
  OpenFailure failure = FailureOf(OptionsFor("vt7"));
  EXPECT_EQ(failure.kind, InterfaceProblem::kAbsent);
  EXPECT_EQ(failure.text.find("vt7: there is no such interface; there are: any, lo (down), vt0, vt1"), 0u)
      << failure.text;
  EXPECT_EQ(FailureOf(OptionsFor("a-name-that-is-too-long")).kind, InterfaceProblem::kAbsent);
  PacketQueueOptions options = OptionsFor("vt0");
  options.filter = "port";
  failure = FailureOf(options);
  EXPECT_EQ(failure.kind, InterfaceProblem::kOther);
  EXPECT_EQ(failure.text.find("vt0: filter expression \"port\": "), 0u) << failure.text;
  options = OptionsFor("vt0");
  options.snap_length = 262145;
  EXPECT_EQ(FailureOf(options).text, "vt0: the snap length must be between 1 and 262144");
  ASSERT_TRUE(Command("ip link set vt0 down"));
  failure = FailureOf(OptionsFor("vt0"));
  EXPECT_EQ(failure.kind, InterfaceProblem::kDown);
  EXPECT_EQ(failure.text, "vt0: the interface is down; bring it up first: ip link set vt0 up");
}

// More steps than the kernel takes: the frames are judged one by one instead.
TEST_P(PacketQueueTest, AFilterTooLongForTheKernelFiltersAllTheSame) {
  PacketQueueOptions options = OptionsFor("vt0");
  options.filter = "udp port 53";
  for (int i = 0; i < 2400; ++i) options.filter += " or udp[8:4] = " + std::to_string(100'000 + i);
  const auto queue = MustOpen(options);
  ASSERT_NE(queue, nullptr);
  for (uint16_t i = 0; i < 50; ++i) Send(UdpFrame(i % 2 == 0 ? 53 : 80, 500, 1));
  EXPECT_EQ(Receive(*queue, 50).size(), 25u);
}

TEST_P(PacketQueueTest, IsInUseWithAnAddress) {
  EXPECT_FALSE(IsInUse("vt0"));
  ASSERT_TRUE(Command("ip addr add fe80::1/64 dev vt0"));
  EXPECT_FALSE(IsInUse("vt0")) << "every interface has a link-local one";
  ASSERT_TRUE(Command("ip addr add 2001:db8::1/64 dev vt0"));
  EXPECT_TRUE(IsInUse("vt0"));
  ASSERT_TRUE(Command("ip addr add 192.0.2.9/24 dev vt1"));
  EXPECT_TRUE(IsInUse("vt1"));
  EXPECT_FALSE(IsInUse("vt7"));
}

// In a child with a /sys of its own, which shows the network namespace in which it was mounted.
TEST_P(PacketQueueTest, IsInUseWithAnotherDeviceOnIt) {
  if (!Command("ip link add link vt0 name vt0.7 type vlan id 7") &&
      !Command("ip link add link vt0 name mv0 type macvlan") &&
      !(Command("ip link add br0 type bridge") && Command("ip link set vt0 master br0")))
    GTEST_SKIP() << "this kernel has no VLAN, macvlan or bridge";
  const pid_t child = fork();
  if (child == 0) {
    if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        mount("sysfs", "/sys", "sysfs", 0, nullptr) != 0)
      _exit(77);
    _exit(IsInUse("vt0") && !IsInUse("vt1") ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  if (WEXITSTATUS(status) == 77) GTEST_SKIP() << "/sys cannot be mounted here";
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

// In a child, because there is no way back: 0 where everything holds, else the number of what does not.
TEST_P(PacketQueueTest, CapturesOnWithoutAnyRights) {
#ifdef __SANITIZE_THREAD__
  GTEST_SKIP()
      << "does not apply: ThreadSanitizer has a thread of its own, which keeps its rights: DropPrivileges refuses that";
#endif
  const auto queue = MustOpen(OptionsFor("vt0"));
  ASSERT_NE(queue, nullptr);
  OpenFailure failure;
  FileDescriptor fresh = OpenPacketSocket("vt0", failure);
  const PacketQueueOptions other = OptionsFor("vt0");
  const pid_t child = fork();
  if (child == 0) {
    DroppedPrivileges dropped;
    Confinement result;
    std::string error;
    if (!DropPrivileges("nobody", dropped, error) || !Confine({}, result, error)) _exit(1);
    // A socket that somebody else opened becomes a ring in the confinement.
    std::vector<FileDescriptor> sockets;
    sockets.push_back(std::move(fresh));
    const StartedRings started = StartPacketRings(std::move(sockets), other);
    if (started.rings.size() != 1) _exit(6);
    std::span<const Frame> frames;
    PollStatus status = PollStatus::kIdle;
    for (int i = 0; i < 500 && status == PollStatus::kIdle; ++i) status = queue->Poll(frames);
    if (status != PollStatus::kFrames) _exit(2);
    if (queue->counters().frames != 1) _exit(3);
    if (!PacketQueue::Open(OptionsFor("vt1"), 1, failure).empty()) _exit(4);
    if (failure.kind != InterfaceProblem::kNoPermission) _exit(5);
    if (failure.text.find("CAP_NET_RAW") == std::string::npos) _exit(7);
    if (failure.text.find("setcap cap_net_raw+ep") == std::string::npos) _exit(8);
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
