#include "sensor/decode/tunnel.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "tests/unit/sensor/decode/packets.h"

namespace vedette {
namespace {

using namespace testing;  // NOLINT: the builders of packets.h
using namespace std::string_literals;

std::vector<std::pair<Tunnel, std::string>> Samples() {
  const std::string v4 = Ipv4{.protocol = kIpProtoUdp}(Udp{}("hello")), v6 = Ipv6{}(Tcp{}("hello"));
  const std::string frame = Ethernet(kEtherIpv4, v4);
  const std::string teredo = Ipv6{.source = "2001::1:2"}(Tcp{}("hello"));
  return {
      {Tunnel::kVxlan, "\x08\0\0\0\0\0\x7b\0"s + frame},
      {Tunnel::kVxlan, "\x88\0\x05\0\0\0\x7b\0"s + Ethernet(0x8100, Vlan(7, kEtherIpv6, v6))},
      {Tunnel::kVxlan, "\x0c\0\0\x01\0\0\x7b\0"s + v4},
      {Tunnel::kGeneve, "\0\0\x65\x58\0\0\x7b\0"s + frame},
      {Tunnel::kGeneve, "\x02\0\x86\xdd\0\0\x7b\0"s + Zeros(8) + v6},
      {Tunnel::kGtpU, "\x30\xff"s + Be16(static_cast<unsigned>(v4.size())) + Be32(7) + v4},
      {Tunnel::kTeredo, teredo},
      {Tunnel::kTeredo, "\0\x01\0\0"s + Zeros(9) + "\0\0"s + Zeros(6) + teredo},
      {Tunnel::kL2tp, "\0\x02\0\x01\0\x02\xff\x03\0\x21"s + v4},
      {Tunnel::kL2tp, "\xc8\x02"s + Be16(12) + Zeros(8)},
      {Tunnel::kWireguard, "\x01\0\0\0"s + std::string(144, 'w')},
      {Tunnel::kGre, "\x20\0\x08\0"s + Be32(1) + v4},
      {Tunnel::kMpls, "\0\x06\x41\xff"s + v4},
      {Tunnel::kTzsp, "\x01\0\0\x01\x0a\x01\x05\x01"s + frame},
      {Tunnel::kIpInUdp, v6},
  };
}

TEST(Tunnel, EachIsTold) {
  for (const auto& [tunnel, bytes] : Samples()) {
    EXPECT_EQ(NameOf(TunnelOfDatagram(AsBytes(bytes), bytes.size())), NameOf(tunnel));
  }
}

TEST(Tunnel, SoIsOneThatTheCaptureCut) {
  for (const auto& [tunnel, bytes] : Samples()) {
    if (tunnel == Tunnel::kMpls || bytes.size() < 70) continue;
    EXPECT_EQ(NameOf(TunnelOfDatagram(AsBytes(bytes).first(66), bytes.size())), NameOf(tunnel));
  }
}

TEST(Tunnel, OtherDatagramsAreNone) {
  const std::string query =
      "\x12\x34\x01\0\0\x01\0\0\0\0\0\0\x01"
      "a\0\0\x01\0\x01"s;
  EXPECT_EQ(TunnelOfDatagram(AsBytes(query), query.size()), Tunnel::kNone);
  EXPECT_EQ(TunnelOfDatagram({}, 0), Tunnel::kNone);
  std::mt19937 random(1);
  size_t told = 0;
  for (int i = 0; i < 100000; ++i) {
    std::vector<uint8_t> bytes(random() % 200);
    std::generate(bytes.begin(), bytes.end(), [&] { return static_cast<uint8_t>(random()); });
    told += TunnelOfDatagram(bytes, bytes.size()) != Tunnel::kNone;
  }
  EXPECT_LE(told, 100u);
  for (const auto& [tunnel, bytes] : Samples()) {
    for (size_t length = 0; length <= bytes.size(); ++length) {
      const std::vector<uint8_t> exact(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(length));
      TunnelOfDatagram(exact, length);
      TunnelOfDatagram(exact, bytes.size());
    }
  }
}

TEST(Tunnel, ByIpProtocol) {
  EXPECT_EQ(TunnelOfIpProtocol(47), Tunnel::kGre);
  EXPECT_EQ(TunnelOfIpProtocol(41), Tunnel::kIpInIp);
  EXPECT_EQ(TunnelOfIpProtocol(kIpProtoIcmp), Tunnel::kNone);
  for (size_t i = 1; i < static_cast<size_t>(Tunnel::kCount); ++i) EXPECT_NE(NameOf(static_cast<Tunnel>(i)), "none");
}

}  // namespace
}  // namespace vedette
