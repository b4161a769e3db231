#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "parsers/http/http1.h"
#include "tests/unit/parsers/stream_feeding.h"

namespace vedette {
namespace {

using testing::Turn;
using Values = std::vector<std::string>;

constexpr Direction kUp = Direction::kToServer, kDown = Direction::kToClient;

// What came of one body: "response text/html|gzip|name|5 hello complete"; a gap of 3 bytes as "<3>".
class Recorder final : public ContentConsumer {
 public:
  Recorder(std::vector<std::string>& bodies, const ContentInfo& info) : bodies_(bodies), slot_(bodies.size()) {
    const bool request = info.kind == ContentKind::kHttpRequestBody;
    bodies_.push_back((request ? "request " : "response ") + std::string(info.type) + '|' + std::string(info.encoding) +
                      '|' + std::string(info.name) + '|' +
                      (info.declared_bytes ? std::to_string(*info.declared_bytes) : "") + ' ');
  }
  void OnBytes(Bytes bytes, ObservableBatch&) override { bodies_[slot_] += AsText(bytes); }
  void OnGap(uint64_t bytes, ObservableBatch&) override { bodies_[slot_] += '<' + std::to_string(bytes) + '>'; }
  void OnEnd(ContentEnd end, ObservableBatch&) override {
    bodies_[slot_] += end == ContentEnd::kComplete ? " complete" : end == ContentEnd::kCut ? " cut" : " absent";
  }
  size_t HeldBytes() const override { return 0; }

 private:
  std::vector<std::string>& bodies_;
  size_t slot_;
};

class Recorders final : public ContentConsumers {
 public:
  ContentKinds wanted() const override { return {ContentKind::kHttpRequestBody, ContentKind::kHttpResponseBody}; }
  std::unique_ptr<ContentConsumer> Begin(const ContentInfo& info, ObservableBatch&) override {
    return std::make_unique<Recorder>(bodies, info);
  }
  std::vector<std::string> bodies;
};

// A conversation with what may be missing of it.
struct Piece {
  Direction direction;
  std::string bytes;
  uint32_t gap_bytes = 0;
};

struct Seen {
  Values bodies, values;
};

// Feeds as the stream layer does: what is skipped goes to PassContent.
Seen Feed(const std::vector<Piece>& pieces, const std::function<size_t()>& cut, bool wanted = true, bool end = true) {
  Recorders recorders;
  testing::ParserBatch batch;
  if (wanted) batch.output.UseConsumers(&recorders);
  Http1Parser parser;
  uint64_t skip[2] = {0, 0};
  bool start[2] = {true, true};
  const auto feed = [&](Direction direction, Bytes data, uint32_t gap_bytes, bool last) {
    const auto d = static_cast<size_t>(direction);
    const uint64_t missing = std::min<uint64_t>(skip[d], gap_bytes);
    const uint64_t passed = gap_bytes == missing ? std::min<uint64_t>(skip[d] - missing, data.size()) : 0;
    if (skip[d] != Outcome::kSkipAll) skip[d] -= missing + passed;
    if (missing + passed != 0) parser.PassContent(direction, missing, data.first(passed), batch);
    data = data.subspan(passed);
    gap_bytes -= static_cast<uint32_t>(missing);
    if (data.empty() && gap_bytes == 0 && !last) return;
    const Outcome outcome = parser.Feed(
        {.data = data, .direction = direction, .gap_bytes = gap_bytes, .start = start[d] && passed == 0, .end = last},
        batch);
    start[d] = false;
    if (outcome.progress == Progress::kSkip) skip[d] = outcome.skip_bytes;
  };
  for (const Piece& piece : pieces) {
    size_t at = 0;
    do {
      const std::string part = piece.bytes.substr(at, std::max<size_t>(cut(), 1));
      const std::vector<uint8_t> exact(part.begin(), part.end());
      feed(piece.direction, exact, at == 0 ? piece.gap_bytes : 0, false);
      at += part.size();
    } while (at < piece.bytes.size());
  }
  if (end) {
    feed(kUp, {}, 0, true);
    feed(kDown, {}, 0, true);
  }
  Seen seen{recorders.bodies, {}};
  for (const Observable& o : batch.observables()) seen.values.push_back(testing::Describe(o));
  return seen;
}

// The same bodies in every cut, and the same values whether anybody wants bodies or not.
Values BodiesOf(const std::vector<Piece>& pieces) {
  const auto whole = [] { return SIZE_MAX; };
  const Seen seen = Feed(pieces, whole);
  EXPECT_EQ(seen.values, Feed(pieces, whole, false).values);
  EXPECT_EQ(seen.bodies, Feed(pieces, [] { return size_t{1}; }).bodies) << "byte by byte";
  for (uint32_t seed = 0; seed < 40; ++seed) {
    std::mt19937 random(seed);
    const Seen cut = Feed(pieces, [&] { return size_t{1} + random() % (1 + seed * 5); });
    EXPECT_EQ(seen.bodies, cut.bodies) << "seed " << seed;
    EXPECT_EQ(seen.values, cut.values) << "seed " << seed;
  }
  return seen.bodies;
}

std::string Chunked(const std::vector<std::string>& chunks) {
  char size[20];
  std::string out;
  for (const std::string& chunk : chunks) {
    snprintf(size, sizeof size, "%zx\r\n", chunk.size());
    out += size + chunk + "\r\n";
  }
  return out + "0\r\n\r\n";
}

const std::string kGet = "GET /a HTTP/1.1\r\nHost: h\r\n\r\n";
const std::string kText = "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=x\r\n";

TEST(HttpContent, TellsWhatIsKnownBeforeTheFirstByte) {
  EXPECT_EQ(BodiesOf({{kUp,
                       "POST /up HTTP/1.1\r\nHost: h\r\nContent-TYPE: application/zip\r\nContent-Length: 5\r\n"
                       "Content-Disposition: attachment; FileName=\"a b.zip\"; size=5\r\n\r\nhello"},
                      {kDown, kText + "Content-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc"}}),
            (Values{"request application/zip||a b.zip|5 hello complete",
                    "response text/html; charset=x|gzip||3 abc complete"}));
}

TEST(HttpContent, PutsChunksTogether) {
  EXPECT_EQ(BodiesOf({{kUp, kGet},
                      {kDown, kText + "Transfer-Encoding: chunked\r\n\r\n" +
                                  Chunked({"first ", std::string(300, 'x'), "\r\n0\r\n\r\n", "last"})}}),
            Values{"response text/html; charset=x||| first " + std::string(300, 'x') + "\r\n0\r\n\r\nlast complete"});
}

TEST(HttpContent, KeepsPipelinedBodiesApart) {
  const std::string post = "POST /p HTTP/1.1\r\nHost: h\r\nContent-Length: ";
  const std::string answer = "HTTP/1.1 200 OK\r\nContent-Length: ";
  EXPECT_EQ(BodiesOf({{kUp, post + "3\r\n\r\none" + post + "0\r\n\r\n" + kGet + post + "5\r\n\r\nthree"},
                      {kDown, answer + "1\r\n\r\n1HTTP/1.1 204 x\r\n\r\n" + answer + "2\r\n\r\n22" + answer +
                                  "4\r\n\r\n4444"}}),
            (Values{"request |||3 one complete", "request |||5 three complete", "response |||1 1 complete",
                    "response |||2 22 complete", "response |||4 4444 complete"}));
}

TEST(HttpContent, UntilTheConnectionCloses) {
  EXPECT_EQ(BodiesOf({{kUp, kGet}, {kDown, kText + "\r\nall that follows\r\nHTTP/1.1 200 OK\r\n\r\n"}}),
            Values{"response text/html; charset=x||| all that follows\r\nHTTP/1.1 200 OK\r\n\r\n complete"});
}

TEST(HttpContent, GapsWithinABodyAreTold) {
  const std::string head = kText + "Content-Length: 20\r\n\r\n";
  EXPECT_EQ(
      BodiesOf({{kUp, kGet}, {kDown, head + "01234"}, {kDown, "89", 3}, {kDown, "abcdefghijHTTP/1.1 204 x\r\n\r\n"}}),
      Values{"response text/html; charset=x|||20 01234<3>89abcdefghij complete"});
  // One that reaches beyond the end.
  EXPECT_EQ(BodiesOf({{kUp, kGet}, {kDown, head + "01234"}, {kDown, "HTTP/1.1 204 x\r\n\r\n", 40}}),
            Values{"response text/html; charset=x|||20 01234<15> complete"});
  // One that takes a chunk's size: where the body ends is not known.
  EXPECT_EQ(BodiesOf({{kUp, kGet},
                      {kDown, kText + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n5"},
                      {kDown, "lo\r\n0\r\n\r\n", 5}}),
            Values{"response text/html; charset=x||| hello cut"});
}

TEST(HttpContent, WhatTheStreamEndsInIsCut) {
  EXPECT_EQ(BodiesOf({{kUp, "PUT /a HTTP/1.1\r\nContent-Length: 9\r\n\r\nabc"},
                      {kDown, kText + "Transfer-Encoding: chunked\r\n\r\n5\r\nhel"}}),
            (Values{"request |||9 abc cut", "response text/html; charset=x||| hel cut"}));
  EXPECT_EQ(BodiesOf({{kUp, kGet}, {kDown, kText + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nzz\r\n"}}),
            Values{"response text/html; charset=x||| hello cut"});
}

TEST(HttpContent, ABodyThatWasNotSentIsAbsent) {
  EXPECT_EQ(BodiesOf({{kUp, "POST /a HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 50\r\n\r\n" + kGet}}),
            Values{"request |||50  absent"});
  const std::string line = std::string(5000, 'L');
  for (const std::string& body : {std::string("GETAWAY not a request line\r\nand more"), "P" + line, std::string("P"),
                                  std::string("POSTED"), "P" + std::string(4095, 'x'), "P" + std::string(4096, 'x')}) {
    const std::string length = std::to_string(body.size());
    EXPECT_EQ(BodiesOf({{kUp, "POST /a HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: " + length + "\r\n\r\n" +
                                  body + kGet}}),
              Values{"request |||" + length + " " + body + " complete"});
  }
}

TEST(HttpContent, RandomConversationsGiveWhatWasSent) {
  for (uint32_t seed = 0; seed < 30; ++seed) {
    std::mt19937 random(seed);
    std::string up, down;
    Values sent;
    for (int i = 0; i < 6; ++i) {
      std::vector<std::string> chunks;
      std::string body;
      for (size_t n = random() % 4 + 1; n > 0; --n) {
        chunks.emplace_back();
        for (size_t length = random() % 40 + 1; length > 0; --length) chunks.back() += static_cast<char>(random());
        body += chunks.back();
      }
      up += kGet;
      const bool chunked = random() % 2 == 0;
      const std::string length = std::to_string(body.size());
      down += chunked ? "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + Chunked(chunks)
                      : "HTTP/1.1 200 OK\r\nContent-Length: " + length + "\r\n\r\n" + body;
      sent.push_back("response |||" + (chunked ? "" : length) + " " + body + " complete");
    }
    EXPECT_EQ(BodiesOf({{kUp, up}, {kDown, down}}), sent) << "seed " << seed;
  }
}

TEST(HttpContent, HeldBytesOfAConsumerCount) {
  class Holder final : public ContentConsumer {
   public:
    void OnBytes(Bytes, ObservableBatch&) override {}
    void OnGap(uint64_t, ObservableBatch&) override {}
    void OnEnd(ContentEnd, ObservableBatch&) override {}
    size_t HeldBytes() const override { return 1000; }
  };
  class Holders final : public ContentConsumers {
   public:
    ContentKinds wanted() const override { return {ContentKind::kHttpResponseBody}; }
    std::unique_ptr<ContentConsumer> Begin(const ContentInfo&, ObservableBatch&) override {
      return std::make_unique<Holder>();
    }
  } holders;
  testing::ParserBatch batch;
  batch.output.UseConsumers(&holders);
  Http1Parser parser;
  const std::string request = "POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nabc", answer = kText + "\r\nabc";
  parser.Feed({.data = AsBytes(request), .direction = kUp, .start = true}, batch);
  EXPECT_EQ(parser.HeldBytes(), 0u) << "nobody wants requests";
  parser.Feed({.data = AsBytes(answer), .direction = kDown, .start = true}, batch);
  EXPECT_EQ(parser.HeldBytes(), 1000u);
  parser.Feed({.data = {}, .direction = kDown, .end = true}, batch);
  EXPECT_EQ(parser.HeldBytes(), 0u);
}

}  // namespace
}  // namespace vedette
