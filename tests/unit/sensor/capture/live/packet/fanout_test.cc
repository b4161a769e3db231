// Which queue packets reach, as the kernel decides it, against a second statement of the rule in plain C++. Needs root.
#include <gtest/gtest.h>

#include <array>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "sensor/capture/live/packet/fanout_program.h"
#include "sensor/capture/live/packet/packet_queue.h"
#include "tests/unit/sensor/capture/live/veth_test.h"

namespace vedette {
namespace {

using Octets = std::vector<uint8_t>;

void Append(std::span<const uint8_t> bytes, Octets& to) {
  for (const uint8_t byte : bytes) to.push_back(byte);
}

uint32_t ReadU32(std::span<const uint8_t> bytes, size_t at) {
  return uint32_t{bytes[at]} << 24 | uint32_t{bytes[at + 1]} << 16 | uint32_t{bytes[at + 2]} << 8 | bytes[at + 3];
}

uint32_t NaiveAddress(std::span<const uint8_t> address, uint32_t seed) {
  uint32_t state = seed;
  for (size_t at = 0; at < address.size(); at += 4) {
    state = (state ^ ReadU32(address, at)) * kFanoutFactor;
    state ^= state >> 15;
  }
  return state;
}

uint32_t NaiveHash(std::span<const uint8_t> frame, uint32_t seed) {
  size_t at = 12;
  uint16_t type = 0;
  int tags = kFanoutTags;
  for (bool first = true;; first = false) {
    if (frame.size() < at + 2) return 0;
    type = static_cast<uint16_t>(frame[at] << 8 | frame[at + 1]);
    at += 2;
    const bool kernels = type == 0x8100 || type == 0x88a8;  // takes off the first one
    if (!kernels && type != 0x9100) break;
    if (!(first && kernels) && tags-- == 0) return 0;
    at += 2;
  }
  const size_t address_bytes = type == 0x0800 ? 4 : type == 0x86dd ? 16 : 0;
  const size_t source = at + (type == 0x0800 ? 12 : 8);
  if (address_bytes == 0 || frame.size() < source + 2 * address_bytes) return 0;
  uint32_t hash = NaiveAddress(frame.subspan(source, address_bytes), seed) +
                  NaiveAddress(frame.subspan(source + address_bytes, address_bytes), seed);
  hash *= kFanoutFactor;
  return hash ^ hash >> 16;
}

Octets Ethernet(uint16_t type, const Octets& body, const std::vector<uint16_t>& tags = {}) {
  constexpr uint8_t kAddresses[] = {0x02, 0, 0, 0, 0, 2, 0x02, 0, 0, 0, 0, 1};
  Octets frame;
  Append(kAddresses, frame);
  const auto put = [&](uint16_t value) {
    frame.push_back(static_cast<uint8_t>(value >> 8));
    frame.push_back(static_cast<uint8_t>(value));
  };
  for (const uint16_t tag : tags) {
    put(tag);
    put(static_cast<uint16_t>(frame.size()));  // some id
  }
  put(type);
  Append(body, frame);
  return frame;
}

Octets Ipv4(std::span<const uint8_t> source, std::span<const uint8_t> destination, uint8_t protocol, uint16_t fragment,
            const Octets& body) {
  const auto length = static_cast<uint16_t>(20 + body.size());
  Octets packet = {0x45,
                   0,
                   static_cast<uint8_t>(length >> 8),
                   static_cast<uint8_t>(length),
                   0,
                   9,
                   static_cast<uint8_t>(fragment >> 8),
                   static_cast<uint8_t>(fragment),
                   64,
                   protocol,
                   0,
                   0};
  Append(source, packet);
  Append(destination, packet);
  Append(body, packet);
  return packet;
}

Octets Ipv6(std::span<const uint8_t> source, std::span<const uint8_t> destination, uint8_t next, const Octets& body) {
  Octets packet = {0x60, 0, 0, 0, static_cast<uint8_t>(body.size() >> 8), static_cast<uint8_t>(body.size()), next, 64};
  Append(source, packet);
  Append(destination, packet);
  Append(body, packet);
  return packet;
}

class FanoutTest : public VethTest {
 protected:
  static constexpr uint32_t kSeed = 0x12345678;

  // All queues of an interface.
  struct Opened {
    std::vector<std::unique_ptr<PacketQueue>> queues;
    int sender = -1;
  };
  Opened OpenQueues(const std::string& interface, size_t num_queues, uint32_t file = 0, bool low_latency = false) {
    PacketQueueOptions options;
    options.interface = interface;
    options.file = file;
    options.buffer_bytes = 8 << 20;
    options.fanout_seed = kSeed;
    options.low_latency = low_latency;
    OpenFailure failure;
    Opened opened;
    opened.queues = PacketQueue::Open(options, num_queues, failure);
    EXPECT_EQ(opened.queues.size(), num_queues) << failure.text;
    return opened;
  }
  // What each queue received, until `count` frames are there or all are silent.
  static std::vector<std::vector<Octets>> ReceiveFrom(Opened& opened, size_t count) {
    std::vector<std::vector<Octets>> received(opened.queues.size());
    size_t all = 0;
    for (int idle = 0; all < count && idle < 50;) {
      size_t now = 0;
      for (size_t queue = 0; queue < opened.queues.size(); ++queue) {
        std::span<const Frame> frames;
        if (opened.queues[queue]->Poll(frames) != PollStatus::kFrames) continue;
        for (const Frame& frame : frames) received[queue].emplace_back(frame.bytes().begin(), frame.bytes().end());
        now += frames.size();
      }
      all += now;
      idle = now == 0 ? idle + 1 : 0;
    }
    EXPECT_EQ(all, count);
    return received;
  }
  static std::string KeyOf(const Octets& frame) { return {frame.begin(), frame.end()}; }
  // By frame, from one queue each.
  static std::map<std::string, size_t> QueueOf(const std::vector<std::vector<Octets>>& received) {
    std::map<std::string, size_t> queue_of;
    for (size_t queue = 0; queue < received.size(); ++queue) {
      for (const Octets& frame : received[queue]) {
        const auto [at, is_new] = queue_of.emplace(KeyOf(frame), queue);
        EXPECT_TRUE(is_new || at->second == queue) << "the same frame in two queues";
      }
    }
    return queue_of;
  }
};

// Frames of all kinds between random pairs of addresses, both directions of each.
std::vector<Octets> TrafficBetween(std::mt19937& random, size_t pairs) {
  std::vector<Octets> frames;
  const auto octets = [&](size_t count) {
    Octets bytes(count);
    for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random());
    return bytes;
  };
  const std::vector<std::vector<uint16_t>> tags = {
      {}, {0x8100}, {0x88a8, 0x8100}, {0x9100}, {0x88a8, 0x8100, 0x8100, 0x8100}};
  for (size_t pair = 0; pair < pairs; ++pair) {
    const Octets a4 = octets(4), b4 = octets(4), a6 = octets(16), b6 = octets(16);
    const std::vector<uint16_t>& vlan = tags[pair % tags.size()];
    for (const bool back : {false, true}) {
      const Octets &from4 = back ? b4 : a4, &to4 = back ? a4 : b4, &from6 = back ? b6 : a6, &to6 = back ? a6 : b6;
      const Octets ports = octets(24);
      frames.push_back(Ethernet(0x800, Ipv4(from4, to4, 6, 0, ports), vlan));
      frames.push_back(Ethernet(0x800, Ipv4(from4, to4, 17, 0x2000, ports), vlan));  // the first fragment
      frames.push_back(Ethernet(0x800, Ipv4(from4, to4, 17, 0x0003, octets(16)), vlan));
      Octets quoting = {3, 3, 0, 0, 0, 0, 0, 0};  // ICMP: unreachable
      const Octets quoted = Ipv4(octets(4), octets(4), 17, 0, octets(8));
      Append(quoted, quoting);
      frames.push_back(Ethernet(0x800, Ipv4(from4, to4, 1, 0, quoting), vlan));
      frames.push_back(Ethernet(0x86dd, Ipv6(from6, to6, 17, octets(12)), vlan));
      Octets extended = {43, 0, 1, 4, 0, 0, 0, 0, 44, 0, 0, 0, 0, 0, 0, 0, 17, 0, 0, 1, 1, 2, 3, 4};  // three headers
      const Octets more = octets(16);
      Append(more, extended);
      frames.push_back(Ethernet(0x86dd, Ipv6(from6, to6, 0, extended), vlan));
    }
  }
  return frames;
}

TEST_F(FanoutTest, TheKernelAgreesWithTheNaiveRule) {
  std::mt19937 random(4711);
  for (const size_t num_queues : {2u, 3u, 7u}) {
    for (const bool low_latency : {false, true}) {
      Opened opened = OpenQueues("vt0", num_queues, 0, low_latency);
      std::vector<Octets> frames = TrafficBetween(random, 40);
      frames.push_back(Ethernet(0x806, Octets(28, 1)));     // ARP
      frames.push_back(Ethernet(0x88cc, Octets(60, 2)));    // LLDP
      frames.push_back(Ethernet(0x0026, Octets(60, 3)));    // IEEE 802.3
      frames.push_back(Ethernet(0x800, Octets(15, 0x45)));  // cut before the addresses
      frames.push_back(Ethernet(0x86dd, Octets(30, 0x60)));
      frames.push_back(Ethernet(0x800, Octets(40, 4), std::vector<uint16_t>(6, 0x8100)));  // too deep
      for (const Octets& frame : frames) Send(frame);
      const auto queue_of = QueueOf(ReceiveFrom(opened, frames.size()));
      std::set<size_t> used;
      for (const Octets& frame : frames) {
        ASSERT_TRUE(queue_of.contains(KeyOf(frame)));
        EXPECT_EQ(queue_of.at(KeyOf(frame)), NaiveHash(frame, kSeed) % num_queues);
        used.insert(queue_of.at(KeyOf(frame)));
      }
      EXPECT_EQ(used.size(), num_queues) << "every queue has some";
    }
  }
}

// The two directions of a tap, each over an interface of its own, meet in queues of the same number.
TEST_F(FanoutTest, BothDirectionsMeetOverTwoInterfaces) {
  ASSERT_TRUE(AddPair("bt0", "bt1"));
  const int back_sender = OpenSender("bt1");
  ASSERT_GE(back_sender, 0);
  Opened forth = OpenQueues("vt0", 3, 0), back = OpenQueues("bt0", 3, 1);
  std::mt19937 random(7);
  std::vector<Octets> frames = TrafficBetween(random, 30);
  constexpr size_t kKinds = 6;
  for (size_t i = 0; i < frames.size(); ++i) {
    if (i / kKinds % 2 == 0) {
      Send(frames[i]);
    } else {
      SendOn(back_sender, frames[i]);
    }
  }
  const auto there = QueueOf(ReceiveFrom(forth, frames.size() / 2)),
             here = QueueOf(ReceiveFrom(back, frames.size() / 2));
  for (size_t i = 0; i < frames.size(); i += 2 * kKinds) {
    for (size_t kind = 0; kind < kKinds; ++kind) {
      const size_t sent = there.at(KeyOf(frames[i + kind])), answered = here.at(KeyOf(frames[i + kKinds + kind]));
      EXPECT_EQ(sent, answered);
      EXPECT_EQ(sent, there.at(KeyOf(frames[i + (kind < 4 ? 0 : 4)]))) << "all of IPv4, or of IPv6, between the two";
    }
  }
  close(back_sender);
}

// Each sensor has packets of its own, whatever group numbers the other chose.
TEST_F(FanoutTest, TwoSensorsOnOneInterfaceBothReceiveAll) {
  Opened one = OpenQueues("vt0", 2), two = OpenQueues("vt0", 3);
  std::mt19937 random(1);
  const std::vector<Octets> frames = TrafficBetween(random, 20);
  for (const Octets& frame : frames) Send(frame);
  ReceiveFrom(one, frames.size());
  ReceiveFrom(two, frames.size());
}

// After a short outage the same queues get the same packets.
TEST_F(FanoutTest, AFlapKeepsTheOrderOfQueues) {
  Opened opened = OpenQueues("vt0", 4);
  std::mt19937 random(2);
  for (int round = 0; round < 3; ++round) {
    const std::vector<Octets> frames = TrafficBetween(random, 20);
    for (const Octets& frame : frames) Send(frame);
    const auto queue_of = QueueOf(ReceiveFrom(opened, frames.size()));
    for (const Octets& frame : frames)
      ASSERT_EQ(queue_of.at(KeyOf(frame)), NaiveHash(frame, kSeed) % 4) << "round " << round;
    ASSERT_TRUE(Command("ip link set vt0 down") && Command("ip link set vt0 up"));
  }
}

// Addresses one after another, as a site has them: no queue has much more than its share.
TEST(FanoutHash, NeighboursAreSpread) {
  for (const uint32_t seed : {0u, 1u, 0x89abcdefu}) {
    for (const uint32_t num_queues : {2u, 4u, 8u, 6u}) {
      std::vector<size_t> counts(num_queues);
      for (uint8_t host = 1; host < 250; ++host) {
        for (uint8_t server = 0; server < 8; ++server) {
          // The same last octet on both sides, too: a plain XOR would send all of these to one queue.
          const std::array<uint8_t, 4> a = {10, 0, server, host}, b = {10, 0, static_cast<uint8_t>(server + 1), host};
          ++counts[NaiveHash(Ethernet(0x800, Ipv4(a, b, 6, 0, Octets(20))), seed) % num_queues];
        }
      }
      const size_t fair = 249 * 8 / num_queues;
      for (const size_t count : counts) {
        EXPECT_GT(count, fair * 3 / 4);
        EXPECT_LT(count, fair * 5 / 4);
      }
    }
  }
}

}  // namespace
}  // namespace vedette
