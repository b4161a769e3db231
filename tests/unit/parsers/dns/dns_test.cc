#include "parsers/dns/dns.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "parsers/base/text.h"
#include "tests/unit/parsers/stream_feeding.h"

namespace vedette {
namespace {

using testing::Describe;
using testing::Turn;

std::string U16Text(unsigned value) { return {static_cast<char>(value >> 8), static_cast<char>(value)}; }

// "www.example.com" as labels and root; "" is the root.
std::string Name(std::string_view dotted) {
  std::string out;
  while (!dotted.empty()) {
    const size_t dot = std::min(dotted.find('.'), dotted.size());
    out += static_cast<char>(dot);
    out += dotted.substr(0, dot);
    dotted.remove_prefix(std::min(dot + 1, dotted.size()));
  }
  return out + '\0';
}
std::string Pointer(unsigned target) { return U16Text(0xc000 | target); }

std::string Header(unsigned flags, unsigned questions, unsigned answers = 0, unsigned authorities = 0,
                   unsigned additionals = 0) {
  return U16Text(0x1234) + U16Text(flags) + U16Text(questions) + U16Text(answers) + U16Text(authorities) +
         U16Text(additionals);
}
std::string Question(const std::string& name, unsigned type = 1, unsigned record_class = 1) {
  return name + U16Text(type) + U16Text(record_class);
}
std::string Record(const std::string& name, unsigned type, const std::string& data, unsigned record_class = 1,
                   const std::string& ttl = std::string("\0\0\0\x3c", 4)) {
  return name + U16Text(type) + U16Text(record_class) + ttl + U16Text(static_cast<unsigned>(data.size())) + data;
}
std::string Framed(const std::string& message) { return U16Text(static_cast<unsigned>(message.size())) + message; }

const std::string kLoopback("\x7f\0\0\x01", 4);

std::string Query(std::string_view name, unsigned type = 1) { return Header(0x0100, 1) + Question(Name(name), type); }

// A response with a CNAME into the question's name, an A and an AAAA record, a name server with its address, and EDNS.
std::string Response() {
  return Header(0x8180, 1, 3, 1, 2) + Question(Name("WWW.Example.com"), 1) +  // name at 12, "Example.com" at 16
         Record(Pointer(12), 5, std::string("\x04host") + Pointer(16)) +      // 33: target at 45
         Record(Pointer(45), 1, std::string("\xcb\x00\x71\x05", 4)) +
         Record(Pointer(45), 28, std::string("\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01", 16)) +
         Record(Pointer(16), 2, Name("ns.example.net")) + Record(Name("ns.example.net"), 1, kLoopback) +
         Record(Name(""), 41, "", 1232, std::string("\0\0\x80\0", 4));
}

const std::vector<std::string> kResponseValues = {
    "dns.query < www.example.com", "dns.type < A",           "dns.cname < host.example.com", "dns.answer < 203.0.113.5",
    "dns.answer < 2001:db8::1",    "dns.answer < 127.0.0.1", "dns.rcode < NOERROR"};

std::vector<std::string> Seen(const ObservableBatch& batch) {
  std::vector<std::string> out;
  for (const Observable& o : batch.observables()) out.push_back(Describe(o));
  return out;
}

std::vector<std::string> Parse(const std::string& message, bool lenient = false,
                               Direction direction = Direction::kToClient) {
  testing::ParserBatch batch;
  // A fresh allocation of exact size, so that a sanitizer sees any read outside the message.
  const std::vector<uint8_t> exact(message.begin(), message.end());
  const bool parsed = ParseDnsMessage(exact, direction, batch, lenient);
  EXPECT_EQ(parsed, batch.size() != 0);
  if (!lenient) {
    EXPECT_EQ(parsed, IdentifyDnsMessage(exact) == Probe::kYes);
  }
  return Seen(batch);
}

using Values = std::vector<std::string>;

TEST(DnsMessage, ReadsQuery) {
  EXPECT_EQ(Parse(Query("WwW.ExAmple.COM"), false, Direction::kToServer),
            (Values{"dns.query > www.example.com", "dns.type > A"}));
}

TEST(DnsMessage, ReadsEverySectionOfResponse) {
  EXPECT_EQ(Parse(Response()), kResponseValues);
  EXPECT_EQ(Parse(Response(), true), kResponseValues);
}

TEST(DnsMessage, NamesTypesAndResultCodes) {
  EXPECT_EQ(Parse(Query("a", 65))[1], "dns.type < HTTPS");
  EXPECT_EQ(Parse(Query("a", 65432))[1], "dns.type < TYPE65432");
  EXPECT_EQ(Parse(Header(0x8183, 1) + Question(Name("nx.example")))[2], "dns.rcode < NXDOMAIN");
  EXPECT_EQ(Parse(Header(0x818d, 1) + Question(Name("nx.example")))[2], "dns.rcode < RCODE13");
  const std::string extended =
      Header(0x8180, 1, 0, 0, 1) + Question(Name("a")) + Record(Name(""), 41, "", 512, std::string("\x01\0\0\0", 4));
  EXPECT_EQ(Parse(extended)[2], "dns.rcode < BADVERS");
}

TEST(DnsMessage, RootIsADot) { EXPECT_EQ(Parse(Query("", 2))[0], "dns.query < ."); }

TEST(DnsMessage, SharesMessageNumber) {
  testing::ParserBatch batch;
  ASSERT_TRUE(ParseDnsMessage(AsBytes(Response()), Direction::kToClient, batch, false));
  ASSERT_TRUE(ParseDnsMessage(AsBytes(Query("b")), Direction::kToServer, batch, false));
  EXPECT_EQ(batch.observables()[0].message, batch.observables()[6].message);
  EXPECT_NE(batch.observables()[0].message, batch.observables()[7].message);
}

TEST(DnsMessage, GivesOnlyWhatIsWanted) {
  testing::ParserBatch batch;
  batch.set_wanted({ObservableKind::kDnsAnswer});
  EXPECT_TRUE(ParseDnsMessage(AsBytes(Response()), Direction::kToClient, batch, false));
  EXPECT_EQ(Seen(batch), (Values{"dns.answer < 203.0.113.5", "dns.answer < 2001:db8::1", "dns.answer < 127.0.0.1"}));
}

TEST(DnsMessage, ReadsMulticastBits) {
  // RFC 6762: the top bit of a question's class asks for a unicast answer, of a record's class flushes caches.
  const std::string message =
      Header(0x8400, 1, 1) + Question(Name("Printer.local"), 255, 0x8001) + Record(Pointer(12), 1, kLoopback, 0x8001);
  EXPECT_EQ(Parse(message),
            (Values{"dns.query < printer.local", "dns.type < ANY", "dns.answer < 127.0.0.1", "dns.rcode < NOERROR"}));
}

TEST(DnsMessage, ReadsUtf8LabelsAsNormaliseHostDoes) {
  const std::string name = "M\xc3\xbcller._http._tcp.local";
  EXPECT_EQ(Parse(Query(name, 12))[0], "dns.query < " + NormaliseHost(name));
}

TEST(DnsMessage, KeepsBytesThatAreNoText) {
  const std::vector<std::string> seen = Parse(Header(0x0100, 1) + Question(std::string("\x04\xff\0A\n\x01"
                                                                                       "b\0",
                                                                                       8)));
  ASSERT_EQ(seen.size(), 2u);
  EXPECT_EQ(Escaped(seen[0]), "dns.query < \\xff\\x00a\\n.b");
}

TEST(DnsMessage, NamesAreInTheirNormalForm) {
  std::mt19937 random(1);
  for (int i = 0; i < 2000; ++i) {
    std::string name;
    for (size_t labels = random() % 5; labels > 0; --labels) {
      const size_t length = 1 + random() % 20;
      name += static_cast<char>(length);
      for (size_t k = 0; k < length; ++k)
        name += static_cast<char>(random() % 3 == 0 ? random() : "aZ.-\xc3\xbc"[random() % 6]);
    }
    testing::ParserBatch batch;
    ASSERT_TRUE(
        ParseDnsMessage(AsBytes(Header(0x0100, 1) + Question(name + '\0')), Direction::kToServer, batch, false));
    const std::string_view text = batch.observables()[0].text;
    EXPECT_EQ(NormaliseHost(text), text);
  }
}

TEST(DnsMessage, RejectsForwardAndSelfPointers) {
  EXPECT_TRUE(Parse(Header(0x0100, 1) + Question(Pointer(12))).empty());
  EXPECT_TRUE(Parse(Header(0x0100, 1) + Question(Pointer(14))).empty());
  EXPECT_TRUE(Parse(Header(0x0100, 1) + Question("\x01"
                                                 "a" +
                                                 Pointer(12)))
                  .empty());
  EXPECT_TRUE(Parse(Header(0x0100, 1) + Question("\x01"
                                                 "a" +
                                                 Pointer(14)),
                    true)
                  .empty());
  EXPECT_TRUE(Parse(Header(0x0100, 1) + Question(Pointer(4)), true).empty()) << "into the header";
}

TEST(DnsMessage, EndsOnPointerLoops) {
  // Two names that lead to each other: the first may not point forward, so nothing is read.
  const std::string message = Header(0x0100, 2) +
                              Question(
                                  "\x01"
                                  "a" +
                                  Pointer(20)) +
                              Question(
                                  "\x01"
                                  "b" +
                                  Pointer(12));
  EXPECT_TRUE(Parse(message).empty());
  EXPECT_TRUE(Parse(message, true).empty());
}

TEST(DnsMessage, FollowsPointersToPointersWithinBounds) {
  std::string message = Header(0x0100, 40) + Question(Name("a"));
  unsigned at = 12;
  for (int i = 1; i < 40; ++i) {
    const auto next = static_cast<unsigned>(message.size());
    message += Question(Pointer(at));
    at = next;
  }
  const std::vector<std::string> seen = Parse(message);
  EXPECT_EQ(std::count(seen.begin(), seen.end(), "dns.query < a"), 33);  // itself, and over 1 to 32 pointers
}

TEST(DnsMessage, HoldsTheNameBound) {
  const std::string label = '\x3f' + std::string(63, 'x');
  // 255 bytes on the wire, the most there can be, and one more.
  const std::string longest = label + label + label + '\x3d' + std::string(61, 'x') + '\0';
  const std::string longer = label + label + label + '\x3e' + std::string(62, 'x') + '\0';
  EXPECT_EQ(Parse(Header(0x0100, 1) + Question(longest)).size(), 2u);
  EXPECT_TRUE(Parse(Header(0x0100, 1) + Question(longer)).empty());
  // The same through a pointer: two labels before 193 bytes at 12.
  const std::string base = Header(0x0100, 2) + Question(label + label + label + '\0');
  EXPECT_EQ(Parse(base + Question('\x3d' + std::string(61, 'y') + Pointer(12))).size(), 3u);
  EXPECT_EQ(Parse(base + Question('\x3e' + std::string(62, 'y') + Pointer(12))).size(), 2u) << "the first one only";
}

TEST(DnsMessage, BoundsTextOfHostileMessage) {
  const std::string label = '\x3f' + std::string(63, 'x');
  std::string message = Header(0x0100, 10000) + Question(label + label + label + '\0');
  for (int i = 1; i < 10000; ++i) message += Question(Pointer(12));
  testing::ParserBatch batch;
  EXPECT_TRUE(ParseDnsMessage(AsBytes(message), Direction::kToServer, batch, false));
  EXPECT_LT(batch.size(), 1500u);
}

TEST(DnsMessage, RejectsWhatIsNoDns) {
  EXPECT_TRUE(Parse("").empty());
  EXPECT_TRUE(Parse(std::string(12, '\0')).empty());
  EXPECT_TRUE(Parse(std::string(512, '\0')).empty());
  EXPECT_TRUE(Parse(std::string(512, '\xff')).empty());
  EXPECT_TRUE(Parse(Query("a.example") + "x").empty()) << "a byte left over";
  EXPECT_TRUE(Parse(Header(0x0100, 1) + Question(Name("a"), 1, 7)).empty()) << "unknown class";
  EXPECT_TRUE(Parse(Header(0x0100, 1) + Question(Name("a"), 0)).empty()) << "no type";
  EXPECT_TRUE(Parse(Header(0x7900, 1) + Question(Name("a"))).empty()) << "unknown opcode";
  EXPECT_TRUE(Parse(Header(0x0140, 1) + Question(Name("a"))).empty()) << "reserved bit";
  EXPECT_TRUE(Parse(Header(0x0100, 1) + Question(std::string("\x41"
                                                             "a\0",
                                                             3)))
                  .empty())
      << "extended label";
  EXPECT_TRUE(Parse(Header(0x8180, 0, 1) + Record(Name("a"), 1, "abc")).empty()) << "an address of three bytes";
  EXPECT_TRUE(Parse(Header(0x8180, 0, 1) + Record(Name("a"), 41, "")).empty()) << "OPT with a name";
}

TEST(DnsMessage, RejectsNetbios) {
  const std::string name = '\x20' + std::string("EFFDEIEBEDELCACACACACACACACACACA") + '\0';
  EXPECT_TRUE(Parse(Header(0x0110, 1) + Question(name, 32)).empty());
  EXPECT_TRUE(Parse(Header(0x0000, 1) + Question(name, 33)).empty());
  EXPECT_TRUE(Parse(Header(0x8500, 0, 1) + Record(name, 32, std::string(6, '\0'))).empty());
  EXPECT_EQ(Parse(Header(0x0100, 1) + Question(name, 1)).size(), 2u);
}

TEST(DnsMessage, RandomBytesNeverPass) {
  std::mt19937_64 random(7);
  std::vector<uint8_t> bytes;
  for (int i = 0; i < 300000; ++i) {
    bytes.resize(12 + random() % 100);
    for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random());
    EXPECT_EQ(IdentifyDnsMessage(bytes), Probe::kNo);
  }
}

TEST(DnsMessage, ReadsUpdateWithEmptyRecords) {
  // RFC 2136: "delete all A records of this name" has class ANY and no data.
  const std::string message =
      Header(0x2800, 1, 0, 1) + Question(Name("example.com"), 6) + Record(Name("old.example.com"), 1, "", 255);
  EXPECT_EQ(Parse(message), (Values{"dns.query < example.com", "dns.type < SOA"}));
}

TEST(DnsMessage, PassesOverServiceBindings) {
  // RFC 9460: priority 1, target ".", alpn and an address hint, which is not an address record.
  const std::string binding = std::string("\0\x01\0\0\x01\0\x03\x02h2\0\x04\0\x04\x01\x02\x03\x04", 18);
  EXPECT_EQ(Parse(Header(0x8180, 1, 1) + Question(Name("a.example"), 65) + Record(Pointer(12), 65, binding)),
            (Values{"dns.query < a.example", "dns.type < HTTPS", "dns.rcode < NOERROR"}));
}

TEST(DnsMessage, CnameTargetStaysInItsRecord) {
  // The target's label says 5 bytes, the record ends after 2.
  const std::string message = Header(0x8180, 1, 2) + Question(Name("a.example")) +
                              Record(Pointer(12), 5,
                                     "\x05"
                                     "ab") +
                              Record(Pointer(12), 1, kLoopback);
  EXPECT_EQ(Parse(message), (Values{"dns.query < a.example", "dns.type < A", "dns.rcode < NOERROR"}));
}

TEST(DnsMessage, LenientReadsUpToTheDamage) {
  const std::string whole = Response();
  const Values all = Parse(whole);
  size_t most = 0;
  for (size_t length = 0; length < whole.size(); ++length) {
    EXPECT_TRUE(Parse(whole.substr(0, length)).empty()) << "strict at " << length;
    const Values seen = Parse(whole.substr(0, length), true);
    EXPECT_GE(seen.size(), most) << "at " << length;
    most = seen.size();
    for (const std::string& value : seen) EXPECT_NE(std::find(all.begin(), all.end(), value), all.end()) << value;
  }
  EXPECT_EQ(most, all.size());
  EXPECT_EQ(Parse(whole + "padding", true), all);
}

TEST(DnsMessage, LenientNeedsASoundFirstRecord) {
  std::mt19937_64 random(3);
  int passed = 0;
  for (int i = 0; i < 100000; ++i) {
    std::vector<uint8_t> bytes(40);
    for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random());
    testing::ParserBatch batch;
    passed += ParseDnsMessage(bytes, Direction::kToServer, batch, true);
  }
  EXPECT_LT(passed, 100);
}

TEST(DnsDatagram, ItsOwnPortOnlyLoosens) {
  testing::ParserBatch batch;
  const auto progress_of = [&](const std::string& bytes, Direction direction, bool on_own_port) {
    return DnsDatagramParser::Feed({AsBytes(bytes), direction, 0, on_own_port}, batch).progress;
  };
  const std::string cut = Response().substr(0, 70);
  EXPECT_EQ(progress_of(cut, Direction::kToClient, false), Progress::kMalformed);
  EXPECT_EQ(batch.size(), 0u);
  EXPECT_EQ(progress_of(cut, Direction::kToClient, true), Progress::kNeedMore);
  EXPECT_NE(batch.size(), 0u);
  const std::string text = "GET / HTTP/1.1\r\nHost: a.example\r\n\r\n";
  EXPECT_EQ(progress_of(text, Direction::kToServer, true), Progress::kMalformed);
}

std::vector<Turn> Conversation() {
  return {{Direction::kToServer, Framed(Query("www.example.com")) + Framed(Query("second.example", 28))},
          {Direction::kToClient, Framed(Response()) + Framed(Header(0x8183, 1) + Question(Name("second.example"), 28))},
          {Direction::kToServer, Framed(Query("third.example", 16))}};
}

static_assert(StreamParserType<DnsStreamParser>);

TEST(DnsStream, SameInPieces) {
  const Values seen = testing::ExpectSameInPieces<DnsStreamParser>(Conversation());
  Values expected = {"dns.query > www.example.com", "dns.type > A", "dns.query > second.example", "dns.type > AAAA"};
  expected.insert(expected.end(), kResponseValues.begin(), kResponseValues.end());
  for (const char* value : {"dns.query < second.example", "dns.type < AAAA", "dns.rcode < NXDOMAIN",
                            "dns.query > third.example", "dns.type > TXT"}) {
    expected.emplace_back(value);
  }
  EXPECT_EQ(seen, expected);
}

TEST(DnsStream, PrefixesAreQuiet) { testing::ExpectPrefixesAreQuiet<DnsStreamParser>(Conversation()); }

TEST(DnsStream, ReadsTheLargestMessage) {
  std::string message = Header(0x8180, 1, 4000) + Question(Name("a.example"));
  for (int i = 0; i < 4000; ++i) message += Record(Pointer(12), 1, kLoopback);
  message.resize(65535, '\0');  // what follows the records is passed over
  const Values seen = testing::ExpectSameInPieces<DnsStreamParser>(
      {{Direction::kToClient, Framed(message) + Framed(Query("after.example"))}});
  EXPECT_EQ(seen.size(), 2 + 4000 + 1 + 2u);
  EXPECT_EQ(seen.back(), "dns.type < A");
}

TEST(DnsStream, IdentifiesByLengthHeaderAndFirstName) {
  const std::string stream = Framed(Response());
  for (size_t length = 0; length <= stream.size(); ++length) {
    const Probe probe = DnsStreamParser::Identify(AsBytes(stream.substr(0, length)), Direction::kToClient);
    EXPECT_EQ(probe, length < 2 + 12 + 21 ? Probe::kNeedMore : Probe::kYes) << length;
  }
  const auto probe = [](std::string_view text) {
    return DnsStreamParser::Identify(AsBytes(text), Direction::kToServer);
  };
  EXPECT_EQ(probe("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), Probe::kNo);
  EXPECT_EQ(probe(std::string("\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03zzzzzzzzzzzzzzzzzzz", 30)), Probe::kNo);
  EXPECT_EQ(probe(std::string(100, '\0')), Probe::kNo);
  EXPECT_EQ(probe("SSH-2.0-OpenSSH_9.2p1 Debian\r\n"), Probe::kNo);
  // The length ends within the question.
  EXPECT_EQ(probe(U16Text(20) + Query("www.example.com")), Probe::kNo);
}

TEST(DnsStream, RandomBytesNeverPass) {
  std::mt19937_64 random(11);
  std::vector<uint8_t> bytes(64);
  for (int i = 0; i < 300000; ++i) {
    for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random());
    EXPECT_EQ(DnsStreamParser::Identify(bytes, Direction::kToServer), Probe::kNo);
  }
}

// Feeds one direction: each piece with the bytes missing before it.
struct Piece {
  std::string bytes;
  uint32_t gap_bytes = 0;
  bool start = false;
};
Values FeedPieces(const std::vector<Piece>& pieces, Outcome& last) {
  DnsStreamParser parser;
  testing::ParserBatch batch;
  for (const Piece& piece : pieces) {
    last = parser.Feed({.data = AsBytes(piece.bytes), .gap_bytes = piece.gap_bytes, .start = piece.start}, batch);
  }
  Values queries;
  for (const Observable& o : batch.observables()) {
    if (!IsContext(o.kind)) queries.push_back(Describe(o));
  }
  return queries;
}

TEST(DnsStream, KnowsItsPlaceAfterAGapWithinAMessage) {
  const std::string first = Framed(Query("first.example")), second = Framed(Query("second.example"));
  Outcome last;
  for (size_t from = 2; from <= first.size(); ++from) {
    for (size_t to = from + 1; to <= first.size(); ++to) {
      const Values seen = FeedPieces({{first + first.substr(0, from), 0, true},
                                      {first.substr(to) + second.substr(0, 5), static_cast<uint32_t>(to - from)},
                                      {second.substr(5)}},
                                     last);
      EXPECT_EQ(seen, (Values{"dns.query > first.example", "dns.query > second.example"})) << from << " to " << to;
      EXPECT_EQ(last.progress, Progress::kNeedMore);
    }
  }
}

TEST(DnsStream, FindsItsPlaceWhereAMessageBeginsAfterAGap) {
  const std::string first = Framed(Query("first.example")), third = Framed(Query("third.example"));
  Outcome last;
  EXPECT_EQ(FeedPieces({{first, 0, true}, {third.substr(0, 9), 500}, {third.substr(9)}}, last),
            (Values{"dns.query > first.example", "dns.query > third.example"}));
  EXPECT_EQ(FeedPieces({{first, 0, true}, {third.substr(9), 500}, {third}}, last), Values{"dns.query > first.example"});
  EXPECT_EQ(last.progress, Progress::kSkip);
  EXPECT_EQ(last.skip_bytes, Outcome::kSkipAll);
}

TEST(DnsStream, ContinuesInTheOtherDirectionWhenOneIsLost) {
  DnsStreamParser parser;
  testing::ParserBatch batch;
  const std::string middle =
                        "\x03"
                        "com" +
                        std::string(20, 'z'),
                    whole = Framed(Response());
  EXPECT_EQ(parser.Feed({.data = AsBytes(middle)}, batch).progress, Progress::kSkip);
  const Chunk answer{.data = AsBytes(whole), .direction = Direction::kToClient};
  EXPECT_EQ(parser.Feed(answer, batch).progress, Progress::kNeedMore);
  EXPECT_EQ(Seen(batch), kResponseValues);
}

TEST(DnsStream, GivesUpOnMessagesThatAreNone) {
  Outcome last;
  const std::string noise = Framed(std::string(30, 'z'));
  EXPECT_EQ(
      FeedPieces({{Framed(Query("a")) + noise + noise + Framed(Query("b")) + noise + noise + noise + Framed(Query("c")),
                   0, true}},
                 last),
      (Values{"dns.query > a", "dns.query > b"}));
  EXPECT_EQ(last.progress, Progress::kSkip);
}

TEST(DnsStream, OneEndDoesNotEndTheOther) {
  DnsStreamParser parser;
  testing::ParserBatch batch;
  const std::string query = Framed(Query("a.example")), answer = Framed(Response());
  parser.Feed({.data = AsBytes(query), .start = true, .end = true}, batch);
  const Outcome outcome =
      parser.Feed({.data = AsBytes(answer), .direction = Direction::kToClient, .start = true}, batch);
  EXPECT_EQ(outcome.progress, Progress::kNeedMore);
  EXPECT_EQ(batch.size(), 2 + kResponseValues.size());
  EXPECT_EQ(parser.Feed({.data = {}, .direction = Direction::kToClient, .end = true}, batch).progress, Progress::kDone);
  EXPECT_EQ(parser.HeldBytes(), 0u);
}

}  // namespace
}  // namespace vedette
