#include "signatures/value.h"

#include <gtest/gtest.h>

#include <string>

namespace vedette {
namespace {

using enum IndicatorType;

// The normal form (with the type, where it changed), or "! " and the reason.
std::string Normal(IndicatorType type, std::string_view value) {
  IndicatorType became = type;
  std::string normal, reason;
  if (!NormaliseValue(became, value, normal, reason)) return "! " + reason;
  return became == type ? normal : std::string(NameOf(became)) + ' ' + normal;
}

void ExpectRefused(IndicatorType type, std::string_view value, std::string_view part_of_reason) {
  const std::string normal = Normal(type, value);
  EXPECT_EQ(normal.substr(0, 2), "! ") << value;
  EXPECT_NE(normal.find(part_of_reason), std::string::npos) << value << ": " << normal;
}

TEST(Value, Addresses) {
  EXPECT_EQ(Normal(kIp, " 20.1.2.3 "), "20.1.2.3");
  EXPECT_EQ(Normal(kIp, "2400:0:0::00A1"), "2400::a1");
  EXPECT_EQ(Normal(kIp, "::ffff:20.1.2.3"), "20.1.2.3");
  EXPECT_EQ(Normal(kIp, "20[.]1(.)2[dot]3"), "20.1.2.3");
  EXPECT_EQ(Normal(kIp, "20.1.2.3/24"), "cidr 20.1.2.0/24");
  for (const char* text : {"", "20.1.2", "020.1.2.3", "20.1.2.3.4", "2400:::1", "evil.example"}) {
    ExpectRefused(kIp, text, text[0] == 0 ? "no value" : "not an IPv4 or IPv6 address");
  }
  for (const char* text :
       {"10.0.0.1", "127.0.0.1", "192.168.1.1", "224.0.0.1", "0.0.0.0", "255.255.255.255", "198.51.100.1", "fe80::1",
        "::1", "::", "fd00::1", "2001:db8::1", "ff02::1", "::ffff:10.0.0.1"}) {
    ExpectRefused(kIp, text, "private or reserved");
  }
}

TEST(Value, Prefixes) {
  EXPECT_EQ(Normal(kCidr, "20.1.2.3/16"), "20.1.0.0/16");
  EXPECT_EQ(Normal(kCidr, "20.0.0.0/8"), "20.0.0.0/8");
  EXPECT_EQ(Normal(kCidr, "2400:1234::/33"), "2400:1234::/33");
  EXPECT_EQ(Normal(kCidr, "20.1.2.3/32"), "ip 20.1.2.3");
  EXPECT_EQ(Normal(kCidr, "20.1.2.3"), "ip 20.1.2.3");
  EXPECT_EQ(Normal(kCidr, "2400::1/128"), "ip 2400::1");
  ExpectRefused(kCidr, "20.0.0.0/7", "too wide");
  ExpectRefused(kCidr, "2400::/15", "too wide");
  ExpectRefused(kCidr, "0.0.0.0/0", "private or reserved");
  ExpectRefused(kCidr, "20.1.2.3/33", "prefix length");
  ExpectRefused(kCidr, "20.1.2.3/", "prefix length");
  ExpectRefused(kCidr, "20.1.2.3/-1", "prefix length");
  ExpectRefused(kCidr, "10.1.0.0/16", "private or reserved");
  ExpectRefused(kCidr, "172.0.0.0/8", "covers private or reserved addresses (from 172.16.0.0 on)");
  ExpectRefused(kIp, "20.1.2.3:80", "with a port, its type is ip:port");
  ExpectRefused(kCidr, "x/16", "not an IPv4 or IPv6 address");
}

TEST(Value, AddressesWithPorts) {
  EXPECT_EQ(Normal(kIpPort, "20.1.2.3:0443"), "20.1.2.3:443");
  EXPECT_EQ(Normal(kIpPort, "20.1.2[.]3[:]443"), "20.1.2.3:443");
  EXPECT_EQ(Normal(kIpPort, "[2400::0001]:443"), "[2400::1]:443");
  ExpectRefused(kIpPort, "20.1.2.3", "not an address with a port");
  ExpectRefused(kIpPort, "2400::1:443", "not an address with a port");
  ExpectRefused(kIpPort, "[20.1.2.3]:443", "not an address with a port");
  ExpectRefused(kIpPort, "20.1.2.3:0", "1-65535");
  ExpectRefused(kIpPort, "20.1.2.3:65536", "1-65535");
  ExpectRefused(kIpPort, "20.1.2.3:http", "1-65535");
  ExpectRefused(kIpPort, "evil.example:80", "not an IPv4 or IPv6 address");
  ExpectRefused(kIpPort, "127.0.0.1:80", "private or reserved");
}

TEST(Value, Names) {
  EXPECT_EQ(Normal(kDomain, "Evil.Example."), "evil.example");
  EXPECT_EQ(Normal(kDomain, "*.evil.example"), "evil.example");
  EXPECT_EQ(Normal(kDomain, ".evil.example"), "evil.example");
  EXPECT_EQ(Normal(kDomain, "evil[.]example"), "evil.example");
  EXPECT_EQ(Normal(kDomain, "hxxp[.]example"), "hxxp.example");
  EXPECT_EQ(Normal(kDomain, "_dmarc.evil-.example"), "_dmarc.evil-.example");
  EXPECT_EQ(Normal(kDomain,
                   "b\xc3\xbc"
                   "cher.example"),
            "xn--bcher-kva.example");
  EXPECT_EQ(Normal(kDomain, "name.github.io"), "name.github.io");
  EXPECT_EQ(Normal(kDomain, "github.io"),
            "github.io");  // registered by one owner; the registry's own section refuses none
  EXPECT_EQ(Normal(kHostname, "wpad"), "wpad");
  for (const char* suffix : {"com", "co.uk", "xn--p1ai", "*.com"}) ExpectRefused(kDomain, suffix, "public suffix");
  ExpectRefused(kHostname, "com", "public suffix");
  ExpectRefused(kDomain, "wpad", "single label");
  ExpectRefused(kDomain, "20.1.2.3", "its type is ip");
  ExpectRefused(kDomain, "http://evil.example/", "its type is url");
  ExpectRefused(kDomain, "evil..example", "empty label");
  ExpectRefused(kDomain, std::string(64, 'a') + ".example", "more than 63");
  std::string long_name;
  for (int i = 0; i < 64; ++i) long_name += "abc.";
  ExpectRefused(kDomain, long_name + "example", "longer than a host name");
  ExpectRefused(kDomain, "evil.example/path", "a URL: its type is url");
  ExpectRefused(kDomain, "evil.example:8080", "a name with a port");
  ExpectRefused(kDomain, "e vil.example", "it holds ' '");
  ExpectRefused(kDomain, "evil.1234", "last label is a number");
  ExpectRefused(kDomain, ".", "no name");
  ExpectRefused(kDomain, "*.", "no name");
}

TEST(Value, Urls) {
  EXPECT_EQ(Normal(kUrl, "HTTP://User@Evil.Example:80/Path?q#part"), "http://evil.example/Path?q");
  EXPECT_EQ(Normal(kUrl, "evil.example/path"), "http://evil.example/path");
  EXPECT_EQ(Normal(kUrl, "http.example/path"), "http://http.example/path");
  for (const char* damaged :
       {"hxxp//evil.example/a", "http:/evil.example/a", "https:\\\\evil.example\\a", "http;//evil.example/a"})
    ExpectRefused(kUrl, damaged, "its :// is damaged");
  EXPECT_EQ(Normal(kUrl, "hXXps://evil[.]example/a[.]exe"), "https://evil.example/a.exe");
  EXPECT_EQ(Normal(kUrl, "hxxp[://]evil[.]example"), "http://evil.example/");
  EXPECT_EQ(Normal(kUrl, "hxxp[:]//evil[[.]]example\\[dot]test"), "http://evil.example.test/");
  EXPECT_EQ(Normal(kUrl, "http://20.1.2.3:8080"), "http://20.1.2.3:8080/");
  EXPECT_EQ(Normal(kUrl, "http://[2400::1]/x"), "http://[2400::1]/x");
  ExpectRefused(kUrl, "http://", "no name");
  ExpectRefused(kUrl, "http:///path", "no name");
  EXPECT_EQ(Normal(kUrl, "http://evil.example/a b%7e"), "http://evil.example/a%20b~");
  ExpectRefused(kUrl, "http://evil example/", "it holds ' '");
  ExpectRefused(kUrl, "http://evil.example:0/", "1-65535");
  ExpectRefused(kUrl, "://evil.example/", "");
  ExpectRefused(kUrl, "http://a..b/", "empty label");
  ExpectRefused(kUrl, "http://" + std::string(kMaxValueBytes, 'a'), "longer than");
}

TEST(Value, UrisAndUserAgents) {
  EXPECT_EQ(Normal(kUri, "/Path%41?q=[.]"), "/Path%41?q=[.]");
  ExpectRefused(kUri, "path", "begins with /");
  ExpectRefused(kUri, "/a b", "blank");
  EXPECT_EQ(Normal(kUserAgent, " Mozilla/4.0 (Compatible[.]) "), "Mozilla/4.0 (Compatible[.])");
  ExpectRefused(kUserAgent, "  ", "no value");
}

TEST(Value, Hashes) {
  const std::string hex = "0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef";
  EXPECT_EQ(Normal(kJa3, hex.substr(0, 32)), "0123456789abcdef0123456789abcdef");
  EXPECT_EQ(Normal(kCertSha256, hex).size(), 64u);
  EXPECT_EQ(Normal(kCertSha1, "01:23:45:67:89:AB:CD:EF:01:23:45:67:89:ab:cd:ef:01:23:45:67"),
            hex.substr(16, 16) + "0123456789abcdef01234567");
  for (const IndicatorType type : {kJa3, kJa3s, kHassh, kHasshServer, kFileMd5}) {
    ExpectRefused(type, hex.substr(0, 31), "32 hexadecimal digits");
    ExpectRefused(type, hex.substr(0, 31) + "g", "32 hexadecimal digits");
  }
  for (const IndicatorType type : {kCertSha1, kFileSha1})
    ExpectRefused(type, hex.substr(0, 32), "40 hexadecimal digits");
  for (const IndicatorType type : {kCertSha256, kFileSha256}) ExpectRefused(type, hex + "0", "64 hexadecimal digits");
  EXPECT_EQ(Normal(kJa4, "T13d1516h2_8daaf6152771_B186095e22b6"), "t13d1516h2_8daaf6152771_b186095e22b6");
  ExpectRefused(kJa4, "t13d1516h2_8daaf6152771", "JA4");
  ExpectRefused(kJa4, "x13d1516h2_8daaf6152771_b186095e22b6", "JA4");
  ExpectRefused(kEmail, "nobody", "no @");
}

TEST(Value, Contents) {
  EXPECT_EQ(Normal(kContent, "Evil|20 0D0a|x"), "evil |0d 0a|x");
  EXPECT_EQ(Normal(kContent, "a|7c|b"), "a|7c|b");
  EXPECT_EQ(Normal(kContent, "|00 00 01|"), "|00 00 01|");
  EXPECT_EQ(Normal(kContent, " x "), " x ");
  EXPECT_EQ(Normal(kContent, "aaaaaaa"), "aaaaaaa");
  ExpectRefused(kContent, "ab", "shorter than 3 bytes");
  ExpectRefused(kContent, "|61 62|", "shorter than 3 bytes");
  ExpectRefused(kContent, "", "shorter than 3 bytes");
  ExpectRefused(kContent, "xAaAaAaAa", "8 or more equal bytes");
  ExpectRefused(kContent, "x|00 00 00 00 00 00 00 00|", "8 or more equal bytes");
  ExpectRefused(kContent, "abc|0", "not closed");
  ExpectRefused(kContent, "abc|0|", "pairs of hexadecimal digits");
  ExpectRefused(kContent, "abc||", "pairs of hexadecimal digits");
  ExpectRefused(kContent, "abc|zz|", "pairs of hexadecimal digits");
  ExpectRefused(kContent, std::string(300, 'a') + "b", "longer than 256 bytes");
}

TEST(Value, BytesOfContents) {
  EXPECT_EQ(Normal(kContent, "|DEADBEEF|"), "|de ad be ef|");
  EXPECT_EQ(Normal(kContent, "|de ad| |be|ef"), "|de ad| |be|ef");
  EXPECT_EQ(Normal(kContent, "|4d 5A 90|"), "mz|90|");
  EXPECT_EQ(Normal(kContent, "C:\\evil"), "c:|5c|evil");
  EXPECT_EQ(Normal(kContent, "deadbeef"), "deadbeef");
  EXPECT_EQ(Normal(kContent, "add a cab"), "add a cab");
  EXPECT_EQ(Normal(kContent, "0xdeadbeef;"), "0xdeadbeef;");
  EXPECT_EQ(Normal(kContent, "|30|xdeadbeef"), "|30|xdeadbeef");
  EXPECT_EQ(Normal(kContent, "|64|e ad be"), "|64|e ad be");
  EXPECT_EQ(Normal(kContent, "\\xyz"), "|5c|xyz");
  EXPECT_EQ(Normal(kContent, "|5c|x41|5c|x42"), "|5c|x41|5c|x42");
  ExpectRefused(kContent, "\\xde\\xad\\xbe\\xef", "|de ad be ef|");
  ExpectRefused(kContent, "GET \\x2f", "|de ad be ef|");
  ExpectRefused(kContent, "0xdeadbeef", "|30|xdeadbeef");
  ExpectRefused(kContent, "{de ad be ef}", "looks like bytes");
  ExpectRefused(kContent, "{ deadbeef }", "looks like bytes");
  ExpectRefused(kContent, "de ad BE ef", "looks like bytes");
}

TEST(Value, RegularExpressions) {
  EXPECT_EQ(Normal(kRegex, "evil[0-9]+"), "evil[0-9]+");
  EXPECT_EQ(Normal(kRegex, "/evil[0-9]+/i"), "(?i)evil[0-9]+");
  EXPECT_EQ(Normal(kRegex, " evil "), " evil ");
  ExpectRefused(kRegex, "a+b", "shorter than 3");
  ExpectRefused(kRegex, "", "no value");
}

TEST(Value, NormalisingTwiceChangesNothing) {
  for (const auto& [type, value] : std::vector<std::pair<IndicatorType, std::string>>{{kIp, "2400::A"},
                                                                                      {kCidr, "20.1.2.3/9"},
                                                                                      {kIpPort, "[2400::A]:1"},
                                                                                      {kDomain, "*.EVIL.example"},
                                                                                      {kUrl, "hxxp://EVIL.example"},
                                                                                      {kContent, "A|0a 0D|| 7C|b"},
                                                                                      {kContent, "|7b 64|e ad}"},
                                                                                      {kContent, "|5c|x41"},
                                                                                      {kRegex, "/evil\\/x/si "},
                                                                                      {kJa3, std::string(32, 'A')}}) {
    const std::string once = Normal(type, value);
    EXPECT_EQ(Normal(type, once), once);
  }
}

// Dot segments go (RFC 3986 section 6.2.2.3); a character that nobody sees would never be in a request.
TEST(Value, UrlsWithoutWhatNoRequestHas) {
  EXPECT_EQ(Normal(kUrl, "http://evil.example/x/../a"), "http://evil.example/a");
  EXPECT_EQ(Normal(kUrl, "http://evil.example/x/%2e%2E/./a/."), "http://evil.example/a/");
  EXPECT_EQ(Normal(kUrl, "http://evil.example/../../a/..?q=/../b"), "http://evil.example/?q=/../b");
  EXPECT_EQ(Normal(kUrl, "http://evil.example/.../a..b/.c"), "http://evil.example/.../a..b/.c");
  EXPECT_EQ(Normal(kUrl, "http://evil.example/[/x/../]"), "http://evil.example//");  // a normal form reads as itself
  EXPECT_EQ(Normal(kUrl, "http://evil.example/a\xe2\x80\x8b"), "http://evil.example/a");
  ExpectRefused(kUrl,
                "http://evil.example/\xe2\x80\x8b"
                "a",
                "invisible");
}

TEST(Value, SchemesThatWereMadeHarmless) {
  for (const char* scheme : {"hxxp", "hXXp", "h**p", "h00p", "htxp", "hxtp", "h[tt]p", "h(tt)p", "meow"}) {
    EXPECT_EQ(Normal(kUrl, std::string(scheme) + "://evil.example/a"), "http://evil.example/a") << scheme;
  }
  EXPECT_EQ(Normal(kUrl, "hxxps[:]//evil.example/a"), "https://evil.example/a");
  EXPECT_EQ(Normal(kUrl, "meows://evil.example/a"), "https://evil.example/a");
  EXPECT_EQ(Normal(kUrl, "ttp://evil.example/a"), "ttp://evil.example/a");
}

}  // namespace
}  // namespace vedette
