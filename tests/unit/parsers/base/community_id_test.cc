#include "parsers/base/community_id.h"

#include <gtest/gtest.h>

#include "tests/unit/exporter/handmade_alerts.h"

namespace vedette {
namespace {

std::string Id(std::string_view source, uint16_t source_port, std::string_view destination, uint16_t destination_port,
               uint8_t protocol) {
  return CommunityId(Address(source), source_port, Address(destination), destination_port, protocol);
}

// Values as the specification's reference implementation publishes them.
TEST(CommunityId, MatchesPublishedValues) {
  EXPECT_EQ(Id("128.232.110.120", 34'855, "66.35.250.204", 80, 6), "1:LQU9qZlK+B5F3KDmev6m5PMibrg=");
  EXPECT_EQ(Id("192.168.1.52", 54'585, "8.8.8.8", 53, 17), "1:d/FP5EW3wiY1vCndhwleRRKHowQ=");
  EXPECT_EQ(Id("192.168.170.8", 7, "192.168.170.56", 80, 132), "1:jQgCxbku+pNGw8WPbEc/TS/uTpQ=");
}

TEST(CommunityId, BothDirectionsGiveOneName) {
  EXPECT_EQ(Id("66.35.250.204", 80, "128.232.110.120", 34'855, 6), "1:LQU9qZlK+B5F3KDmev6m5PMibrg=");
  EXPECT_EQ(Id("10.0.0.1", 5, "10.0.0.1", 4, 17), Id("10.0.0.1", 4, "10.0.0.1", 5, 17));
}

TEST(CommunityId, IcmpPairsTypes) {
  const IcmpPorts request = IcmpPortsOf(1, 8, 0), reply = IcmpPortsOf(1, 0, 0);
  EXPECT_FALSE(request.one_way);
  EXPECT_EQ(request.destination, 0);
  const std::string id = Id("192.168.0.89", request.source, "192.168.0.1", request.destination, 1);
  EXPECT_EQ(id, "1:X0snYXpgwiv9TZtqg64sgzUn6Dk=");
  EXPECT_EQ(id, Id("192.168.0.1", reply.source, "192.168.0.89", reply.destination, 1));

  EXPECT_EQ(reply.destination, 8);
  EXPECT_EQ(IcmpPortsOf(58, 139, 0).destination, 140);

  const IcmpPorts solicit = IcmpPortsOf(58, 135, 0);
  EXPECT_EQ(Id("fe80::200:86ff:fe05:80da", solicit.source, "fe80::260:97ff:fe07:69ea", solicit.destination, 58),
            "1:dGHyGvjMfljg6Bppwm3bg0LO8TY=");
}

TEST(CommunityId, OneWayIcmpKeepsItsOrder) {
  const IcmpPorts unreachable = IcmpPortsOf(1, 3, 1);
  EXPECT_TRUE(unreachable.one_way);
  EXPECT_EQ(unreachable.source, 3);
  EXPECT_EQ(unreachable.destination, 1);
  EXPECT_NE(Id("192.168.0.89", 3, "192.168.0.1", 1, 1), Id("192.168.0.1", 3, "192.168.0.89", 1, 1));
}

TEST(CommunityId, ProtocolsWithoutPortsIgnoreThem) {
  EXPECT_EQ(Id("10.0.0.1", 1, "10.0.0.2", 2, 47), Id("10.0.0.2", 0, "10.0.0.1", 0, 47));
}

TEST(CommunityId, NeedsTwoAddressesOfOneVersion) {
  EXPECT_EQ(Id("10.0.0.1", 1, "::1", 2, 6), "");
  EXPECT_EQ(CommunityId(IpAddress(), 1, IpAddress(), 2, 6), "");
}

}  // namespace
}  // namespace vedette
