#include "sensor/flow/reading.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <random>
#include <string>

namespace vedette {
namespace {

// All bodies of a direction as one text; a gap of 3 bytes as "<3>", an end as "|".
class Bodies final : public ContentConsumers {
 public:
  ContentKinds wanted() const override { return {ContentKind::kHttpResponseBody}; }
  std::unique_ptr<ContentConsumer> Begin(const ContentInfo&, ObservableBatch&) override {
    return std::make_unique<Consumer>(*this);
  }
  std::string text;
  size_t held = 0;

 private:
  class Consumer final : public ContentConsumer {
   public:
    explicit Consumer(Bodies& bodies) : bodies_(bodies) {}
    void OnBytes(Bytes bytes, ObservableBatch&) override { bodies_.text += AsText(bytes); }
    void OnGap(uint64_t bytes, ObservableBatch&) override { bodies_.text += '<' + std::to_string(bytes) + '>'; }
    void OnEnd(ContentEnd, ObservableBatch&) override { bodies_.text += '|'; }
    size_t HeldBytes() const override { return bodies_.held; }

   private:
    Bodies& bodies_;
  };
};

class Stream {
 public:
  explicit Stream(ContentConsumers* consumers) { reader_.UseContent(consumers); }
  void Feed(size_t index, std::string_view bytes, uint32_t gap_bytes = 0) {
    Chunk chunk{.data = AsBytes(bytes),
                .direction = index == 0 ? Direction::kToServer : Direction::kToClient,
                .gap_bytes = gap_bytes,
                .start = start_[index]};
    start_[index] = false;
    reader_.FeedLeading(flow_, reading_, index, chunk, flip_);
  }
  size_t values() const { return batch_.size(); }
  const InspectionCounters& counters() const { return counters_; }
  const Reading& reading() const { return reading_; }

 private:
  ObservableBatch batch_;
  InspectionCounters counters_;
  StreamReader reader_{{.parser_bytes = 1000}, batch_, counters_};
  Flow flow_;
  Reading reading_;
  bool flip_ = false;
  bool start_[2] = {true, true};
};

constexpr std::string_view kRequest = "GET /a HTTP/1.1\r\nHost: a\r\n\r\n";

TEST(Reading, PassesOnTheContentThatAParserSkips) {
  for (uint32_t seed = 0; seed < 30; ++seed) {
    std::mt19937 random(seed);
    Bodies bodies;
    Stream stream(&bodies), without(nullptr);
    std::string answers, right;
    for (int i = 0; i < 4; ++i) {
      const std::string body(1 + random() % 400, static_cast<char>('a' + i));
      answers += "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
      right += body + '|';
      for (Stream* one : {&stream, &without}) one->Feed(0, kRequest);
    }
    for (size_t at = 0; at < answers.size();) {
      const std::string piece = answers.substr(at, 1 + random() % 200);
      for (Stream* one : {&stream, &without}) one->Feed(1, piece);
      EXPECT_EQ(stream.reading().skip[1], without.reading().skip[1]);
      at += piece.size();
    }
    EXPECT_EQ(bodies.text, right) << "seed " << seed;
    EXPECT_EQ(stream.values(), without.values());
  }
}

TEST(Reading, TellsTheGapsInSkippedContent) {
  Bodies bodies;
  Stream stream(&bodies);
  stream.Feed(0, kRequest);
  stream.Feed(1, "HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n0123");
  stream.Feed(1, "789", 3);
  stream.Feed(1, "HTTP/1.1 204 x\r\n\r\n", 10);
  EXPECT_EQ(bodies.text, "0123<3>789<10>|");
}

TEST(Reading, WhatConsumersHoldCountsAgainstTheMemoryOfParsers) {
  Bodies bodies;
  Stream stream(&bodies);
  stream.Feed(0, kRequest);
  stream.Feed(1, "HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n0123");
  EXPECT_FALSE(stream.reading().over);
  bodies.held = 1001;
  stream.Feed(1, "4567");
  EXPECT_TRUE(stream.reading().over);
  EXPECT_EQ(stream.counters().parser_limit_hit, 1u);
}

}  // namespace
}  // namespace vedette
