// The feed as seen by those who do not keep to its rules: strangers, a partner that wants more than its view, a sensor
// that sends nonsense.
#include "exporter/feed/wire_format.h"
#include "tests/end_to_end/feed_fixture.h"

namespace vedette {
namespace {

using FeedRefusal = FeedFixture;

// A sensor gone wrong, or another program with its key.
class FeedOfNonsense : public FeedFixture {
 protected:
  void SetUp() override {
    FeedFixture::SetUp();
    server_ = std::make_unique<RawClient>(ZMQ_XPUB);
    server_->SetInt(ZMQ_CURVE_SERVER, 1);
    server_->SetText(ZMQ_CURVE_SECRETKEY, keys_["server"].secret_key);
    ASSERT_EQ(zmq_bind(server_->socket(), "tcp://127.0.0.1:*"), 0);
    char endpoint[100];
    size_t size = sizeof(endpoint);
    ASSERT_EQ(zmq_getsockopt(server_->socket(), ZMQ_LAST_ENDPOINT, endpoint, &size), 0);
    OpenFeed();
    SubscribeConfig config = As("cert-a");
    config.endpoint = endpoint;
    config.stop_at_end = true;
    subscriber_ = std::make_unique<Subscriber>(config);
    ASSERT_TRUE(PollUntil([&] {
      return server_->Receive() ==
             "\x01"
             "cert-a/";
    }));
  }
  void Send(std::vector<std::string> frames) {
    for (size_t i = 0; i < frames.size(); ++i) {
      zmq_send(server_->socket(), frames[i].data(), frames[i].size(), i + 1 < frames.size() ? ZMQ_SNDMORE : 0);
    }
  }
  void SendAlerts(uint64_t epoch, uint64_t first, uint64_t count) {
    std::string body;
    for (uint64_t i = 0; i < count; ++i) body += Line("cert-a", first + i);
    FeedHeader header;
    header.schema = "vedette-alert/1";
    header.epoch = epoch;
    header.first = first;
    header.count = count;
    Send({"cert-a/", WriteHeader(header), body});
  }
  void SendEvent(FeedEvent event, uint64_t epoch, uint64_t last, uint64_t dropped = 0, const char* loss = "") {
    FeedHeader header;
    header.dropped_alerts = dropped;
    header.loss = loss;
    header.event = event;
    header.epoch = epoch;
    header.last = last;
    Send({"cert-a/", WriteHeader(header), ""});
  }
  const SubscribeSummary& End() {
    const auto until = std::chrono::steady_clock::now() + kLimit;
    while (!subscriber_->done() && std::chrono::steady_clock::now() < until) std::this_thread::sleep_for(1ms);
    EXPECT_TRUE(subscriber_->done());
    return subscriber_->Stop();
  }

  std::unique_ptr<RawClient> server_;
  std::unique_ptr<Subscriber> subscriber_;
};

TEST_F(FeedOfNonsense, MalformedMessagesAreLeftOut) {
  SendAlerts(1, 1, 2);
  Send({"cert-a/"});
  Send({"cert-a/", "{}", ""});
  Send({"cert-a/", "", "", "", "", ""});
  Send({"cert-a/x", "{}", "{}\n"});
  Send({"cert-a/", R"({"event_type":"alerts","feed":1,"schema":"s","epoch":1,"first":3,"count":3})", "{}\n"});
  Send({"cert-a/", std::string(100'000, '['), ""});
  SendAlerts(1, 3, 2);
  SendEvent(FeedEvent::kEnd, 1, 4);
  const SubscribeSummary& summary = End();
  EXPECT_EQ(summary.malformed, 6u);
  EXPECT_EQ(summary.alerts, 4u);
  EXPECT_EQ(summary.missing, 0u);
}

TEST_F(FeedOfNonsense, SkippedAndRepeatedNumbersAreTold) {
  SendAlerts(1, 1, 2);
  SendAlerts(1, 5, 2);                      // 3 and 4 are skipped
  SendAlerts(1, 6, 3);                      // 6 again
  SendAlerts(1, 1, 2);                      // all again
  SendEvent(FeedEvent::kHeartbeat, 1, 10);  // 9 and 10 never came
  SendAlerts(2, 1, 1);
  SendEvent(FeedEvent::kEnd, 2, 1);
  const SubscribeSummary& summary = End();
  EXPECT_EQ(summary.alerts, 7u);
  EXPECT_EQ(summary.duplicates, 3u);
  EXPECT_EQ(summary.missing, 4u);
  EXPECT_EQ(summary.gaps, 2u);
  EXPECT_EQ(summary.epochs, 2u);
  EXPECT_TRUE(subscriber_->Said("gap: alerts 3 to 4 of epoch 1")) << subscriber_->events();
  EXPECT_TRUE(subscriber_->Said("gap: alerts 9 to 10 of epoch 1")) << subscriber_->events();
}

TEST_F(FeedOfNonsense, LossesThatRiseAreSaidAndKept) {
  SendEvent(FeedEvent::kHeartbeat, 1, 0, 0, R"({"dropped":1})");
  SendEvent(FeedEvent::kHeartbeat, 1, 0, 0, R"({"dropped":1})");
  ASSERT_TRUE(PollUntil([&] { return subscriber_->Said("epoch 1 begins"); }));
  EXPECT_FALSE(subscriber_->Said("could not see")) << "as it was when we came";
  SendEvent(FeedEvent::kHeartbeat, 1, 5, 5, R"({"dropped":2})");
  SendEvent(FeedEvent::kHeartbeat, 1, 9, 9, R"({"dropped":3})");
  SendEvent(FeedEvent::kEnd, 2, 4, 4, R"({"dropped":4})");
  const SubscribeSummary& summary = End();
  EXPECT_EQ(summary.dropped_by_sensor, 13u) << "of both epochs";
  EXPECT_EQ(summary.loss, R"({"dropped":4})");
  EXPECT_EQ(summary.missing, 13u);
  EXPECT_TRUE(subscriber_->Said("the sensor has dropped 5 alerts for us")) << subscriber_->events();
  EXPECT_TRUE(subscriber_->Said(R"(could not see everything: {"dropped":2})")) << subscriber_->events();
  EXPECT_FALSE(subscriber_->Said("dropped 9")) << "at a bounded rate: " << subscriber_->events();
  EXPECT_FALSE(subscriber_->Said(R"({"dropped":3})")) << subscriber_->events();
}

TEST_F(FeedOfNonsense, AnEpochWithoutEndIsSaidAndCounted) {
  SendAlerts(1, 1, 3);
  SendEvent(FeedEvent::kHeartbeat, 2, 0);
  SendAlerts(3, 1, 1);
  SendEvent(FeedEvent::kEnd, 3, 1);
  const SubscribeSummary& summary = End();
  EXPECT_EQ(summary.unknown_tails, 2u);
  EXPECT_EQ(summary.missing, 0u);
  EXPECT_TRUE(subscriber_->Said("whether alerts followed its number 3 is not known")) << subscriber_->events();
}

TEST_F(FeedOfNonsense, AMessageThatIsTooLargeIsNotHeld) {
  SendAlerts(1, 1, 1);
  Send({"cert-a/", "{}", std::string(64UL * 1024 * 1024, 'x')});
  // libzmq ends the connection; the subscriber comes back.
  ASSERT_TRUE(PollUntil([&] { return subscriber_->Said("disconnected"); })) << subscriber_->events();
  for (int i = 0; i < 100 && !subscriber_->done(); ++i) {
    server_->ReceiveAll();
    SendEvent(FeedEvent::kEnd, 1, 1);
    std::this_thread::sleep_for(20ms);
  }
  EXPECT_EQ(End().alerts, 1u);
}

}  // namespace
}  // namespace vedette
