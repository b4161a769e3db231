// What a flow alerts on once, what it is given another chance for, and what is counted.
#include "sensor/pipeline/match_consumer.h"

#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <optional>
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

// Two sharers list names; what one of them has too much of costs the other nothing.
class MatchConsumerAudiencesTest : public testing::Test {
 protected:
  static constexpr size_t kRoom = 3;
  static constexpr MatchLimits kLimits = {.alerts_per_flow = 4, .remembered = 6};

  static Indicator Row(const std::string& originator, const std::string& name) {
    Indicator row = MakeIndicator(IndicatorType::kDomain, name, originator + ' ' + name);
    row.originator = originator;
    return row;
  }
  void Use(const std::vector<Indicator>& rows) {
    sets_.push_back(std::make_unique<TestSet>(rows));
    kits_.push_back(MatchKit::Make(sets_.back()->set, sets_.size(), ObservableMask::All()));
    consumer_->Use(*kits_.back());
  }
  void Live(bool wait_when_full) { consumer_.emplace(queue_, wait_when_full, 0, kLimits); }
  // What becomes of it: "ids|ids told before"; "" for no alert.
  std::string Show(const std::string& name, uint64_t flow = 7, bool take = true) {
    batch_.AddText(ObservableKind::kDnsQuery, Direction::kToServer, name);
    contexts_[0].flow.id = flow;
    ++contexts_[0].packet;
    const size_t depth = queue_.depth();
    consumer_->OnBurst(batch_, contexts_, {});
    batch_.Clear();
    if (queue_.depth() == depth) return {};
    return take ? Take() : "queued";
  }
  std::string Take() {
    const std::unique_ptr<QueuedAlert> queued = queue_.Pop();
    const IndicatorSet& set = *sets_[queued->alert.generation - 1]->set;
    std::string out;
    for (const uint32_t index : queued->alert.indicators) out += std::string(set.at(index).originator) + ' ';
    out += '|';
    for (const uint32_t index : queued->alert.told) out += ' ' + std::string(set.at(index).originator);
    return out;
  }
  AlertCounters counters() const { return consumer_->alert_counters(); }

  std::vector<std::unique_ptr<TestSet>> sets_;
  std::vector<std::unique_ptr<MatchKit>> kits_;
  Doorbell doorbell_;
  AlertQueue queue_{doorbell_, kRoom};
  std::optional<MatchConsumer> consumer_;
  ObservableBatch batch_;
  std::array<EmissionContext, 1> contexts_;
};

TEST_F(MatchConsumerAudiencesTest, AFlowsLimitCountsByAudience) {
  Live(true);
  Use({Row("a", "a.example"), Row("b", "b.example"), Row("a", "both.example"), Row("b", "both.example")});
  for (int i = 0; i < 6; ++i) EXPECT_EQ(Show(std::to_string(i) + ".b.example"), i < 4 ? "b |" : "");
  EXPECT_EQ(counters().dropped_flow_limit, 2u);
  EXPECT_EQ(Show("1.both.example"), "a |") << "b has heard of as many values as it may";
  EXPECT_EQ(counters().dropped_flow_limit, 3u);
  EXPECT_EQ(counters().hits_flow_limit, 3u);
  for (int i = 0; i < 4; ++i) EXPECT_EQ(Show(std::to_string(i) + ".a.example"), i < 3 ? "a |" : "");
  EXPECT_EQ(Show("1.both.example"), "") << "a has heard of it, b may not";
  EXPECT_EQ(counters().repeated, 0u);
  EXPECT_EQ(Show("1.b.example"), "");
  EXPECT_EQ(counters().repeated, 1u);
}

// A reload brings a row of another audience for a value that the flow showed: for that audience it is new.
TEST_F(MatchConsumerAudiencesTest, WhoIsNewToAValueHearsOfRunningFlows) {
  Live(true);
  Use({Row("a", "evil.example")});
  EXPECT_EQ(Show("evil.example"), "a |");
  EXPECT_EQ(Show("evil.example"), "");
  Use({Row("b", "other.example"), Row("b", "evil.example"), Row("a", "evil.example"), Row("a", "x.example")});
  EXPECT_EQ(Show("evil.example"), "b | a");
  EXPECT_EQ(Show("evil.example"), "");
  EXPECT_EQ(counters().repeated, 2u);
  EXPECT_EQ(counters().alerts, 2u);
}

TEST_F(MatchConsumerAudiencesTest, AFullQueueShedsFromWhoFillsIt) {
  Live(false);
  Use({Row("a", "a.example"), Row("b", "b.example"), Row("a", "both.example"), Row("b", "both.example")});
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(Show("b.example", 100 + static_cast<uint64_t>(i), false), i < 3 ? "queued" : "");
  }
  EXPECT_EQ(counters().dropped_queue_full, 2u);
  EXPECT_EQ(Show("both.example", 7, false), "queued");
  EXPECT_EQ(counters().dropped_queue_full, 3u);
  EXPECT_EQ(counters().hits_queue_full, 3u);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(Take(), "b |");
  EXPECT_EQ(Take(), "a |");
  EXPECT_EQ(Show("both.example"), "b | a") << "what was dropped has another chance";
}

TEST_F(MatchConsumerAudiencesTest, WhatIsRememberedCountsByAudience) {
  Live(true);
  Use({Row("a", "a.example"), Row("b", "b.example")});
  for (uint64_t flow = 1; flow <= 8; ++flow) EXPECT_EQ(Show("b.example", flow), "b |");
  EXPECT_EQ(counters().unremembered, 2u);
  EXPECT_EQ(Show("b.example", 8), "b |") << "beyond what is remembered";
  EXPECT_EQ(Show("b.example", 6), "");
  for (int i = 0; i < 2; ++i) EXPECT_EQ(Show("a.example", 8), i == 0 ? "a |" : "");
  EXPECT_EQ(counters().unremembered, 3u);
}

// An address that is both ends' shows twice; a row that looks at one end only is no less for the other audience's.
TEST_F(MatchConsumerAudiencesTest, TheSecondEndOfTheSameAddressIsNewToWhoLooksThere) {
  Live(true);
  Indicator any = MakeIndicator(IndicatorType::kIp, "20.1.2.3", "any"), server = any;
  any.originator = "a";
  server.originator = "b";
  server.direction = IndicatorDirection::kDst;
  Use({any, server});
  const IpAddress address = *IpAddress::Parse("20.1.2.3");
  batch_.AddAddress(ObservableKind::kIp, Direction::kToServer, address);
  batch_.AddAddress(ObservableKind::kIp, Direction::kToClient, address);
  consumer_->OnBurst(batch_, contexts_, {});
  ASSERT_EQ(queue_.depth(), 2u);
  EXPECT_EQ(Take(), "a |");
  EXPECT_EQ(Take(), "b | a");
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
