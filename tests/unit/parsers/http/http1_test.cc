#include "parsers/http/http1.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "parsers/http/http_protocol.h"
#include "parsers/http/http_values.h"
#include "tests/unit/parsers/http1_feeding.h"

namespace vedette {
namespace {

using namespace testing;  // NOLINT: http1_feeding.h

TEST(Http1, EmitsWhatARequestShows) {
  const std::vector<Turn> turns = {
      Up("GET /a?b=%20#c HTTP/1.1\r\nHost: WWW.Example.com:8080\r\nUser-Agent:  curl/8.0 \r\nAccept: */*\r\n"
         "X-Forwarded-For: 192.0.2.1, \"[2001:DB8::1]:443\" ,unknown,,198.51.100.1:99\r\n\r\n"),
      Down("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")};
  EXPECT_EQ(Seen(turns), (Values{"http.method > GET", "http.uri > /a?b=%20#c", "http.host > www.example.com",
                                 "http.user_agent > curl/8.0", "http.xff > 192.0.2.1", "http.xff > 2001:db8::1",
                                 "http.xff > unknown", "http.xff > 198.51.100.1",
                                 "http.url > http://www.example.com:8080/a?b=%20", "http.status < 200"}));
}

TEST(Http1, GivesOneMessageNumberToOneRequest) {
  Stream stream;
  stream.Feed(kUp, "GET /a HTTP/1.1\r\nHost: a\r\n\r\nGET /b HTTP/1.1\r\nHost: b\r\n\r\n");
  stream.Feed(kDown, "HTTP/1.1 204 x\r\n\r\n");
  std::vector<uint32_t> messages;
  for (const Observable& o : stream.batch.observables()) messages.push_back(o.message);
  EXPECT_EQ(messages, (std::vector<uint32_t>{1, 1, 1, 1, 2, 2, 2, 2, 3}));
}

TEST(Http1, EmitsOnlyWhatIsWanted) {
  Stream stream;
  stream.batch.set_wanted({ObservableKind::kHttpUserAgent});
  stream.Feed(kUp,
              "POST /a HTTP/1.1\r\nHost: a\r\nUser-Agent: x\r\nContent-Length: 3\r\n\r\nabcGET /b HTTP/1.1\r\n\r\n");
  ASSERT_EQ(stream.batch.size(), 1u);
  EXPECT_EQ(Describe(stream.batch.observables()[0]), "http.user_agent > x");
  EXPECT_EQ(stream.parser.counters().requests, 2u);
}

TEST(Http1, AcceptsBareLineFeedsAndOddHeads) {
  EXPECT_EQ(
      Seen({Up("GET /x HTTP/1.0\nhost:a\nno colon here\nUSER-AGENT : u\n\n")}),
      (Values{"http.method > GET", "http.uri > /x", "http.host > a", "http.user_agent > u", "http.url > http://a/x"}));
  EXPECT_EQ(Lines({Up("\r\n\r\nGET /a b\xff HTTP/1.1\r\n\r\n\r\nBREW  /pot  HTTP/1.1 \r\n\r\n")}),
            (Values{"http.uri > /a b\xff", "http.uri > /pot"}));
}

TEST(Http1, JoinsFoldedFields) {
  EXPECT_EQ(Seen({Up("GET / HTTP/1.1\r\nUser-Agent: a\r\n  b\r\n\tc\r\nHost:\r\n h\r\n\r\n")}),
            (Values{"http.method > GET", "http.uri > /", "http.user_agent > a b c", "http.host > h",
                    "http.url > http://h/"}));
}

TEST(Http1, EmitsEveryHostField) {
  EXPECT_EQ(Seen({Up("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\nHost:\r\nHost: :80\r\n\r\n")}),
            (Values{"http.method > GET", "http.uri > /", "http.host > a", "http.host > b", "http.url > http://a/"}));
}

TEST(Http1, ReadsAddressesAsHosts) {
  EXPECT_EQ(
      Seen({Up("GET / HTTP/1.1\r\nHost: [2001:DB8:0::1]:81\r\n\r\nGET / HTTP/1.1\r\nHost: 192.0.2.1:80\r\n\r\n")}),
      (Values{"http.method > GET", "http.uri > /", "http.host > 2001:db8::1", "http.url > http://[2001:db8::1]:81/",
              "http.method > GET", "http.uri > /", "http.host > 192.0.2.1", "http.url > http://192.0.2.1/"}));
}

TEST(Http1, AHostHasNoUserInformation) {
  EXPECT_EQ(Seen({Up("GET / HTTP/1.1\r\nHost: u:p@A.example:81\r\n\r\n")}),
            (Values{"http.method > GET", "http.uri > /", "http.host > a.example", "http.url > http://a.example:81/"}));
}

// RFC 9112 sections 3.2.2 and 3.2.3.
TEST(Http1, TheTargetOverrulesTheHostField) {
  EXPECT_EQ(
      Seen({Up("GET http://A.example:81/x HTTP/1.0\r\n\r\nGET http://a HTTP/1.1\r\nHost: b:80\r\n\r\n")}),
      (Values{"http.method > GET", "http.target > http://A.example:81/x", "http.uri > /x", "http.host > a.example",
              "http.url > http://a.example:81/x", "http.method > GET", "http.target > http://a", "http.uri > /",
              "http.host > a", "http.host_field > b", "http.url > http://a/"}));
  EXPECT_EQ(Seen({Up("CONNECT c.example:443 HTTP/1.1\r\nHost: d.example\r\n\r\n")}),
            (Values{"http.method > CONNECT", "http.uri > c.example:443", "http.host > c.example",
                    "http.host_field > d.example"}));
  EXPECT_EQ(Seen({Up("CONNECT c.example HTTP/1.1\r\nHost: C.example.:443\r\n\r\n")}),
            (Values{"http.method > CONNECT", "http.uri > c.example", "http.host > c.example"}));
  EXPECT_EQ(Seen({Up("CONNECT / HTTP/1.1\r\n\r\n")}), (Values{"http.method > CONNECT", "http.uri > /"}));
  EXPECT_EQ(Seen({Up("GET http://u:p@a.example?q HTTP/1.1\r\n\r\n")}),
            (Values{"http.method > GET", "http.target > http://u:p@a.example?q", "http.uri > /?q",
                    "http.host > a.example", "http.url > http://a.example/?q"}));
  EXPECT_EQ(Seen({Up("GET http:///x HTTP/1.1\r\nHost: h\r\n\r\n")}),
            (Values{"http.method > GET", "http.target > http:///x", "http.uri > /x", "http.host > h",
                    "http.url > http://h/x"}));
}

// RFC 9112 section 3.3.
TEST(Http1, WithoutAHostTheUrlIsThatOfTheServer) {
  const Endpoint client{*IpAddress::Parse("192.0.2.1"), 50000}, v4{*IpAddress::Parse("198.51.100.2"), 80},
      v6{*IpAddress::Parse("2001:db8::2"), 8080};
  const auto url_of = [&](const std::string& head, const Endpoint& server, bool end) {
    Http1Parser parser;
    testing::ParserBatch batch;
    batch.set_wanted({ObservableKind::kHttpUrl});
    const ChunkEnds up{client, server}, down{server, client};
    parser.Feed({.data = AsBytes(head), .direction = kUp, .start = true, .end = end, .ends = &up}, batch);
    parser.Feed({.data = AsBytes("<html>"), .direction = kDown, .start = true, .ends = &down}, batch);
    return batch.size() == 0 ? "" : std::string(batch.observables()[0].text);
  };
  EXPECT_EQ(url_of("GET /x HTTP/1.0\r\n\r\n", v4, false), "http://198.51.100.2/x");
  EXPECT_EQ(url_of("GET /x HTTP/1.0\r\nHost:\r\n\r\n", v6, false), "http://[2001:db8::2]:8080/x");
  EXPECT_EQ(url_of("GET /x HTTP/1.0\r\nHost: :80\r\n\r\n", v4, false), "http://198.51.100.2/x");
  EXPECT_EQ(url_of("GET /x\r\n", v4, false), "http://198.51.100.2/x") << "HTTP/0.9: the answer says that it was all";
  EXPECT_EQ(url_of("GET /x HTTP/1.0\r\nAccept: a\r\n", v4, true), "") << "cut: a Host may have followed";
  EXPECT_EQ(url_of("OPTIONS * HTTP/1.0\r\n\r\n", v4, false), "");
  EXPECT_EQ(url_of("GET /x HTTP/1.0\r\nHost: h\r\n\r\n", v4, false), "http://h/x");
}

TEST(Http1, ReadsOnWhoseBehalfAProxyAsks) {
  const auto nodes = [](const std::string& field) {
    Values out;
    for (const std::string& value : Seen({Up("GET / HTTP/1.1\r\n" + field + "\r\n\r\n")})) {
      if (value.rfind("http.xff > ", 0) == 0) out.push_back(value.substr(11));
    }
    return out;
  };
  for (const char* name : {"True-Client-IP", "CF-Connecting-IP", "X-Real-IP", "X-Client-IP", "X-Cluster-Client-IP"}) {
    EXPECT_EQ(nodes(name + std::string(": 192.0.2.1")), (Values{"192.0.2.1"})) << name;
  }
  EXPECT_EQ(nodes("X-Forwarded-For: ::ffff:192.0.2.1, [2001:db8::1, 2001:DB8::2, ${jndi:x}, 192.0.2.3:x"),
            (Values{"192.0.2.1", "2001:db8::1", "2001:db8::2", "${jndi:x}", "192.0.2.3"}));
  // RFC 7239 section 4.
  EXPECT_EQ(nodes("Forwarded: for=\"_gazonk\""), Values{});
  EXPECT_EQ(nodes("Forwarded: For=\"[2001:db8:cafe::17]:4711\""), (Values{"2001:db8:cafe::17"}));
  EXPECT_EQ(nodes("Forwarded: for=192.0.2.60;proto=http;by=203.0.113.43"), (Values{"192.0.2.60"}));
  EXPECT_EQ(nodes("Forwarded: for=192.0.2.43, for=198.51.100.17, for=unknown, for=\"Unknown:80\""),
            (Values{"192.0.2.43", "198.51.100.17"}));
  EXPECT_EQ(nodes("Forwarded: by=\"a\\\",b;for=192.0.2.1\"; for=\"192.0.2.2:_p\" ,,;; , for = 192.0.2.3; for"),
            (Values{"192.0.2.2", "192.0.2.3"}));
  EXPECT_EQ(nodes("Forwarded: for=\"192.0.2.1"), (Values{"192.0.2.1"}));
  std::string many = "Forwarded: for=192.0.2.1";
  for (int i = 0; i < 1000; ++i) many += ",for=192.0.2.1";
  EXPECT_EQ(nodes(many).size(), HttpRequestValues::kMaxValues);
}

TEST(Http1, HasNoUrlWhereTheTargetIsNone) {
  EXPECT_EQ(Seen({Up("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n")}),
            (Values{"http.method > OPTIONS", "http.uri > *", "http.host > a"}));
}

TEST(Http1, SkipsBodiesByLength) {
  const std::vector<Turn> turns = {
      Up("POST /a HTTP/1.1\r\nContent-Length: 27\r\n\r\nGET /body HTTP/1.1\r\nHost: bGET /b HTTP/1.1\r\n\r\n"),
      Down("HTTP/1.1 200 OK\r\nContent-Length: 17\r\n\r\nHTTP/1.1 500 bad\nHTTP/1.1 404 x\r\nContent-Length: "
           "0\r\n\r\n")};
  EXPECT_EQ(Lines(turns), (Values{"http.uri > /a", "http.uri > /b", "http.status < 200", "http.status < 404"}));
}

TEST(Http1, SaysHowMuchOfABodyFollows) {
  Stream stream;
  const Outcome outcome = stream.Feed(kUp, "POST / HTTP/1.1\r\nContent-Length: 10\r\n\r\nabc");
  EXPECT_EQ(outcome.progress, Progress::kSkip);
  EXPECT_EQ(outcome.skip_bytes, 7u);
  EXPECT_EQ(stream.parser.HeldBytes(), 0u);
}

TEST(Http1, FollowsChunks) {
  const std::vector<Turn> turns = {Up("POST /a HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n"
                                      "5\r\nhello\r\n1a;ext=\"v\"\r\nGET /inside HTTP/1.1\r\n\r\n..\r\n0\r\nTrailer: "
                                      "x\r\n\r\nGET /b HTTP/1.1\r\n\r\n"),
                                   Down("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\nabc\n0\n\nHTTP/1.1 "
                                        "404 x\r\nContent-Length: 0\r\n\r\n")};
  EXPECT_EQ(Lines(turns), (Values{"http.uri > /a", "http.uri > /b", "http.status < 200", "http.status < 404"}));
}

TEST(Http1, TakesAHeadWhereATrailersEndIsMissing) {
  EXPECT_EQ(Lines({Up("POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nGET /b HTTP/1.1\r\n\r\n")}),
            (Values{"http.uri > /a", "http.uri > /b"}));
}

TEST(Http1, FindsTheNextHeadAfterBrokenChunks) {
  const auto request = [](std::string_view body) {
    return Up("POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" + std::string(body) +
              "\r\nGET /b HTTP/1.1\r\n\r\n");
  };
  const Values both{"http.uri > /a", "http.uri > /b"};
  EXPECT_EQ(Lines({request("zz")}), both);
  EXPECT_EQ(Lines({request("5\r\ntoo long for it")}), both);
  EXPECT_EQ(Lines({request("fffffffffffffffff\r\nx")}), both);
  EXPECT_EQ(Lines({request("5\r\nhello\rX")}), both);
  EXPECT_EQ(Lines({request("3\r\nabc\r\n")}), both);  // the request stands where a size should
  EXPECT_EQ(Lines({request(std::string(Http1Parser::kMaxChunkLineBytes + 9, '0'))}), both);
}

// What one end takes for a body is a request to the other (request smuggling): either is shown.
TEST(Http1, ShowsSmuggledRequests) {
  EXPECT_EQ(Lines({Up("POST /a HTTP/1.1\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n"
                      "0\r\n\r\nGET /smuggled HTTP/1.1\r\n\r\nGET /b HTTP/1.1\r\n\r\n")}),
            (Values{"http.uri > /a", "http.uri > /smuggled", "http.uri > /b"}));
  EXPECT_EQ(Lines({Up("POST /a HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 40\r\n\r\n"
                      "abcGET /smuggled HTTP/1.1\r\nHost: evil\r\n\r\nGET /b HTTP/1.1\r\n\r\n")}),
            (Values{"http.uri > /a", "http.uri > /smuggled", "http.uri > /b"}));
  EXPECT_EQ(Lines({Up("POST /a HTTP/1.1\r\nContent-Length: 1e9\r\n\r\nx\r\nGET /b HTTP/1.1\r\n\r\n")}),
            (Values{"http.uri > /a", "http.uri > /b"}));
  EXPECT_EQ(Lines({Up("POST /a HTTP/1.1\r\nTransfer-Encoding: xchunked\r\n\r\nx\r\nGET /b HTTP/1.1\r\n\r\n")}),
            (Values{"http.uri > /a", "http.uri > /b"}));
}

TEST(Http1, FindsTheNextHeadAfterAWrongLength) {
  EXPECT_EQ(
      Lines({Up("POST /a HTTP/1.1\r\nContent-Length: 2\r\n\r\nabc <GET /no HTTP/1.1>\r\nGET /b HTTP/1.1\r\n\r\n")}),
      (Values{"http.uri > /a", "http.uri > /b"}));
  EXPECT_EQ(
      Lines({Up("POST /a HTTP/1.1\r\nContent-Length: 9\r\n\r\nabGET /b HTTP/1.1\r\n\r\nGET /c HTTP/1.1\r\n\r\n")}),
      (Values{"http.uri > /a", "http.uri > /c"}));
}

TEST(Http1, PairsResponsesWithPipelinedRequests) {
  const std::vector<Turn> turns = {
      Up("HEAD /a HTTP/1.1\r\n\r\nGET /b HTTP/1.1\r\n\r\nHEAD /c HTTP/1.1\r\n\r\n"),
      Down("HTTP/1.1 200 a\r\nContent-Length: 999\r\n\r\nHTTP/1.1 201 b\r\nContent-Length: 2\r\n\r\nbb"
           "HTTP/1.1 202 c\r\nTransfer-Encoding: chunked\r\n\r\nHTTP/1.1 304 d\r\nContent-Length: 7\r\n\r\n"
           "HTTP/1.1 100 e\r\n\r\nHTTP/1.1 204 f\r\n\r\nHTTP/1.1 404 g\r\nContent-Length: 0\r\n\r\n")};
  EXPECT_EQ(Lines(turns), (Values{"http.uri > /a", "http.uri > /b", "http.uri > /c", "http.status < 200",
                                  "http.status < 201", "http.status < 202", "http.status < 304", "http.status < 100",
                                  "http.status < 204", "http.status < 404"}));
}

TEST(Http1, PairsPastTheQueuesPlaces) {
  RequestQueue queue;
  for (int i = 0; i < 100; ++i)
    queue.Push(i == 63 || i == 80 ? RequestQueue::Kind::kHead : RequestQueue::Kind::kOrdinary);
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(queue.Pop(), i == 63 ? RequestQueue::Kind::kHead : RequestQueue::Kind::kOrdinary) << i;
  }
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(queue.Pop(), RequestQueue::Kind::kOrdinary);
  for (RequestQueue::Kind kind : {RequestQueue::Kind::kSimple, RequestQueue::Kind::kConnect, RequestQueue::Kind::kHead})
    queue.Push(kind);
  EXPECT_EQ(queue.Pop(), RequestQueue::Kind::kSimple);
  EXPECT_EQ(queue.Pop(), RequestQueue::Kind::kConnect);
  EXPECT_EQ(queue.Pop(), RequestQueue::Kind::kHead);
}

TEST(Http1, WaitsForTheContinue) {
  EXPECT_EQ(Lines({Up("PUT /a HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n"),
                   Down("HTTP/1.1 100 Continue\r\n\r\n"), Up("abcGET /b HTTP/1.1\r\n\r\n"),
                   Down("HTTP/1.1 201 x\r\nContent-Length: 0\r\n\r\n")}),
            (Values{"http.uri > /a", "http.status < 100", "http.uri > /b", "http.status < 201"}));
}

TEST(Http1, NoticesABodyThatIsNotThere) {
  // The server refused, and the client went on.
  const std::string put = "PUT /a HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 500\r\n\r\n";
  EXPECT_EQ(Lines({Up(put), Down("HTTP/1.1 417 x\r\nContent-Length: 0\r\n\r\n"), Up("GET /b HTTP/1.1\r\n\r\n")}),
            (Values{"http.uri > /a", "http.status < 417", "http.uri > /b"}));
  EXPECT_EQ(Lines({Up(put + "Plain text\r\nGET /no HTTP/1.1\r\n\r\n")}), (Values{"http.uri > /a"}));
  // A server that ignores the length of a GET sees another request.
  EXPECT_EQ(Lines({Up("GET /a HTTP/1.1\r\nContent-Length: 30\r\n\r\nGET /b HTTP/1.1\r\nHost: evil\r\n\r\n")}),
            (Values{"http.uri > /a", "http.uri > /b"}));
  for (size_t length = 1; length < 30; ++length) {
    const std::string body = std::string("POSTing is no HTTP/1.1 request").substr(0, length);
    EXPECT_EQ(Lines({Up("GET /a HTTP/1.1\r\nContent-Length: " + std::to_string(length) + "\r\n\r\n" + body +
                        "GET /b HTTP/1.1\r\n\r\n")}),
              (Values{"http.uri > /a", "http.uri > /b"}));
  }
  // Only responses were captured; the first answers a HEAD.
  EXPECT_EQ(Lines({Down("HTTP/1.1 200 x\r\nContent-Length: 500\r\n\r\nHTTP/1.1 404 x\r\nContent-Length: 0\r\n\r\n")}),
            (Values{"http.status < 200", "http.status < 404"}));
}

TEST(Http1, SkipsABodyThatTheConnectionEnds) {
  Stream stream;
  stream.Feed(kUp, "GET / HTTP/1.0\r\n\r\n");
  const Outcome outcome = stream.Feed(kDown, "HTTP/1.0 200 OK\r\n\r\n<html>");
  EXPECT_EQ(outcome.progress, Progress::kSkip);
  EXPECT_EQ(outcome.skip_bytes, Outcome::kSkipAll);
  // Not of one direction only: requests go on.
  stream.Feed(kUp, "GET /b HTTP/1.0\r\n\r\n");
  EXPECT_EQ(stream.Lines(), (Values{"http.uri > /", "http.status < 200", "http.uri > /b"}));
}

TEST(Http1, HandsOverAfterAnUpgrade) {
  Stream stream;
  stream.Feed(kUp, "GET /ws HTTP/1.1\r\nUpgrade: websocket\r\n\r\n");
  const std::string head = "HTTP/1.1 101 Switching Protocols\r\n\r\n";
  const Outcome outcome = stream.Feed(kDown, head + "\x81\x05hello");
  EXPECT_EQ(outcome.progress, Progress::kHandOver);
  EXPECT_EQ(outcome.consumed, head.size());
  EXPECT_EQ(outcome.next, ProtocolId::kUnknown);
}

TEST(Http1, HandsOverATunnel) {
  const std::string refused = "HTTP/1.1 407 x\r\nContent-Length: 2\r\n\r\nno";
  const std::string accepted = "HTTP/1.1 200 Connection established\r\n\r\n";
  for (size_t cut = 1; cut <= accepted.size(); ++cut) {
    Stream stream;
    stream.Feed(kUp, "CONNECT a:443 HTTP/1.1\r\n\r\n");
    EXPECT_EQ(stream.Feed(kDown, refused).progress, Progress::kNeedMore);
    stream.Feed(kUp, "CONNECT a:443 HTTP/1.1\r\n\r\n");
    if (cut < accepted.size()) {
      EXPECT_EQ(stream.Feed(kDown, accepted.substr(0, cut)).progress, Progress::kNeedMore);
    }
    const size_t before = cut < accepted.size() ? cut : 0;
    const Outcome outcome = stream.Feed(kDown, accepted.substr(before) + "SSH-2.0-x\r\n");
    EXPECT_EQ(outcome.progress, Progress::kHandOver);
    EXPECT_EQ(outcome.consumed, accepted.size() - before);
    EXPECT_EQ(stream.parser.HeldBytes(), 0u);
  }
}

TEST(Http1, HandsOverATunnelSeenFromOneSide) {
  Stream up;
  const std::string connect = "CONNECT a:443 HTTP/1.1\r\n\r\n";
  const Outcome outcome = up.Feed(kUp, connect + "\x16\x03\x01");
  EXPECT_EQ(outcome.progress, Progress::kHandOver);
  EXPECT_EQ(outcome.consumed, connect.size());

  // A client that does not wait, on a connection that was refused one before.
  Stream impatient;
  impatient.Feed(kUp, connect);
  impatient.Feed(kDown, "HTTP/1.1 407 x\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(impatient.Feed(kUp, connect + "\x16").progress, Progress::kHandOver);

  Stream down;
  down.start = false;
  EXPECT_EQ(down.Feed(kDown, "HTTP/1.0 200 Connection Established\r\n\r\n").progress, Progress::kHandOver);
}

TEST(Http1, EndsAtTheHttp2Preface) {
  Stream stream;
  EXPECT_EQ(stream.Feed(kUp, "GET / HTTP/1.1\r\n\r\nPRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").progress, Progress::kDone);
}

TEST(Http1, ReadsSimpleRequests) {
  EXPECT_EQ(Lines({Up("GET /a\r\n"), Down("<html>HTTP/1.1 200 x\r\nHTTP/1.1 200 x\r\n\r\n")}),
            (Values{"http.uri > /a"}));
  EXPECT_EQ(Lines({Up("GET /a\r\n"), Down("HTTP/1.1 400 x\r\nContent-Length: 0\r\n\r\n")}),
            (Values{"http.uri > /a", "http.status < 400"}));
  EXPECT_EQ(Seen({Up("GET /a\r\nHost: h\r\n\r\n")}),
            (Values{"http.method > GET", "http.uri > /a", "http.host > h", "http.url > http://h/a"}));
}

TEST(Http1, PicksUpInTheMiddle) {
  Stream body;
  body.start = false;
  body.Feed(kDown, "ody>\r\n</html>\r\nHTTP/1.1 404 x\r\nContent-Length: 3\r\n\r\nabc");
  body.Feed(kUp, "&password=x\r\nGET /a HTTP/1.1\r\n\r\n");
  EXPECT_EQ(body.Lines(), (Values{"http.status < 404", "http.uri > /a"}));

  // Only the server's packets were captured, and its first one made it look like the client.
  Stream turned;
  turned.start = false;
  turned.Feed(kUp, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcHTTP/1.1 404 x\r\n");
  turned.Feed(kUp, "Content-Length: 0\r\n\r\n");
  turned.Feed(kDown, "GET /a HTTP/1.1\r\n\r\n");
  EXPECT_EQ(turned.Lines(), (Values{"http.status > 200", "http.status > 404", "http.uri < /a"}));
}

TEST(Http1, FindsItsPlaceAfterAGap) {
  Stream stream;
  stream.Feed(kUp, "POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhe");
  stream.Feed(kUp, "lo\r\nGET /b HTTP/1.1\r\nHost: b\r\n\r\n", 1000);
  stream.Feed(kUp, "GET /c HTTP/1.1\r\nHost: c\r\nUser-Ag");
  stream.Feed(kUp, "GET /d HTTP/1.1\r\n\r\n", 7);  // a segment often begins with a head
  EXPECT_EQ(stream.Lines(), (Values{"http.uri > /a", "http.uri > /b", "http.uri > /c", "http.uri > /d"}));
  const Values hosts = [&] {
    Values out;
    for (const Observable& o : stream.batch.observables()) {
      if (o.kind == ObservableKind::kHttpHost) out.push_back(std::string(o.text));
    }
    return out;
  }();
  EXPECT_EQ(hosts, (Values{"b", "c"}));
  EXPECT_EQ(stream.parser.counters().heads_cut, 1u);
}

TEST(Http1, ForgetsWhoAnswersWhomAtAGap) {
  Stream stream;
  stream.Feed(kUp, "HEAD /a HTTP/1.1\r\n\r\n");
  stream.Feed(kUp, "GET /b HTTP/1.1\r\n\r\n", 100);
  stream.Feed(kDown,
              "HTTP/1.1 200 x\r\nContent-Length: 40\r\n\r\nHTTP/1.1 500 in the body\r\n\r\n............"
              "HTTP/1.1 404 x\r\n\r\n");
  EXPECT_EQ(stream.Lines(), (Values{"http.uri > /a", "http.uri > /b", "http.status < 200", "http.status < 404"}));
}

}  // namespace
}  // namespace vedette
