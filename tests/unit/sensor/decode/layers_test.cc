// Packets with layers: what is opened, what is kept of the packets around, and that workers agree.
#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <memory>
#include <numeric>
#include <set>
#include <string>
#include <vector>

#include "sensor/decode/decoder.h"
#include "tests/unit/sensor/decode/nested.h"

namespace vedette {
namespace {

using namespace testing;  // NOLINT: the builders of packets.h

class Layers : public ::testing::Test {
 protected:
  ~Layers() override {
    decoder_.Finish();
    const DecodeCounters& counters = decoder_.counters();
    EXPECT_EQ(counters.received, frames_.size());
    EXPECT_EQ(std::accumulate(counters.not_decoded.begin(), counters.not_decoded.end(), counters.decoded),
              frames_.size());
  }
  DecodeResult Run(const std::string& ip, uint32_t missing_bytes = 0) {
    const std::string frame = Ethernet(ip[0] >> 4 == 6 ? kEtherIpv6 : kEtherIpv4, ip);
    const auto wire_bytes = static_cast<uint32_t>(frame.size());
    frames_.push_back(
        std::make_unique<OwnedFrame>(frame.substr(0, frame.size() - missing_bytes), kLinkEthernet, 0, wire_bytes));
    return decoder_.Decode(**frames_.back(), packet_);
  }

  Decoder decoder_{Opening(TunnelSet::All())};
  Packet packet_;
  std::vector<std::unique_ptr<OwnedFrame>> frames_;
};

const std::string kHello = Ipv4{.source = "10.0.0.1", .destination = "10.0.0.2"}(Tcp{}("hello"));
const std::string kHelloV6 = Ipv6{}(Tcp{}("hello"));
const std::string kHelloLine = "10.0.0.1:40000 10.0.0.2:80 hello";
const std::string kHelloV6Line = "2001:db8::1:40000 2001:db8:0:1::2:80 hello";

std::string InUdp(uint16_t port, const std::string& datagram) {
  return Ipv4{.protocol = 17}(Udp{50000, port}(datagram));
}

TEST_F(Layers, EveryKindThatCanBeOpenedIs) {
  const std::string frame = Ethernet(kEtherIpv4, kHello);
  const std::string teredo = Ipv6{.source = "2001::1:2"}(Tcp{}("hello"));
  const std::pair<std::string, std::string> rows[] = {
      {Ipv4{.protocol = kIpProtoIpv4}(kHello), "ip_in_ip 0 " + kHelloLine},
      {Ipv4{.protocol = kIpProtoIpv6}(kHelloV6), "ip_in_ip 0 " + kHelloV6Line},
      {Ipv6{.next_header = kIpProtoIpv4}(kHello), "ip_in_ip 0 " + kHelloLine},
      {Ipv6{.next_header = kIpProtoDestination}(Extension(kIpProtoIpv6) + kHelloV6), "ip_in_ip 0 " + kHelloV6Line},
      {Ipv4{.protocol = kIpProtoGre}(Gre(kEtherIpv4, kHello)), "gre 0 " + kHelloLine},
      {Ipv4{.protocol = kIpProtoGre}(Be16(0x2000) + Be16(kEtherIpv6) + Be32(7) + kHelloV6), "gre 0 " + kHelloV6Line},
      {Ipv4{.protocol = kIpProtoGre}(Nvgre(77, kHello, false)), "gre 77 " + kHelloLine},
      {Ipv4{.protocol = kIpProtoMpls}(Be32(0x641ff) + kHello), "mpls 0 " + kHelloLine},
      {Ipv4{.protocol = kIpProtoEtherIp}(Be16(0x3000) + frame), "etherip 0 " + kHelloLine},
      {InUdp(4789, Vxlan(0x123456, kHello, false)), "vxlan 1193046 " + kHelloLine},
      {InUdp(4789, "\x08" + Zeros(3) + Be32(9 << 8) + Ethernet(kEtherVlan, Vlan(5, kEtherIpv6, kHelloV6))),
       "vxlan 9 " + kHelloV6Line},
      {InUdp(6081, Zeros(2) + Be16(kEtherBridging) + Be32(8 << 8) + frame), "geneve 8 " + kHelloLine},
      {InUdp(2152, "\x30\xff" + Be16(static_cast<unsigned>(kHello.size())) + Be32(4711) + kHello),
       "gtp_u 0 " + kHelloLine},
      {InUdp(3544, teredo), "teredo 0 2001::1:2:40000 2001:db8:0:1::2:80 hello"},
      {InUdp(1701, Be16(2) + Be16(1) + Be16(2) + Be16(0xff03) + Be16(kPppIpv4) + kHello), "l2tp 0 " + kHelloLine},
      {InUdp(4754, Gre(kEtherIpv4, kHello)), "gre 0 " + kHelloLine},
      {InUdp(6635, Be32(0x641ff) + kHello), "mpls 0 " + kHelloLine},
      {InUdp(37008, std::string("\x01\0\0\x01\x01", 5) + frame), "tzsp 0 " + kHelloLine},
  };
  for (const auto& [ip, line] : rows) {
    EXPECT_EQ(Run(ip), DecodeResult::kPacket);
    EXPECT_EQ(LineOf(packet_), line);
    ASSERT_EQ(packet_.outer.size(), 1u);
    EXPECT_EQ(packet_.outer.layers()[0].source.ToString(), ip[0] >> 4 == 6 ? "2001:db8::1" : "192.0.2.1");
    EXPECT_EQ(packet_.outer.layers()[0].destination.ToString(), ip[0] >> 4 == 6 ? "2001:db8:0:1::2" : "198.51.100.2");
  }
}

TEST_F(Layers, WhatIsNotOpenedIsAPacketOfItsOuterHeaders) {
  const std::string cases[] = {
      Ipv4{.protocol = kIpProtoIpv4}(kHelloV6),                                 // the other version
      Ipv4{.protocol = kIpProtoIpv4}(kHello.substr(0, 19)),                     // too short
      Ipv4{.protocol = kIpProtoIpv4}(kHello + Zeros(60)),                       // more than padding behind it
      Ipv4{.protocol = kIpProtoGre}(Gre(kEtherArp, Zeros(28))),                 // no IP in it
      Ipv4{.protocol = kIpProtoGre}(Be16(0x4000) + Be16(kEtherIpv4) + kHello),  // routing
      Ipv4{.protocol = kIpProtoEsp}(kHello),
      InUdp(4788, Vxlan(7, kHello, false)),  // another port
      InUdp(4789, Vxlan(7, kHello, false).substr(0, 30)),
  };
  for (const std::string& ip : cases) {
    EXPECT_EQ(Run(ip), DecodeResult::kPacket);
    EXPECT_TRUE(packet_.outer.empty());
    EXPECT_EQ(packet_.source.ToString(), "192.0.2.1");
    EXPECT_NE(packet_.protocol, kIpProtoTcp);
  }
}

TEST_F(Layers, WithoutTheOptionNothingIsOpened) {
  Decoder plain(Decoder::Options{});
  const OwnedFrame frame(Ethernet(kEtherIpv4, Ipv4{.protocol = kIpProtoIpv4}(kHello)));
  EXPECT_EQ(plain.Decode(*frame, packet_), DecodeResult::kPacket);
  EXPECT_TRUE(packet_.outer.empty());
  EXPECT_EQ(packet_.protocol, kIpProtoIpv4);
}

TEST_F(Layers, NestingHasABound) {
  std::string ip = kHello;
  for (size_t depth = 1; depth <= kMaxOuterLayers + 2; ++depth) {
    ip = Ipv4{.protocol = kIpProtoIpv4}(ip);
    EXPECT_EQ(Run(ip), DecodeResult::kPacket);
    EXPECT_EQ(packet_.outer.size(), std::min(depth, kMaxOuterLayers));
    EXPECT_EQ(packet_.protocol, depth <= kMaxOuterLayers ? kIpProtoTcp : kIpProtoIpv4);
  }
  EXPECT_EQ(Run(kHello), DecodeResult::kPacket);
  EXPECT_TRUE(packet_.outer.empty()) << "nothing is left of the packet before";
}

TEST_F(Layers, APacketThatIsCutShowsWhatIsThere) {
  const std::string ip = Ipv4{.protocol = kIpProtoGre}(Gre(kEtherIpv4, kHello));
  EXPECT_EQ(Run(ip, 2), DecodeResult::kPacket);
  EXPECT_EQ(LineOf(packet_), "gre 0 10.0.0.1:40000 10.0.0.2:80 hel");
  EXPECT_EQ(packet_.missing_bytes, 2u);
  EXPECT_EQ(Run(ip, 20), DecodeResult::kAddressesOnly);  // within the TCP header
  EXPECT_EQ(packet_.source.ToString(), "10.0.0.1");
  EXPECT_EQ(packet_.outer.size(), 1u);
  EXPECT_EQ(Run(ip, 30), DecodeResult::kPacket);  // within the inner IP header: not opened
  EXPECT_TRUE(packet_.outer.empty());
}

TEST_F(Layers, HeadersOfEveryLayerCount) {
  Run(Ipv6{.next_header = kIpProtoIpv4}(kHello));
  EXPECT_EQ(decoder_.counters().ipv4, 1u);
  EXPECT_EQ(decoder_.counters().ipv6, 1u);
  EXPECT_EQ(decoder_.counters().tcp, 1u);
  const IpEnds ends{"192.0.2.1", "198.51.100.2"};
  for (const std::string& part : IpPackets(ends, kIpProtoIpv6, kHelloV6, 32, 1)) Run(part);
  EXPECT_EQ(decoder_.counters().ipv4, 4u) << "three fragments";
  EXPECT_EQ(decoder_.counters().ipv6, 2u);
  EXPECT_EQ(decoder_.counters().tcp, 2u);
  EXPECT_EQ(decoder_.counters().decoded, 4u);
  EXPECT_EQ(decoder_.counters().datagrams_reassembled, 1u);
}

TEST_F(Layers, FragmentsWithinATunnelArePutTogether) {
  const std::vector<std::string> parts =
      IpPackets({"10.0.0.1", "10.0.0.2"}, kIpProtoUdp, Udp{}("inner text here"), 16, 9);
  ASSERT_EQ(parts.size(), 2u);
  EXPECT_EQ(Run(InUdp(4789, Vxlan(1, parts[0], false))), DecodeResult::kAddressesOnly);
  EXPECT_EQ(Run(InUdp(4789, Vxlan(2, parts[1], false))), DecodeResult::kAddressesOnly) << "another network's";
  EXPECT_EQ(Run(parts[1]), DecodeResult::kAddressesOnly) << "outside of the tunnel";
  EXPECT_EQ(Run(InUdp(4789, Vxlan(1, parts[1], false))), DecodeResult::kPacket);
  EXPECT_EQ(LineOf(packet_), "vxlan 1 10.0.0.1:5000 10.0.0.2:53 inner text here");
  EXPECT_TRUE(packet_.reassembled);
}

// What Decoder gives up of a datagram of which only these parts came, from all workers.
std::vector<std::string> GivenUp(const std::vector<std::string>& parts, uint32_t count) {
  std::vector<std::string> lines;
  for (uint32_t i = 0; i < count; ++i) {
    Decoder::Options options = Opening(TunnelSet::All(), {i, count});
    options.keep_given_up = true;
    Decoder decoder(options);
    Packet packet;
    for (const std::string& part : parts) {
      const OwnedFrame frame(Ethernet(kEtherIpv4, part));
      decoder.Decode(*frame, packet);
    }
    decoder.Finish();
    while (decoder.TakeGivenUp(packet)) lines.push_back(LineOf(packet));
  }
  return lines;
}

TEST(LayersGivenUp, TheBeginningOfADatagramIsOpenedWhereItsLengthIsKnown) {
  const std::string inner = Ipv4{.source = "10.0.0.1", .destination = "10.0.0.2"}(Tcp{}(std::string(80, 'x')));
  const std::vector<std::string> parts = IpPackets({"192.0.2.1", "192.0.2.9"}, kIpProtoIpv4, inner, 48, 1);
  ASSERT_EQ(parts.size(), 3u);
  for (const uint32_t count : {1u, 2u, 3u}) {
    EXPECT_EQ(GivenUp({parts[0], parts[2]}, count),
              std::vector<std::string>{"ip_in_ip 0 10.0.0.1:40000 10.0.0.2:80 xxxxxxxx"});
    EXPECT_EQ(GivenUp({parts[0], parts[1]}, count),
              std::vector<std::string>{"192.0.2.1:0 192.0.2.9:0 " + inner.substr(0, 96)});
    EXPECT_TRUE(GivenUp({parts[1], parts[2]}, count).empty());
  }
}

// --- workers

struct Outcome {
  std::vector<std::string> packets;  // "frame line", by frame
  std::vector<std::string> addresses;
  DecodeCounters sum;
};

Outcome Decode(const std::vector<std::string>& frames, uint32_t count, size_t burst) {
  std::deque<Decoder> decoders;
  for (uint32_t i = 0; i < count; ++i) decoders.emplace_back(Opening(NestedKinds(), {i, count}));
  Outcome out;
  std::map<std::string, uint32_t> worker_of;
  Packet packet;
  for (size_t n = 0; n < frames.size(); ++n) {
    const OwnedFrame frame(frames[n], kLinkEthernet, n * 1'000'000);
    for (uint32_t i = 0; i < count; ++i) {
      if (n % burst == 0) decoders[i].BeginBurst();
      const DecodeResult result = decoders[i].Decode(*frame, packet);
      if (result != DecodeResult::kPacket && result != DecodeResult::kAddressesOnly) continue;
      const std::string a = packet.source.ToString(), b = packet.destination.ToString();
      EXPECT_EQ(worker_of.emplace(std::min(a, b) + " " + std::max(a, b), i).first->second, i);
      (result == DecodeResult::kPacket ? out.packets : out.addresses)
          .push_back(std::to_string(n) + " " + LineOf(packet));
    }
  }
  for (Decoder& decoder : decoders) {
    decoder.Finish();
    const DecodeCounters& counters = decoder.counters();
    EXPECT_EQ(std::accumulate(counters.not_decoded.begin(), counters.not_decoded.end(), counters.decoded),
              counters.received);
    out.sum.received += counters.received;
    out.sum.decoded += counters.decoded;
    out.sum.datagrams_reassembled += counters.datagrams_reassembled;
    out.sum.ipv4 += counters.ipv4;
    out.sum.ipv6 += counters.ipv6;
    out.sum.tcp += counters.tcp;
    out.sum.udp += counters.udp;
    for (size_t k = 0; k < out.sum.not_decoded.size(); ++k) out.sum.not_decoded[k] += counters.not_decoded[k];
  }
  EXPECT_EQ(out.sum.received, frames.size());
  return out;
}

TEST(LayersShares, AnyNumberOfWorkersFindsWhatTheNaiveTwinFinds) {
  for (uint32_t seed = 1; seed <= 20; ++seed) {
    const std::vector<std::string> frames = NestedTraffic(seed).Frames(300);
    std::vector<std::string> expected;
    NaiveDecoder naive;
    for (size_t n = 0; n < frames.size(); ++n) {
      if (const std::string line = naive.Decode(frames[n]); !line.empty())
        expected.push_back(std::to_string(n) + " " + line);
    }
    EXPECT_GT(expected.size(), 100u);
    const Outcome one = Decode(frames, 1, 32);
    EXPECT_EQ(one.packets, expected) << seed;
    for (const uint32_t count : {1u, 2u, 3u, 7u}) {
      for (const size_t burst : {size_t{1}, size_t{32}}) {
        const Outcome many = Decode(frames, count, burst);
        EXPECT_EQ(many.packets, one.packets) << seed << " " << count;
        EXPECT_EQ(many.addresses, one.addresses) << seed << " " << count;
        EXPECT_EQ(many.sum.decoded, one.sum.decoded);
        EXPECT_EQ(many.sum.not_decoded, one.sum.not_decoded);
        EXPECT_EQ(many.sum.datagrams_reassembled, one.sum.datagrams_reassembled);
        EXPECT_EQ(many.sum.ipv4, one.sum.ipv4);
        EXPECT_EQ(many.sum.ipv6, one.sum.ipv6);
        EXPECT_EQ(many.sum.tcp, one.sum.tcp);
        EXPECT_EQ(many.sum.udp, one.sum.udp);
      }
    }
  }
}

}  // namespace
}  // namespace vedette
