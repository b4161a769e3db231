#include "parsers/base/address.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>

namespace vedette {
namespace {

TEST(IpAddress, ReadsAndWritesBothVersions) {
  for (const char* text : {"1.2.3.4", "255.255.255.255", "::", "2400::a1", "::ffff:1.2.3.4"}) {
    EXPECT_EQ(IpAddress::Parse(text).value().ToString(), text);
  }
  EXPECT_EQ(IpAddress::Parse("2400:0:0::00A1").value().ToString(), "2400::a1");
  for (const char* text :
       {"", "1.2.3", "1.2.3.4.5", "01.2.3.4", "256.1.1.1", "1.2.3.4 ", "[::1]", "fe80::1%eth0", ":::", "g::"}) {
    EXPECT_FALSE(IpAddress::Parse(text).has_value()) << text;
  }
}

// Mostly zeros, where the texts differ.
TEST(IpAddress, WritesWhatInetNtopWrites) {
  std::mt19937 random(1);
  for (int i = 0; i < 200'000; ++i) {
    uint8_t bytes[16];
    const unsigned zeros = random() % 4;
    for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random() % 4 < zeros ? 0 : random());
    if (random() % 8 == 0) std::fill(bytes, bytes + 12, uint8_t{0});
    if (random() % 16 == 0) bytes[10] = bytes[11] = 0xff;
    char text[INET6_ADDRSTRLEN];
    ASSERT_EQ(IpAddress::V6(bytes).ToString(), inet_ntop(AF_INET6, bytes, text, sizeof text));
    ASSERT_EQ(IpAddress::V4(bytes).ToString(), inet_ntop(AF_INET, bytes, text, sizeof text));
    ASSERT_EQ(IpAddress::Parse(IpAddress::V6(bytes).ToString()), IpAddress::V6(bytes));
  }
}

TEST(IpAddress, AMappedAddressIsNotTheIpv4Address) {
  EXPECT_NE(IpAddress::Parse("::ffff:1.2.3.4"), IpAddress::Parse("1.2.3.4"));
  EXPECT_EQ(IpAddress::Parse("1.2.3.4").value().bytes(), IpAddress::Parse("::ffff:1.2.3.4").value().bytes());
}

// First and last address of each special block, and their neighbours outside.
TEST(IpAddress, KnowsSpecialBlocks) {
  for (const char* text : {"0.0.0.0",
                           "0.255.255.255",
                           "10.0.0.0",
                           "10.255.255.255",
                           "100.64.0.0",
                           "100.127.255.255",
                           "127.0.0.0",
                           "127.255.255.255",
                           "169.254.0.0",
                           "169.254.255.255",
                           "172.16.0.0",
                           "172.31.255.255",
                           "192.0.0.0",
                           "192.0.0.255",
                           "192.0.2.0",
                           "192.0.2.255",
                           "192.168.0.0",
                           "192.168.255.255",
                           "198.18.0.0",
                           "198.19.255.255",
                           "198.51.100.0",
                           "198.51.100.255",
                           "203.0.113.0",
                           "203.0.113.255",
                           "224.0.0.0",
                           "255.255.255.255",
                           "::",
                           "::1",
                           "::ffff:8.8.8.8",
                           "100::",
                           "100::ffff:ffff:ffff:ffff",
                           "2001:db8::",
                           "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff",
                           "3fff::",
                           "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff",
                           "fc00::",
                           "fdff::1",
                           "fe80::",
                           "febf::1",
                           "ff00::",
                           "ffff::1"}) {
    EXPECT_TRUE(IpAddress::Parse(text).value().IsSpecial()) << text;
  }
  for (const char* text :
       {"1.0.0.0",       "9.255.255.255",   "11.0.0.0",        "100.63.255.255", "100.128.0.0",     "126.255.255.255",
        "128.0.0.0",     "169.253.255.255", "169.255.0.0",     "172.15.255.255", "172.32.0.0",      "191.255.255.255",
        "192.0.1.0",     "192.0.3.0",       "192.167.255.255", "192.169.0.0",    "198.17.255.255",  "198.20.0.0",
        "198.51.99.255", "198.51.101.0",    "203.0.112.255",   "203.0.114.0",    "223.255.255.255", "::2",
        "100:0:0:1::",   "2001:db7::1",     "2001:db9::",      "2400::",         "3ffe::",          "3fff:1000::",
        "fbff::1",       "fe00::",          "fec0::"}) {
    EXPECT_FALSE(IpAddress::Parse(text).value().IsSpecial()) << text;
  }
  EXPECT_FALSE(IpAddress().IsSpecial());
}

}  // namespace
}  // namespace vedette
