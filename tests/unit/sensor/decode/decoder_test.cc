#include "sensor/decode/decoder.h"

#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <memory>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include "sensor/decode/extension_headers.h"
#include "sensor/decode/transport.h"
#include "tests/unit/sensor/decode/packets.h"

namespace vedette {
namespace {

using testing::Be16;
using testing::Be32;
using testing::Ethernet;
using testing::Extension;
using testing::FragmentHeader;
using testing::Icmp;
using testing::Ipv4;
using testing::Ipv6;
using testing::OwnedFrame;
using testing::Tcp;
using testing::Udp;
using testing::Vlan;
using testing::Zeros;

constexpr uint64_t kSecond = 1'000'000'000;

class Decode : public ::testing::Test {
 protected:
  ~Decode() override {
    EXPECT_EQ(decoder_.counters().received, Accounted());
    decoder_.Finish();
    EXPECT_EQ(decoder_.counters().received, Accounted());
    EXPECT_EQ(Count(NotDecoded::kFragmentHeld), 0u);
  }

  DecodeResult Run(const std::string& bytes, uint16_t link_type = kLinkEthernet, uint64_t time_ns = 0,
                   uint32_t wire_bytes = 0) {
    frames_.push_back(std::make_unique<OwnedFrame>(bytes, link_type, time_ns, wire_bytes));
    return decoder_.Decode(**frames_.back(), packet_);
  }
  // A packet in an Ethernet frame.
  DecodeResult RunV4(const std::string& ip) { return Run(Ethernet(kEtherIpv4, ip)); }
  DecodeResult RunV6(const std::string& ip) { return Run(Ethernet(kEtherIpv6, ip)); }

  uint64_t Count(NotDecoded reason) const { return decoder_.counters().not_decoded[static_cast<size_t>(reason)]; }
  uint64_t Accounted() const {
    const DecodeCounters& counters = decoder_.counters();
    return std::accumulate(counters.not_decoded.begin(), counters.not_decoded.end(), counters.decoded);
  }
  std::string Payload() const { return std::string(AsText(packet_.payload)); }
  std::string Source() const { return packet_.source.ToString(); }
  std::string Destination() const { return packet_.destination.ToString(); }

  // The frame above is a TCP segment from 192.0.2.1:40000 to 198.51.100.2:80 carrying "hello".
  void ExpectHello() {
    EXPECT_EQ(Payload(), "hello");
    EXPECT_EQ(Source(), "192.0.2.1");
    EXPECT_EQ(Destination(), "198.51.100.2");
    EXPECT_EQ(packet_.source_port, 40000);
    EXPECT_EQ(packet_.destination_port, 80);
    EXPECT_EQ(packet_.protocol, kIpProtoTcp);
  }

  Decoder decoder_{Decoder::Options{}};
  Packet packet_;
  std::vector<std::unique_ptr<OwnedFrame>> frames_;
};

const std::string kHello = Ipv4{}(Tcp{}("hello"));
const std::string kHelloV6 = Ipv6{}(Tcp{}("hello"));

// --- link layer

TEST_F(Decode, Ethernet) {
  EXPECT_EQ(RunV4(kHello), DecodeResult::kPacket);
  ExpectHello();
  EXPECT_EQ(packet_.sequence, 1000u);
  EXPECT_EQ(packet_.acknowledgment, 2000u);
  EXPECT_EQ(packet_.tcp_flags, kTcpAck | kTcpPsh);
  EXPECT_EQ(packet_.ip_bytes, 45u);
  EXPECT_EQ(packet_.num_vlans, 0);
  EXPECT_FALSE(packet_.truncated);
  EXPECT_FALSE(packet_.reassembled);
  EXPECT_EQ(packet_.frame, &**frames_.back());
  EXPECT_EQ(RunV6(kHelloV6), DecodeResult::kPacket);
  EXPECT_EQ(Source(), "2001:db8::1");
  EXPECT_EQ(Destination(), "2001:db8:0:1::2");
  EXPECT_EQ(Payload(), "hello");
  EXPECT_EQ(packet_.ip_bytes, 65u);
  EXPECT_EQ(decoder_.counters().ipv4, 1u);
  EXPECT_EQ(decoder_.counters().ipv6, 1u);
  EXPECT_EQ(decoder_.counters().tcp, 2u);
}

TEST_F(Decode, EveryLinkType) {
  const std::string cooked = Be16(0) + Be16(1) + Be16(6) + Zeros(8);
  const std::string cooked2 = Zeros(2) + Be32(3) + Be16(1) + Zeros(2) + Zeros(8);
  const std::vector<std::pair<uint16_t, std::string>> v4 = {
      {kLinkNull, std::string("\2\0\0\0", 4) + kHello},
      {kLinkNull, std::string("\0\0\0\2", 4) + kHello},
      {kLinkLoop, std::string("\0\0\0\2", 4) + kHello},
      {kLinkNull, std::string("\x0f\0\x08\0", 4) + kHello},
      {kLinkRaw, kHello},
      {kLinkRawBsd, kHello},
      {kLinkRawOpenBsd, kHello},
      {kLinkIpv4, kHello},
      {kLinkCooked, cooked + Be16(0x0800) + kHello},
      {kLinkCooked, cooked + Be16(0x8100) + Vlan(5, 0x0800, kHello)},
      {kLinkCooked, cooked + Be16(0x0004) + "\xaa\xaa\x03" + Zeros(3) + Be16(0x0800) + kHello},
      {kLinkCooked2, Be16(0x0800) + cooked2 + kHello},
      {kLinkCooked2, Be16(0x8100) + cooked2 + Vlan(5, 0x0800, kHello)},
      {kLinkPpp, "\xff\x03" + Be16(0x0021) + kHello},
      {kLinkPpp, Be16(0x0021) + kHello},
      {kLinkPpp, "\x21" + kHello},
      {kLinkPppHdlc, "\xff\x03" + Be16(0x0021) + kHello},
      {kLinkPppHdlc, std::string("\x0f\0", 2) + Be16(0x0800) + kHello},
      {kLinkCiscoHdlc, std::string("\x8f\0", 2) + Be16(0x0800) + kHello},
      {kLinkEthernet, Ethernet(8, std::string("\x06\x06\x03") + kHello)},
      {kLinkEthernet, Ethernet(60, "\xaa\xaa\x03" + Zeros(3) + Be16(0x0800) + kHello)},
  };
  for (const auto& [link_type, bytes] : v4) {
    EXPECT_EQ(Run(bytes, link_type), DecodeResult::kPacket) << link_type;
    ExpectHello();
  }
  const std::vector<std::pair<uint16_t, std::string>> v6 = {
      {kLinkNull, std::string("\x1e\0\0\0", 4) + kHelloV6},
      {kLinkNull, std::string("\x18\0\0\0", 4) + kHelloV6},
      {kLinkNull, std::string("\0\0\0\x1c", 4) + kHelloV6},
      {kLinkNull, std::string("\0\0\x86\xdd", 4) + kHelloV6},
      {kLinkLoop, std::string("\0\0\0\x18", 4) + kHelloV6},
      {kLinkRaw, kHelloV6},
      {kLinkIpv6, kHelloV6},
      {kLinkCooked, cooked + Be16(0x86dd) + kHelloV6},
      {kLinkCooked2, Be16(0x86dd) + cooked2 + kHelloV6},
      {kLinkPpp, "\xff\x03" + Be16(0x0057) + kHelloV6},
      {kLinkPpp, "\x57" + kHelloV6},
  };
  for (const auto& [link_type, bytes] : v6) {
    EXPECT_EQ(Run(bytes, link_type), DecodeResult::kPacket) << link_type;
    EXPECT_EQ(Payload(), "hello");
    EXPECT_EQ(Source(), "2001:db8::1");
  }
}

TEST_F(Decode, VlanTags) {
  EXPECT_EQ(Run(Ethernet(0x8100, Vlan(100, 0x0800, kHello))), DecodeResult::kPacket);
  ExpectHello();
  EXPECT_EQ(packet_.num_vlans, 1);
  EXPECT_EQ(packet_.vlan[0], 100);
  EXPECT_EQ(Run(Ethernet(0x88a8, Vlan(4095, 0x8100, Vlan(7, 0x86dd, kHelloV6)))), DecodeResult::kPacket);
  EXPECT_EQ(packet_.num_vlans, 2);
  EXPECT_EQ(packet_.vlan[0], 4095);
  EXPECT_EQ(packet_.vlan[1], 7);
  EXPECT_EQ(decoder_.counters().vlan_tagged, 2u);
  // Deeper tags are looked through up to the bound.
  std::string tagged = kHello;
  uint16_t type = 0x0800;
  for (size_t i = 0; i < kMaxVlanTags; ++i)
    tagged = Vlan(static_cast<uint16_t>(i + 1), std::exchange(type, 0x9100), tagged);
  EXPECT_EQ(Run(Ethernet(type, tagged)), DecodeResult::kPacket);
  ExpectHello();
  EXPECT_EQ(packet_.num_vlans, 2);
  EXPECT_EQ(packet_.vlan[0], kMaxVlanTags);
  EXPECT_EQ(Run(Ethernet(type, Vlan(9, type, tagged))), DecodeResult::kConsumed);
  EXPECT_EQ(Count(NotDecoded::kVlanTooDeep), 1u);
}

TEST_F(Decode, NotIp) {
  EXPECT_EQ(Run(Ethernet(0x0806, Zeros(28))), DecodeResult::kConsumed);                   // ARP
  EXPECT_EQ(Run(Ethernet(0x0026, "\x42\x42\x03" + Zeros(35))), DecodeResult::kConsumed);  // spanning tree
  EXPECT_EQ(Run(Ethernet(60, "\xaa\xaa\x03" + std::string("\0\0\x0c", 3) + Be16(0x0800) + kHello)),
            DecodeResult::kConsumed);                                          // SNAP of another organisation
  EXPECT_EQ(Run(Be16(0xc021) + Zeros(8), kLinkPpp), DecodeResult::kConsumed);  // LCP
  EXPECT_EQ(Run(std::string("\7\0\0\0", 4) + kHello, kLinkNull), DecodeResult::kConsumed);
  EXPECT_EQ(Count(NotDecoded::kEtherTypeOther), 5u);
  // LLC in a VLAN in LLC … must end.
  std::string nested;
  for (int i = 0; i < 1000; ++i) nested += "\xaa\xaa\x03" + Zeros(3) + Be16(0x8100) + Be16(1) + Be16(8);
  EXPECT_EQ(Run(Ethernet(8, nested)), DecodeResult::kConsumed);
  EXPECT_EQ(Count(NotDecoded::kEtherTypeOther), 6u);
  EXPECT_EQ(Run(kHello, 147), DecodeResult::kConsumed);
  EXPECT_EQ(Count(NotDecoded::kLinkTypeUnknown), 1u);
  EXPECT_EQ(Run("\x20" + kHello, kLinkRaw), DecodeResult::kConsumed);
  EXPECT_EQ(Count(NotDecoded::kIpHeaderBad), 1u);
}

TEST_F(Decode, EveryTruncatedPrefix) {
  const std::string cooked = Zeros(14) + Be16(0x0800), cooked2 = Be16(0x0800) + Zeros(18);
  const std::vector<std::pair<uint16_t, std::string>> frames = {
      {kLinkEthernet, Ethernet(0x8100, Vlan(100, 0x0800, kHello))},
      {kLinkEthernet, Ethernet(60, "\xaa\xaa\x03" + Zeros(3) + Be16(0x0800) + kHello)},
      {kLinkEthernet, Ethernet(0x86dd, kHelloV6)},
      {kLinkNull, std::string("\2\0\0\0", 4) + kHello},
      {kLinkRaw, kHello},
      {kLinkCooked, cooked + kHello},
      {kLinkCooked2, cooked2 + kHello},
      {kLinkPpp, "\xff\x03" + Be16(0x0021) + kHello},
  };
  for (const auto& [link_type, bytes] : frames) {
    for (size_t length = 0; length < bytes.size(); ++length) {
      const auto wire_bytes = static_cast<uint32_t>(bytes.size());
      const DecodeResult result = Run(bytes.substr(0, length), link_type, 0, wire_bytes);
      const size_t headers = bytes.size() - 5;
      if (length < headers) {
        const bool ip_header = length >= headers - 20;
        EXPECT_EQ(result, ip_header ? DecodeResult::kAddressesOnly : DecodeResult::kConsumed)
            << link_type << ' ' << length;
      } else {
        EXPECT_EQ(result, DecodeResult::kPacket);
        EXPECT_TRUE(packet_.truncated);
        EXPECT_EQ(packet_.missing_bytes, bytes.size() - length);
        EXPECT_EQ(Payload(), std::string("hello").substr(0, length - headers));
      }
    }
  }
  EXPECT_GT(Count(NotDecoded::kLinkTruncated), 0u);
  EXPECT_GT(Count(NotDecoded::kIpTruncated), 0u);
  EXPECT_GT(Count(NotDecoded::kTransportTruncated), 0u);
  EXPECT_EQ(decoder_.counters().truncated, decoder_.counters().decoded);
}

// --- IPv4

TEST_F(Decode, Ipv4OptionsAndPadding) {
  EXPECT_EQ(RunV4(Ipv4{.options = Zeros(8)}(Tcp{}("hello")) + Zeros(20)), DecodeResult::kPacket);
  ExpectHello();
  EXPECT_EQ(packet_.ip_bytes, 53u);
  EXPECT_FALSE(packet_.truncated);
}

TEST_F(Decode, Ipv4LengthZeroTakesWhatIsThere) {
  EXPECT_EQ(RunV4(Ipv4{.total_length = 0}(Tcp{}("hello"))), DecodeResult::kPacket);
  ExpectHello();
  EXPECT_EQ(packet_.ip_bytes, 45u);
  // A snap length counts here too.
  const std::string bytes = Ethernet(kEtherIpv4, Ipv4{.total_length = 0}(Tcp{}("hello")));
  EXPECT_EQ(Run(bytes, kLinkEthernet, 0, 70000), DecodeResult::kPacket);
  EXPECT_TRUE(packet_.truncated);
  EXPECT_EQ(packet_.missing_bytes, 70000 - bytes.size());
}

TEST_F(Decode, Ipv4HeadersThatCannotBe) {
  EXPECT_EQ(RunV4(Ipv4{.header_words = 4}(Tcp{}("hello"))), DecodeResult::kConsumed);
  EXPECT_EQ(RunV4(kHelloV6), DecodeResult::kConsumed) << "IPv6 under IPv4's EtherType";
  EXPECT_EQ(Count(NotDecoded::kIpHeaderBad), 2u);
  EXPECT_EQ(RunV4(Ipv4{.total_length = 19}(Tcp{}("hello"))), DecodeResult::kAddressesOnly);
  EXPECT_EQ(Count(NotDecoded::kIpLengthBad), 1u);
  EXPECT_EQ(Source(), "192.0.2.1");
  EXPECT_EQ(RunV4(Ipv4{.total_length = 200, .header_words = 15}("")), DecodeResult::kAddressesOnly);
  EXPECT_EQ(Count(NotDecoded::kIpTruncated), 1u);
}

TEST_F(Decode, AddressesOnlyIsBare) {
  RunV4(kHello);
  EXPECT_EQ(RunV4(Ipv4{}(Tcp{}("").substr(0, 10))), DecodeResult::kAddressesOnly);
  EXPECT_EQ(packet_.protocol, kIpProtoTcp);
  EXPECT_EQ(packet_.source_port, 0);
  EXPECT_EQ(packet_.destination_port, 0);
  EXPECT_EQ(packet_.tcp_flags, 0);
  EXPECT_TRUE(packet_.payload.empty());
  EXPECT_EQ(packet_.ip_bytes, 30u);
  // Flows are told apart by ICMP's type as well.
  RunV4(Ipv4{.protocol = kIpProtoIcmp}(Icmp(8, 1, "ping")));
  EXPECT_EQ(packet_.icmp_type, 8);
  EXPECT_EQ(RunV4(Ipv4{.protocol = kIpProtoIcmp}("")), DecodeResult::kAddressesOnly);
  EXPECT_EQ(packet_.icmp_type, 0);
  EXPECT_EQ(packet_.icmp_code, 0);
  // A packet is filled again and again: the type of an earlier one is not that of a fragment, and would name its flow.
  RunV4(Ipv4{.protocol = kIpProtoIcmp}(Icmp(3, 1, "")));
  EXPECT_EQ(packet_.icmp_type, 3);
  EXPECT_EQ(RunV4(Ipv4{.protocol = kIpProtoIcmp, .fragment_offset = 8}(Zeros(8))), DecodeResult::kAddressesOnly);
  EXPECT_EQ(packet_.icmp_type, 0);
  EXPECT_EQ(packet_.icmp_code, 0);
  EXPECT_TRUE(packet_.is_fragment);
  RunV4(kHello);
  EXPECT_FALSE(packet_.is_fragment);
}

// --- IPv6

TEST_F(Decode, Ipv6ExtensionHeaders) {
  const std::string tcp = Tcp{}("hello");
  const std::string authentication = std::string{kIpProtoTcp, '\4'} + Zeros(22);
  const std::vector<std::pair<uint8_t, std::string>> chains = {
      {0, Extension(kIpProtoTcp) + tcp},
      {0, Extension(43) + Extension(60, 2) + Extension(kIpProtoTcp) + tcp},
      {51, authentication + tcp},
      {135, Extension(kIpProtoTcp, 1) + tcp},
      {44, FragmentHeader(kIpProtoTcp, 0, false, 77) + tcp},  // RFC 6946: no fragment at all
      {0, Extension(44) + FragmentHeader(60, 0, false, 77) + Extension(kIpProtoTcp) + tcp},
  };
  for (const auto& [next, bytes] : chains) {
    EXPECT_EQ(RunV6(Ipv6{.next_header = next}(bytes)), DecodeResult::kPacket) << int{next};
    EXPECT_EQ(Payload(), "hello");
    EXPECT_EQ(packet_.protocol, kIpProtoTcp);
    EXPECT_EQ(packet_.destination_port, 80);
    EXPECT_FALSE(packet_.reassembled);
  }
}

std::string Authentication(uint8_t next_header, size_t words = 6) {
  return std::string{static_cast<char>(next_header), static_cast<char>(words - 2)} + Zeros(4 * words - 2);
}

TEST_F(Decode, Ipv4AuthenticationHeaders) {
  const std::string tcp = Tcp{.source_port = 4444}("hello");
  for (const std::string& chain : {Authentication(kIpProtoTcp), Authentication(kIpProtoTcp, 3),
                                   Authentication(51) + Authentication(kIpProtoTcp)}) {
    ASSERT_EQ(RunV4(Ipv4{.protocol = 51}(chain + tcp)), DecodeResult::kPacket);
    EXPECT_EQ(packet_.protocol, kIpProtoTcp);
    EXPECT_EQ(packet_.source_port, 4444);
    EXPECT_EQ(Payload(), "hello");
  }
  EXPECT_EQ(decoder_.counters().other_transport, 0u);
  // The headers of IPv6 alone are none of IPv4's.
  EXPECT_EQ(RunV4(Ipv4{.protocol = 60}(Extension(kIpProtoTcp) + tcp)), DecodeResult::kPacket);
  EXPECT_EQ(packet_.protocol, 60);
  EXPECT_EQ(RunV4(Ipv4{.protocol = 51}(Authentication(60) + Extension(kIpProtoTcp) + tcp)), DecodeResult::kPacket);
  EXPECT_EQ(packet_.protocol, 60);
  // Longer than the packet, cut, too many.
  EXPECT_EQ(RunV4(Ipv4{.protocol = 51}(Authentication(kIpProtoTcp, 40).substr(0, 60))), DecodeResult::kAddressesOnly);
  EXPECT_EQ(Count(NotDecoded::kIpLengthBad), 1u);
  EXPECT_EQ(RunV4(Ipv4{.protocol = 51, .total_length = 500}(Authentication(kIpProtoTcp, 40).substr(0, 60))),
            DecodeResult::kAddressesOnly);
  EXPECT_EQ(Count(NotDecoded::kIpTruncated), 1u);
  std::string many;
  for (size_t i = 0; i < kMaxExtensionHeaders; ++i) many += Authentication(51, 3);
  EXPECT_EQ(RunV4(Ipv4{.protocol = 51}(many + Authentication(kIpProtoTcp) + tcp)), DecodeResult::kAddressesOnly);
  EXPECT_EQ(Count(NotDecoded::kIpLengthBad), 2u);
}

TEST_F(Decode, Ipv4AuthenticationHeadersInFragments) {
  const std::string whole = Authentication(kIpProtoUdp) + Udp{}(std::string(1000, 'x'));
  EXPECT_EQ(RunV4(Ipv4{.protocol = 51, .identification = 9, .more_fragments = true}(whole.substr(0, 512))),
            DecodeResult::kAddressesOnly);
  ASSERT_EQ(RunV4(Ipv4{.protocol = 51, .identification = 9, .fragment_offset = 512}(whole.substr(512))),
            DecodeResult::kPacket);
  EXPECT_EQ(packet_.protocol, kIpProtoUdp);
  EXPECT_EQ(packet_.destination_port, 53);
  EXPECT_EQ(Payload(), std::string(1000, 'x'));
  // A first fragment that the snap length cut.
  ASSERT_EQ(RunV4(Ipv4{.protocol = 51, .identification = 10, .more_fragments = true, .total_length = 532}(
                whole.substr(0, 100))),
            DecodeResult::kPacket);
  EXPECT_EQ(packet_.protocol, kIpProtoUdp);
  EXPECT_TRUE(packet_.truncated);
}

TEST_F(Decode, QuotedAuthenticationHeaders) {
  const std::string quoted = Ipv4{.protocol = 51}(Authentication(kIpProtoTcp) + Tcp{.source_port = 4444}(""));
  ASSERT_EQ(RunV4(Ipv4{.protocol = kIpProtoIcmp}(Icmp(3, 1, quoted))), DecodeResult::kPacket);
  EXPECT_EQ(packet_.quoted_protocol, kIpProtoTcp);
  EXPECT_EQ(packet_.quoted_source_port, 4444);
}

// What the first fragments hold of a datagram whose others never come.
TEST_F(Decode, TheBeginningOfADatagramThatIsGivenUpIsHandedOn) {
  Decoder::Options options;
  options.keep_given_up = true;
  Decoder decoder(options);
  const std::string whole = Udp{.source_port = 4444}(std::string(1000, 'x') + std::string(1000, 'y'));
  const auto fragment = [&](uint16_t identification, size_t offset, size_t size, uint64_t time_ns) {
    frames_.push_back(std::make_unique<OwnedFrame>(
        Ethernet(kEtherIpv4, Ipv4{.protocol = kIpProtoUdp,
                                  .identification = identification,
                                  .fragment_offset = static_cast<uint32_t>(offset),
                                  .more_fragments = offset + size < whole.size()}(whole.substr(offset, size))),
        kLinkEthernet, time_ns));
    Packet packet;
    decoder.Decode(**frames_.back(), packet);
  };
  fragment(1, 0, 512, 0);
  fragment(1, 512, 512, 1);
  fragment(1, 1536, 472, 2);  // one is missing before it
  fragment(2, 512, 512, 3);   // the first is missing
  EXPECT_FALSE(decoder.has_given_up());
  Packet packet;
  fragment(1, 0, 512, 60 * kSecond);  // another datagram of that number
  ASSERT_TRUE(decoder.TakeGivenUp(packet));
  EXPECT_EQ(packet.source_port, 4444);
  EXPECT_EQ(AsText(packet.payload), whole.substr(8, 1016));
  EXPECT_EQ(packet.missing_bytes, whole.size() - 1024);
  EXPECT_TRUE(packet.truncated);
  EXPECT_EQ(packet.frame->time_ns, 0u);
  EXPECT_FALSE(decoder.TakeGivenUp(packet));
  decoder.BeginBurst();
  decoder.Finish();
  ASSERT_TRUE(decoder.TakeGivenUp(packet));
  EXPECT_EQ(AsText(packet.payload), whole.substr(8, 504));
  EXPECT_EQ(packet.frame->time_ns, 60 * kSecond);
  EXPECT_FALSE(decoder.TakeGivenUp(packet));
  EXPECT_EQ(decoder.counters().received, 5u);
  EXPECT_EQ(decoder.counters().decoded, 0u);
  EXPECT_EQ(decoder.counters().not_decoded[static_cast<size_t>(NotDecoded::kFragmentTimeout)], 5u);
}

TEST_F(Decode, SaysWhichTypesAreOther) {
  Run(Ethernet(0x0806, Zeros(46)));
  Run(Ethernet(0x0806, Zeros(46)));
  Run(Ethernet(46, "\x42\x42\x03" + Zeros(43)));
  Run(Zeros(60), 129);
  std::map<std::string, uint64_t> types;
  for (const TypeCounts::Entry& entry : decoder_.counters().other_types.entries()) {
    types[NameOfLinkType(entry.type)] = entry.count;
  }
  EXPECT_EQ(types, (std::map<std::string, uint64_t>{{"arp", 2}, {"llc_0x42", 1}}));
  ASSERT_EQ(decoder_.counters().unknown_link_types.entries().size(), 1u);
  EXPECT_EQ(decoder_.counters().unknown_link_types.entries()[0].type, 129u);
  for (unsigned type = 0x9900; type < 0x9a00; ++type) Run(Ethernet(static_cast<uint16_t>(type), Zeros(46)));
  EXPECT_EQ(decoder_.counters().other_types.entries().size(), TypeCounts::kMaxTypes);
  EXPECT_EQ(decoder_.counters().other_types.others(), 256 - (TypeCounts::kMaxTypes - 2));
}

TEST_F(Decode, Ipv6ExtensionHeadersAreBounded) {
  std::string chain;
  for (size_t i = 0; i < kMaxExtensionHeaders; ++i) chain += Extension(60);
  const std::string at_bound = chain.substr(8) + Extension(kIpProtoTcp);
  EXPECT_EQ(RunV6(Ipv6{.next_header = 60}(at_bound + Tcp{}("hello"))), DecodeResult::kPacket);
  EXPECT_EQ(RunV6(Ipv6{.next_header = 60}(chain + Extension(kIpProtoTcp) + Tcp{}("hello"))),
            DecodeResult::kAddressesOnly);
  EXPECT_EQ(Count(NotDecoded::kIpv6ExtensionBad), 1u);
  EXPECT_EQ(RunV6(Ipv6{.next_header = 0}(Extension(kIpProtoTcp, 9).substr(0, 20))), DecodeResult::kAddressesOnly);
  EXPECT_EQ(Count(NotDecoded::kIpv6ExtensionBad), 2u) << "longer than the packet";
  EXPECT_EQ(RunV6(Ipv6{.next_header = 0, .payload_length = 500}(Extension(kIpProtoTcp, 9).substr(0, 20))),
            DecodeResult::kAddressesOnly);
  EXPECT_EQ(Count(NotDecoded::kIpTruncated), 1u) << "cut by the snap length";
}

TEST_F(Decode, Ipv6Jumbogram) {
  const std::string jumbo = std::string{kIpProtoTcp, '\0'} + "\xc2\x04" + Be32(100000);
  EXPECT_EQ(RunV6(Ipv6{.next_header = 0, .payload_length = 0}(jumbo + Tcp{}("hello"))), DecodeResult::kAddressesOnly);
  EXPECT_EQ(Count(NotDecoded::kIpv6Jumbogram), 1u);
  EXPECT_EQ(RunV6(Ipv6{.next_header = 0, .payload_length = 0}(Extension(kIpProtoTcp) + Tcp{}("hello"))),
            DecodeResult::kAddressesOnly);
  EXPECT_EQ(Count(NotDecoded::kIpLengthBad), 1u);
}

TEST_F(Decode, Ipv6LengthZeroTakesWhatIsThere) {
  EXPECT_EQ(RunV6(Ipv6{.payload_length = 0}(Tcp{}("hello"))), DecodeResult::kPacket);
  EXPECT_EQ(Payload(), "hello");
  EXPECT_EQ(RunV6(Ipv6{.next_header = 59}("") + Zeros(6)), DecodeResult::kPacket);
  EXPECT_EQ(packet_.protocol, 59);
  EXPECT_TRUE(packet_.payload.empty());
}

TEST_F(Decode, Ipv6PaddingIsCutOff) {
  EXPECT_EQ(RunV6(kHelloV6 + Zeros(10)), DecodeResult::kPacket);
  EXPECT_EQ(Payload(), "hello");
}

// --- transport

TEST_F(Decode, TcpHeaderLength) {
  EXPECT_EQ(RunV4(Ipv4{}(Tcp{.header_words = 8}("hello"))), DecodeResult::kPacket);
  ExpectHello();
  EXPECT_EQ(RunV4(Ipv4{}(Tcp{.header_words = 4}("hello"))), DecodeResult::kAddressesOnly);
  EXPECT_EQ(RunV4(Ipv4{}(Tcp{.header_words = 15}("").substr(0, 59))), DecodeResult::kAddressesOnly);
  EXPECT_EQ(Count(NotDecoded::kTransportHeaderBad), 2u);
  // Options cut by the snap length: the ports and flags are there, the whole payload is missing.
  const std::string bytes = Ethernet(kEtherIpv4, Ipv4{}(Tcp{.header_words = 10}("hello")));
  EXPECT_EQ(Run(bytes.substr(0, 14 + 20 + 24), kLinkEthernet, 0, static_cast<uint32_t>(bytes.size())),
            DecodeResult::kPacket);
  EXPECT_EQ(packet_.destination_port, 80);
  EXPECT_TRUE(packet_.payload.empty());
  EXPECT_EQ(packet_.missing_bytes, 5u);
}

TEST_F(Decode, UdpLength) {
  const auto run = [&](int length) { return RunV4(Ipv4{.protocol = kIpProtoUdp}(Udp{.length = length}("hello"))); };
  EXPECT_EQ(run(-1), DecodeResult::kPacket);
  EXPECT_EQ(Payload(), "hello");
  EXPECT_EQ(packet_.source_port, 5000);
  EXPECT_EQ(packet_.destination_port, 53);
  EXPECT_EQ(packet_.tcp_flags, 0);
  EXPECT_EQ(run(0), DecodeResult::kPacket);
  EXPECT_EQ(Payload(), "hello");
  EXPECT_EQ(run(10), DecodeResult::kPacket);
  EXPECT_EQ(Payload(), "he");
  EXPECT_FALSE(packet_.truncated);
  EXPECT_EQ(run(100), DecodeResult::kPacket) << "longer than the datagram: what is there";
  EXPECT_EQ(Payload(), "hello");
  EXPECT_FALSE(packet_.truncated);
  EXPECT_EQ(run(8), DecodeResult::kPacket);
  EXPECT_TRUE(packet_.payload.empty());
  EXPECT_EQ(run(7), DecodeResult::kAddressesOnly);
  EXPECT_EQ(Count(NotDecoded::kTransportHeaderBad), 1u);
  EXPECT_EQ(decoder_.counters().udp, 5u);
}

TEST_F(Decode, OtherProtocols) {
  EXPECT_EQ(RunV4(Ipv4{.protocol = 89}("hello")), DecodeResult::kPacket);
  EXPECT_EQ(packet_.protocol, 89);
  EXPECT_EQ(packet_.source_port, 0);
  EXPECT_EQ(Payload(), "hello");
  EXPECT_EQ(RunV4(Ipv4{.protocol = kIpProtoSctp}(Be16(1) + Be16(2) + Zeros(8) + "chunk")), DecodeResult::kPacket);
  EXPECT_EQ(packet_.source_port, 1);
  EXPECT_EQ(packet_.destination_port, 2);
  EXPECT_EQ(Payload(), "chunk");
  EXPECT_EQ(RunV4(Ipv4{.protocol = kIpProtoSctp}(Zeros(11))), DecodeResult::kAddressesOnly);
  EXPECT_EQ(decoder_.counters().other_transport, 2u);
}

TEST_F(Decode, IcmpQuotes) {
  const std::string inner =
      Ipv4{.source = "203.0.113.9", .destination = "192.0.2.77", .protocol = kIpProtoUdp, .options = Zeros(4)}(
          Udp{}("").substr(0, 8));
  EXPECT_EQ(RunV4(Ipv4{.protocol = kIpProtoIcmp}(Icmp(3, 1, inner))), DecodeResult::kPacket);
  EXPECT_TRUE(packet_.has_quoted);
  EXPECT_EQ(packet_.icmp_type, 3);
  EXPECT_EQ(packet_.icmp_code, 1);
  EXPECT_EQ(packet_.quoted_source.ToString(), "203.0.113.9");
  EXPECT_EQ(packet_.quoted_destination.ToString(), "192.0.2.77");
  EXPECT_EQ(packet_.quoted_protocol, kIpProtoUdp);
  EXPECT_EQ(packet_.quoted_source_port, 5000);
  EXPECT_EQ(packet_.quoted_destination_port, 53);
  EXPECT_EQ(Payload(), inner);
  // Without the transport header: the addresses only.
  EXPECT_EQ(RunV4(Ipv4{.protocol = kIpProtoIcmp}(Icmp(11, 0, inner.substr(0, 24)))), DecodeResult::kPacket);
  EXPECT_TRUE(packet_.has_quoted);
  EXPECT_EQ(packet_.quoted_source_port, 0);
  // A later fragment has no ports, whatever its bytes look like.
  const std::string later = Ipv4{.protocol = kIpProtoUdp, .fragment_offset = 64}(Udp{}(""));
  RunV4(Ipv4{.protocol = kIpProtoIcmp}(Icmp(11, 1, later)));
  EXPECT_TRUE(packet_.has_quoted);
  EXPECT_EQ(packet_.quoted_source_port, 0);
  // No error, no quote; nor where it is cut or no IP header.
  RunV4(Ipv4{.protocol = kIpProtoIcmp}(Icmp(8, 0, inner)));
  EXPECT_FALSE(packet_.has_quoted);
  RunV4(Ipv4{.protocol = kIpProtoIcmp}(Icmp(3, 0, inner.substr(0, 19))));
  EXPECT_FALSE(packet_.has_quoted);
  RunV4(Ipv4{.protocol = kIpProtoIcmp}(Icmp(3, 0, Zeros(40))));
  EXPECT_FALSE(packet_.has_quoted);
  RunV4(kHello);
  EXPECT_FALSE(packet_.has_quoted);
  EXPECT_EQ(decoder_.counters().icmp, 6u);
}

TEST_F(Decode, IcmpV6Quotes) {
  const std::string inner = Ipv6{.source = "2001:db8::aaaa", .destination = "2001:db8::bbbb", .next_header = 0}(
      Extension(kIpProtoUdp) + Udp{}(""));
  EXPECT_EQ(RunV6(Ipv6{.next_header = kIpProtoIcmpV6}(Icmp(1, 4, inner))), DecodeResult::kPacket);
  EXPECT_TRUE(packet_.has_quoted);
  EXPECT_EQ(packet_.quoted_source.ToString(), "2001:db8::aaaa");
  EXPECT_EQ(packet_.quoted_destination.ToString(), "2001:db8::bbbb");
  EXPECT_EQ(packet_.quoted_protocol, kIpProtoUdp);
  EXPECT_EQ(packet_.quoted_destination_port, 53);
  const auto fragment = [](uint32_t offset) {
    return Ipv6{.next_header = 44}(FragmentHeader(kIpProtoUdp, offset, true, 9) + Udp{}(""));
  };
  RunV6(Ipv6{.next_header = kIpProtoIcmpV6}(Icmp(3, 1, fragment(0))));
  EXPECT_EQ(packet_.quoted_destination_port, 53);
  RunV6(Ipv6{.next_header = kIpProtoIcmpV6}(Icmp(3, 1, fragment(64))));
  EXPECT_TRUE(packet_.has_quoted);
  EXPECT_EQ(packet_.quoted_destination_port, 0);
  RunV6(Ipv6{.next_header = kIpProtoIcmpV6}(Icmp(128, 0, inner)));
  EXPECT_FALSE(packet_.has_quoted);
}

// --- fragments

std::vector<std::string> FragmentsV4(const std::string& content, size_t piece,
                                     Ipv4 header = {.protocol = kIpProtoUdp}) {
  std::vector<std::string> out;
  for (size_t at = 0; at < content.size(); at += piece) {
    header.fragment_offset = static_cast<uint32_t>(at);
    header.more_fragments = at + piece < content.size();
    out.push_back(Ethernet(kEtherIpv4, header(content.substr(at, piece))));
  }
  return out;
}
std::vector<std::string> FragmentsV6(const std::string& content, size_t piece, uint8_t next = kIpProtoUdp) {
  std::vector<std::string> out;
  for (size_t at = 0; at < content.size(); at += piece) {
    out.push_back(Ethernet(kEtherIpv6, Ipv6{.next_header = 44}(FragmentHeader(next, static_cast<uint32_t>(at),
                                                                              at + piece < content.size(), 7) +
                                                               content.substr(at, piece))));
  }
  return out;
}

TEST_F(Decode, ReassemblesIpv4) {
  const std::string text(1000, 't');
  const std::vector<std::string> parts = FragmentsV4(Udp{}(text), 256);
  ASSERT_EQ(parts.size(), 4u);
  EXPECT_EQ(Run(parts[2]), DecodeResult::kAddressesOnly) << "the first to arrive";
  EXPECT_EQ(Source(), "192.0.2.1");
  EXPECT_EQ(packet_.protocol, kIpProtoUdp);
  EXPECT_EQ(packet_.source_port, 0);
  EXPECT_EQ(Run(parts[0]), DecodeResult::kConsumed);
  EXPECT_EQ(Run(parts[3]), DecodeResult::kConsumed);
  EXPECT_EQ(Count(NotDecoded::kFragmentHeld), 3u);
  EXPECT_EQ(Run(parts[1]), DecodeResult::kPacket);
  EXPECT_EQ(Payload(), text);
  EXPECT_TRUE(packet_.reassembled);
  EXPECT_FALSE(packet_.truncated);
  EXPECT_EQ(packet_.destination_port, 53);
  EXPECT_EQ(packet_.ip_bytes, 20 + 8 + 1000u);
  EXPECT_EQ(packet_.frame, &**frames_.back());
  EXPECT_EQ(Count(NotDecoded::kFragmentHeld), 0u);
  EXPECT_EQ(decoder_.counters().decoded, 4u);
  EXPECT_EQ(decoder_.counters().datagrams_reassembled, 1u);
  EXPECT_EQ(decoder_.counters().udp, 1u);
  decoder_.BeginBurst();
}

TEST_F(Decode, ReassemblesIpv6) {
  const std::string text(1000, 't');
  // Behind the fragment header destination options, part of what is put together.
  const std::vector<std::string> parts = FragmentsV6(Extension(kIpProtoUdp, 3) + Udp{}(text), 512, 60);
  ASSERT_EQ(parts.size(), 3u);
  EXPECT_EQ(Run(parts[0]), DecodeResult::kAddressesOnly);
  EXPECT_EQ(Run(parts[1]), DecodeResult::kConsumed);
  EXPECT_EQ(Run(parts[2]), DecodeResult::kPacket);
  EXPECT_EQ(Payload(), text);
  EXPECT_EQ(packet_.protocol, kIpProtoUdp);
  EXPECT_TRUE(packet_.reassembled);
}

TEST_F(Decode, FragmentsWithinFragmentsAreRefused) {
  const std::vector<std::string> parts =
      FragmentsV6(FragmentHeader(kIpProtoUdp, 0, true, 8) + Udp{}(std::string(40, 'x')), 24, 44);
  for (size_t i = 0; i + 1 < parts.size(); ++i) Run(parts[i]);
  EXPECT_EQ(Run(parts.back()), DecodeResult::kAddressesOnly);
  EXPECT_EQ(Count(NotDecoded::kFragmentBad), parts.size());
}

TEST_F(Decode, ReassembledDatagramWithoutSoundTransport) {
  const std::vector<std::string> parts = FragmentsV4(Udp{.length = 5}(std::string(24, 'x')), 16);
  Run(parts[0]);
  EXPECT_EQ(Run(parts[1]), DecodeResult::kAddressesOnly);
  EXPECT_EQ(Count(NotDecoded::kTransportHeaderBad), 2u);
  EXPECT_EQ(decoder_.counters().decoded, 0u);
}

TEST_F(Decode, BadFragmentsShowTheirAddresses) {
  EXPECT_EQ(RunV4(Ipv4{.protocol = kIpProtoUdp, .more_fragments = true}("seven b")), DecodeResult::kAddressesOnly);
  EXPECT_EQ(RunV4(Ipv4{.protocol = kIpProtoUdp, .fragment_offset = 8}("")), DecodeResult::kAddressesOnly);
  EXPECT_EQ(RunV4(Ipv4{.protocol = kIpProtoUdp, .fragment_offset = 65528}(Zeros(40))), DecodeResult::kAddressesOnly);
  EXPECT_EQ(Count(NotDecoded::kFragmentBad), 3u);
}

TEST_F(Decode, CutFragments) {
  const std::vector<std::string> parts = FragmentsV4(Udp{}(std::string(800, 'x')), 400);
  const auto wire_bytes = static_cast<uint32_t>(parts[0].size());
  EXPECT_EQ(Run(parts[0].substr(0, 100), kLinkEthernet, 0, wire_bytes), DecodeResult::kPacket);
  EXPECT_EQ(packet_.destination_port, 53);
  EXPECT_EQ(Payload(), std::string(100 - 14 - 20 - 8, 'x'));
  EXPECT_TRUE(packet_.truncated);
  EXPECT_EQ(Run(parts[1].substr(0, 100), kLinkEthernet, 0, wire_bytes), DecodeResult::kAddressesOnly);
  EXPECT_EQ(Count(NotDecoded::kFragmentCut), 1u);
}

TEST_F(Decode, FragmentsOfOldDatagramsTimeOut) {
  const std::vector<std::string> parts = FragmentsV4(Udp{}(std::string(40, 'x')), 24);
  Run(parts[0], kLinkEthernet, 10 * kSecond);
  EXPECT_EQ(Run(parts[1], kLinkEthernet, 41 * kSecond), DecodeResult::kAddressesOnly);
  EXPECT_EQ(Count(NotDecoded::kFragmentTimeout), 1u);
  EXPECT_EQ(Count(NotDecoded::kFragmentHeld), 1u);
}

TEST_F(Decode, SameIdentificationInTwoVlansIsTwoDatagrams) {
  const std::vector<std::string> a = FragmentsV4(Udp{}(std::string(40, 'a')), 24);
  const auto tagged = [](const std::string& frame, uint16_t id) {
    return Ethernet(0x8100, Vlan(id, kEtherIpv4, frame.substr(14)));
  };
  Run(tagged(a[0], 1));
  EXPECT_EQ(Run(tagged(a[1], 2)), DecodeResult::kAddressesOnly);
  EXPECT_EQ(Run(tagged(a[1], 1)), DecodeResult::kPacket);
}

// --- workers

struct Sent {
  std::string bytes;
  std::string pair;  // what has to meet in one worker
  uint64_t time_ns;
};

std::vector<Sent> Traffic() {
  std::mt19937 random(5);
  std::vector<Sent> out;
  const auto address = [&](bool v6) {
    return v6 ? "2001:db8::" + std::to_string(random() % 40) : "10.0.0." + std::to_string(random() % 40);
  };
  for (int i = 0; i < 4000; ++i) {
    const bool v6 = random() % 2 == 0;
    const std::string a = address(v6), b = address(v6), pair = std::min(a, b) + " " + std::max(a, b);
    const uint64_t time_ns = static_cast<uint64_t>(i) * kSecond / 10;
    if (random() % 8 == 0) {
      out.push_back({Ethernet(0x0806, Zeros(28)), "none", time_ns});
    } else if (random() % 3 == 0) {
      const std::string content = Udp{}(std::string(random() % 100, 'u'));
      const size_t piece = 8 + random() % 10 * 8;
      for (size_t at = 0; at < content.size(); at += piece) {
        const bool more = at + piece < content.size();
        const auto offset = static_cast<uint32_t>(at);
        const auto id = static_cast<uint16_t>(random() % 50 == 0 ? 0 : i);
        const std::string part = content.substr(at, piece);
        out.push_back({v6 ? Ethernet(kEtherIpv6, Ipv6{.source = a, .destination = b, .next_header = 44}(
                                                     FragmentHeader(kIpProtoUdp, offset, more, id) + part))
                          : Ethernet(kEtherIpv4, Ipv4{.source = a,
                                                      .destination = b,
                                                      .protocol = kIpProtoUdp,
                                                      .identification = id,
                                                      .fragment_offset = offset,
                                                      .more_fragments = more}(part)),
                       pair, time_ns});
      }
    } else {
      out.push_back({v6 ? Ethernet(kEtherIpv6, Ipv6{.source = a, .destination = b}(Tcp{}("x")))
                        : Ethernet(kEtherIpv4, Ipv4{.source = a, .destination = b}(Tcp{}("x"))),
                     pair, time_ns});
    }
  }
  return out;
}

std::string Describe(DecodeResult result, const Packet& packet) {
  std::string out = std::to_string(static_cast<int>(result));
  if (result == DecodeResult::kPacket || result == DecodeResult::kAddressesOnly) {
    out += " " + packet.source.ToString() + " " + packet.destination.ToString() + " " +
           std::to_string(packet.source_port) + " " + std::string(AsText(packet.payload));
  }
  return out;
}

TEST(DecodeShares, EveryFrameBelongsToOneWorkerAndTheResultIsTheSame) {
  const std::vector<Sent> traffic = Traffic();
  std::vector<std::string> expected;
  for (const uint32_t count : {1u, 2u, 3u, 7u}) {
    for (const size_t burst : {size_t{1}, size_t{32}}) {
      std::deque<Decoder> decoders;
      for (uint32_t i = 0; i < count; ++i) decoders.emplace_back(Decoder::Options{.share = {i, count}});
      std::vector<std::string> results;
      std::map<std::string, uint32_t> worker_of;
      Packet packet;
      for (size_t n = 0; n < traffic.size(); ++n) {
        const OwnedFrame frame(traffic[n].bytes, kLinkEthernet, traffic[n].time_ns);
        for (uint32_t i = 0; i < count; ++i) {
          if (n % burst == 0) decoders[i].BeginBurst();
          const DecodeResult result = decoders[i].Decode(*frame, packet);
          if (result == DecodeResult::kNotOurs) continue;
          results.push_back(Describe(result, packet));
          EXPECT_EQ(worker_of.emplace(traffic[n].pair, i).first->second, i) << traffic[n].pair;
        }
      }
      EXPECT_EQ(worker_of["none"], 0u);
      if (expected.empty()) expected = results;
      EXPECT_EQ(results, expected);
      EXPECT_EQ(results.size(), traffic.size());
      DecodeCounters sum;
      for (Decoder& decoder : decoders) {
        decoder.Finish();
        sum.received += decoder.counters().received;
        sum.decoded += decoder.counters().decoded;
        for (size_t k = 0; k < sum.not_decoded.size(); ++k) sum.not_decoded[k] += decoder.counters().not_decoded[k];
        EXPECT_GT(decoder.counters().received, traffic.size() / count / 3) << "a fair share";
      }
      EXPECT_EQ(sum.received, traffic.size());
      EXPECT_EQ(std::accumulate(sum.not_decoded.begin(), sum.not_decoded.end(), sum.decoded), traffic.size());
    }
  }
}

TEST(NotDecodedNames, AreAllDifferent) {
  std::map<std::string_view, int> names;
  for (size_t i = 0; i < static_cast<size_t>(NotDecoded::kCount); ++i) ++names[NameOf(static_cast<NotDecoded>(i))];
  EXPECT_EQ(names.size(), static_cast<size_t>(NotDecoded::kCount));
  EXPECT_EQ(NameOf(NotDecoded::kLinkTypeUnknown), "link_type_unknown");
}

}  // namespace
}  // namespace vedette
