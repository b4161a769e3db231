#include "exporter/policy/canary_watch.h"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <thread>

#include "exporter/alert/export_loop.h"
#include "signatures/canary.h"
#include "tests/unit/exporter/handmade_alerts.h"

namespace vedette {
namespace {

class CanaryWatchTest : public testing::Test {
 protected:
  CanaryWatchTest() {
    listed_ = records_.Add(IndicatorType::kDomain, "vedette.invalid", "t-1");
    canary_ = records_.Add(IndicatorType::kDomain, kCanaryDomain, kCanarySource, kCanarySource);
    catalogue_ = records_.Catalogue();
    catalogue_.canary = canary_;
  }
  static Canary Sent(const std::string& name, uint16_t port = 4711) {
    return {.client = Address("192.0.2.1"),
            .server = Address("192.0.2.53"),
            .client_port = port,
            .server_port = 53,
            .name = name};
  }
  Alert QueryFor(const Canary& canary, std::vector<uint32_t> indicators) {
    Alert alert = MakeAlert(ObservableKind::kDnsQuery, canary.name, std::move(indicators));
    alert.flow.client = canary.client;
    alert.flow.server = canary.server;
    alert.flow.client_port = canary.client_port;
    alert.flow.server_port = canary.server_port;
    alert.flow.protocol = 17;
    return alert;
  }

  RecordList records_;
  uint32_t listed_, canary_;
  IndicatorCatalogue catalogue_;
  CanaryWatch watch_;
};

TEST_F(CanaryWatchTest, MarksTheOneThatIsExpected) {
  const Canary canary = Sent("a1.canary.vedette.invalid");
  watch_.Expect(canary);
  EXPECT_FALSE(watch_.Seen());
  // Somebody lists the name's domain: that hit is no business of the canary's view, and no alert either.
  Alert alert = QueryFor(canary, {listed_, canary_});
  EXPECT_TRUE(watch_.Admit(alert, &catalogue_));
  EXPECT_EQ(alert.event, EventKind::kCanary);
  EXPECT_EQ(alert.indicators, std::vector{canary_});
  EXPECT_TRUE(watch_.Seen());
  EXPECT_EQ(watch_.foreign(), 0u);
}

TEST_F(CanaryWatchTest, NothingElseInItsPacketIsAnAlert) {
  const Canary canary = Sent("a1.canary.vedette.invalid");
  watch_.Expect(canary);
  Alert other = QueryFor(canary, {listed_});
  other.value = "somethingelse.vedette.invalid";
  EXPECT_FALSE(watch_.Admit(other, &catalogue_));
  EXPECT_FALSE(watch_.Seen());
}

TEST_F(CanaryWatchTest, ALateOneIsNoAlertAndNoArrival) {
  const Canary late = Sent("a1.canary.vedette.invalid", 1111), next = Sent("a2.canary.vedette.invalid", 2222);
  watch_.Expect(late);
  watch_.Expect(next);
  Alert alert = QueryFor(late, {canary_});
  EXPECT_TRUE(watch_.Admit(alert, &catalogue_));
  EXPECT_EQ(alert.event, EventKind::kCanary);
  EXPECT_FALSE(watch_.Seen());
}

TEST_F(CanaryWatchTest, WhatOthersAskForIsNoCanary) {
  const Canary canary = Sent("a1.canary.vedette.invalid");
  // Not expected; then from another port; then by TCP.
  Alert alert = QueryFor(canary, {canary_});
  EXPECT_FALSE(watch_.Admit(alert, &catalogue_));
  watch_.Expect(canary);
  alert = QueryFor(Sent(canary.name, 4712), {canary_});
  EXPECT_FALSE(watch_.Admit(alert, &catalogue_));
  alert = QueryFor(canary, {listed_, canary_});
  alert.flow.protocol = 6;
  EXPECT_TRUE(watch_.Admit(alert, &catalogue_));  // a listed name that somebody asked for stays an alert
  EXPECT_EQ(alert.event, EventKind::kAlert);
  EXPECT_EQ(alert.indicators, std::vector{listed_});
  EXPECT_EQ(watch_.foreign(), 3u);
  EXPECT_FALSE(watch_.Seen());
}

class CountingSink : public AlertSink {
 public:
  explicit CountingSink(bool canaries) : canaries_(canaries) {}
  bool Accept(const Event& event) override {
    ++(event.kind == EventKind::kCanary ? tests : alerts);
    return true;
  }
  EventKinds takes() const override {
    EventKinds kinds = EventKind::kAlert;
    if (canaries_) kinds.Add(EventKind::kCanary);
    return kinds;
  }
  const std::string& error() const override { return error_; }
  int alerts = 0, tests = 0;

 private:
  const bool canaries_;
  std::string error_;
};

TEST_F(CanaryWatchTest, OnlySinksThatTakeCanariesSeeThem) {
  const Canary canary = Sent("a1.canary.vedette.invalid");
  watch_.Expect(canary);
  Doorbell doorbell;
  AlertQueue queue(doorbell, 16);
  CountingSink file(false), feed(true);
  std::atomic<bool> stop{false};
  AlertPolicy policy(catalogue_, {.canaries = &watch_});
  ExportLoop loop(doorbell, {&queue}, policy, {&file, &feed}, false, stop);
  for (const Alert& alert :
       {QueryFor(canary, {canary_}), MakeAlert(ObservableKind::kTlsSni, "x.vedette.invalid", {listed_}),
        QueryFor(Sent("b.canary.vedette.invalid", 1), {canary_})}) {
    auto queued = std::make_unique<QueuedAlert>();
    queued->alert = alert;
    ASSERT_TRUE(queue.TryPush(queued, std::array{uint64_t{1}}));
  }
  queue.Close();
  const ExportSummary summary = loop.Run();
  EXPECT_EQ(summary.alerts, 1u);
  EXPECT_EQ(file.alerts, 1);
  EXPECT_EQ(file.tests, 0);
  EXPECT_EQ(feed.alerts, 1);
  EXPECT_EQ(feed.tests, 1);
}

}  // namespace
}  // namespace vedette
