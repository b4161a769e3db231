#include "exporter/policy/mutes/mute_list.h"

#include <gtest/gtest.h>

#include "tests/unit/exporter/handmade_alerts.h"

namespace vedette {
namespace {

constexpr auto kNow = static_cast<int64_t>(kTenOClock);
constexpr int64_t kHour = int64_t{3'600} * 1'000'000'000;

class MuteFilterTest : public testing::Test {
 protected:
  MuteFilterTest() {
    first_ = records_.Add(IndicatorType::kDomain, "bad.example", "t-1", "cert-a");
    second_ = records_.Add(IndicatorType::kDomain, "bad.example", "t-2", "cert-b");
    address_ = records_.Add(IndicatorType::kIp, "81.2.69.142", "t-3", "cert-a");
    catalogue_ = records_.Catalogue();
  }
  std::shared_ptr<MuteCounts> Use(MuteRequest request) {
    std::string error;
    if (request.reason.empty()) request.reason = "test";
    if (request.until_ns == 0) request.until_ns = kNow + kHour;
    const std::optional<Mute> mute = MakeMute(request, kNow, error);
    EXPECT_TRUE(mute) << error;
    auto counts = std::make_shared<MuteCounts>();
    if (mute) filter_.Use(std::make_shared<const MuteList>(std::vector<MuteList::Entry>{{*mute, counts}}));
    return counts;
  }
  // What is left of an alert about the name.
  std::vector<uint32_t> Left() {
    Alert alert = MakeAlert(ObservableKind::kTlsSni, "www.bad.example", {first_, second_});
    const bool told = filter_.Admit(alert, &catalogue_);
    EXPECT_EQ(told, !alert.indicators.empty());
    return alert.indicators;
  }
  bool Told(const Alert& alert) {
    Alert copy = alert;
    return filter_.Admit(copy, &catalogue_);
  }

  RecordList records_;
  uint32_t first_, second_, address_;
  IndicatorCatalogue catalogue_;
  MuteFilter filter_;
};

TEST_F(MuteFilterTest, WithoutMutesEverythingIsTold) {
  EXPECT_EQ(Left(), (std::vector{first_, second_}));
  filter_.Use(std::make_shared<const MuteList>(std::vector<MuteList::Entry>()));
  EXPECT_EQ(Left(), (std::vector{first_, second_}));
}

TEST_F(MuteFilterTest, HidesOneHitAndLeavesTheOther) {
  const auto counts = Use({.indicator = "t-1"});
  EXPECT_EQ(Left(), std::vector{second_});
  EXPECT_EQ(counts->hits, 1u);
  EXPECT_EQ(counts->alerts, 0u);
}

TEST_F(MuteFilterTest, WithoutAHitLeftThereIsNoAlert) {
  const auto counts = Use({.indicator = {}, .value = "bad.example"});
  EXPECT_TRUE(Left().empty());
  EXPECT_EQ(counts->hits, 2u);
  EXPECT_EQ(counts->alerts, 1u);
  EXPECT_EQ(counts->last_ns, static_cast<int64_t>(kTenOClock + 123'456'789));
}

TEST_F(MuteFilterTest, TakesAValueInAnyFormThatAFileMayHave) {
  Use({.indicator = {}, .value = "BAD[.]example."});
  EXPECT_TRUE(Left().empty());
  Use({.indicator = {}, .value = "other.example"});
  EXPECT_EQ(Left().size(), 2u);
}

TEST_F(MuteFilterTest, OnlyThatSources) {
  Use({.indicator = {}, .value = "bad.example", .source = "cert-b"});
  EXPECT_EQ(Left(), std::vector{first_});
  Use({.indicator = "t-1", .value = {}, .source = "cert-b"});
  EXPECT_EQ(Left().size(), 2u);
}

TEST_F(MuteFilterTest, ANetworkHoldsAnyOfTheAlertsAddresses) {
  Alert alert = MakeAlert(ObservableKind::kDnsAnswer, "81.2.69.142", {address_});
  for (const char* network : {"10.1.2.3", "10.0.0.0/8", "89.160.0.0/16", "81.2.69.0/24"}) {
    Use({.indicator = "t-3", .value = {}, .source = {}, .network = network});
    EXPECT_FALSE(Told(alert)) << network;
  }
  for (const char* network : {"10.1.2.4", "192.168.0.0/16", "::/0"}) {
    Use({.indicator = "t-3", .value = {}, .source = {}, .network = network});
    EXPECT_TRUE(Told(alert)) << network;
  }
}

TEST_F(MuteFilterTest, EndsByThePacketsTime) {
  MuteRequest request{.indicator = "t-3"};
  Alert alert = MakeAlert(ObservableKind::kDnsAnswer, "81.2.69.142", {address_});
  request.until_ns = static_cast<int64_t>(alert.time_ns) + 1;
  Use(request);
  EXPECT_FALSE(Told(alert));
  request.until_ns = static_cast<int64_t>(alert.time_ns);
  Use(request);
  EXPECT_TRUE(Told(alert));
}

TEST_F(MuteFilterTest, KnowsEachGenerationsIndexes) {
  MuteFilter filter;
  RecordList other;
  other.Add(IndicatorType::kDomain, "new.example", "n-1");
  AlertPolicy policy(records_.Catalogue(1), {.mutes = &filter});
  policy.AddGeneration(other.Catalogue(2));
  std::string error;
  const Mute mute = *MakeMute({.indicator = "n-1", .reason = "test", .until_ns = kNow + kHour}, kNow, error);
  filter.Use(std::make_shared<const MuteList>(std::vector<MuteList::Entry>{{mute, std::make_shared<MuteCounts>()}}));
  Alert alert = MakeAlert(ObservableKind::kTlsSni, "new.example", {0});
  alert.generation = 1;
  EXPECT_NE(policy.Decide(alert), nullptr);
  alert.generation = 2;
  EXPECT_EQ(policy.Decide(alert), nullptr);
}

}  // namespace
}  // namespace vedette
