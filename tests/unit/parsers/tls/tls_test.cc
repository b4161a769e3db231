#include "parsers/tls/tls.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tests/unit/parsers/stream_feeding.h"
#include "tests/unit/parsers/tls_build.h"
#include "tests/unit/parsers/tls_samples.h"

namespace vedette {
namespace {

using namespace testing;  // NOLINT: the builders of tls_build.h

static_assert(StreamParserType<TlsParser>);

using Values = std::vector<std::string>;

constexpr Direction kUp = Direction::kToServer, kDown = Direction::kToClient;

Values OfName(const Values& values, std::string_view name) {
  Values out;
  for (const std::string& value : values) {
    if (value.substr(0, name.size() + 1) == std::string(name) + " ") out.push_back(value.substr(name.size() + 1));
  }
  return out;
}

std::string ClientHelloMessage(const std::string& name) {
  return Message(1, ClientHelloBody(0x0303, {0x1301, 0xc02f}, SniExtension(name)));
}
std::string ServerHelloMessage() { return Message(2, ServerHelloBody(0x0303, 0xc02f, "")); }
std::string ServerHello13Message() { return Message(2, ServerHelloBody(0x0303, 0x1301, Extension(43, U16(0x0304)))); }
const std::string kHelloDone = Message(14, "");
const std::string kEncrypted = Record(23, std::string(40, '\x99'));

// What a parser answers and emits for chunks given one by one.
class Feeder {
 public:
  Outcome Feed(const std::string& bytes, Direction direction, uint32_t gap = 0, bool end = false) {
    const std::vector<uint8_t> exact(bytes.begin(), bytes.end());
    const auto d = static_cast<size_t>(direction);
    const Chunk chunk{
        .data = exact, .direction = direction, .gap_bytes = gap, .start = is_start_ && !fed_[d], .end = end};
    fed_[d] = true;
    const Outcome outcome = parser.Feed(chunk, batch);
    EXPECT_LE(parser.HeldBytes(), TlsParser::kLimitBytes);
    return outcome;
  }
  Values values() const {
    Values out;
    for (const Observable& o : batch.observables()) out.push_back(Describe(o));
    return out;
  }
  void BeginLate() { is_start_ = false; }

  TlsParser parser;
  testing::ParserBatch batch;

 private:
  bool fed_[2] = {false, false};
  bool is_start_ = true;
};

// --- Conversations of real programs ------------------------------------------------------------------------------

TEST(TlsParser, Tls12WithClientCertificate) {
  const Values expected = {"tls.sni > www.example.com",
                           "tls.ja3 > 22558766122974704364c9c75c5cce0a",
                           "tls.ja4 > t12d2808h2_d943125447b4_e7e480e5a997",
                           "tls.version > TLS 1.2",
                           "tls.ja3s < abade5a4a7f42baf54766e5d108283b6",
                           "tls.version < TLS 1.2",
                           "tls.cert.sha1 < 6d44fa612e8ff737ad07b60533e9fb5a8ea94cc0",
                           "tls.cert.sha256 < 757ce77d4fb0e948c4448adb60c377917963bbb3441873af715425f981a34bde",
                           "tls.cert.name < www.example.com",
                           "tls.cert.name < *.example.net",
                           "tls.cert.name < 192.0.2.7",
                           "tls.cert.name < 2001:db8::7",
                           "tls.subject < CN=www.example.com,OU=Web,O=Example\\, Inc.,C=DE",
                           "tls.issuer < CN=Example Root,O=Example Authority,C=GB",
                           "tls.cert.sha1 < 2d6bc2294831468f7e38ee02e33df030d971189d",
                           "tls.cert.sha256 < 734b4947e2ba7377037de47618175874516056d28acc745f0cb4f286735fc1ca",
                           "tls.version < TLS 1.2",
                           "tls.cert.sha1 > 96a4bdfb097d68f77cf16b4ff8d27ea3ecf80251",
                           "tls.cert.sha256 > 6672b852e649b66bf3087e6b40a9811b168e818268904b3e40b3867e30c9df16",
                           "tls.cert.name > client-7.example.org",
                           "tls.subject > CN=client-7.example.org,O=Example",
                           "tls.issuer > CN=Example Root,O=Example Authority,C=GB",
                           "tls.version > TLS 1.2"};
  EXPECT_EQ(ExpectSameInPieces<TlsParser>(Tls12WithClientCertificate()), expected);
  ExpectPrefixesAreQuiet<TlsParser>(Tls12WithClientCertificate());
}

TEST(TlsParser, Tls12Resumed) {
  const Values expected = {"tls.sni > www.example.com",
                           "tls.ja3 > 2c4428422b734ef16cdbf05bc5d82e08",
                           "tls.ja4 > t12d280600_d943125447b4_a44c6288192a",
                           "tls.version > TLS 1.2",
                           "tls.ja3s < f14f2862ee2df5d0f63a88b60c8eee56",
                           "tls.version < TLS 1.2"};
  EXPECT_EQ(ExpectSameInPieces<TlsParser>(Tls12Resumed()), expected);
  ExpectPrefixesAreQuiet<TlsParser>(Tls12Resumed());
}

TEST(TlsParser, Tls10) {
  const Values values = ExpectSameInPieces<TlsParser>(Tls10());
  EXPECT_EQ(OfName(values, "tls.ja3"), Values{"> 4e9d43688ef48b6b1fbe71f290acfc8f"});
  EXPECT_EQ(OfName(values, "tls.ja3s"), Values{"< ef11b7c1bd520da6824fcd0cf876de79"});
  EXPECT_EQ(OfName(values, "tls.ja4"), Values{"> t10d230600_44099cda8a52_195413a0cc0f"});
  EXPECT_EQ(OfName(values, "tls.version"), (Values{"> TLS 1.0", "< TLS 1.0", "< TLS 1.0"}));
  EXPECT_EQ(OfName(values, "tls.cert.sha1").size(), 2u);
  ExpectPrefixesAreQuiet<TlsParser>(Tls10());
}

TEST(TlsParser, Tls13) {
  const Values expected = {"tls.sni > www.example.com",
                           "tls.ja3 > 9dffdb8b608a430b774a2ff7d36c1a0c",
                           "tls.ja4 > t13d0411h2_16476d049b0b_78f1d400d464",
                           "tls.version > TLS 1.3",
                           "tls.ja3s < 15af977ce25de452b96affa2addb1036",
                           "tls.version < TLS 1.3"};
  EXPECT_EQ(ExpectSameInPieces<TlsParser>(Tls13()), expected);
  ExpectPrefixesAreQuiet<TlsParser>(Tls13());
}

TEST(TlsParser, Tls13WithRetry) {
  const Values once = {"tls.sni > www.example.com",
                       "tls.ja3 > b76a0e4d93920eb9a4ff1bb9c8879387",
                       "tls.ja4 > t13d041000_16476d049b0b_78f1d400d464",
                       "tls.version > TLS 1.3",
                       "tls.ja3s < 15af977ce25de452b96affa2addb1036",
                       "tls.version < TLS 1.3"};
  Values twice = once;
  twice.insert(twice.end(), once.begin(), once.end());
  EXPECT_EQ(ExpectSameInPieces<TlsParser>(Tls13WithRetry()), twice);
  ExpectPrefixesAreQuiet<TlsParser>(Tls13WithRetry());
}

TEST(TlsParser, HellosOfOtherPrograms) {
  const Values curl = ExpectSameInPieces<TlsParser>(Curl());
  EXPECT_EQ(OfName(curl, "tls.ja3"), Values{"> 0149f47eabf9a20d0893e2a44e5a6323"});
  EXPECT_EQ(OfName(curl, "tls.ja4"), Values{"> t13d3112h2_e8f1e7e78f70_b26ce05bbdd6"});
  const Values python = ExpectSameInPieces<TlsParser>(Python());
  EXPECT_EQ(OfName(python, "tls.ja3"), Values{"> d39e1be3241d516b1f714bd47c2bc968"});
  EXPECT_EQ(OfName(python, "tls.ja4"), Values{"> t13d311100_e8f1e7e78f70_d41ae481755e"});
}

// RFC 8448 section 3, "Simple 1-RTT Handshake".
TEST(TlsParser, Rfc8448) {
  const std::vector<Turn> turns = {
      FromClient("16030100c4010000c00303cb34ecb1e78163ba1c38c6dacb196a6dffa21a8d9912ec18a2ef6283024dece7"
                 "000006130113031302010000910000000b0009000006736572766572ff01000100000a00140012001d0017"
                 "0018001901000101010201030104002300000033002600240"
                 "01d002099381de560e4bd43d23d8e435a7dbafeb3c06e51c13cae4d5413691e529aaf2c"
                 "002b0003020304000d0020001e040305030603020308040805080604010501060102010402050206020202"
                 "002d00020101001c00024001"),
      FromServer("160303005a020000560303a6af06a4121860dc5e6e60249cd34c95930c8ac5cb1434dac155772ed3e26928"
                 "00130100002e00330024001d0020c9828876112095fe66762bdbf7c672e156d6cc253b833df1dd69b1b04e751f0f"
                 "002b00020304")};
  const Values expected = {"tls.sni > server",
                           "tls.ja3 > da4dea34fe6d4ce5f0725df3f2682fa0",
                           "tls.ja4 > t13d030900_55b375c5d22e_59cd3dafc54d",
                           "tls.version > TLS 1.3",
                           "tls.ja3s < eb1d94daa7e0344597e756a1fb6e7054",
                           "tls.version < TLS 1.3"};
  EXPECT_EQ(ExpectSameInPieces<TlsParser>(turns), expected);
}

// --- Messages, records and their order ---------------------------------------------------------------------------

TEST(TlsParser, EachMessageIsAGroup) {
  Feeder feeder;
  const std::vector<Turn> turns = Tls12WithClientCertificate();
  for (const Turn& turn : turns) feeder.Feed(turn.bytes, turn.direction);
  std::vector<uint32_t> messages;
  for (const Observable& o : feeder.batch.observables()) {
    if (messages.empty() || messages.back() != o.message) messages.push_back(o.message);
  }
  EXPECT_EQ(messages, (std::vector<uint32_t>{1, 2, 3, 4}));  // both hellos, both certificate messages
}

TEST(TlsParser, MessagesSpanRecordsAndShareThem) {
  const std::string flight = ServerHelloMessage() + CertificateMessage({LeafCertificate()}) + kHelloDone;
  std::string records;
  for (size_t at = 0; at < flight.size(); at += 11) records += HandshakeRecord(flight.substr(at, 11));
  const Values together = ExpectSameInPieces<TlsParser>({{kDown, HandshakeRecord(flight)}});
  EXPECT_EQ(together.size(), 2u + 9u);
  EXPECT_EQ(ExpectSameInPieces<TlsParser>({{kDown, records}}), together);
}

TEST(TlsParser, ServerNameIsNormalised) {
  EXPECT_EQ(OfName(FeedWhole<TlsParser>({{kUp, HandshakeRecord(ClientHelloMessage("WWW.Example.COM."))}}), "tls.sni"),
            Values{"> www.example.com"});
  EXPECT_EQ(OfName(FeedWhole<TlsParser>({{kUp, HandshakeRecord(ClientHelloMessage("b\xc3\xbc"
                                                                                  "cher.de"))}}),
                   "tls.sni"),
            Values{"> xn--bcher-kva.de"});
}

TEST(TlsParser, AlpnOutsideAsciiGivesBothForms) {
  const std::string body = ClientHelloBody(0x0303, {0x1301}, AlpnExtension("\xab\xcd"));
  const Values values = OfName(FeedWhole<TlsParser>({{kUp, HandshakeRecord(Message(1, body))}}), "tls.ja4");
  ASSERT_EQ(values.size(), 2u);
  EXPECT_EQ(values[0].substr(0, 12), "> t12i0101ad");
  EXPECT_EQ(values[1].substr(0, 12), "> t12i010199");
}

TEST(TlsParser, Ssl30Records) {
  const std::string body = ClientHelloBody(0x0300, {0x0004, 0x0005}, "");
  const Values values = ExpectSameInPieces<TlsParser>({{kUp, Record(22, Message(1, body), 0x0300)}});
  EXPECT_EQ(OfName(values, "tls.ja3").size(), 1u);
  EXPECT_EQ(OfName(values, "tls.version"), Values{"> SSL 3.0"});
}

TEST(TlsParser, Sslv2CompatibleHello) {
  EXPECT_EQ(TlsParser::Identify(AsBytes(Sslv2Hello(0x0301)), kUp), Probe::kYes);
  const std::vector<Turn> turns = {
      {kUp, Sslv2Hello(0x0301)},
      {kDown, HandshakeRecord(ServerHelloMessage() + CertificateMessage({LeafCertificate()}) + kHelloDone)},
      {kUp, HandshakeRecord(Message(16, "key"))}};
  const Values values = ExpectSameInPieces<TlsParser>(turns);
  EXPECT_EQ(values[0], "tls.version > TLS 1.0");
  EXPECT_EQ(OfName(values, "tls.cert.sha1").size(), 1u);
  ExpectPrefixesAreQuiet<TlsParser>(turns);
}

TEST(TlsParser, NothingAfterChangeCipherSpecIsRead) {
  const std::string after = Record(20, U8(1)) + HandshakeRecord(ClientHelloMessage("a.example") + "more");
  EXPECT_TRUE(ExpectSameInPieces<TlsParser>({{kUp, after}}).empty());
}

TEST(TlsParser, HelloInItsOwnRecordAfterChangeCipherSpecIsRead) {
  const std::string retried = Record(20, U8(1)) + HandshakeRecord(ClientHelloMessage("a.example"));
  EXPECT_EQ(OfName(ExpectSameInPieces<TlsParser>({{kUp, retried}}), "tls.sni"), Values{"> a.example"});
}

TEST(TlsParser, AlertsBetweenMessagesAreStepped) {
  const std::string bytes = Record(21, "\x01\x70") + HandshakeRecord(ServerHelloMessage()) + Record(21, "\x02\x28");
  EXPECT_EQ(ExpectSameInPieces<TlsParser>({{kDown, bytes}}).size(), 2u);
}

TEST(TlsParser, EmptyRecordsAreStepped) {
  const std::string bytes = HandshakeRecord("") + HandshakeRecord(ServerHelloMessage());
  EXPECT_EQ(ExpectSameInPieces<TlsParser>({{kDown, bytes}}).size(), 2u);
}

// --- When there is no more to see --------------------------------------------------------------------------------

TEST(TlsParser, IsDoneAfterTheServerHelloOfTls13) {
  Feeder feeder;
  EXPECT_EQ(feeder.Feed(HandshakeRecord(ClientHelloMessage("a.example")), kUp).progress, Progress::kNeedMore);
  EXPECT_EQ(feeder.Feed(HandshakeRecord(ServerHello13Message()), kDown).progress, Progress::kDone);
}

TEST(TlsParser, WaitsForAClientHelloThatTheCaptureHasLater) {
  Feeder feeder;
  const Outcome server = feeder.Feed(HandshakeRecord(ServerHello13Message()), kDown);
  EXPECT_EQ(server.progress, Progress::kSkip);
  EXPECT_EQ(server.skip_bytes, Outcome::kSkipAll);
  EXPECT_EQ(feeder.Feed(HandshakeRecord(ClientHelloMessage("a.example")), kUp).progress, Progress::kNeedMore);
  EXPECT_EQ(feeder.Feed(kEncrypted, kUp).progress, Progress::kDone);
  EXPECT_EQ(OfName(feeder.values(), "tls.sni"), Values{"> a.example"});
}

TEST(TlsParser, CertificateMayComeAfterClientData) {
  Feeder feeder;
  feeder.Feed(HandshakeRecord(ClientHelloMessage("a.example")), kUp);
  const Outcome client = feeder.Feed(
      HandshakeRecord(Message(16, "key")) + Record(20, U8(1)) + HandshakeRecord("\xee\x01xyz") + kEncrypted, kUp);
  EXPECT_EQ(client.progress, Progress::kSkip);
  EXPECT_EQ(feeder.Feed(HandshakeRecord(ServerHelloMessage()), kDown).progress, Progress::kNeedMore);
  const Outcome server = feeder.Feed(HandshakeRecord(CertificateMessage({LeafCertificate()}) + kHelloDone), kDown);
  EXPECT_EQ(server.progress, Progress::kDone);
  EXPECT_EQ(OfName(feeder.values(), "tls.cert.sha1").size(), 1u);
}

TEST(TlsParser, OneSidedTraffic) {
  Feeder feeder;
  EXPECT_EQ(feeder.Feed(HandshakeRecord(ServerHelloMessage()), kDown).progress, Progress::kNeedMore);
  EXPECT_EQ(feeder.Feed(HandshakeRecord(CertificateMessage({LeafCertificate()})), kDown).progress, Progress::kNeedMore);
  EXPECT_EQ(feeder.Feed(Record(20, U8(1)) + HandshakeRecord(std::string(40, '\xee')), kDown).progress, Progress::kSkip);
  EXPECT_EQ(OfName(feeder.values(), "tls.cert.name").size(), 4u);
  EXPECT_EQ(feeder.parser.HeldBytes(), 0u);
}

TEST(TlsParser, EndOfBothDirectionsIsDone) {
  Feeder feeder;
  feeder.Feed(HandshakeRecord(ClientHelloMessage("a.example")), kUp, 0, true);
  EXPECT_EQ(feeder.Feed("", kDown, 0, true).progress, Progress::kDone);
}

TEST(TlsParser, ApplicationDataShowsNothing) {
  Feeder feeder;
  EXPECT_EQ(feeder.Feed(kEncrypted, kUp).progress, Progress::kSkip);
  EXPECT_EQ(feeder.Feed(kEncrypted, kDown).progress, Progress::kDone);
  EXPECT_TRUE(feeder.values().empty());
}

TEST(TlsParser, OtherBytesAreMalformed) {
  Feeder feeder;
  EXPECT_EQ(feeder.Feed("SSH-2.0-OpenSSH_9.2p1\r\n", kDown).progress, Progress::kMalformed);
}

// --- What is wanted ----------------------------------------------------------------------------------------------

TEST(TlsParser, EmitsWhatIsWantedOnly) {
  Feeder feeder;
  feeder.batch.set_wanted({ObservableKind::kTlsSni, ObservableKind::kTlsCertSha256});
  for (const Turn& turn : Tls12WithClientCertificate()) feeder.Feed(turn.bytes, turn.direction);
  EXPECT_EQ(feeder.values(),
            (Values{"tls.sni > www.example.com",
                    "tls.cert.sha256 < 757ce77d4fb0e948c4448adb60c377917963bbb3441873af715425f981a34bde",
                    "tls.cert.sha256 < 734b4947e2ba7377037de47618175874516056d28acc745f0cb4f286735fc1ca",
                    "tls.cert.sha256 > 6672b852e649b66bf3087e6b40a9811b168e818268904b3e40b3867e30c9df16"}));
}

TEST(TlsParser, HoldsNothingOfAMessageThatLiesInOneChunk) {
  Feeder feeder;
  feeder.Feed(HandshakeRecord(ClientHelloMessage("a.example") + ClientHelloMessage("b.example").substr(0, 4)), kUp);
  EXPECT_EQ(OfName(feeder.values(), "tls.sni"), Values{"> a.example"});
  EXPECT_EQ(feeder.parser.HeldBytes(), 0u);
}

TEST(TlsParser, HoldsNothingOfCertificatesThatNobodyWants) {
  Feeder feeder;
  feeder.batch.set_wanted({ObservableKind::kTlsSni});
  feeder.Feed(HandshakeRecord(CertificateMessage({LeafCertificate()})).substr(0, 300), kDown);
  EXPECT_EQ(feeder.parser.HeldBytes(), 0u);
}

// --- Bounds ------------------------------------------------------------------------------------------------------

TEST(TlsParser, HoldsNoMoreThanHasCome) {
  Feeder feeder;
  feeder.Feed(HandshakeRecord(U8(11) + U24(TlsParser::kMaxMessageBytes) + "abc"), kDown);
  EXPECT_LE(feeder.parser.HeldBytes(), 4096u);
}

TEST(TlsParser, MessagesAtTheBoundAreRead) {
  std::vector<std::string> certificates(8, std::string(16000, 'c'));
  const std::string message = CertificateMessage(certificates);
  ASSERT_LE(message.size(), TlsParser::kMaxMessageBytes);
  std::string records;
  for (size_t at = 0; at < message.size(); at += 16384) records += HandshakeRecord(message.substr(at, 16384));
  EXPECT_EQ(OfName(FeedWhole<TlsParser>({{kDown, records}}), "tls.cert.sha1").size(), 8u);
  EXPECT_EQ(OfName(FeedInPieces<TlsParser>({{kDown, records}}, [] { return size_t{1460}; }), "tls.cert.sha1").size(),
            8u);
}

TEST(TlsParser, LongerMessagesArePassedOver) {
  const std::string message = CertificateMessage(std::vector<std::string>(9, std::string(16000, 'c')));
  ASSERT_GT(message.size(), TlsParser::kMaxMessageBytes);
  const std::string flight = message + CertificateMessage({LeafCertificate()});
  std::string records;
  for (size_t at = 0; at < flight.size(); at += 16384) records += HandshakeRecord(flight.substr(at, 16384));
  Feeder feeder;
  for (size_t at = 0; at < records.size(); at += 1460) {
    feeder.Feed(records.substr(at, 1460), kDown);
    EXPECT_LE(feeder.parser.HeldBytes(), 4096u);
  }
  EXPECT_EQ(OfName(feeder.values(), "tls.cert.sha1").size(), 1u);
}

TEST(TlsParser, CertificatesOfOneMessageAreBounded) {
  const std::string message = CertificateMessage(std::vector<std::string>(5000, "c"));
  std::string records;
  for (size_t at = 0; at < message.size(); at += 16384) records += HandshakeRecord(message.substr(at, 16384));
  EXPECT_EQ(OfName(FeedWhole<TlsParser>({{kDown, records}}), "tls.cert.sha1").size(), TlsParser::kMaxCertificates);
}

TEST(TlsParser, HostileLengthsSayNothing) {
  const std::string cert = LeafCertificate();
  const std::string bodies[] = {
      U24(5) + U24(0xffffff) + "ab",            // certificate longer than the list
      U24(0xffffff) + U24(4) + "abcd",          // list longer than the message
      U24(0),                                   // no certificate
      "",                                       // not even a list
      U24(3) + U24(0),                          // an empty certificate
      Vector24(Vector24(cert).substr(0, 200)),  // cut short
  };
  for (const std::string& body : bodies) {
    EXPECT_TRUE(
        OfName(ExpectSameInPieces<TlsParser>({{kDown, HandshakeRecord(Message(11, body))}}), "tls.cert.sha1").empty());
  }
  std::string hello = ClientHelloMessage("a.example");
  for (size_t at = 4; at < hello.size(); ++at) {
    for (const char value : {'\x00', '\x7f', '\xff'}) {
      std::string bent = hello;
      bent[at] = value;
      ExpectPrefixesAreQuiet<TlsParser>({{kUp, HandshakeRecord(bent)}});
    }
  }
}

TEST(TlsParser, BytesBehindACertificateDoNotChangeItsDigest) {
  const std::string leaf = LeafCertificate();
  const auto digests = [](const std::string& entry) {
    return OfName(FeedWhole<TlsParser>({{kDown, HandshakeRecord(CertificateMessage({entry}))}}), "tls.cert.sha256");
  };
  const auto plain = digests(leaf);
  ASSERT_EQ(plain.size(), 1u);
  EXPECT_EQ(digests(leaf + "x"), plain);
  EXPECT_NE(digests("x" + leaf), plain);
  // Not a whole SEQUENCE: all that was sent.
  EXPECT_NE(digests(leaf.substr(0, leaf.size() - 1)), digests(leaf.substr(0, leaf.size() - 2)));
}

// --- Gaps and late beginnings ------------------------------------------------------------------------------------

TEST(TlsParser, GapWithinAMessageLosesThatMessageOnly) {
  const std::string bytes =
      HandshakeRecord(ServerHelloMessage()) + HandshakeRecord(CertificateMessage({LeafCertificate()})) +
      HandshakeRecord(Message(12, "params")) + HandshakeRecord(CertificateMessage({LeafCertificate()}));
  const size_t from = 200, size = 150;  // within the first Certificate message
  Feeder feeder;
  feeder.Feed(bytes.substr(0, from), kDown);
  feeder.Feed(bytes.substr(from + size), kDown, size);
  EXPECT_EQ(OfName(feeder.values(), "tls.ja3s").size(), 1u);
  EXPECT_EQ(OfName(feeder.values(), "tls.cert.sha1").size(), 1u);
}

TEST(TlsParser, CertificatesBeforeAGapAreRead) {
  const std::string message = CertificateMessage({LeafCertificate(), std::string(900, 'c')});
  const std::string bytes = HandshakeRecord(message.substr(0, 400)) + HandshakeRecord(message.substr(400)) +
                            HandshakeRecord(ServerHelloMessage());
  const size_t leaf_end = 5 + 5 + 4 + 3 + 3 + LeafCertificate().size();
  for (const size_t from : {leaf_end - 1, leaf_end, leaf_end + 600}) {
    Feeder cut, ended;
    cut.Feed(bytes.substr(0, from), kDown);
    cut.Feed(bytes.substr(from + 100), kDown, 100);
    const Values expected = from >= leaf_end ? Values{"< 6d44fa612e8ff737ad07b60533e9fb5a8ea94cc0"} : Values{};
    EXPECT_EQ(OfName(cut.values(), "tls.cert.sha1"), expected) << from;
    EXPECT_EQ(OfName(cut.values(), "tls.ja3s").size(), 1u) << from;
    ended.Feed(bytes.substr(0, from), kDown);
    ended.Feed("", kDown, 0, true);
    EXPECT_EQ(OfName(ended.values(), "tls.cert.sha1"), expected) << from;
  }
}

// The oracle reads no further than the cut: a name counts where all its bytes lie before it.
TEST(TlsParser, AHelloThatIsCutShowsTheNamesBeforeTheCut) {
  const std::string names = Vector16(U8(0) + Vector16("one.example") + U8(0) + Vector16("two.example"));
  const std::string extensions = Extension(10, Vector16(U16(29))) + Extension(0, names) + VersionsExtension({0x0304}) +
                                 AlpnExtension("h2") + Extension(51, std::string(700, 'k'));
  const std::string hello = HandshakeRecord(Message(1, ClientHelloBody(0x0303, {0x1301, 0xc02f}, extensions)));
  const size_t one = hello.find("one.example") + 11, two = hello.find("two.example") + 11;
  for (size_t cut = 0; cut < hello.size(); ++cut) {
    Values expected;
    if (cut >= one) expected.push_back("tls.sni > one.example");
    if (cut >= two) expected.push_back("tls.sni > two.example");
    if (cut >= two + 7) expected.push_back("tls.version > TLS 1.3");
    for (const bool gap : {false, true}) {
      Feeder feeder;
      feeder.Feed(hello.substr(0, cut), kUp, 0, !gap);
      if (gap) feeder.Feed("", kUp, static_cast<uint32_t>(hello.size() - cut));
      EXPECT_EQ(feeder.values(), expected) << cut << (gap ? " and a gap" : " and the end");
      feeder.Feed(HandshakeRecord(ServerHelloMessage()), kDown);
      feeder.Feed("", kUp, 0, true);
      EXPECT_EQ(OfName(feeder.values(), "tls.sni").size(), OfName(expected, "tls.sni").size()) << "told once";
    }
  }
  // Lengths that do not fit the message are no cut.
  const std::string liar = U16(0x0303) + std::string(32, 'r') + Vector8("") + Vector16(U16s({0x1301})) +
                           Vector8(U8(0)) + U16(5000) + SniExtension("liar.example");
  Feeder feeder;
  feeder.Feed(HandshakeRecord(U8(1) + U24(200) + liar), kUp, 0, true);
  EXPECT_EQ(feeder.values(), Values{});
}

TEST(TlsParser, AChainThatIsCutShowsTheCertificatesBeforeTheCut) {
  std::vector<std::string> ders;
  for (const size_t size : {300, 500, 20}) {
    ders.push_back("\x30\x82" + U16(size) + std::string(size, static_cast<char>(size)));
  }
  const std::string chain = HandshakeRecord(CertificateMessage(ders));
  Feeder whole;
  whole.Feed(chain, kDown);
  const Values all = OfName(whole.values(), "tls.cert.sha1");
  ASSERT_EQ(all.size(), ders.size());
  for (size_t cut = 0; cut < chain.size(); ++cut) {
    size_t end = 5 + 4 + 3, complete = 0;
    while (complete < ders.size() && end + 3 + ders[complete].size() <= cut) end += 3 + ders[complete++].size();
    for (const bool gap : {false, true}) {
      Feeder feeder;
      feeder.Feed(chain.substr(0, cut), kDown, 0, !gap);
      if (gap) feeder.Feed(kEncrypted, kDown, static_cast<uint32_t>(chain.size() - cut));
      EXPECT_EQ(OfName(feeder.values(), "tls.cert.sha1"),
                Values(all.begin(), all.begin() + static_cast<long>(complete)))
          << cut << (gap ? " and a gap" : " and the end");
    }
  }
}

TEST(TlsParser, GapAnywhereGivesNothingWrong) {
  const std::string bytes = HandshakeRecord(ServerHelloMessage()) +
                            HandshakeRecord(CertificateMessage({LeafCertificate()}) + kHelloDone) + kEncrypted;
  Feeder whole;
  whole.Feed(bytes, kDown);
  const Values all = whole.values();
  for (size_t size : {1u, 5u, 9u, 60u, 500u}) {
    for (size_t from = 0; from + size < bytes.size(); ++from) {
      Feeder feeder, pieces;
      feeder.Feed(bytes.substr(0, from), kDown);
      feeder.Feed(bytes.substr(from + size), kDown, static_cast<uint32_t>(size));
      for (size_t at = 0; at < bytes.size(); ++at) {
        if (at == from) at += size;
        pieces.Feed(bytes.substr(at, 1), kDown, at == from + size ? static_cast<uint32_t>(size) : 0);
      }
      EXPECT_EQ(feeder.values(), pieces.values()) << from << " " << size;
      for (const std::string& value : feeder.values()) {
        EXPECT_NE(std::find(all.begin(), all.end(), value), all.end()) << value << " at " << from;
      }
      // All that lies before the gap, or begins with a record after it.
      const size_t server_hello = HandshakeRecord(ServerHelloMessage()).size();
      if (from >= server_hello) {
        EXPECT_EQ(OfName(feeder.values(), "tls.ja3s").size(), 1u) << from;
      }
      if (from + size <= server_hello) {
        EXPECT_EQ(OfName(feeder.values(), "tls.cert.sha1").size(), 1u) << from;
      }
    }
  }
}

TEST(TlsParser, LateBeginningFindsTheNextRecord) {
  const std::string bytes = std::string(300, '\x16') + HandshakeRecord(CertificateMessage({LeafCertificate()}));
  for (const size_t piece : {size_t{1}, size_t{7}, size_t{5000}}) {
    Feeder feeder;
    feeder.BeginLate();
    for (size_t at = 0; at < bytes.size(); at += piece) feeder.Feed(bytes.substr(at, piece), kDown);
    EXPECT_EQ(OfName(feeder.values(), "tls.cert.sha1").size(), 1u);
  }
}

TEST(TlsParser, SearchEnds) {
  Feeder feeder;
  feeder.BeginLate();
  Outcome outcome;
  size_t fed = 0;
  while (outcome.progress == Progress::kNeedMore && fed < 4 * TlsParser::kMaxSeekBytes) {
    outcome = feeder.Feed(std::string(1460, '\x16'), kDown);
    fed += 1460;
  }
  EXPECT_EQ(outcome.progress, Progress::kSkip);
  EXPECT_LE(fed, TlsParser::kMaxSeekBytes + 1460);
}

}  // namespace
}  // namespace vedette
