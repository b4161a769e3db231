#include "signatures/readers/guess.h"

#include <gtest/gtest.h>

#include <string>

namespace vedette {
namespace {

// "type value", or "! " and the reason.
std::string Of(std::string_view text) {
  Guesser guesser;
  std::string reason;
  const std::optional<Guess> guess = guesser.Of(text, reason);
  return guess ? std::string(NameOf(guess->type)) + ' ' + std::string(guess->value) : "! " + reason;
}

struct Case {
  const char* text;
  const char* expected;  // of a refusal, a part of the reason behind "! "
};

void Expect(std::initializer_list<Case> cases) {
  for (const Case& one : cases) {
    const std::string expected = one.expected, got = Of(one.text);
    if (expected.starts_with("! ")) {
      EXPECT_TRUE(got.starts_with("! ") && got.find(expected.substr(2)) != std::string::npos)
          << one.text << ": " << got << "\nexpected " << expected;
    } else {
      EXPECT_EQ(got, expected) << one.text;
    }
  }
}

TEST(Guess, TellsTypes) {
  Expect({{"20.1.2.3", "ip 20.1.2.3"},
          {"2400::1", "ip 2400::1"},
          {"[2400::1]", "ip 2400::1"},
          {"20[.]1[.]2[.]3", "ip 20.1.2.3"},
          {"20.1.2.0/24", "cidr 20.1.2.0/24"},
          {"2400::/32", "cidr 2400::/32"},
          {"20.1.2.3:443", "ip:port 20.1.2.3:443"},
          {"[2400::1]:443", "ip:port [2400::1]:443"},
          {"evil.example", "domain evil.example"},
          {"*.evil.example", "domain *.evil.example"},
          {"evil.example/path", "url evil.example/path"},
          {"20.1.2.3/path", "url 20.1.2.3/path"},
          {"20.1.2.3:80/path", "url 20.1.2.3:80/path"},
          {"20.1.2.3/24/path", "url 20.1.2.3/24/path"},
          {"/path.php", "uri /path.php"},
          {"mail@evil.example", "email mail@evil.example"},
          {"t13d1516h2_8daaf6152771_b186095e22b6", "ja4 t13d1516h2_8daaf6152771_b186095e22b6"},
          {"evil.example:8080", "! a name with a port"},
          {"evil.example,botnet", "! not a single value"},
          {" ", "! no value"}});
  EXPECT_EQ(Of(std::string(32, 'a')).substr(0, 8), "file.md5");
  EXPECT_EQ(Of(std::string(40, 'a')).substr(0, 9), "file.sha1");
  EXPECT_EQ(Of(std::string(64, 'a')).substr(0, 11), "file.sha256");
}

TEST(Guess, BlocksWithSomethingBehindThem) {
  Expect({{"20.1.2.0/24;", "cidr 20.1.2.0/24"},
          {"20.1.2.0/24,", "cidr 20.1.2.0/24"},
          {"20.1.2.0/24;SBL1", "cidr 20.1.2.0/24"},
          {"20.1.2.0/24#x", "cidr 20.1.2.0/24"},
          {"20.1.2.0/255.255.255.0", "cidr 20.1.2.0/24"},
          {"20.1.2.0/0.0.0.255", "cidr 20.1.2.0/24"},
          {"20.1.2.0 255.255.255.0", "cidr 20.1.2.0/24"},
          {"20.1.2.0\t0.0.0.255", "cidr 20.1.2.0/24"},
          {"20.1.2.3#x", "ip 20.1.2.3"},
          {"20.1.2.3:443;x", "ip:port 20.1.2.3:443"},
          {"20.1.2.0/255.0.255.0", "! not a netmask"},
          {"20.1.2.0/24,1,90", "! what follows the / is not a prefix length (nearest reading: 20.1.2.0/24)"},
          {"20.1.2.0/24:443", "! not a prefix length"},
          {"20.1.2.0/24-20.1.3.0/24", "! a range"},
          {"20.1.2.3:443/tcp", "! there is other text after the port (nearest reading: 20.1.2.3:443)"},
          {"20.1.2.0 24", "! a score or a prefix length"},
          {"20.1.2.0/24/", "! what follows the / is not a prefix length (nearest reading: 20.1.2.0/24)"},
          {"20.1.2.0 /24", "! a space before the prefix length (nearest reading: 20.1.2.0/24)"},
          {"20.1.2.0/24;20.1.3.0/24", "! not a single value"},
          {"20.1.2.0/24;90", "! (nearest reading: 20.1.2.0/24)"},
          {"20.1.2.3;20.1.2.9", "! (nearest reading: 20.1.2.3)"},
          {"20.1.2.3;443;x", "! (nearest reading: 20.1.2.3)"},
          {"20.1.2.3;evil.example", "! (nearest reading: 20.1.2.3)"},
          {"20.1.2.3#53", "! (nearest reading: 20.1.2.3)"},
          {"20.1.2.3#4#2#x", "ip 20.1.2.3"},
          {"20.1.2.3:80-90", "! what follows the : is not a port (nearest reading: 20.1.2.3:80)"},
          {"20.1.2.3:http", "! what follows the : is not a port (nearest reading: 20.1.2.3)"},
          {"20.1.2.0:20.1.2.9", "! a range"},
          {"20.1.2.3/255.255.255.255", "ip 20.1.2.3"},
          {"20.1.2.3 255.255.255.255", "ip 20.1.2.3"},
          {"20.1.2.3 0.0.0.0", "! one address or all"},
          {"020.1.2.3", "! leading zeros"},
          {"(20.1.2.3)", "! before or after the value (nearest reading: 20.1.2.3)"},
          {"2400:1::/32,1,90", "! not a prefix length"}});
}

TEST(Guess, Ranges) {
  Expect({{"20.1.2.0 20.1.2.255", "cidr 20.1.2.0/24"},
          {"20.1.2.0-255", "cidr 20.1.2.0/24"},
          {"20.1.2.0 - 20.1.3.255", "cidr 20.1.2.0/23"},
          {"20.1.2.0-20.1.2.127", "cidr 20.1.2.0/25"},
          {"20.1.2.3-20.1.2.3", "ip 20.1.2.3"},
          {"2400::-2400::ffff", "cidr 2400::/112"},
          {"20.1.2.4-9", "! a range of addresses: write it as blocks (nearest reading: 20.1.2.4/30 20.1.2.8/31)"},
          {"20.1.2.9-20.1.2.4", "! ends before it begins"},
          {"20.1.2.0 -20.1.2.255", "cidr 20.1.2.0/24"},
          {"20.1.2.0- 20.1.2.255", "cidr 20.1.2.0/24"},
          {"20.1.2.0\xe2\x80\x93"
           "20.1.2.255",
           "cidr 20.1.2.0/24"},
          {"20.1.2.1 20.1.2.2 20.1.2.3", "! not a single value"},
          {"evil.example 20.1.2.3", "! not a single value"},
          {"20.1.2.x", "! looks like a range"},
          {"20.1.2.*", "! looks like a range"},
          {"1.0.0.1-beta", "! does not begin with a digit"},
          {"archive.7z", "! does not begin with a digit"}});
}

TEST(Guess, HostsOfUrls) {
  Expect({{"http://20.1.2.3", "ip 20.1.2.3"},
          {"http://20.1.2.3/", "ip 20.1.2.3"},
          {"https://20.1.2.3:8443/", "ip:port 20.1.2.3:8443"},
          {"http://[2400::1]/", "ip 2400::1"},
          {"http://[2400::1]:80", "ip:port [2400::1]:80"},
          {"http://evil.example", "hostname evil.example"},
          {"https://user@evil.example/#x", "hostname evil.example"},
          {"evil.example/", "hostname evil.example"},
          {"tcp://20.1.2.3:4444", "ip:port 20.1.2.3:4444"},
          {"ftp://evil.example/", "hostname evil.example"},
          {"http://evil.example/?", "url http://evil.example/?"},
          {"http://evil.example:80/", "hostname evil.example"},
          {"https://evil.example:443", "hostname evil.example"},
          {"https://evil.example:80", "url https://evil.example:80"},
          {"http://20.1.2.3:80/", "ip:port 20.1.2.3:80"},
          {"http://evil.example:8080/", "url http://evil.example:8080/"},
          {"http://20.1.2.3:8080/a", "url http://20.1.2.3:8080/a"}});
}

TEST(Guess, UrlsThatNoRequestCanHave) {
  Expect({{"ttp://evil.example/a", "! no request shows a URL of this scheme"},
          {"tcp://evil.example:80/a", "! no request shows"},
          {"hxxp//evil.example/a", "! (nearest reading: http://evil.example/a)"},
          {"http:/evil.example/a", "! (nearest reading: http://evil.example/a)"},
          {"//evil.example/a", "! begins with //"},
          {"//20.1.2.3/a", "! begins with //"},
          {"////atom.xml", "uri ////atom.xml"},
          {"http://evil.example/a\xe2\x80\xa6", "! cut off"},
          {"http://evil.example/a...", "! cut off"},
          {"http://evil.example/[...]/b", "! cut off"},
          {"http://evil.example/.../b", "url http://evil.example/.../b"},
          {"http://evil.example/\xe2\x80\x8b"
           "a",
           "! invisible"},
          {"\xe2\x80\x8bhttp://evil.example/a\xe2\x80\x8b", "url http://evil.example/a"},
          {"http://a.example/x,http://b.example/y", "! two URLs"},
          {"http://a.example/xhttp://b.example/y", "! two URLs"},
          {"http://a.example/?u=http://b.example/y", "url http://a.example/?u=http://b.example/y"},
          {"http://a.example/x,2026-11-30,phish", "! not a single value"},
          {"http://evil.example/*", "! a pattern"},
          {"http://evil.example/a[truncated]", "! cut off"},
          {"http://evil.example/a&hellip;", "! cut off"},
          {"http://evil.example/a>", "! (nearest reading: http://evil.example/a)"},
          {"http://a.example/xHTTP://b.example/y",
           "! two URLs in one row: write one per line (nearest reading: http://a.example/x)"},
          {"http://a.example,offline",
           "! not a single value; a file with columns needs a header line with `type` and `value` (nearest reading: "
           "http://a.example)"},
          {"7,http://a.example/x,http://b.example/y", "! (nearest reading: http://a.example/x)"},
          {"[a](http://a.example/x)", "! not a single value"},
          {"url=http://a.example/x", "! (nearest reading: http://a.example/x)"},
          {"file:///etc/passwd", "! is it defanged?"},
          {"http://evil/a", "! a single label"},
          {"N/A", "! a single label"},
          {"aHR0cDov/L2V2aWw", "! a single label"},
          {"2026/11/30", "! a single label"}});
}

TEST(Guess, NamesOfFiles) {
  Expect({{"svchost.exe", "! the name of a file"},
          {"invoice.pdf.EXE", "! the name of a file"},
          {"http://svchost.exe/a", "! the name of a file"},
          {"archive.zip", "domain archive.zip"},
          {"evil.onion", "domain evil.onion"},
          {"evil.test", "domain evil.test"},
          {"evil.qqzz", "domain evil.qqzz"}});
}

TEST(Guess, OtherProgramsLines) {
  Expect({{"||evil.example^", "domain evil.example"},
          {"||20.1.2.3^", "ip 20.1.2.3"},
          {"||evil.example^$third-party", "! ad blocker"},
          {"@@||evil.example^", "! an exception"},
          {"evil.example##.ad", "! not a single value"},
          {"||evil.example^$all", "domain evil.example"},
          {"||evil.example^$document", "domain evil.example"},
          {"||evil.*^", "! ad blocker"},
          {"! Homepage: https://a.example", "! not a single value"},
          {"address=/evil.example/0.0.0.0", "domain evil.example"},
          {"address=/.evil.example/#", "domain evil.example"},
          {"server=/evil.example/", "domain evil.example"},
          {"server=/evil.example/20.1.2.3", "! dnsmasq's configuration (nearest reading: evil.example)"},
          {"address=/a.example/b.example/0.0.0.0", "! dnsmasq"},
          {"address=/svchost.exe/0.0.0.0", "! the name of a file"},
          {"local-zone: \"evil.example\" refuse", "domain evil.example"},
          {"local-zone: \"evil.example\" transparent", "! unbound"},
          {"local-data: \"evil.example A 0.0.0.0\"", "hostname evil.example"},
          {"local-data: \"evil.example A 20.1.2.3\"", "! unbound"},
          {"local-zone: \"", "! unbound"},
          {"local-data:", "! "},
          {"evil.example CNAME .", "hostname evil.example"},
          {"*.evil.example 300 IN CNAME *.", "domain evil.example"},
          {"evil.example CNAME rpz-passthru.", "! a zone record other than"},
          {"24.0.2.1.20.rpz-ip CNAME .", "! trigger is not a name"},
          {"evil.example IN A 20.1.2.3", "! not a single value"},
          {"\"evil.example\",", "domain evil.example"},
          {"evil.example;", "domain evil.example"}});
}

TEST(Guess, NearestReadings) {
  Expect(
      {{"2026-11-30 10:00:00,20.1.2.3,443", "! (nearest reading: 20.1.2.3)"},
       {"\"1\",\"2026-11-30\",\"http://evil.example/a?b=c\",\"x\"", "! (nearest reading: http://evil.example/a?b=c)"},
       {"127.0.1.1 evil.example evil", "! (nearest reading: evil.example)"},
       {"domain:evil.example", "! (nearest reading: evil.example)"},
       {"alert ip [20.1.2.3,20.1.2.4] any", "! (nearest reading: 20.1.2.3)"},
       {"invoice.exe|0123", "! not a single value"},
       {"evil.example^", "! (nearest reading: evil.example)"}});
  for (const char* text : {"invoice.exe|0123", "local words: none", "! see https://a.example", "10.0.0.1,1,90"})
    EXPECT_EQ(Of(text).find("nearest"), std::string::npos) << Of(text);
}

TEST(Guess, RemarksOnUrls) {
  Guesser guesser;
  std::string reason;
  const auto remark = [&](std::string_view text) { return guesser.Of(text, reason)->remark; };
  EXPECT_NE(remark("http://a.example/x\\y").find("holds a \\"), std::string::npos);
  for (const char* text : {"http://a.example/x,word", "http://a.example/x,20.1.2.3", "http://a.example/x,b.example/y"})
    EXPECT_NE(remark(text).find("may be a column"), std::string::npos) << text;
  EXPECT_EQ(remark("http://a.example/x,y.html"), "");
}

TEST(Guess, NamesInHostsFiles) {
  Guesser guesser;
  std::string reason;
  EXPECT_EQ(guesser.OfHostsFile("evil.example", reason)->type, IndicatorType::kHostname);
  EXPECT_EQ(guesser.OfHostsFile("machine", reason)->type, IndicatorType::kHostname);
  EXPECT_FALSE(guesser.OfHostsFile("svchost.EXE", reason));
  EXPECT_NE(reason.find("name of a file"), std::string::npos);
}

}  // namespace
}  // namespace vedette
