// What a flow alerts on once, what it is given another chance for, and what is counted.
#include "sensor/pipeline/match_consumer.h"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

#include "sensor/pipeline/match_kit.h"
#include "tests/unit/signatures/sets.h"

namespace vedette {
namespace {

class MatchConsumerTest : public testing::Test {
 protected:
  static constexpr size_t kCapacity = 2;

  MatchConsumerTest() {
    consumer_.Use(*kit_);
    contexts_[0].flow.id = 7;
  }
  void Show(const std::string& name) {
    batch_.AddText(ObservableKind::kDnsQuery, Direction::kToServer, name);
    ++contexts_[0].packet;
    consumer_.OnBurst(batch_, contexts_, ended_);
    batch_.Clear();
  }
  AlertCounters counters() const { return consumer_.alert_counters(); }

  TestSet names_{{MakeIndicator(IndicatorType::kDomain, "one.example"),
                  MakeIndicator(IndicatorType::kDomain, "two.example"),
                  MakeIndicator(IndicatorType::kDomain, "three.example")}};
  std::unique_ptr<MatchKit> kit_ = MatchKit::Make(names_.set, 1, ObservableMask::All());
  Doorbell doorbell_;
  AlertQueue queue_{doorbell_, kCapacity};
  MatchConsumer consumer_{queue_, false};
  ObservableBatch batch_;
  std::array<EmissionContext, 1> contexts_;
  std::vector<EndedFlow> ended_;
};

TEST_F(MatchConsumerTest, AValueIsToldOnceAFlow) {
  for (int i = 0; i < 3; ++i) Show("one.example");
  EXPECT_EQ(counters().alerts, 1u);
  EXPECT_EQ(counters().repeated, 2u);
  EXPECT_EQ(queue_.depth(), 1u);
  contexts_[0].flow.id = 8;
  Show("one.example");
  EXPECT_EQ(counters().alerts, 2u);
  EXPECT_EQ(counters().flows, 2u);
}

TEST_F(MatchConsumerTest, WhatWasDroppedIsToldWhenItComesAgain) {
  Show("one.example");
  Show("two.example");
  Show("three.example");
  EXPECT_EQ(counters().dropped_queue_full, 1u);
  queue_.Pop();
  Show("three.example");
  EXPECT_EQ(counters().alerts, 3u);
  EXPECT_EQ(counters().repeated, 0u);
  queue_.Pop();
  Show("three.example");
  EXPECT_EQ(counters().alerts, 3u);
  EXPECT_EQ(counters().repeated, 1u);
}

// Roles and geolocation go by it.
TEST_F(MatchConsumerTest, AnAddressWrittenAsTextIsAnAddress) {
  const TestSet addresses({MakeIndicator(IndicatorType::kIp, "20.1.2.3"),
                           MakeIndicator(IndicatorType::kCidr, "2400:1::/32"),
                           MakeIndicator(IndicatorType::kDomain, "one.example")});
  const std::unique_ptr<MatchKit> kit = MatchKit::Make(addresses.set, 1, ObservableMask::All());
  consumer_.Use(*kit);
  const auto address_in = [&](ObservableKind kind, const std::string& text) {
    batch_.AddText(kind, Direction::kToServer, text);
    consumer_.OnBurst(batch_, contexts_, ended_);
    batch_.Clear();
    const std::unique_ptr<QueuedAlert> queued = queue_.Pop();
    EXPECT_EQ(queued->alert.value, text);
    return queued->alert.address.version() == 0 ? "" : queued->alert.address.ToString();
  };
  EXPECT_EQ(address_in(ObservableKind::kHttpXff, "20.1.2.3"), "20.1.2.3");
  EXPECT_EQ(address_in(ObservableKind::kHttpXff, "2400:1::7"), "2400:1::7");
  EXPECT_EQ(address_in(ObservableKind::kHttpHost, "20.1.2.3"), "20.1.2.3");
  EXPECT_EQ(address_in(ObservableKind::kHttpHost, "one.example"), "");
}

// What others' indicators make the parsers emit takes no room from what is always emitted.
TEST_F(MatchConsumerTest, WantedKindsDoNotCrowdOutTheOthers) {
  for (size_t i = 0; i < 2 * MatchConsumer::kMaxMessageValues; ++i)
    batch_.AddText(ObservableKind::kTlsCertName, Direction::kToServer, "n" + std::to_string(i) + ".example");
  batch_.AddText(ObservableKind::kTlsSni, Direction::kToServer, "one.example");
  batch_.AddText(ObservableKind::kTlsVersion, Direction::kToServer, "TLS 1.2");
  consumer_.OnBurst(batch_, contexts_, ended_);
  const std::vector<ContextValue> message = queue_.Pop()->alert.message;
  EXPECT_EQ(message.size(), MatchConsumer::kMaxMessageValues + 2);
  EXPECT_EQ(message.back().value, "TLS 1.2");
}

TEST_F(MatchConsumerTest, WhatIsRememberedGoesWithTheFlow) {
  EXPECT_EQ(counters().remembered_bytes, 0u);
  Show("one.example");
  Show("two.example");
  EXPECT_GT(counters().remembered_bytes, 0u);
  ended_.push_back({.id = 7});
  consumer_.OnBurst(batch_, contexts_, ended_);
  EXPECT_EQ(counters().remembered_bytes, 0u);
}

}  // namespace
}  // namespace vedette
