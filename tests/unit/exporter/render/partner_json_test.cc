// What a line tells a partner, and which lines it is not sent.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "exporter/policy/partners.h"
#include "tests/unit/exporter/render/alert_json_fixture.h"

namespace vedette {
namespace {

using nlohmann::json;

class PartnerJson : public AlertJson {
 protected:
  PartnerJson() {
    records_.Add(IndicatorType::kIp, "89.160.20.112", "a");
    Add("campus").constituency.prefixes = {{Address("10.1.0.0"), 16}};
    Add("sweden").constituency.countries = {"SE"};
    Add("idle-cert");
    Add("norway").constituency.countries = {"NO"};
  }
  Clearance& Add(std::string name) {
    partners_.emplace_back().partner = std::move(name);
    return partners_.back();
  }
  // What partner number `partner` receives.
  ViewOutcome ViewOf(const Alert& alert, PartnerId partner, bool only_constituency, json& out,
                     const HitFilter& filter = nullptr) {
    Partners partners(&geo_);
    for (const Clearance& clearance : partners_) partners.Add({clearance.partner, "", clearance});
    IndicatorCatalogue catalogue = records_.Catalogue();
    catalogue.audiences = audiences_;
    AlertPolicy policy(
        std::move(catalogue),
        {.sensor = sensor_, .file_name = TestFileName, .geo = &geo_, .partners = with_table_ ? &partners : nullptr});
    Reader reader = Reader::Operator();
    reader.partner = partner;
    reader.permits = filter;
    reader.only_constituency = only_constituency;
    ViewOutcome outcome = ViewOutcome::kNotTaken;
    const std::string line = TextOf(alert, policy, reader, *MakeJsonRenderer(), &outcome);
    EXPECT_EQ(outcome == ViewOutcome::kShown, !line.empty());
    Keep(line);
    out = line.empty() ? json() : json::parse(line);
    for (const Clearance& other : partners_) EXPECT_EQ(line.find(other.partner), std::string::npos) << line;
    return outcome;
  }

  std::vector<Audience> audiences_;
  std::vector<Clearance> partners_;
  bool with_table_ = true;
};

TEST_F(PartnerJson, NamesTheSetToTheOperatorOnly) {
  json line;
  const Alert alert = MakeAlert(ObservableKind::kIp, "89.160.20.112", {0});
  ASSERT_EQ(ViewOf(alert, 0, false, line), ViewOutcome::kShown);
  EXPECT_EQ(line["sensor"], (json{{"name", "sensor-1"}, {"version", "0.1.0"}}));
  EXPECT_EQ(line["host"], "sensor-1");
  EXPECT_EQ(Parsed(alert)["sensor"].size(), 4u);
}

// Parsers emit fingerprints where some indicator looks for them: whether others have such is none of its business.
TEST_F(PartnerJson, ContextIsWhatItsOwnIndicatorsLookFor) {
  Alert alert = MakeAlert(ObservableKind::kTlsSni, "c2.bad.example", {1, 2});
  alert.message = {{ObservableKind::kTlsSni, "c2.bad.example"},
                   {ObservableKind::kTlsJa3, "e7d705a3286e19ea42f587b344ee6865"},
                   {ObservableKind::kTlsJa4, "t13d1516h2_8daaf6152771_b0da82dd1658"},
                   {ObservableKind::kTlsVersion, "TLS 1.3"},
                   {ObservableKind::kTlsSubject, "CN=bad.example"},
                   {ObservableKind::kTlsCertSha1, "da39a3ee5e6b4b0d3255bfef95601890afd80709"}};
  records_.Add(IndicatorType::kRegex, "bad", "b");
  records_.Add(IndicatorType::kDomain, "bad.example", "c", "cert-b");
  audiences_ = {{1, ObservableMask{ObservableKind::kTlsSni, ObservableKind::kTlsJa4}, 1},
                {2, ObservableMask{ObservableKind::kTlsSni, ObservableKind::kTlsCertName}, 2}};
  json line;
  const auto own = [](const IndicatorRecord& record) { return record.originator == "cert-a"; };
  ASSERT_EQ(ViewOf(alert, 0, false, line, own), ViewOutcome::kShown);
  EXPECT_EQ(line["tls"],
            (json{{"sni", "c2.bad.example"}, {"version", "TLS 1.3"}, {"ja4", "t13d1516h2_8daaf6152771_b0da82dd1658"}}));
  ASSERT_EQ(ViewOf(alert, 0, false, line), ViewOutcome::kShown);
  EXPECT_EQ(line["tls"]["subject"], "CN=bad.example") << "names in certificates bring it";
  EXPECT_FALSE(line["tls"].contains("ja3"));
  EXPECT_EQ(Parsed(alert)["tls"].size(), 6u) << "the operator sees all";
}

TEST_F(PartnerJson, APartnerIsToldOfItsOwnConstituencyOnly) {
  const Alert alert = MakeAlert(ObservableKind::kIp, "89.160.20.112", {0});  // 10.1.2.3 talks to it
  for (const bool only : {false, true}) {
    json line;
    ASSERT_EQ(ViewOf(alert, 0, only, line), ViewOutcome::kShown);
    EXPECT_EQ(line["constituency"], (json{{"side", "affected"}, {"rule", "prefix"}, {"matched", "10.1.0.0/16"}}));
    EXPECT_FALSE(line.contains("responsible"));
    ASSERT_EQ(ViewOf(alert, 1, only, line), ViewOutcome::kShown);
    EXPECT_EQ(line["constituency"], (json{{"side", "suspect"}, {"rule", "country"}, {"matched", "SE"}}));
  }
}

TEST_F(PartnerJson, TheOperatorSeesAllWhoAreResponsible) {
  const Alert alert = MakeAlert(ObservableKind::kIp, "89.160.20.112", {0});
  Partners partners(&geo_);
  for (const Clearance& clearance : partners_) partners.Add({clearance.partner, "", clearance});
  AlertPolicy policy(records_.Catalogue(),
                     {.sensor = sensor_, .file_name = TestFileName, .geo = &geo_, .partners = &partners});
  const std::string line = LineOf(alert, policy);
  ASSERT_FALSE(line.empty());
  Keep(line);
  const json parsed = json::parse(line);
  EXPECT_FALSE(parsed.contains("constituency"));
  EXPECT_EQ(parsed["responsible"],
            json::parse(R"([{"partner":"campus","side":"affected","rule":"prefix","matched":"10.1.0.0/16"},
                            {"partner":"sweden","side":"suspect","rule":"country","matched":"SE"}])"));
}

TEST_F(PartnerJson, WhatIsNotItsOwnIsWithheldByScopeAlone) {
  const Alert alert = MakeAlert(ObservableKind::kIp, "89.160.20.112", {0});
  json line;
  EXPECT_EQ(ViewOf(alert, 3, true, line), ViewOutcome::kOutsideConstituency);
  EXPECT_EQ(ViewOf(alert, 2, true, line), ViewOutcome::kOutsideConstituency);
  ASSERT_EQ(ViewOf(alert, 3, false, line), ViewOutcome::kShown);
  EXPECT_FALSE(line.contains("constituency"));
  EXPECT_EQ(ViewOf(alert, 3, true, line, [](const IndicatorRecord&) { return false; }), ViewOutcome::kNotCleared)
      << "what it may not know is not counted against its scope";
}

TEST_F(PartnerJson, GoesByRolesNotByDirection) {
  Alert alert = MakeAlert(ObservableKind::kIp, "89.160.20.112", {0});
  std::swap(alert.flow.client, alert.flow.server);
  alert.direction = Direction::kToClient;
  json line;
  ASSERT_EQ(ViewOf(alert, 0, true, line), ViewOutcome::kShown);
  EXPECT_EQ(line["constituency"]["side"], "affected");
  // Software of the client says nothing of the server: Sweden's server is no suspect.
  records_.Add(IndicatorType::kJa3, "0123456789abcdef0123456789abcdef", "b");
  alert = MakeAlert(ObservableKind::kTlsJa3, "0123456789abcdef0123456789abcdef", {1});
  EXPECT_EQ(ViewOf(alert, 0, true, line), ViewOutcome::kShown);
  EXPECT_EQ(ViewOf(alert, 1, true, line), ViewOutcome::kOutsideConstituency);
}

TEST_F(PartnerJson, AListedAddressInAnAnswerIsTheSuspect) {
  records_.Add(IndicatorType::kIp, "2a02:cf40::9", "b");
  Alert alert = MakeAlert(ObservableKind::kDnsAnswer, "2a02:cf40::9", {1});
  alert.direction = Direction::kToClient;
  json line;
  ASSERT_EQ(ViewOf(alert, 3, true, line), ViewOutcome::kShown);
  EXPECT_EQ(line["constituency"], (json{{"side", "suspect"}, {"rule", "country"}, {"matched", "NO"}}));
  EXPECT_EQ(ViewOf(alert, 1, true, line), ViewOutcome::kOutsideConstituency) << "its resolver is neither";
}

TEST_F(PartnerJson, NobodyAffectedOrSuspectGoesToNoConstituency) {
  records_.Add(IndicatorType::kDomain, "bad.example", "b");
  const Alert alert = MakeAlert(ObservableKind::kDnsQuery, "bad.example", {1});
  sensor_.resolvers = {alert.flow.client};
  json line;
  EXPECT_EQ(ViewOf(alert, 0, true, line), ViewOutcome::kNoRole);
  EXPECT_EQ(ViewOf(alert, 0, false, line), ViewOutcome::kShown);
}

TEST_F(PartnerJson, UndecidedIsWithheldAndTold) {
  records_.Add(IndicatorType::kIp, "6.6.6.6", "b");
  Alert alert = MakeAlert(ObservableKind::kIp, "6.6.6.6", {1});
  alert.flow.server = Address("6.6.6.6");
  json line;
  EXPECT_EQ(ViewOf(alert, 1, true, line), ViewOutcome::kUndecided);
  EXPECT_EQ(ViewOf(alert, 0, true, line), ViewOutcome::kShown);
}

TEST_F(PartnerJson, WithoutATableScopeWithholds) {
  with_table_ = false;
  const Alert alert = MakeAlert(ObservableKind::kIp, "89.160.20.112", {0});
  json line;
  EXPECT_EQ(ViewOf(alert, 0, true, line), ViewOutcome::kOutsideConstituency);
  EXPECT_EQ(ViewOf(alert, 0, false, line), ViewOutcome::kShown);
}

}  // namespace
}  // namespace vedette
