// By which bytes TLS is recognised: the record layer, as the parser's Identify shows it.
#include "parsers/tls/tls_record.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

#include "parsers/tls/tls.h"
#include "tests/unit/parsers/tls_build.h"
#include "tests/unit/parsers/tls_samples.h"

namespace vedette {
namespace {

using namespace testing;  // NOLINT: the builders of tls_build.h

std::string ClientHelloMessage(const std::string& name) {
  return Message(1, ClientHelloBody(0x0303, {0x1301, 0xc02f}, SniExtension(name)));
}
std::string ServerHelloMessage() { return Message(2, ServerHelloBody(0x0303, 0xc02f, "")); }
const std::string kHelloDone = Message(14, "");
const std::string kEncrypted = Record(23, std::string(40, '\x99'));

Probe Identify(const std::string& bytes) { return TlsParser::Identify(AsBytes(bytes), Direction::kToServer); }

TEST(TlsIdentify, KnowsFirstMessages) {
  EXPECT_EQ(Identify(HandshakeRecord(ClientHelloMessage("a.example"))), Probe::kYes);
  EXPECT_EQ(Identify(HandshakeRecord(ServerHelloMessage())), Probe::kYes);
  EXPECT_EQ(Identify(HandshakeRecord(CertificateMessage({LeafCertificate()}))), Probe::kYes);
  EXPECT_EQ(Identify(HandshakeRecord(kHelloDone)), Probe::kYes);
  EXPECT_EQ(Identify(HandshakeRecord(Message(16, "key"))), Probe::kYes);
  EXPECT_EQ(Identify(Record(20, U8(1))), Probe::kYes);
  EXPECT_EQ(Identify(Record(21, "\x02\x28")), Probe::kYes);
  EXPECT_EQ(Identify(kEncrypted), Probe::kYes);
}

TEST(TlsIdentify, NeedsMoreOfAnyPrefixUntilItKnows) {
  for (const std::string& bytes :
       {HandshakeRecord(ClientHelloMessage("a.example")), HandshakeRecord(CertificateMessage({LeafCertificate()})),
        Record(20, U8(1)), Sslv2Hello(0x0300)}) {
    bool known = false;
    for (size_t length = 0; length <= bytes.size(); ++length) {
      const Probe probe = Identify(bytes.substr(0, length));
      EXPECT_NE(probe, Probe::kNo) << length;
      EXPECT_FALSE(known && probe != Probe::kYes) << length;
      known |= probe == Probe::kYes;
    }
    EXPECT_TRUE(known);
  }
}

TEST(TlsIdentify, KnowsAMessageCutIntoTinyRecords) {
  const std::string hello = ClientHelloMessage("a.example");
  EXPECT_EQ(Identify(HandshakeRecord(hello.substr(0, 1)) + HandshakeRecord(hello.substr(1))), Probe::kYes);
  EXPECT_EQ(Identify(HandshakeRecord(hello.substr(0, 3)) + HandshakeRecord(hello.substr(3))), Probe::kYes);
  EXPECT_EQ(Identify(HandshakeRecord(hello.substr(0, 3)) + "abc"), Probe::kNo);
}

TEST(TlsIdentify, RefusesOtherProtocols) {
  EXPECT_EQ(Identify("GET / HTTP/1.1\r\n"), Probe::kNo);
  EXPECT_EQ(Identify("SSH-2.0-x"), Probe::kNo);
  EXPECT_EQ(Identify(std::string(64, '\0')), Probe::kNo);
  EXPECT_EQ(Identify(Record(22, std::string(40, '\x63'))), Probe::kNo);                  // no such message
  EXPECT_EQ(Identify(Record(22, Message(1, "tiny"))), Probe::kNo);                       // too short for a hello
  EXPECT_EQ(Identify(Record(22, ClientHelloMessage("a.example"), 0x0205)), Probe::kNo);  // no such version
  EXPECT_EQ(Identify(std::string("\x16\x03\x01\xff\xff\x01") + std::string(40, 'x')),
            Probe::kNo);                                                   // longer than a record is
  EXPECT_EQ(Identify(U8(23) + U16(0x0303) + U16(3) + "abc"), Probe::kNo);  // shorter than any seal
  EXPECT_EQ(Identify(U8(0x80) + U8(0x2e) + U8(1) + std::string(8, '\xff')), Probe::kNo);
}

TEST(TlsIdentify, RandomBytesAreNoTls) {
  std::mt19937 random(1);  // NOLINT(cert-msc32-c,cert-msc51-cpp): the same in every run
  int yes = 0;
  for (int i = 0; i < 200000; ++i) {
    std::string bytes;
    for (int j = 0; j < 16; ++j) bytes += static_cast<char>(random());
    yes += Identify(bytes) == Probe::kYes;
  }
  EXPECT_EQ(yes, 0);
}

}  // namespace
}  // namespace vedette
