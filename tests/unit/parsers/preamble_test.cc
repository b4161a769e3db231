#include "parsers/preamble.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "parsers/registry.h"
#include "tests/unit/parsers/tls_build.h"

namespace vedette {
namespace {

using namespace testing;  // NOLINT: the builders of tls_build.h
using namespace std::string_literals;

std::string Hello() {
  return HandshakeRecord(Message(1, ClientHelloBody(0x0303, {0x1301}, SniExtension("a.example"))));
}

struct Case {
  const char* name;
  std::string bytes;
  bool only_tls;
};
std::vector<Case> Cases() {
  return {
      {"PROXY v1", "PROXY TCP4 192.0.2.1 198.51.100.1 50000 443\r\n", false},
      {"PROXY v2", "\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x04"s + "abcd", false},
      {"SOCKS4", "\x04\x01\x01\xbb\x01\x02\x03\x04me\0"s, false},
      {"SOCKS4a", "\x04\x01\x01\xbb\0\0\0\x01me\0evil.example\0"s, false},
      {"SOCKS5", "\x05\x01\0\x05\x01\0\x03\x01"s + "x\x01\xbb", false},
      {"SOCKS5 with a password", "\x05\x01\x02\x01\x02me\x03pwd\x05\x01\0\x04"s + std::string(18, 'a'), false},
      {"PROXY and SOCKS5", "PROXY UNKNOWN\r\n\x05\x02\0\x02\x05\x01\0\x01\x01\x02\x03\x04\x01\xbb"s, false},
      {"LDAP",
       "\x30\x1d\x02\x01\x01\x77\x18\x80\x16"
       "1.3.6.1.4.1.1466.20037",
       false},
      {"LDAP, a long length", "\x30\x82\0\x0c\x02\x01\x01\x78\x07\x0a\x01\0\x04\0\x04\0"s, false},
      {"PostgreSQL", "\0\0\0\x08\x04\xd2\x16\x2f"s, false},
      {"MySQL", "\x20\0\0\x01\x8a\x0a\0\0"s + std::string(28, '\0'), false},
      {"RDP", "\x03\0\0\x13\x0e\xe0"s + std::string(13, '\0'), false},
      {"SMTP", "EHLO a\r\nSTARTTLS\r\n", true},
      {"XMPP", "<stream:stream><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>", true},
  };
}

TEST(Preamble, TlsIsFoundBehindEach) {
  for (const Case& one : Cases()) {
    size_t offset = 0;
    const std::string whole = one.bytes + Hello();
    const Identity found = IdentifyBehindPreamble(AsBytes(whole), Direction::kToServer, ProtocolId::kUnknown, offset);
    EXPECT_EQ(found.probe, Probe::kYes) << one.name;
    EXPECT_EQ(found.protocol, TlsProtocol::kId) << one.name;
    EXPECT_EQ(found.sender, Sender::kClient) << one.name;
    EXPECT_EQ(offset, one.bytes.size()) << one.name;
  }
}

// A command in text is not what HTTP begins behind: that would be a mail that tells of a request.
TEST(Preamble, OtherProtocolsAreFoundBehindThoseThatAreNoText) {
  for (const Case& one : Cases()) {
    size_t offset = 0;
    const std::string whole = one.bytes + "GET / HTTP/1.1\r\n\r\n";
    const Identity found = IdentifyBehindPreamble(AsBytes(whole), Direction::kToServer, ProtocolId::kUnknown, offset);
    EXPECT_EQ(found.probe == Probe::kYes, !one.only_tls) << one.name;
    EXPECT_EQ(
        IdentifyBehindPreamble(AsBytes(whole), Direction::kToServer, TlsProtocol::kId, offset).probe == Probe::kYes,
        false)
        << one.name;
  }
}

// Nothing is found in a part that has not come to the protocol, and nothing outside the bytes is read.
TEST(Preamble, PrefixesAreNotWhole) {
  for (const Case& one : Cases()) {
    const std::string whole = one.bytes + Hello();
    for (size_t length = 0; length < one.bytes.size() + 5; ++length) {
      const std::vector<uint8_t> exact(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length));
      size_t offset = 0;
      const Identity found = IdentifyBehindPreamble(exact, Direction::kToServer, ProtocolId::kUnknown, offset);
      EXPECT_NE(found.probe, Probe::kYes) << one.name << ' ' << length;
    }
  }
}

TEST(Preamble, RandomBytesAreNone) {
  std::mt19937 random(1);
  for (int i = 0; i < 20000; ++i) {
    std::vector<uint8_t> bytes(random() % 300);
    std::generate(bytes.begin(), bytes.end(), [&] { return static_cast<uint8_t>(random()); });
    if (!bytes.empty() && i % 2 == 0) bytes[0] = static_cast<uint8_t>(random() % 6);
    size_t offset = 0;
    const Identity found = IdentifyBehindPreamble(bytes, Direction::kToServer, TlsProtocol::kId, offset);
    EXPECT_NE(found.probe, Probe::kYes);
    const Preambles preambles = FindPreambles(bytes);
    EXPECT_TRUE(MayHavePreamble(bytes) || (preambles.size == 0 && !preambles.need_more));
    EXPECT_LE(offset, bytes.size());
  }
}

}  // namespace
}  // namespace vedette
