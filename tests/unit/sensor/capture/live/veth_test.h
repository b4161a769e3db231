// Two ends of a virtual cable, vt0 and vt1, in a network namespace of the test's own. Needs root.
#pragma once

#include <gtest/gtest.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "sensor/capture/live/live_source.h"

namespace vedette {

inline bool Command(const std::string& command) { return std::system((command + " >/dev/null 2>&1").c_str()) == 0; }

// Ethernet and UDP from 192.0.2.1:1000 to 192.0.2.2:`port`, `payload_bytes` of payload that depends on `seed`.
inline std::vector<uint8_t> UdpFrame(uint16_t port, size_t payload_bytes, uint8_t seed) {
  const auto ip_bytes = static_cast<uint16_t>(28 + payload_bytes);
  const auto udp_bytes = static_cast<uint16_t>(8 + payload_bytes);
  const auto high = [](uint16_t value) { return static_cast<uint8_t>(value >> 8); };
  const auto low = [](uint16_t value) { return static_cast<uint8_t>(value); };
  std::vector<uint8_t> frame = {0x02, 0, 0, 0, 0, 2, 0x02, 0, 0, 0, 0, 1, 8, 0};
  const uint8_t ip[] = {0x45, 0, high(ip_bytes), low(ip_bytes), 0, 0, 0, 0, 64, 17, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2};
  const uint8_t udp[] = {3, 0xe8, high(port), low(port), high(udp_bytes), low(udp_bytes), 0, 0};
  frame.insert(frame.end(), std::begin(ip), std::end(ip));
  frame.insert(frame.end(), std::begin(udp), std::end(udp));
  for (size_t i = 0; i < payload_bytes; ++i) frame.push_back(static_cast<uint8_t>(seed + i));
  return frame;
}

class VethTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "live capture is NOT tested: it needs root";
    if (unshare(CLONE_NEWNET) != 0)
      GTEST_SKIP() << "live capture is NOT tested: no network namespace: " << std::strerror(errno);
    if (!AddPair("vt0", "vt1")) GTEST_SKIP() << "live capture is NOT tested: ip cannot make a veth pair";
    sender_ = OpenSender("vt1");
    if (sender_ < 0) GTEST_SKIP() << "live capture is NOT tested: no packet socket: " << std::strerror(errno);
  }
  void TearDown() override {
    if (sender_ >= 0) close(sender_);
  }

  // IPv6 would send its own packets.
  static bool AddPair(const std::string& near, const std::string& far) {
    if (!Command("ip link add " + near + " type veth peer name " + far)) return false;
    for (const std::string& name : {near, far}) Command("ip link set " + name + " addrgenmode none mtu 9000 up");
    return true;
  }
  // Until then the kernel throws away what is sent over it: it hears of the carrier some time after the command.
  static bool UntilItSends(const std::string& interface) {
    for (int i = 0; i < 400; ++i) {
      if (Command("ip link show " + interface + " | grep 'state UP'")) return true;
      usleep(25'000);
    }
    return false;
  }
  static int OpenSender(const char* interface) {
    const int sender = socket(AF_PACKET, SOCK_RAW, 0);
    sockaddr_ll address{};
    address.sll_family = AF_PACKET;
    address.sll_ifindex = static_cast<int>(if_nametoindex(interface));
    if (sender >= 0 && bind(sender, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return sender;
    return -1;
  }

  void Send(const std::vector<uint8_t>& frame) { SendOn(sender_, frame); }
  static void SendOn(int sender, const std::vector<uint8_t>& frame) {
    ASSERT_EQ(send(sender, frame.data(), frame.size(), 0), static_cast<ssize_t>(frame.size())) << std::strerror(errno);
  }

  struct Packet {
    std::vector<uint8_t> bytes;
    Frame frame;
  };
  // Until `count` packets are there or the interface is silent.
  static std::vector<Packet> Receive(LiveSource& live, size_t count) {
    std::vector<Packet> packets;
    std::span<const Frame> frames;
    int num_idle = 0;
    while (packets.size() < count && num_idle < 50) {
      const PollStatus status = live.Poll(frames);
      if (status == PollStatus::kEnd) break;
      num_idle = status == PollStatus::kIdle ? num_idle + 1 : 0;
      EXPECT_LE(frames.size(), CaptureSource::kBurst);
      for (const Frame& frame : frames) {
        const Bytes bytes = frame.bytes();
        packets.push_back({{bytes.begin(), bytes.end()}, frame});
      }
    }
    return packets;
  }

  int sender_ = -1;
};

}  // namespace vedette
