#include "parsers/base/network.h"

#include <gtest/gtest.h>

namespace vedette {
namespace {

bool Contains(std::string_view network, std::string_view address) {
  const std::optional<Network> parsed = Network::Parse(network);
  EXPECT_TRUE(parsed) << network;
  return parsed && parsed->Contains(IpAddress::Parse(address).value_or(IpAddress()));
}

TEST(Network, ContainsWhatSharesItsPrefix) {
  EXPECT_TRUE(Contains("192.0.2.0/24", "192.0.2.255"));
  EXPECT_FALSE(Contains("192.0.2.0/24", "192.0.3.0"));
  EXPECT_TRUE(Contains("10.128.0.0/9", "10.255.1.1"));
  EXPECT_FALSE(Contains("10.128.0.0/9", "10.127.255.255"));
  EXPECT_TRUE(Contains("0.0.0.0/0", "203.0.113.9"));
  EXPECT_TRUE(Contains("192.0.2.7", "192.0.2.7"));
  EXPECT_FALSE(Contains("192.0.2.7", "192.0.2.6"));
  EXPECT_TRUE(Contains("2001:db8::/33", "2001:db8:7fff::1"));
  EXPECT_FALSE(Contains("2001:db8::/33", "2001:db8:8000::1"));
}

TEST(Network, KeepsTheVersionsApart) {
  EXPECT_FALSE(Contains("::/0", "192.0.2.1"));
  EXPECT_FALSE(Contains("0.0.0.0/0", "::ffff:192.0.2.1"));
}

TEST(Network, RefusesWhatIsNone) {
  for (const char* text : {"", "192.0.2.0/", "192.0.2.0/33", "192.0.2.0/-1", "192.0.2.0/24x", "192.0.2.1/24",
                           "2001:db8::/129", "2001:db8::1/64", "bad.example", "/24", "192.0.2.0/ 24"}) {
    EXPECT_FALSE(Network::Parse(text)) << text;
  }
}

TEST(Network, HasOneNormalForm) {
  EXPECT_EQ(Network::Parse("192.0.2.7")->ToString(), "192.0.2.7/32");
  EXPECT_EQ(Network::Parse("2001:0db8:0::/32")->ToString(), "2001:db8::/32");
}

TEST(PrefixTable, MasksBits) {
  EXPECT_EQ(MaskAddress(*IpAddress::Parse("255.255.255.255"), 13).ToString(), "255.248.0.0");
  EXPECT_EQ(MaskAddress(*IpAddress::Parse("1.2.3.4"), 0).ToString(), "0.0.0.0");
  EXPECT_EQ(MaskAddress(*IpAddress::Parse("1.2.3.4"), 32).ToString(), "1.2.3.4");
  EXPECT_EQ(MaskAddress(*IpAddress::Parse("2001:db8:ffff::1"), 33).ToString(), "2001:db8:8000::");
}

TEST(PrefixLength, IsANumberUpToTheWidth) {
  const IpAddress v4 = *IpAddress::Parse("192.0.2.0"), v6 = *IpAddress::Parse("2001:db8::");
  EXPECT_EQ(ParsePrefixLength("0", v4), 0U);
  EXPECT_EQ(ParsePrefixLength("32", v4), 32U);
  EXPECT_EQ(ParsePrefixLength("128", v6), 128U);
  for (const char* text : {"", "33", "-1", "+1", "1 ", " 1", "1/2", "0x10", "99999999999"})
    EXPECT_EQ(ParsePrefixLength(text, v4), std::nullopt) << text;
  EXPECT_EQ(ParsePrefixLength("129", v6), std::nullopt);
}

}  // namespace
}  // namespace vedette
