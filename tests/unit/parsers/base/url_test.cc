#include "parsers/base/url.h"

#include <gtest/gtest.h>

#include <string>

#include "parsers/base/text.h"

namespace vedette {
namespace {

// Normalising twice changes nothing.
std::string Normal(std::string_view url) {
  const std::string once = NormaliseUrl(url);
  EXPECT_EQ(NormaliseUrl(once), once) << url;
  return once;
}

TEST(NormaliseUrl, LowersSchemeAndHostOnly) {
  EXPECT_EQ(Normal("HTTP://Example.COM/Path?Query=A"), "http://example.com/Path?Query=A");
  EXPECT_EQ(Normal("http://example.com./a"), "http://example.com/a");
}

TEST(NormaliseUrl, TakesHttpWhereNoSchemeStands) {
  EXPECT_EQ(Normal("example.com"), "http://example.com/");
  EXPECT_EQ(Normal("example.com:8080/a"), "http://example.com:8080/a");
  EXPECT_EQ(Normal("example.com/?u=http://other/"), "http://example.com/?u=http://other/");
}

TEST(NormaliseUrl, DropsDefaultPort) {
  EXPECT_EQ(Normal("http://a:80/"), "http://a/");
  EXPECT_EQ(Normal("https://a:443/"), "https://a/");
  EXPECT_EQ(Normal("http://a:443/"), "http://a:443/");
  EXPECT_EQ(Normal("ftp://a:21/f"), "ftp://a/f");
  EXPECT_EQ(Normal("http://a:/"), "http://a/");
  EXPECT_EQ(Normal("http://a:0080/"), "http://a/");
  EXPECT_EQ(Normal("http://a:08080/"), "http://a:8080/");
  EXPECT_EQ(Normal("http://a:x/"), "http://a:x/");
  EXPECT_EQ(Normal("http://a:80./"), "http://a:80./");
}

TEST(NormaliseUrl, DropsUserInformationAndFragment) {
  EXPECT_EQ(Normal("http://user:pass@a/b#c"), "http://a/b");
  EXPECT_EQ(Normal("http://google.com@evil.example/"), "http://evil.example/");
  EXPECT_EQ(Normal("http://a#b"), "http://a/");
}

TEST(NormaliseUrl, GivesAnEmptyPathItsSlash) {
  EXPECT_EQ(Normal("http://a"), "http://a/");
  EXPECT_EQ(Normal("http://a?x"), "http://a/?x");
  EXPECT_EQ(Normal("http://a/?"), "http://a/?");
  EXPECT_EQ(Normal(""), "http:///");
}

TEST(NormaliseUrl, WritesAddressesOneWay) {
  EXPECT_EQ(Normal("http://[2001:DB8:0:0::1]:80/"), "http://[2001:db8::1]/");
  EXPECT_EQ(Normal("http://[2001:db8::1]:8080/x"), "http://[2001:db8::1]:8080/x");
  EXPECT_EQ(Normal("http://192.0.2.1:80/x"), "http://192.0.2.1/x");
  EXPECT_EQ(Normal("http://[nothing"), "http://[nothing/");
}

TEST(NormaliseUrl, MakesPercentEncodingUniform) {
  EXPECT_EQ(Normal("http://a/%7euser/%41%2f%3a"), "http://a/~user/A%2F%3A");
  EXPECT_EQ(Normal("http://a/a b\"<>|"), "http://a/a%20b%22%3C%3E%7C");
  EXPECT_EQ(Normal("http://a/\xc3\xa9"), "http://a/%C3%A9");
  EXPECT_EQ(Normal("http://a/100%"), "http://a/100%25");
  EXPECT_EQ(Normal("http://a/%zz%4"), "http://a/%25zz%254");
  EXPECT_EQ(Normal("http://a/%%34%31"), "http://a/%2541");
}

TEST(NormaliseUrl, KeepsWhatServersTellApart) {
  EXPECT_EQ(Normal("http://a/../b/./c//d"), "http://a/../b/./c//d");
  EXPECT_EQ(Normal("http://a/x?b=[1]&c='(2)'"), "http://a/x?b=[1]&c='(2)'");
}

TEST(NormaliseUrl, ConvertsInternationalNames) {
  EXPECT_EQ(Normal("http://B\xc3\xbc"
                   "cher.example/"),
            "http://xn--bcher-kva.example/");
  // U+2100 maps to "a/c": that must not become a path.
  EXPECT_EQ(Normal("http://x\xe2\x84\x80.example/p"), "http://x\xe2\x84\x80.example/p");
  // U+3002 is a full stop to IDNA.
  EXPECT_EQ(Normal("http://b\xc3\xbc"
                   "cher\xe3\x80\x82/"),
            "http://xn--bcher-kva/");
}

TEST(NormaliseUrl, DropsWhiteSpaceAround) { EXPECT_EQ(Normal(" \thttp://a/b \r\n"), "http://a/b"); }

TEST(StoreHttpUrl, IsTheNormalFormOfTheWhole) {
  Arena arena;
  const std::string_view hosts[] = {"a",   "A.Example:80", "a:8080", "[2001:DB8::1]", "u@b", "a.",
                                    "a/b", "192.0.2.1",    ""};
  const std::string_view targets[] = {"/", "/x?y#z", "/%7e", "/a b", "/\xff"};
  for (std::string_view host : hosts) {
    for (std::string_view target : targets) {
      const std::string url = "http://" + std::string(host.substr(0, host.find('/'))) + std::string(target);
      EXPECT_EQ(StoreHttpUrl(host, target, arena), NormaliseUrl(url)) << url;
    }
  }
}

TEST(StoreHost, AgreesWithNormaliseHost) {
  Arena arena;
  for (std::string_view host : {"example.com", "EXAMPLE.com.", "a..", ".",
                                "b\xc3\xbc"
                                "cher.example",
                                "xn--bcher-kva", "\xff\xfe", "-", "a b"}) {
    EXPECT_EQ(StoreHost({.host = host, .port = {}}, arena), NormaliseHost(host)) << host;
  }
  EXPECT_EQ(StoreHost({.host = "", .port = {}}, arena), "");
}

TEST(SplitHostAndPort, KnowsEveryForm) {
  const auto expect = [](std::string_view text, std::string_view host, std::string_view port, bool literal = false) {
    const HostAndPort split = SplitHostAndPort(text);
    EXPECT_EQ(split.host, host) << text;
    EXPECT_EQ(split.port, port) << text;
    EXPECT_EQ(split.is_literal, literal) << text;
  };
  expect("a", "a", "");
  expect("a:80", "a", "80");
  expect("a:", "a", "");
  expect(":80", "", "80");
  expect("a:http", "a:http", "");
  expect("[::1]", "::1", "", true);
  expect("[::1]:80", "::1", "80", true);
  expect("[::1]80", "[::1]80", "");
  expect("[::1", "[::1", "");
  expect("::1", "::1", "", true);
  expect("a:b:c", "a:b:c", "");
  expect("", "", "");
}

TEST(AuthorityOf, IsWhatStandsBeforeThePath) {
  EXPECT_EQ(AuthorityOf("http://u@Host:8080/x"), "Host:8080");
  EXPECT_EQ(AuthorityOf("/x"), "");
  EXPECT_TRUE(IsAbsoluteUrl("http://a"));
  EXPECT_FALSE(IsAbsoluteUrl("/a?http://b"));
  EXPECT_FALSE(IsAbsoluteUrl("1http://b"));
}

}  // namespace
}  // namespace vedette
