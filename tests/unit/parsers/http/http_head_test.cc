#include "parsers/http/http_head.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace vedette {
namespace {

constexpr std::string_view kRequestLines[] = {
    "GET / HTTP/1.1\r\n", "GET / HTTP/1.0\n",   "POST /a b HTTP/1.1\r\n",      "GET  /  HTTP/1.1\r\n",
    "get / http/1.1\r\n", "FOO * HTTP/1.1\n",   "CONNECT a:443 HTTP/1.1\r\n",  "GET http://a/ HTTP/1.1\r\n",
    "GET /x\r\n",         "OPTIONS HTTP/1.1\n", "PROPFIND /\xff HTTP/1.1\r\n", "GET\t/\tHTTP/1.1\r\n",
};
constexpr std::string_view kStatusLines[] = {"HTTP/1.1 200 OK\r\n", "HTTP/1.0 404\n", "http/1.1  301 x\r\n",
                                             "ICY 200 OK\r\n"};
constexpr std::string_view kOtherLines[] = {
    "\r\n",
    "GET\r\n",
    " GET / HTTP/1.1\r\n",
    "HELO x\r\n",
    "GET rtsp://a/ RTSP/1.0\r\n",
    "INVITE sip:a SIP/2.0\r\n",
    "OPTIONS sip:a SIP/2.0\r\n",
    "SSH-2.0-OpenSSH_9.2\r\n",
    "\x16\x03\x01\n",
    "HTTP/1.1 2000\r\n",
    "HTTP/1.1 2x0\r\n",
    "HTTP/ 200\r\n",
    "key: value\r\n",
    "foo /bar\r\n",
    "USER anonymous\r\n",
    "<html>\n",
};

TEST(RequestLine, SplitsAtTheFirstSpaceAndTheVersion) {
  const auto target = [](std::string_view line) {
    RequestLine request;
    return ParseRequestLine(line, request) ? std::string(request.target) : "none";
  };
  EXPECT_EQ(target("GET /a?b HTTP/1.1\r\n"), "/a?b");
  EXPECT_EQ(target("GET /a b HTTP/1.1\r\n"), "/a b");
  EXPECT_EQ(target("GET /a HTTP/1.1 HTTP/1.1\r\n"), "/a HTTP/1.1");
  EXPECT_EQ(target("GET  /a  HTTP/1.1 \n"), "/a");
  EXPECT_EQ(target("GET  HTTP/1.1\n"), "");
  EXPECT_EQ(target("GET HTTP/1.1\n"), "HTTP/1.1");
  EXPECT_EQ(target("GET /HTTP/1.1\n"), "/HTTP/1.1");
  EXPECT_EQ(target("GET /a b\n"), "/a");
  EXPECT_EQ(target("NONSENSE /a\n"), "none");
  EXPECT_EQ(target("GET / RTSP/1.0\n"), "none");
  EXPECT_EQ(target("GET /a HTTP/1.1>\n"), "/a");
  EXPECT_EQ(target("see /a HTTP/1.1\n"), "none");
  EXPECT_EQ(target(std::string(40, 'A') + " / HTTP/1.1\n"), "none");
}

TEST(RequestLine, KnowsTheHttp2Preface) {
  RequestLine request;
  ASSERT_TRUE(ParseRequestLine("PRI * HTTP/2.0\r\n", request));
  EXPECT_TRUE(request.is_http2_preface);
  ASSERT_TRUE(ParseRequestLine("GET * HTTP/2.0\r\n", request));
  EXPECT_FALSE(request.is_http2_preface);
}

TEST(StatusLine, HasThreeDigits) {
  StatusLine status;
  ASSERT_TRUE(ParseStatusLine("HTTP/1.1 404 Not Found\r\n", status));
  EXPECT_EQ(status.status, 404);
  EXPECT_EQ(status.status_text, "404");
  EXPECT_EQ(status.reason, "Not Found");
  ASSERT_TRUE(ParseStatusLine("HTTP/1.0 200\n", status));
  EXPECT_EQ(status.reason, "");
}

TEST(ProbeHead, NeverRefusesWhatAParserTakes) {
  std::vector<std::string_view> lines(std::begin(kRequestLines), std::end(kRequestLines));
  lines.insert(lines.end(), std::begin(kStatusLines), std::end(kStatusLines));
  for (std::string_view line : lines) {
    RequestLine request;
    StatusLine status;
    EXPECT_TRUE(ParseRequestLine(line, request) || ParseStatusLine(line, status)) << line;
    for (size_t length = 0; length <= line.size(); ++length) {
      EXPECT_NE(ProbeHead(line.substr(0, length)), Probe::kNo) << line.substr(0, length);
    }
  }
}

TEST(UnmistakableHead, IsNeverWiderThanTheParsers) {
  for (std::string_view line : kOtherLines) {
    RequestLine request;
    StatusLine status;
    EXPECT_FALSE(ParseRequestLine(line, request)) << line;
    EXPECT_FALSE(ParseStatusLine(line, status)) << line;
    EXPECT_FALSE(IsUnmistakableHead(line)) << line;
  }
  EXPECT_TRUE(IsUnmistakableHead("GET /x HTTP/1.1\r\n"));
  EXPECT_TRUE(IsUnmistakableHead("HTTP/1.1 200 OK\r\n"));
  EXPECT_TRUE(IsUnmistakableHead("CUSTOM-1 /x HTTP/1.0\n"));
  EXPECT_FALSE(IsUnmistakableHead("GET /x\r\n"));
  EXPECT_FALSE(IsUnmistakableHead("GET x HTTP/1.1\r\n"));
  EXPECT_FALSE(IsUnmistakableHead("This is HTTP/1.1\r\n"));
  EXPECT_FALSE(IsUnmistakableHead("THE NEW HTTP/1.1\r\n"));
}

TEST(IdentifyHttp1, JudgesByTheFirstLine) {
  for (std::string_view line : kRequestLines) EXPECT_EQ(IdentifyHttp1(line), Probe::kYes) << line;
  for (std::string_view line : kOtherLines) {
    EXPECT_EQ(IdentifyHttp1(line), line == "\r\n" ? Probe::kNeedMore : Probe::kNo) << line;
  }
  EXPECT_EQ(IdentifyHttp1("HTTP/1.1 200 OK\r\n"), Probe::kYes);
  EXPECT_EQ(IdentifyHttp1("ICY 200 OK\r\n"), Probe::kNo);
  EXPECT_EQ(IdentifyHttp1("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), Probe::kNo);
  EXPECT_EQ(IdentifyHttp1("\r\nGET / HTTP/1.1\r\n"), Probe::kYes);
  EXPECT_EQ(IdentifyHttp1("SEARCH /x\r\n"), Probe::kNo);
}

TEST(IdentifyHttp1, WaitsForALineAndThenDecides) {
  for (std::string_view line : kRequestLines) {
    for (size_t length = 0; length + 1 < line.size(); ++length) {
      EXPECT_EQ(IdentifyHttp1(line.substr(0, length)), Probe::kNeedMore) << line.substr(0, length);
    }
  }
  EXPECT_EQ(IdentifyHttp1("\x16\x03"), Probe::kNo);
  EXPECT_EQ(IdentifyHttp1("220 mail.example ESMTP"), Probe::kNeedMore);
  EXPECT_EQ(IdentifyHttp1("220 mail.example ESMTP\r\n"), Probe::kNo);
  const std::string path(kIdentifyBytes, 'x');
  EXPECT_EQ(IdentifyHttp1("GET /" + path), Probe::kYes);
  EXPECT_EQ(IdentifyHttp1(("\r\n\r\nGET /" + path).substr(0, kIdentifyBytes)), Probe::kYes);
  EXPECT_EQ(IdentifyHttp1(std::string(9, '\n')), Probe::kNo);
  EXPECT_EQ(IdentifyHttp1("GET " + path), Probe::kNo);
  EXPECT_EQ(IdentifyHttp1("FOO /" + path), Probe::kNo);
  // The answer at kIdentifyBytes is final, so that it does not depend on how the bytes came.
  EXPECT_EQ(IdentifyHttp1("GET /" + path + " RTSP/1.0\r\n"), Probe::kYes);
}

TEST(FindHeadEnd, TakesEitherLineEnding) {
  const auto end = [](std::string_view text) { return FindHeadEnd(text, 0).complete ? FindHeadEnd(text, 0).end : 0; };
  EXPECT_EQ(end("a\r\n\r\nb"), 5u);
  EXPECT_EQ(end("a\n\nb"), 3u);
  EXPECT_EQ(end("a\r\n\nb"), 4u);
  EXPECT_EQ(end("a\n\r\nb"), 4u);
  EXPECT_EQ(end("\n"), 1u);
  EXPECT_EQ(end("a\r\n\r"), 0u);
  EXPECT_EQ(end("a\r\n \r\n"), 0u);
  EXPECT_EQ(FindHeadEnd("ab\ncd\nef", 0).line_start, 6u);
}

std::vector<std::string> Fields(std::string_view lines, bool complete) {
  HeaderReader reader(lines, complete);
  std::vector<std::string> out;
  HeaderField field;
  std::string_view value;
  while (reader.Next(field, value)) {
    std::string unfolded(value.size(), '\0');
    unfolded.resize(Unfold(value, unfolded.data()));
    out.push_back(std::to_string(static_cast<int>(field)) + unfolded);
  }
  return out;
}

TEST(HeaderReader, FindsTheFieldsItKnows) {
  EXPECT_EQ(Fields("HOST: a \r\nX: y\r\nuser-agent:b\r\nno colon\r\nHosts: n\r\nHost : c\n\r\n", true),
            (std::vector<std::string>{"0a", "1b", "0c"}));
  EXPECT_EQ(Fields("Content-Length: 5\r\nTransfer-Encoding: gzip\r\nX-Forwarded-For: x\r\n\r\n", true),
            (std::vector<std::string>{"35", "4gzip", "2x"}));
  EXPECT_EQ(Fields(" Host: a\r\n\r\n", true), std::vector<std::string>{});
}

TEST(HeaderReader, JoinsFoldedLines) {
  EXPECT_EQ(Fields("User-Agent: a\r\n  b\n\tc  d \r\nHost: e\r\n\r\n", true),
            (std::vector<std::string>{"1a b c  d", "0e"}));
  EXPECT_EQ(Fields("User-Agent:\r\n a\r\n\r\n", true), (std::vector<std::string>{"1a"}));
  EXPECT_EQ(Fields("X: a\r\n Host: b\r\n\r\n", true), std::vector<std::string>{});
}

TEST(HeaderReader, GivesOnlyFinishedFieldsOfACutHead) {
  EXPECT_EQ(Fields("Host: a\r\nUser-Agent: b\r\n", false), (std::vector<std::string>{"0a"}));
  EXPECT_EQ(Fields("Host: a\r\nUser-Agent: b\r\nX", false), (std::vector<std::string>{"0a", "1b"}));
  EXPECT_EQ(Fields("Host: a\r\n ", false), std::vector<std::string>{});
  EXPECT_EQ(Fields("Host: a", false), std::vector<std::string>{});
}

TEST(Framing, ReadsLengthsAsListsOfOneNumber) {
  const auto read = [](std::initializer_list<std::string_view> values) {
    Framing framing;
    for (std::string_view value : values) framing.AddContentLength(value);
    return framing;
  };
  EXPECT_EQ(read({"5"}).content_length, 5u);
  EXPECT_FALSE(read({"5", "5, 5"}).contradictory);
  EXPECT_TRUE(read({"5", "6"}).contradictory);
  EXPECT_EQ(read({"6", "5"}).content_length, 5u);
  EXPECT_EQ(read({"00000000000000000000000007"}).content_length, 7u);
  for (std::string_view bad : {"", "+5", "-5", "0x5", "5;6", "5 6", "9999999999999999999999"}) {
    EXPECT_TRUE(read({bad}).contradictory) << bad;
  }
}

TEST(Framing, TakesTheLastCoding) {
  const auto chunked = [](std::string_view value) {
    Framing framing;
    framing.AddTransferEncoding(value);
    return framing.chunked;
  };
  EXPECT_TRUE(chunked("chunked"));
  EXPECT_TRUE(chunked("gzip, Chunked"));
  EXPECT_FALSE(chunked("chunked, gzip"));
  EXPECT_FALSE(chunked("xchunked"));
  EXPECT_FALSE(chunked(""));
}

TEST(ChunkSize, IsHexWithExtensions) {
  const auto size = [](std::string_view line) {
    uint64_t out = 0;
    return ParseChunkSize(line, out) ? static_cast<int64_t>(out) : -1;
  };
  EXPECT_EQ(size("1a\r\n"), 26);
  EXPECT_EQ(size("0000000000000000000000010;name=value\r\n"), 16);
  EXPECT_EQ(size(" A \n"), 10);
  EXPECT_EQ(size("\r\n"), -1);
  EXPECT_EQ(size("xyz\r\n"), -1);
  EXPECT_EQ(size("5x\r\n"), -1);
  EXPECT_EQ(size("10000000000000000\r\n"), -1);
  EXPECT_EQ(size("fffffffffffffff\r\n"), 0xfffffffffffffff);
}

}  // namespace
}  // namespace vedette
