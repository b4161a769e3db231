// Heads that are cut, padded or too long, and what is held.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "parsers/http/http1.h"
#include "parsers/http/http_protocol.h"
#include "parsers/http/http_values.h"
#include "tests/unit/parsers/http1_feeding.h"

namespace vedette {
namespace {

using namespace testing;  // NOLINT: http1_feeding.h

TEST(Http1, ShowsTheCompleteLinesOfACutHead) {
  Stream stream;
  stream.Feed(kUp, "GET /a HTTP/1.1\r\nHost: a.example\r\nUser-Agent: cut he");
  EXPECT_EQ(stream.batch.size(), 0u);
  stream.End();
  Values seen;
  for (const Observable& o : stream.batch.observables()) seen.push_back(Describe(o));
  EXPECT_EQ(seen,
            (Values{"http.method > GET", "http.uri > /a", "http.host > a.example", "http.url > http://a.example/a"}));
  EXPECT_EQ(stream.parser.HeldBytes(), 0u);
}

TEST(Http1, PaddingHidesNothing) {
  const std::string filler = "X: " + std::string(1000, 'x') + "\r\n";
  std::string head = "POST /a HTTP/1.1\r\nHost: a\r\n";
  while (head.size() < 5 * Http1Parser::kMaxHeadBytes) head += filler;
  const std::vector<Turn> turns = {
      Up(head + "Host: late\r\nContent-Length: 18\r\n\r\nGET /no HTTP/1.1\r\nGET /b HTTP/1.1\r\n\r\n")};
  const Values expected{"http.method > POST",    "http.uri > /a",     "http.host > a", "http.host > late",
                        "http.url > http://a/a", "http.method > GET", "http.uri > /b"};
  EXPECT_EQ(ExpectSameInPieces<Http1Parser>(turns), expected);
  Stream stream;
  stream.Feed(kUp, turns[0].bytes);
  EXPECT_EQ(stream.Limit(HttpProtocol::kHeadTooLong), 0u);
}

TEST(Http1, OneLineOfPaddingHidesNothing) {
  for (const size_t padding : {size_t{40000}, size_t{70000}, size_t{500000}}) {
    const std::vector<Turn> turns = {Up("GET /a HTTP/1.1\r\nX-Pad: " + std::string(padding, 'x') +
                                        "\r\n continued: Host: no\r\nHost: evil.example\r\n\r\n")};
    const Values expected{"http.method > GET", "http.uri > /a", "http.host > evil.example",
                          "http.url > http://evil.example/a"};
    EXPECT_EQ(ExpectSameInPieces<Http1Parser>(turns), expected) << padding;
  }
}

// What is dropped takes its continuation with it.
TEST(Http1, ALongHeadsLinesContinueWhatTheyContinued) {
  for (int over = -3; over <= 3; ++over) {
    std::string head = "GET /a HTTP/1.1\r\nHost: a\r\nX: y\r\n z";
    head +=
        std::string(static_cast<size_t>(static_cast<int>(Http1Parser::kMaxHeadBytes) + over) - head.size() - 2, 'x');
    const std::vector<Turn> turns = {Up(head + "\r\n more\r\nUser-Agent: b\r\n c\r\n\r\n")};
    const Values expected{"http.method > GET", "http.uri > /a", "http.host > a", "http.user_agent > b c",
                          "http.url > http://a/a"};
    EXPECT_EQ(ExpectSameInPieces<Http1Parser>(turns), expected) << over;
  }
}

// What is lost all the same is counted, once a head, and the next head is found.
TEST(Http1, CountsWhatALongHeadLoses) {
  const std::string begin = "GET /a HTTP/1.1\r\n", end = "\r\n\r\nGET /b HTTP/1.1\r\n\r\n";
  std::string many = begin;
  for (int i = 0; i < 10; ++i) many += "Host: " + std::string(10000, 'h') + "\r\n";
  std::string endless = begin;
  while (endless.size() < Http1Parser::kMaxDroppedBytes + 2 * Http1Parser::kMaxHeadBytes) endless += "X: y\r\n";
  for (const std::string& head : {begin + "Host: " + std::string(70000, 'h'), many, endless,
                                  "GET /" + std::string(20000, 'u') + " HTTP/1.1\r\nX: " + std::string(50000, 'x')}) {
    const std::vector<Turn> turns = {Up(head + end)};
    EXPECT_EQ(ExpectSameInPieces<Http1Parser>(turns).back(), "http.uri > /b") << head.size();
    Stream stream;
    stream.Feed(kUp, turns[0].bytes);
    EXPECT_EQ(stream.Limit(HttpProtocol::kHeadTooLong), 1u) << head.size();
    EXPECT_EQ(stream.parser.counters().requests, 2u) << head.size();
    EXPECT_LE(stream.parser.HeldBytes(), Http1Parser::kMaxHeadBytes);
  }
}

// The limit falls at the same byte however the head is cut: around its end, and around a line's end.
TEST(Http1, JudgesTheLimitAtOneByte) {
  for (int over = -3; over <= 3; ++over) {
    std::string head = "GET /a HTTP/1.1\r\nHost: a\r\nX: ";
    head +=
        std::string(static_cast<size_t>(static_cast<int>(Http1Parser::kMaxHeadBytes) + over) - head.size() - 4, 'x');
    head += "\r\n\r\n";
    const std::vector<Turn> turns = {Up(head + "GET /b HTTP/1.1\r\n\r\n")};
    const Values whole = testing::FeedWhole<Http1Parser>(turns);
    EXPECT_EQ(whole, testing::FeedInPieces<Http1Parser>(turns, [] { return size_t{1}; })) << over;
    EXPECT_EQ(whole, testing::FeedInPieces<Http1Parser>(turns, [] { return size_t{4093}; })) << over;
    EXPECT_EQ(whole.size(), 6u) << over;
  }
}

TEST(Http1, BoundsALineThatNeverEnds) {
  for (const char* begin :
       {"GET /", "GET / HTTP/1.1\r\nHost: ", "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", "\x16\x03\x01", "x\r\nGET /"}) {
    const std::vector<Turn> turns = {
        Up(begin + std::string(3 * Http1Parser::kMaxHeadBytes, 'A') + "\r\nGET /b HTTP/1.1\r\n\r\n")};
    const Values whole = testing::FeedWhole<Http1Parser>(turns);
    EXPECT_EQ(whole, testing::FeedInPieces<Http1Parser>(turns, [] { return size_t{1}; })) << begin;
    EXPECT_EQ(whole, testing::FeedInPieces<Http1Parser>(turns, [] { return size_t{1460}; })) << begin;
    EXPECT_EQ(whole.back(), "http.uri > /b") << begin;
  }
}

TEST(Http1, BoundsTheValuesOfOneHead) {
  std::string head = "GET / HTTP/1.1\r\nX-Forwarded-For: 1";
  for (int i = 0; i < 1000; ++i) head += ",1";
  for (int i = 0; i < 1000; ++i) head += "\r\nHost: a";
  Stream stream;
  stream.Feed(kUp, head + "\r\n\r\n");
  EXPECT_LE(stream.batch.size(), 2 * HttpRequestValues::kMaxValues + 3);
  EXPECT_GT(stream.Limit(HttpProtocol::kTooManyValues), 0u);
}

// Whether the addresses are read, which depends on what somebody looks for, changes nothing else.
TEST(Http1, ForwardedForTakesNoOtherValuesPlace) {
  std::string head = "GET / HTTP/1.1\r\nX-Forwarded-For: 1";
  for (int i = 0; i < 100; ++i) head += ",1";
  head += "\r\nHost: a.example\r\nUser-Agent: b\r\n\r\n";
  std::vector<std::string> seen[2];
  for (const bool wanted : {false, true}) {
    Stream stream;
    ObservableMask mask{ObservableKind::kHttpHost, ObservableKind::kHttpUserAgent, ObservableKind::kHttpMethod};
    if (wanted) mask.Add(ObservableKind::kHttpXff);
    stream.batch.set_wanted(mask);
    stream.Feed(kUp, head);
    for (const Observable& o : stream.batch.observables()) {
      if (o.kind != ObservableKind::kHttpXff) seen[wanted].emplace_back(o.text);
    }
  }
  EXPECT_EQ(seen[0], (std::vector<std::string>{"GET", "a.example", "b"}));
  EXPECT_EQ(seen[1], seen[0]);
}

// A client that sends a status line must not switch the sensor off.
TEST(Http1, DecidesNothingByAClientsResponse) {
  for (const char* decoy :
       {"HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 101 x\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n",
        "HTTP/1.1 200 Connection established\r\n\r\n"}) {
    EXPECT_EQ(Lines({Up(std::string(decoy) + "GET /a HTTP/1.1\r\n\r\n")}).back(), "http.uri > /a") << decoy;
    Stream stream;
    stream.start = false;
    stream.Feed(kUp, "GET /x HTTP/1.1\r\n\r\n");
    stream.Feed(kUp, std::string(decoy) + "GET /a HTTP/1.1\r\n\r\n");
    EXPECT_EQ(stream.Lines().back(), "http.uri > /a") << decoy;
  }
}

TEST(Http1, HoldsNothingBetweenMessages) {
  Stream stream;
  stream.Feed(kUp, "GET /a HT");
  EXPECT_GT(stream.parser.HeldBytes(), 0u);
  stream.Feed(kUp, "TP/1.1\r\n\r\n");
  EXPECT_EQ(stream.parser.HeldBytes(), 0u);
  stream.Feed(kUp, std::string("\x00\x01\x02", 3));
  EXPECT_EQ(stream.parser.HeldBytes(), 0u);
}

}  // namespace
}  // namespace vedette
