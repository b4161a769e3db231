// The order of the steps between an alert and its views, and what is left out of a view.
#include "exporter/policy/alert_policy.h"

#include <gtest/gtest.h>

#include "signatures/canary.h"
#include "tests/unit/exporter/handmade_alerts.h"

namespace vedette {
namespace {

constexpr auto kNow = static_cast<int64_t>(kTenOClock);

class AlertPolicyTest : public testing::Test {
 protected:
  AlertPolicyTest() {
    best_ = records_.Add(IndicatorType::kDomain, "bad.example", "t-1", "cert-a");
    other_ = records_.Add(IndicatorType::kDomain, "bad.example", "t-2", "cert-b");
    canary_ = records_.Add(IndicatorType::kDomain, kCanaryDomain, kCanarySource, kCanarySource);
    records_[best_].confidence = uint8_t{90};
    partner_.partner = "a";
    partner_.originators = {"cert-b"};
    partner_.unmarked_sources = {"*"};
    partner_.max_tlp = Tlp::kRed;
  }
  void Open(bool replay = true) {
    IndicatorCatalogue catalogue = records_.Catalogue();
    catalogue.canary = canary_;
    SensorIdentity sensor = TestSensor();
    sensor.replay = replay;
    policy_ = std::make_unique<AlertPolicy>(
        std::move(catalogue),
        AlertPolicy::Parts{.sensor = sensor, .file_name = TestFileName, .canaries = &canaries_, .mutes = &mutes_});
  }
  void Mute(const std::string& id) {
    std::string error;
    MuteRequest request;
    request.indicator = id;
    request.until_ns = kNow + 3'600'000'000'000;
    request.reason = "test";
    const std::optional<vedette::Mute> mute = MakeMute(request, kNow, error);
    ASSERT_TRUE(mute) << error;
    mutes_.Use(std::make_shared<const MuteList>(std::vector<MuteList::Entry>{{*mute, std::make_shared<MuteCounts>()}}));
  }
  // "t-1 t-2": the hits of the view, best first; why there is none, else.
  std::string Shown(Alert alert, Reader reader) {
    const Event* const event = policy_->Decide(alert);
    if (event == nullptr) return "decided away";
    const ViewOutcome outcome = policy_->Show(*event, reader, view_);
    if (outcome != ViewOutcome::kShown) return "outcome " + std::to_string(static_cast<int>(outcome));
    std::string out;
    for (const IndicatorRecord* hit : view_.hits) out += (out.empty() ? "" : " ") + std::string(hit->id);
    return out;
  }
  Alert Query() { return MakeAlert(ObservableKind::kTlsSni, "www.bad.example", {best_, other_}); }
  Reader Partner() { return Reader::Of(7, partner_); }

  RecordList records_;
  uint32_t best_, other_, canary_;
  Clearance partner_;
  CanaryWatch canaries_;
  MuteFilter mutes_;
  std::unique_ptr<AlertPolicy> policy_;
  View view_;
};

TEST_F(AlertPolicyTest, EachReaderIsLedByTheBestHitThatItMaySee) {
  Open();
  EXPECT_EQ(Shown(Query(), Reader::Operator()), "t-1 t-2");
  EXPECT_EQ(Shown(Query(), Partner()), "t-2");
  partner_.originators = {"cert-c"};
  EXPECT_EQ(Shown(Query(), Partner()), "outcome " + std::to_string(static_cast<int>(ViewOutcome::kNotCleared)));
}

TEST_F(AlertPolicyTest, WhatIsMutedIsGoneBeforeAnythingIsChosen) {
  Open();
  Mute("t-1");
  EXPECT_EQ(Shown(Query(), Reader::Operator()), "t-2");
  Mute("t-2");
  EXPECT_EQ(Shown(Query(), Reader::Operator()), "t-1");
  EXPECT_EQ(Shown(Query(), Partner()), "outcome " + std::to_string(static_cast<int>(ViewOutcome::kNotCleared)));
  Alert alert = MakeAlert(ObservableKind::kTlsSni, "www.bad.example", {other_});
  EXPECT_EQ(Shown(alert, Reader::Operator()), "decided away");
}

TEST_F(AlertPolicyTest, ACanaryCannotBeMutedAndGoesToItsListenerAlone) {
  Open();
  Mute(std::string(kCanarySource));
  const Canary canary{.client = Address("192.0.2.1"),
                      .server = Address("192.0.2.53"),
                      .client_port = 4711,
                      .server_port = 53,
                      .name = "a1.canary.vedette.invalid"};
  canaries_.Expect(canary);
  Alert alert = MakeAlert(ObservableKind::kDnsQuery, canary.name, {canary_});
  alert.flow.client = canary.client;
  alert.flow.server = canary.server;
  alert.flow.client_port = canary.client_port;
  alert.flow.server_port = canary.server_port;
  alert.flow.protocol = 17;
  Clearance listener;
  listener.partner = kCanaryView;
  listener.originators = {std::string(kCanarySource)};
  listener.unmarked_sources = {"*"};
  listener.max_tlp = Tlp::kRed;
  const std::string not_taken = "outcome " + std::to_string(static_cast<int>(ViewOutcome::kNotTaken));
  EXPECT_EQ(Shown(alert, Reader::Of(1, listener)), std::string(kCanarySource));
  EXPECT_EQ(Shown(alert, Reader::Operator()), not_taken);
  EXPECT_EQ(Shown(Query(), Reader::Of(1, listener)), not_taken);
}

TEST_F(AlertPolicyTest, APartnerIsNotTwiceToldOfAValue) {
  Open();
  Alert alert = Query();
  alert.indicators = {best_};
  alert.told = {other_};
  partner_.originators = {"*"};
  EXPECT_EQ(Shown(alert, Partner()), "outcome " + std::to_string(static_cast<int>(ViewOutcome::kToldBefore)));
  EXPECT_EQ(Shown(alert, Reader::Operator()), "t-1");
}

TEST_F(AlertPolicyTest, WhatIsTheOperatorsAloneIsInNoPartnersView) {
  Open();
  policy_->NameCaptures([](uint64_t) { return std::string("flow.pcap"); });
  Alert alert = Query();
  const Event* const event = policy_->Decide(alert);
  Reader reader = Reader::Operator(), partner = Partner();
  ASSERT_EQ(policy_->Show(*event, reader, view_), ViewOutcome::kShown);
  EXPECT_EQ(view_.file, "captures/monday.pcap");
  EXPECT_EQ(view_.capture, "flow.pcap");
  EXPECT_EQ(view_.indicators_digest.size(), 64u);
  EXPECT_EQ(view_.generation, 1u);
  ASSERT_EQ(policy_->Show(*event, partner, view_), ViewOutcome::kShown);
  EXPECT_EQ(view_.file, "monday.pcap") << "a folder's name may be a case's name";
  EXPECT_EQ(view_.capture, "");
  EXPECT_EQ(view_.indicators_digest, "");
  EXPECT_EQ(view_.generation, 0u);
  Open(false);
  Shown(Query(), Partner());
  EXPECT_EQ(view_.file, "captures/monday.pcap") << "an interface is named as it is";
}

TEST_F(AlertPolicyTest, EqualViewsShowTheSame) {
  Open();
  Alert alert = Query();
  const Event* const event = policy_->Decide(alert);
  Clearance same = partner_, more = partner_;
  same.partner = "b";
  more.originators.emplace_back("cert-a");
  Reader first = Partner(), second = Reader::Of(8, same), third = Reader::Of(9, more), all = Reader::Operator();
  View a, b, c, d;
  ASSERT_EQ(policy_->Show(*event, first, a), ViewOutcome::kShown);
  ASSERT_EQ(policy_->Show(*event, second, b), ViewOutcome::kShown);
  ASSERT_EQ(policy_->Show(*event, third, c), ViewOutcome::kShown);
  ASSERT_EQ(policy_->Show(*event, all, d), ViewOutcome::kShown);
  EXPECT_TRUE(ShowsTheSame(a, b));
  EXPECT_FALSE(ShowsTheSame(a, c));
  EXPECT_FALSE(ShowsTheSame(c, d)) << "the operator is shown more of the same hits";
}

TEST_F(AlertPolicyTest, AnAlertThatNobodyCanResolveIsCountedOnce) {
  Open();
  policy_->AddGeneration(records_.Catalogue(5));
  policy_->ForgetBefore(5);
  Alert alert = MakeAlert(ObservableKind::kTlsSni, "www.bad.example", {best_, 99});
  EXPECT_EQ(Shown(alert, Reader::Operator()), "t-1");
  EXPECT_EQ(policy_->counters().unresolved, 1u);
}

}  // namespace
}  // namespace vedette
