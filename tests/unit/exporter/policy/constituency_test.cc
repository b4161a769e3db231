#include "exporter/policy/constituency.h"

#include <gtest/gtest.h>

namespace vedette {
namespace {

std::string Parsed(std::string_view text) {
  std::string reason;
  const std::optional<IpPrefix> prefix = ParseIpPrefix(text, reason);
  EXPECT_EQ(prefix.has_value(), reason.empty());
  return prefix ? prefix->ToString() : reason;
}

TEST(IpPrefix, InNormalForm) {
  EXPECT_EQ(Parsed("192.0.2.0/24"), "192.0.2.0/24");
  EXPECT_EQ(Parsed("192.0.2.7"), "192.0.2.7/32");
  EXPECT_EQ(Parsed("128.0.0.0/1"), "128.0.0.0/1");
  EXPECT_EQ(Parsed("2001:DB8:0::/32"), "2001:db8::/32");
  EXPECT_EQ(Parsed("2001:db8::1/128"), "2001:db8::1/128");
}

TEST(IpPrefix, RefusesWhatIsNone) {
  for (const char* text :
       {"", "/", "/24", "192.0.2/24", "example.org", "AS3333", "192.0.2.0-192.0.2.255", " 192.0.2.0/24"})
    EXPECT_NE(Parsed(text).find("is not a prefix"), std::string::npos) << text;
  for (const char* text : {"192.0.2.0/", "192.0.2.0/33", "192.0.2.0/-1", "192.0.2.0/24 ", "192.0.2.0/24/8",
                           "192.0.2.0/+8", "2001:db8::/129", "192.0.2.0/99999999999"})
    EXPECT_NE(Parsed(text).find("needs a prefix length"), std::string::npos) << text;
  EXPECT_NE(Parsed("0.0.0.0/0").find("every address"), std::string::npos);
  EXPECT_NE(Parsed("::/0").find("every address"), std::string::npos);
  EXPECT_NE(Parsed("192.0.2.1/24").find("write 192.0.2.0/24"), std::string::npos);
  EXPECT_NE(Parsed("2001:db8::1/32").find("write 2001:db8::/32"), std::string::npos);
}

TEST(CountryCode, Iso3166) {
  for (const char* code : {"AD", "NL", "NO", "GB", "XK", "ZW"}) EXPECT_TRUE(IsCountryCode(code)) << code;
  for (const char* code : {"", "N", "nl", "UK", "EU", "NLD", "D A", " A", "A ", "??"})
    EXPECT_FALSE(IsCountryCode(code)) << code;
}

}  // namespace
}  // namespace vedette
