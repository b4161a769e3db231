#include "exporter/feed/wire_format.h"

#include <gtest/gtest.h>

#include "exporter/feed/publisher.h"
#include "exporter/render/renderer.h"

namespace vedette {
namespace {

const std::string kTopic = TopicOf("cert-a");

FeedHeader Alerts(uint64_t first, uint64_t count) {
  FeedHeader header;
  header.event = FeedEvent::kAlerts;
  header.schema = "vedette-alert/1";
  header.epoch = 1'795'428'000'000'000;
  header.first = first;
  header.count = count;
  return header;
}

WireError Read(std::string_view topic, std::string_view header, std::string_view body) {
  FeedHeader read;
  std::vector<std::string_view> lines;
  return ReadMessage({topic, header, body}, kTopic, read, lines);
}
WireError ReadHeader(std::string_view header, std::string_view body = "{}\n") { return Read(kTopic, header, body); }

TEST(WireFormat, ViewNames) {
  EXPECT_TRUE(IsViewName("cert-a"));
  EXPECT_TRUE(IsViewName("0"));
  EXPECT_TRUE(IsViewName(std::string(64, 'x')));
  EXPECT_FALSE(IsViewName(""));
  EXPECT_FALSE(IsViewName(std::string(65, 'x')));
  for (const char* name : {"A", "a b", "a/", "a/b", "a.b", "a_b", "ü", "a\n"}) EXPECT_FALSE(IsViewName(name)) << name;
}

TEST(WireFormat, NoTopicIsAPrefixOfAnother) {
  const std::vector<std::string> names = {"a", "ab", "a-b", "abc", "0", "00", "-"};
  for (const std::string& one : names) {
    for (const std::string& other : names) {
      EXPECT_EQ(TopicOf(one).starts_with(TopicOf(other)), one == other) << one << " " << other;
    }
  }
}

TEST(WireFormat, AlertsComeBackAsWritten) {
  FeedHeader header;
  std::vector<std::string_view> lines;
  const std::string text = WriteHeader(Alerts(7, 2));
  EXPECT_EQ(
      text,
      R"({"event_type":"alerts","feed":1,"schema":"vedette-alert/1","epoch":1795428000000000,"first":7,"count":2})");
  const std::string body = "{\"a\":1}\n{\"b\":2}\n";
  ASSERT_EQ(ReadMessage({kTopic, text, body}, kTopic, header, lines), WireError::kNone);
  EXPECT_EQ(header.event, FeedEvent::kAlerts);
  EXPECT_EQ(header.schema, "vedette-alert/1");
  EXPECT_EQ(header.epoch, 1'795'428'000'000'000u);
  EXPECT_EQ(header.first, 7u);
  EXPECT_EQ(header.count, 2u);
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[0], "{\"a\":1}\n");
  EXPECT_EQ(lines[1], "{\"b\":2}\n");
}

TEST(WireFormat, EventsComeBackAsWritten) {
  for (const FeedEvent event : {FeedEvent::kHeartbeat, FeedEvent::kEnd}) {
    FeedHeader sent = Alerts(0, 0);
    sent.event = event;
    sent.last = 41;
    sent.interval_ms = 10'000;
    sent.dropped_alerts = 3;
    sent.time = "2026-11-23T10:00:00.000Z";
    sent.loss = R"({"ring_full":2})";
    FeedHeader header;
    std::vector<std::string_view> lines;
    ASSERT_EQ(ReadMessage({kTopic, WriteHeader(sent), ""}, kTopic, header, lines), WireError::kNone);
    EXPECT_EQ(header.event, event);
    EXPECT_EQ(header.last, 41u);
    EXPECT_EQ(header.interval_ms, 10'000u);
    EXPECT_EQ(header.dropped_alerts, 3u);
    EXPECT_EQ(header.time, sent.time);
    EXPECT_EQ(header.loss, sent.loss);
    EXPECT_EQ(ReadMessage({kTopic, WriteHeader(sent), "{}\n"}, kTopic, header, lines), WireError::kBodyOfEvent);
  }
}

TEST(WireFormat, LaterEventsArePassedOver) {
  EXPECT_EQ(ReadHeader(R"({"event_type":"retraction","feed":1,"schema":"s","epoch":1})"), WireError::kNone);
}

TEST(WireFormat, RefusesFramesThatAreNotTheFeeds) {
  FeedHeader header;
  std::vector<std::string_view> lines;
  const std::string good = WriteHeader(Alerts(1, 1));
  EXPECT_EQ(ReadMessage({}, kTopic, header, lines), WireError::kFrameCount);
  EXPECT_EQ(ReadMessage({kTopic, good}, kTopic, header, lines), WireError::kFrameCount);
  EXPECT_EQ(ReadMessage({kTopic, good, "{}\n", ""}, kTopic, header, lines), WireError::kFrameCount);
  EXPECT_EQ(Read("cert-b/", good, "{}\n"), WireError::kTopic);
  EXPECT_EQ(Read("cert-a", good, "{}\n"), WireError::kTopic);
  EXPECT_EQ(Read("cert-a/x", good, "{}\n"), WireError::kTopic);
  EXPECT_EQ(Read(kTopic, good, "{}\n"), WireError::kNone);
}

TEST(WireFormat, RefusesBadHeaders) {
  const auto with = [](const std::string& rest) {
    return R"({"event_type":"alerts","feed":1,"schema":"s")" + rest + "}";
  };
  EXPECT_EQ(ReadHeader(""), WireError::kHeaderNotJson);
  EXPECT_EQ(ReadHeader("[]"), WireError::kHeaderNotJson);
  EXPECT_EQ(ReadHeader("{\"a\":"), WireError::kHeaderNotJson);
  EXPECT_EQ(ReadHeader("\xff"), WireError::kHeaderNotJson);
  EXPECT_EQ(ReadHeader(std::string(kMaxHeaderBytes + 1, ' ')), WireError::kHeaderTooLarge);
  EXPECT_EQ(ReadHeader(with(",\"x\":" + std::string(4000, '[') + std::string(4000, ']'))), WireError::kHeaderNotJson);
  EXPECT_EQ(ReadHeader("{}"), WireError::kHeaderField);
  EXPECT_EQ(ReadHeader(R"({"event_type":"alerts","feed":2,"schema":"s","epoch":1,"first":1,"count":1})"),
            WireError::kVersion);
  EXPECT_EQ(ReadHeader(with(R"(,"epoch":1,"first":1,"count":1)")), WireError::kNone);
  for (const char* rest :
       {R"(,"epoch":0,"first":1,"count":1)", R"(,"epoch":-1,"first":1,"count":1)",
        R"(,"epoch":1.5,"first":1,"count":1)", R"(,"epoch":"1","first":1,"count":1)",
        R"(,"epoch":1,"first":0,"count":1)", R"(,"epoch":1,"first":1,"count":0)",
        R"(,"epoch":1,"first":1,"count":4097)", R"(,"epoch":1,"first":9007199254740991,"count":1)",
        R"(,"epoch":18446744073709551615,"first":1,"count":1)", R"(,"epoch":1,"first":1)", R"(,"epoch":1,"count":1)"}) {
    EXPECT_EQ(ReadHeader(with(rest)), WireError::kHeaderField) << rest;
  }
  const auto heartbeat = [](const std::string& rest) {
    return ReadHeader(R"({"event_type":"heartbeat","feed":1,"schema":"s","epoch":1)" + rest + "}", "");
  };
  EXPECT_EQ(heartbeat(R"(,"last":0)"), WireError::kNone);
  EXPECT_EQ(heartbeat(""), WireError::kHeaderField);
  EXPECT_EQ(heartbeat(R"(,"last":9007199254740991)"), WireError::kHeaderField);
  EXPECT_EQ(heartbeat(R"(,"last":0,"loss":[])"), WireError::kHeaderField);
  EXPECT_EQ(heartbeat(R"(,"last":0,"time":1)"), WireError::kHeaderField);
  EXPECT_EQ(heartbeat(R"(,"last":0,"interval_ms":"x")"), WireError::kHeaderField);
}

TEST(WireFormat, RefusesBadBodies) {
  const std::string header = WriteHeader(Alerts(1, 2));
  EXPECT_EQ(ReadHeader(header, "{}\n{}\n"), WireError::kNone);
  EXPECT_EQ(ReadHeader(header, ""), WireError::kLineCount);
  EXPECT_EQ(ReadHeader(header, "{}\n"), WireError::kLineCount);
  EXPECT_EQ(ReadHeader(header, "{}\n{}"), WireError::kLineCount);
  EXPECT_EQ(ReadHeader(header, "{}\n{}\n{}\n"), WireError::kLineCount);
  EXPECT_EQ(ReadHeader(header, "{}\n\n"), WireError::kLine);
  EXPECT_EQ(ReadHeader(header, "{}\n[]\n"), WireError::kLine);
  EXPECT_EQ(ReadHeader(header, std::string("{}\n{\0}\n", 7)), WireError::kLine);
  EXPECT_EQ(ReadHeader(header, "{}\n{\x1b[2J}\n"), WireError::kLine) << "a terminal would obey it";
  EXPECT_EQ(ReadHeader(header, "{}\n{" + std::string(kMaxLineBytes, ' ') + "}\n"), WireError::kLine);
  EXPECT_EQ(ReadHeader(header, std::string(kMaxBodyBytes + 1, 'x')), WireError::kBodyTooLarge);
}

TEST(WireFormat, LossCountersAreAnObject) {
  EXPECT_TRUE(IsLossObject("{}"));
  EXPECT_TRUE(IsLossObject(R"({"ring_full":1,"capture":{"dropped":2}})"));
  EXPECT_FALSE(IsLossObject(""));
  EXPECT_FALSE(IsLossObject("3"));
  EXPECT_FALSE(IsLossObject("{\n}"));
  EXPECT_FALSE(IsLossObject("{\"a\":\"" + std::string(kMaxLossBytes, 'x') + "\"}"));
  std::string deep = "1";
  for (int i = 0; i < 20; ++i) deep.insert(0, "{\"a\":").append("}");
  EXPECT_FALSE(IsLossObject(deep));
}

TEST(WireFormat, WhateverALossObjectIsCanBeRead) {
  // Deepest that is accepted.
  std::string loss = "{}";
  for (std::string deeper = loss; IsLossObject(deeper); deeper.insert(0, "{\"a\":").append("}")) loss = deeper;
  FeedHeader sent = Alerts(0, 0);
  sent.event = FeedEvent::kHeartbeat;
  sent.loss = loss;
  EXPECT_EQ(ReadHeader(WriteHeader(sent), ""), WireError::kNone);
}

TEST(WireFormat, SchemaIsThatOfTheRenderer) { EXPECT_EQ(FeedConfig().schema, kAlertSchema); }

}  // namespace
}  // namespace vedette
