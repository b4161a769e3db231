#include "parsers/tls/tls_fingerprint.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "parsers/base/digest.h"
#include "parsers/base/text.h"
#include "tests/unit/parsers/tls_build.h"
#include "tests/unit/parsers/tls_samples.h"

namespace vedette {
namespace {

using testing::AlpnExtension;
using testing::ClientHelloBody;
using testing::Extension;
using testing::GroupsExtension;
using testing::PointFormatsExtension;
using testing::ServerHelloBody;
using testing::SignaturesExtension;
using testing::SniExtension;
using testing::VersionsExtension;

struct Hello {
  explicit Hello(std::string bytes) : body(std::move(bytes)) { EXPECT_TRUE(ParseClientHello(AsBytes(body), parsed)); }
  Hello(uint16_t version, const std::vector<uint16_t>& ciphers, const std::string& extensions)
      : Hello(ClientHelloBody(version, ciphers, extensions)) {}
  std::string body;
  ClientHello parsed;
};

std::string Ja4Of(const Hello& hello, Ja4AlpnRule rule = Ja4AlpnRule::kHexDigits) {
  return Ja4(hello.parsed, Ja4Transport::kTcp, rule);
}

// The two examples in the README of github.com/salesforce/ja3.
TEST(Ja3, GivesThePublishedExamples) {
  const Hello full(
      769, {47, 53, 5, 10, 49161, 49162, 49171, 49172, 50, 56, 19, 4},
      SniExtension("a.example") + GroupsExtension({23, 24, 25}) + PointFormatsExtension(std::string(1, 0)));
  EXPECT_EQ(Ja3Text(full.parsed), "769,47-53-5-10-49161-49162-49171-49172-50-56-19-4,0-10-11,23-24-25,0");
  EXPECT_EQ(Ja3(full.parsed), "ada70206e40642a3e4461f35503241d5");
  const Hello bare(769, {4, 5, 10, 9, 100, 98, 3, 6, 19, 18, 99}, "");
  EXPECT_EQ(Ja3Text(bare.parsed), "769,4-5-10-9-100-98-3-6-19-18-99,,,");
  EXPECT_EQ(Ja3(bare.parsed), "de350869b8c85de67a350c8d186f11e6");
}

TEST(Ja3, LeavesGreaseOut) {
  const Hello plain(771, {0x1301, 0xc02b}, GroupsExtension({29, 23}) + Extension(23, ""));
  const Hello greased(
      771, {0x0a0a, 0x1301, 0xc02b, 0xfafa},
      Extension(0x1a1a, "") + GroupsExtension({0x2a2a, 29, 23}) + Extension(23, "") + Extension(0xdada, "x"));
  EXPECT_EQ(Ja3Text(greased.parsed), Ja3Text(plain.parsed));
  // Only the sixteen values of RFC 8701.
  const Hello near(771, {0x0a1a, 0x1a0a, 0x0b0b}, "");
  EXPECT_EQ(Ja3Text(near.parsed), "771,2586-6666-2827,,,");
}

TEST(Ja3s, ListsVersionCipherAndExtensions) {
  const std::string body = ServerHelloBody(769, 47,
                                           Extension(65281, std::string(1, 0)) + Extension(0, "") + Extension(11, "") +
                                               Extension(35, "") + Extension(5, "") + Extension(16, ""));
  ServerHello hello;
  ASSERT_TRUE(ParseServerHello(AsBytes(body), hello));
  EXPECT_EQ(Ja3sText(hello), "769,47,65281-0-11-35-5-16");
  EXPECT_EQ(Ja3s(hello), "836ce314215654b5b1f85f97c73e506f");  // md5sum
}

// The lists of the worked example in technical_details/JA4.md of github.com/FoxIO-LLC/ja4.
Hello PublishedJa4Example(const std::string& signatures, const std::string& more = "") {
  std::string extensions = Extension(0x001b, "") + SniExtension("example.com") + Extension(0x0033, "") +
                           AlpnExtension("h2") + Extension(0x4469, "") + Extension(0x0017, "") + Extension(0x002d, "") +
                           signatures + Extension(0x0005, "") + Extension(0x0023, "") + Extension(0x0012, "") +
                           VersionsExtension({0x5a5a, 0x0304, 0x0303}) + Extension(0xff01, "") +
                           PointFormatsExtension("") + GroupsExtension({29}) + Extension(0x0015, "") + more;
  return Hello(0x0303,
               {0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc013, 0xc014, 0x009c, 0x009d,
                0x002f, 0x0035},
               extensions);
}
const std::vector<uint16_t> kPublishedSignatures = {0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601};

TEST(Ja4, GivesThePublishedExample) {
  EXPECT_EQ(Ja4Of(PublishedJa4Example(SignaturesExtension(kPublishedSignatures))),
            "t13d1516h2_8daaf6152771_e5627efa2ab1");
}

TEST(Ja4, WithoutSignatureAlgorithmsEndsWithoutUnderscore) {
  EXPECT_EQ(Ja4Of(PublishedJa4Example(Extension(13, ""))), "t13d1516h2_8daaf6152771_6d807ffa2a79");
}

TEST(Ja4, LeavesGreaseOutEverywhere) {
  std::vector<uint16_t> greased = kPublishedSignatures;
  greased.insert(greased.begin(), 0x6a6a);
  EXPECT_EQ(Ja4Of(PublishedJa4Example(SignaturesExtension(greased), Extension(0x7a7a, "g"))),
            "t13d1516h2_8daaf6152771_e5627efa2ab1");
}

TEST(Ja4, NamesTheTransport) {
  const Hello hello(0x0303, {0x1301}, "");
  EXPECT_EQ(Ja4(hello.parsed, Ja4Transport::kTcp)[0], 't');
  EXPECT_EQ(Ja4(hello.parsed, Ja4Transport::kQuic)[0], 'q');
  EXPECT_EQ(Ja4(hello.parsed, Ja4Transport::kDtls)[0], 'd');
}

TEST(Ja4, EmptyListsHaveNoHash) {
  EXPECT_EQ(Ja4Of(Hello(0x0301, {}, "")), "t10i000000_000000000000_000000000000");
  // The server's name and ALPN do not count in the third part.
  EXPECT_EQ(Ja4Of(Hello(0x0301, {}, SniExtension("a.b") + AlpnExtension("h2"))),
            "t10d0002h2_000000000000_000000000000");
}

TEST(Ja4, TakesTheHighestVersionOffered) {
  const auto version = [](uint16_t legacy, const std::vector<uint16_t>& offered) {
    return Ja4Of(Hello(legacy, {1}, offered.empty() ? "" : VersionsExtension(offered))).substr(1, 2);
  };
  EXPECT_EQ(version(0x0303, {0x0303, 0x0304, 0x0302}), "13");
  EXPECT_EQ(version(0x0303, {0xfafa, 0x0303}), "12");
  EXPECT_EQ(version(0x0303, {0x0a0a}), "12");
  EXPECT_EQ(version(0x0302, {}), "11");
  EXPECT_EQ(version(0x0301, {}), "10");
  EXPECT_EQ(version(0x0300, {}), "s3");
  EXPECT_EQ(version(0x0002, {}), "s2");
  EXPECT_EQ(version(0xfefd, {}), "d2");
  EXPECT_EQ(version(0x0399, {}), "00");
}

TEST(Ja4, CountsUpTo99) {
  std::vector<uint16_t> ciphers;
  for (uint16_t i = 0; i < 120; ++i) ciphers.push_back(static_cast<uint16_t>(0x100 + i));
  std::string extensions;
  for (uint16_t i = 0; i < 99; ++i) extensions += Extension(static_cast<uint16_t>(0x100 + i), "");
  EXPECT_EQ(Ja4Of(Hello(0x0303, ciphers, extensions)).substr(0, 10), "t12i999900");
}

// JA4.md, "ALPN Extension Value".
TEST(Ja4, AlpnFollowsTheSpecification) {
  const auto alpn = [](const std::string& protocol, Ja4AlpnRule rule = Ja4AlpnRule::kHexDigits) {
    return Ja4Of(Hello(0x0303, {1}, AlpnExtension(protocol)), rule).substr(8, 2);
  };
  EXPECT_EQ(alpn("h2"), "h2");
  EXPECT_EQ(alpn("http/1.1"), "h1");
  EXPECT_EQ(alpn("x"), "xx");
  EXPECT_EQ(alpn(""), "00");
  EXPECT_EQ(alpn("\xab"), "ab");
  EXPECT_EQ(alpn("\xab\xcd"), "ad");
  EXPECT_EQ(alpn("\x30\xab"), "3b");
  EXPECT_EQ(alpn("\x30\x31\xab\xcd"), "3d");
  EXPECT_EQ(alpn("\x30\xab\xcd\x31"), "01");
  EXPECT_EQ(alpn("-x"), "28");
  EXPECT_EQ(alpn("\xab\xcd", Ja4AlpnRule::kNines), "99");
  EXPECT_EQ(alpn("h2\xcd", Ja4AlpnRule::kNines), "h9");
  EXPECT_EQ(alpn("h2", Ja4AlpnRule::kNines), "h2");
}

TEST(Ja4, HasTwoFormsOutsideAsciiOnly) {
  EXPECT_TRUE(Ja4HasTwoForms(Hello(0x0303, {1}, AlpnExtension("\xab\xcd")).parsed));
  EXPECT_TRUE(Ja4HasTwoForms(Hello(0x0303, {1}, AlpnExtension("h\xcd")).parsed));
  EXPECT_FALSE(Ja4HasTwoForms(Hello(0x0303, {1},
                                    AlpnExtension("h\xcd"
                                                  "2"))
                                  .parsed));
  EXPECT_FALSE(Ja4HasTwoForms(Hello(0x0303, {1}, AlpnExtension("-")).parsed));
  EXPECT_FALSE(Ja4HasTwoForms(Hello(0x0303, {1}, "").parsed));
}

TEST(ClientHello, ReadsTheServerNames) {
  const auto names = [](const std::string& extension) {
    const Hello hello(0x0303, {1}, Extension(0, extension));
    std::vector<std::string> out;
    hello.parsed.ForEachServerName([&](std::string_view name) { out.emplace_back(name); });
    return out;
  };
  using testing::U8;
  using testing::Vector16;
  const auto entry = [](int type, const std::string& name) { return U8(static_cast<uint64_t>(type)) + Vector16(name); };
  EXPECT_EQ(names(Vector16(entry(0, "a.b"))), std::vector<std::string>{"a.b"});
  EXPECT_EQ(names(Vector16(entry(0, "a") + entry(1, "x") + entry(0, "") + entry(0, "b"))),
            (std::vector<std::string>{"a", "b"}));
  EXPECT_TRUE(names("").empty());
  EXPECT_TRUE(names(Vector16(entry(0, "a.b").substr(0, 5))).empty());  // the name goes beyond the list
  EXPECT_TRUE(names(testing::U16(9) + entry(0, "a.b")).empty());       // the list beyond the extension
  std::string many;
  for (int i = 0; i < 100; ++i) many += entry(0, "n");
  EXPECT_EQ(names(Vector16(many)).size(), static_cast<size_t>(ClientHello::kMaxServerNames));
}

TEST(ClientHello, RefusesLengthsThatDoNotFit) {
  const std::string body = ClientHelloBody(0x0303, {1, 2, 3}, SniExtension("a.example") + AlpnExtension("h2"));
  ClientHello hello;
  for (size_t length = 0; length < body.size(); ++length) {
    const bool is_whole_without_extensions = length == 2 + 32 + 1 + 2 + 6 + 2;
    ClientHello cut;
    EXPECT_EQ(ParseClientHello(AsBytes(body).first(length), cut), is_whole_without_extensions) << length;
  }
  EXPECT_TRUE(ParseClientHello(AsBytes(body), hello));
  std::string bad = body;
  bad[bad.size() - 1 - 3 - 2 - 1] = '\x7f';  // the ALPN extension's length
  ClientHello cut;
  EXPECT_FALSE(ParseClientHello(AsBytes(bad), cut));
}

TEST(ServerHello, KnowsTheRetryRequestAndTheSelectedVersion) {
  const std::string retry = testing::FromHex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c");
  EXPECT_EQ(Digester(DigestAlgorithm::kSha256).Of(AsBytes("HelloRetryRequest")).Hex(), ToHex(retry));
  ServerHello hello;
  const std::string body = ServerHelloBody(0x0303, 0x1301, Extension(43, testing::U16(0x0304)), retry);
  ASSERT_TRUE(ParseServerHello(AsBytes(body), hello));
  EXPECT_TRUE(hello.is_hello_retry_request);
  EXPECT_EQ(hello.NegotiatedVersion(), 0x0304);
  ServerHello older;
  const std::string plain = ServerHelloBody(0x0302, 0x002f, "");
  ASSERT_TRUE(ParseServerHello(AsBytes(plain), older));
  EXPECT_FALSE(older.is_hello_retry_request);
  EXPECT_EQ(older.NegotiatedVersion(), 0x0302);
}

// Drafts of TLS 1.3 before 22: no session id, no compression method.
TEST(ServerHello, ReadsTheShortFormOfDrafts) {
  const std::string body =
      testing::U16(0x7f12) + std::string(32, 'R') + testing::U16(0x1301) + testing::Vector16(Extension(40, "key"));
  ServerHello hello;
  ASSERT_TRUE(ParseServerHello(AsBytes(body), hello));
  EXPECT_EQ(hello.cipher_suite, 0x1301);
  EXPECT_EQ(TlsVersionName(hello.NegotiatedVersion()), "TLS 1.3");
}

TEST(TlsVersionName, NamesWhatIsDefined) {
  EXPECT_EQ(TlsVersionName(0x0300), "SSL 3.0");
  EXPECT_EQ(TlsVersionName(0x0304), "TLS 1.3");
  EXPECT_EQ(TlsVersionName(0x7f1c), "TLS 1.3");
  EXPECT_EQ(TlsVersionName(0x0305), "");
}

}  // namespace
}  // namespace vedette
