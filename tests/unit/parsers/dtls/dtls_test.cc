#include "parsers/dtls/dtls.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "parsers/dtls/dtls_protocol.h"
#include "parsers/tls/tls_fingerprint.h"
#include "tests/unit/parsers/stream_feeding.h"
#include "tests/unit/parsers/tls_build.h"

namespace vedette {
namespace {

using namespace testing;
using Values = std::vector<std::string>;

constexpr Direction kUp = Direction::kToServer, kDown = Direction::kToClient;
constexpr uint16_t kDtls10 = 0xfeff, kDtls12 = 0xfefd, kDtls13 = 0xfefc;
constexpr uint8_t kClientHello = 1, kServerHello = 2, kHelloVerifyRequest = 3;

std::string DtlsRecord(const std::string& body, uint8_t type = 22, uint16_t epoch = 0, uint16_t version = kDtls12) {
  return U8(type) + U16(version) + U16(epoch) + std::string(6, '\0') + Vector16(body);
}
std::string Fragment(uint8_t type, const std::string& message, size_t from, size_t size, uint16_t number = 0) {
  return U8(type) + U24(message.size()) + U16(number) + U24(from) + Vector24(message.substr(from, size));
}
std::string Whole(uint8_t type, const std::string& message, uint16_t number = 0) {
  return DtlsRecord(Fragment(type, message, 0, message.size(), number));
}

const std::vector<uint16_t> kCiphers = {0xc02b, 0xc02c};
std::string Extensions(const std::string& name) {
  return SniExtension(name) + GroupsExtension({23}) + PointFormatsExtension("\x01") + SignaturesExtension({0x0403}) +
         AlpnExtension("webrtc");
}
std::string Hello(const std::string& name, const std::string& cookie = "", const std::string& more = "",
                  uint16_t version = kDtls12) {
  return U16(version) + std::string(32, 'r') + Vector8("session") + Vector8(cookie) + Vector16(U16s(kCiphers)) +
         Vector8(U8(0)) + Vector16(Extensions(name) + more);
}

class Flow {
 public:
  Outcome Send(const std::string& bytes, Direction direction = kUp) {
    const std::vector<uint8_t> exact(bytes.begin(), bytes.end());
    const Outcome outcome = parser.Feed({.data = exact, .direction = direction}, batch);
    EXPECT_LE(parser.HeldBytes(), DtlsParser::kLimitBytes);
    return outcome;
  }
  Values values() const {
    Values out;
    for (const Observable& o : batch.observables()) out.push_back(Describe(o));
    return out;
  }
  Values names() const {
    Values out;
    for (const Observable& o : batch.observables()) {
      if (o.kind == ObservableKind::kDtlsSni) out.emplace_back(o.text);
    }
    return out;
  }
  DtlsParser parser;
  ParserBatch batch;
};

TEST(Dtls, EmitsWhatAHelloShows) {
  Flow flow;
  EXPECT_EQ(flow.Send(Whole(kClientHello, Hello("A.Example.", "cookie"))).progress, Progress::kNeedMore);
  // The same hello as TLS has it: no cookie.
  const std::string tls = ClientHelloBody(kDtls12, kCiphers, Extensions("A.Example."));
  ClientHello hello;
  ASSERT_TRUE(ParseClientHello(AsBytes(tls), hello));
  EXPECT_EQ(Ja3Text(hello), "65277,49195-49196,0-10-11-13-16,23,1");
  EXPECT_EQ(flow.values(), (Values{"dtls.sni > a.example", "dtls.ja3 > " + Ja3(hello),
                                   "dtls.ja4 > " + Ja4(hello, Ja4Transport::kDtls), "tls.version > DTLS 1.2"}));
  EXPECT_EQ(flow.values()[2].substr(0, 22), "dtls.ja4 > dd2d0205wc_");
}

TEST(Dtls, VersionsCountDownwards) {
  for (const auto& [more, version, ja4] : std::vector<std::tuple<std::string, uint16_t, std::string>>{
           {"", kDtls10, "dd1"},
           {VersionsExtension({kDtls13, kDtls12}), kDtls12, "dd3"},
           {VersionsExtension({kDtls12, 0x0a0a}), kDtls12, "dd2"}}) {
    Flow flow;
    flow.Send(Whole(kClientHello, Hello("a", "", more, version)));
    ASSERT_EQ(flow.batch.size(), 4u);
    EXPECT_EQ(flow.batch.observables()[2].text.substr(0, 3), ja4);
  }
  Flow tls;
  tls.Send(Whole(kClientHello, Hello("a", "", "", 0x0303)));
  EXPECT_EQ(tls.batch.size(), 0u);
}

TEST(Dtls, PutsFragmentsTogetherInAnyOrder) {
  const std::string hello = Hello("fragments.example", std::string(20, 'k'), Extension(21, std::string(400, '\0')));
  Flow whole;
  whole.Send(Whole(kClientHello, hello));
  ASSERT_EQ(whole.names(), Values{"fragments.example"});
  for (uint32_t seed = 0; seed < 200; ++seed) {
    std::mt19937 random(seed);
    std::vector<std::string> records;
    for (size_t at = 0; at < hello.size();) {
      const size_t size = std::min<size_t>(hello.size() - at, 1 + random() % 150);
      // Some begin before what came already.
      const size_t back = std::min<size_t>(at, random() % 3 == 0 ? random() % 40 : 0);
      records.push_back(DtlsRecord(Fragment(kClientHello, hello, at - back, size + back, 1)));
      if (random() % 4 == 0) records.push_back(records.back());
      at += size;
    }
    std::shuffle(records.begin(), records.end(), random);
    Flow flow;
    for (size_t i = 0; i < records.size();) {
      std::string datagram;
      for (size_t n = 1 + random() % 2; n > 0 && i < records.size(); --n) datagram += records[i++];
      flow.Send(datagram);
    }
    const Values seen = flow.values();
    ASSERT_GE(seen.size(), 4u) << seed;
    EXPECT_TRUE(std::equal(seen.begin(), seen.begin() + 4, whole.values().begin())) << seed;
  }
}

TEST(Dtls, OfBytesThatComeTwiceTheFirstCount) {
  const std::string first = Hello("first.example"), other = Hello("other.example");
  Flow flow;
  flow.Send(DtlsRecord(Fragment(kClientHello, first, 30, 60)));
  flow.Send(DtlsRecord(Fragment(kClientHello, other, 20, other.size() - 20)));
  flow.Send(DtlsRecord(Fragment(kClientHello, first, 0, 30)));
  const size_t name_at = first.find("first");
  EXPECT_EQ(flow.names(), Values{name_at >= 30 && name_at < 90 ? "first.example" : "other.example"});
}

TEST(Dtls, ASecondHelloTakesThePlaceOfOneThatIsNotWhole) {
  const std::string first = Hello("first.example"), second = Hello("second.example", std::string(32, 'k'));
  Flow flow;
  flow.Send(DtlsRecord(Fragment(kClientHello, first, 0, 50)));
  flow.Send(Whole(kHelloVerifyRequest, "\xfe\xff\x02kk"), kDown);
  flow.Send(DtlsRecord(Fragment(kClientHello, second, 0, 50, 1)));
  flow.Send(DtlsRecord(Fragment(kClientHello, second, 50, second.size() - 50, 1)));
  EXPECT_EQ(flow.names(), Values{"second.example"});
  EXPECT_EQ(flow.parser.HeldBytes(), 0u);
}

TEST(Dtls, BeginsAndTellsItsSender) {
  const auto begins = [](const std::string& bytes) { return DtlsParser::Begins({.data = AsBytes(bytes)}); };
  const auto sender = [](const std::string& bytes) { return DtlsParser::SenderOf(AsBytes(bytes)); };
  const std::string client = Whole(kClientHello, Hello("a")), server = Whole(kServerHello, std::string(60, 's'));
  const std::string verify = Whole(kHelloVerifyRequest, "\xfe\xff\x02kk");
  for (const std::string& bytes : {client, server, verify, std::string("\1\0\0\0", 4) + client}) {
    EXPECT_TRUE(begins(bytes));
    for (size_t cut = 0; cut < bytes.size(); ++cut) EXPECT_FALSE(begins(bytes.substr(0, cut))) << cut;
  }
  EXPECT_EQ(sender(client), Sender::kClient);
  EXPECT_EQ(sender(server), Sender::kServer);
  EXPECT_EQ(sender(verify), Sender::kServer);
  EXPECT_FALSE(begins(Whole(11, "certificate")));
  EXPECT_FALSE(begins(Whole(kClientHello, Hello("a"), 9))) << "no first message";
  EXPECT_FALSE(begins(DtlsRecord("alert", 21)));
  EXPECT_FALSE(begins(DtlsRecord(Fragment(kClientHello, Hello("a"), 0, 60), 22, 1))) << "encrypted";
  EXPECT_FALSE(begins(DtlsRecord(Fragment(kClientHello, Hello("a"), 0, 60), 22, 0, 0x0303))) << "TLS's version";
  std::string beyond = Fragment(kClientHello, Hello("a"), 0, 60);
  beyond[8] = '\x7f';  // its offset
  EXPECT_FALSE(begins(DtlsRecord(beyond)));
}

TEST(Dtls, OtherProtocolsMayComeBetween) {
  Flow flow;
  const std::string hello = Hello("between.example");
  flow.Send(DtlsRecord(Fragment(kClientHello, hello, 0, 40)));
  flow.Send(std::string("\0\1\0\0\x21\x12\xa4\x42", 8) + std::string(12, 't'));  // STUN
  flow.Send(std::string("\x80\x60", 2) + std::string(100, 'r'));                 // RTP
  flow.Send(DtlsRecord(std::string(40, 'e'), 23, 1) + DtlsRecord(Fragment(kClientHello, hello, 40, 500)));
  EXPECT_EQ(flow.names(), Values{"between.example"});
  flow.Send(std::string("\1\0\0\0", 4) + Whole(kClientHello, Hello("capwap.example")));
  EXPECT_EQ(flow.names().size(), 2u);
}

TEST(Dtls, IsBounded) {
  Flow flow;
  const std::string big(DtlsParser::kMaxHelloBytes + 1, 'x');
  flow.Send(DtlsRecord(Fragment(kClientHello, big, 0, 100)));
  EXPECT_EQ(flow.parser.HeldBytes(), 0u);
  const auto limit_hit = [&] { return flow.batch.counters.Of(DtlsProtocol::kId, DtlsProtocol::kHelloLimit); };
  EXPECT_EQ(limit_hit(), 1u) << "too long";
  const std::string most(DtlsParser::kMaxHelloBytes, 'x');
  for (size_t at = 0; at < 200; at += 2) flow.Send(DtlsRecord(Fragment(kClientHello, most, at, 1)));
  const uint64_t too_many_pieces = limit_hit() - 1;
  EXPECT_EQ(too_many_pieces, 100 / (DtlsParser::kMaxRanges + 1));
  for (int i = 1; i < DtlsParser::kMaxHellos; ++i) {
    EXPECT_EQ(flow.Send(Whole(kClientHello, Hello("a"))).progress, Progress::kNeedMore);
  }
  EXPECT_EQ(flow.Send(Whole(kClientHello, Hello("a"))).progress, Progress::kDone);
  flow.Send(Whole(kClientHello, Hello("a")));
  EXPECT_EQ(flow.names().size(), DtlsParser::kMaxHellos);
  EXPECT_EQ(limit_hit(), 1 + too_many_pieces + 1) << "no more hellos are read";
}

TEST(Dtls, HellosThatLieShowNothing) {
  const std::string hello = Hello("liar.example");
  for (size_t cut = 0; cut < hello.size(); ++cut) {
    Flow flow;
    flow.Send(Whole(kClientHello, hello.substr(0, cut)));
    for (const std::string& name : flow.names()) EXPECT_EQ(name, "") << cut;
  }
}

}  // namespace
}  // namespace vedette
