// A made-up clock and made-up figures.
#include "sensor/live/alarm_rules.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "exporter/feed/feed_counters.h"
#include "exporter/geo/geo.h"
#include "exporter/metrics/families.h"
#include "exporter/output/file_sink.h"
#include "exporter/policy/partner.h"
#include "sensor/capture/live/interface_record.h"
#include "sensor/keep/keep_counters.h"
#include "sensor/live/alarms.h"
#include "sensor/pipeline/queue_figures.h"
#include "sensor/pipeline/totals_figures.h"

namespace vedette {
namespace {

using std::chrono::hours, std::chrono::seconds;

constexpr int64_t kUnix = 1'795'428'000;

class AlarmRulesTest : public testing::Test {
 protected:
  AlarmRulesTest() { Begin({}); }
  void Begin(const AlarmsConfig& config, const std::vector<Alarm>& carried = {}) {
    passed_ = seconds(0);
    rules_.emplace(config, Now(), carried);
  }
  AlarmRules::Now Now() const {
    return {std::chrono::steady_clock::time_point(hours(1)) + passed_, kUnix + passed_.count()};
  }

  Figures All() const {
    Figures figures;
    figures.Add(families::kPacketsReceived, packets);
    figures.Add(families::kPacketsDropped, "kernel", dropped_by_kernel);
    figures.Add(families::kPacketsDropped, "interface", dropped_by_interface);
    figures.Add(families::kAlerts, alerts);
    figures.Add(families::kAlertsDropped, "queue_full", alerts_dropped);
    figures.Add(families::kAlertsDropped, "output_failed", output_lost);
    figures.Add(families::kFeedAlerts, "alpha", feed_alerts);
    figures.Add(families::kFeedDropped, "alpha", feed_dropped);
    figures.Add(families::kTcpFlowsJudged, "both_ways", both_ways);
    figures.Add(families::kTcpFlowsJudged, "one_way", one_way);
    figures.Add(families::kReloadFailing, reload_failing);
    figures.Add(families::kOutputFailing, output_failing);
    figures.Add(families::kKeepFailing, keep_failing);
    figures.Add(families::kGeoReloadFailing, geo_failing);
    figures.Add(families::kIndicatorNewest, newest_file);
    figures.Add(families::kCanaries, "sent", canaries_sent);
    figures.Add(families::kCanaries, "arrived", canaries_arrived);
    figures.Add(families::kCanaries, "missed", canaries_missed);
    figures.Add(families::kReloads, "succeeded", reloads);
    figures.Add(families::kReloads, "failed", reloads_failed);
    figures.Add(families::kCanaryFailing, canary_failing);
    AppendInterfaceLosses(losses, interfaces_with_losses, figures);
    for (size_t i = 0; i < queues.size(); ++i) {
      figures.Add(families::kQueueReceived, std::to_string(i), queues[i].first);
      figures.Add(families::kQueueCpu, std::to_string(i), queues[i].second);
    }
    for (const auto& [name, state] : interfaces) {
      figures.Add(families::kInterfaceUp, name, IsSeen(state) ? 1 : 0);
      figures.Add(families::kInterfaceState, name, static_cast<double>(state));
    }
    for (const auto& [name, up] : helpers) figures.Add(families::kHelperUp, name, up);
    for (const auto& [name, silent] : partners) figures.Add(families::kFeedSilent, name, silent);
    for (const auto& [name, silent] : partners) figures.Add(families::kFeedSuspended, name, name == suspended ? 1 : 0);
    return figures;
  }
  // One second later: "+name" and "-name" of what changed.
  std::string Second() {
    passed_ += seconds(1);
    std::string out;
    for (const AlarmChange& change : rules_->Evaluate(All(), Now())) {
      out += (out.empty() ? "" : " ") + std::string(change.raised ? "+" : "-") + change.alarm.name;
      last_ = change.alarm;
    }
    return out;
  }
  std::string Seconds(int count, const std::function<void()>& each = {}) {
    std::string out;
    for (int i = 0; i < count; ++i) {
      if (each) each();
      const std::string one = Second();
      if (!one.empty()) out += (out.empty() ? "" : " ") + std::to_string(i + 1) + ":" + one;
    }
    return out;
  }
  void Traffic() { packets += 1000; }
  std::function<void()> WithTraffic(const std::function<void()>& more = {}) {
    return [this, more] {
      Traffic();
      if (more) more();
    };
  }

  double packets = 0, dropped_by_kernel = 0, dropped_by_interface = 0, alerts = 0, alerts_dropped = 0;
  double both_ways = 0, one_way = 0, reloads = 0, reloads_failed = 0, newest_file = static_cast<double>(kUnix);
  double canaries_sent = 0, canaries_arrived = 0, canaries_missed = 0;
  double output_lost = 0, feed_alerts = 0, feed_dropped = 0;
  double output_failing = 0, keep_failing = 0, reload_failing = 0, geo_failing = 0, canary_failing = 0;
  std::vector<std::string> interfaces_with_losses;
  LossCounters losses;
  std::vector<std::pair<double, double>> queues;  // packets, CPU seconds
  std::vector<std::pair<std::string, double>> partners;
  std::vector<std::pair<std::string, InterfaceState>> interfaces;
  std::vector<std::pair<std::string, double>> helpers;
  std::string suspended;
  Alarm last_;
  std::optional<AlarmRules> rules_;
  seconds passed_{0};
};

TEST_F(AlarmRulesTest, AHealthySensorRaisesNone) {
  partners = {{"alpha", 0}};
  EXPECT_EQ(Seconds(1000, WithTraffic([this] { ++both_ways, ++alerts; })), "");
  EXPECT_TRUE(rules_->Active().empty());
}

TEST_F(AlarmRulesTest, NoPacketsForAMinute) {
  EXPECT_EQ(Seconds(10, WithTraffic()), "");
  EXPECT_EQ(Seconds(70), "60:+no_packets");
  ASSERT_EQ(rules_->Active().size(), 1u);
  EXPECT_TRUE(rules_->Active()[0].critical);
  EXPECT_EQ(rules_->Active()[0].since, kUnix + 70);
  EXPECT_NE(last_.text.find("1m"), std::string::npos) << last_.text;
  // Cleared only when packets came for a minute without another pause.
  EXPECT_EQ(Seconds(100, WithTraffic()), "61:-no_packets");
}

TEST_F(AlarmRulesTest, NoPacketFromTheStart) { EXPECT_EQ(Seconds(61), "60:+no_packets"); }

TEST_F(AlarmRulesTest, APacketNowAndThenDoesNotFlap) {
  int second = 0;
  const std::string all = Seconds(1000, [&] {
    if (++second % 61 == 0) ++packets;
  });
  EXPECT_EQ(all, "60:+no_packets");
}

TEST_F(AlarmRulesTest, ItsOwnCanariesAreNoTraffic) {
  int second = 0;
  // Counted as sent one second before the worker publishes it.
  const std::string all = Seconds(200, [&] {
    ++second;
    if (second % 20 == 0) ++canaries_sent;
    if (second % 20 == 1 && second > 1) ++packets, ++canaries_arrived;
  });
  EXPECT_EQ(all, "60:+no_packets");
}

TEST_F(AlarmRulesTest, ACanaryThatWasNeverCountedHidesNoPacketLater) {
  ++canaries_sent;
  EXPECT_EQ(Seconds(59), "");
  ++packets;
  EXPECT_EQ(Seconds(59), "");
}

TEST_F(AlarmRulesTest, ABusyQueueWithFarMoreThanItsShare) {
  queues.resize(4);
  const auto spread = [&](double first, double others, double cpu_seconds) {
    return WithTraffic([this, first, others, cpu_seconds] {
      for (size_t i = 0; i < queues.size(); ++i) {
        queues[i].first += i == 0 ? first : others;
        queues[i].second += i == 0 ? cpu_seconds : 0.01;
      }
    });
  };
  EXPECT_EQ(Seconds(120, spread(1000, 1000, 0.9)), "");
  EXPECT_EQ(Seconds(120, spread(1600, 400, 0.9)), "") << "57 % of the packets: 43 % of what the others should have";
  EXPECT_EQ(Seconds(120, spread(1000, 1000, 0.1)), "");
  EXPECT_EQ(Seconds(120, spread(4000, 400, 0.1)), "") << "a worker with little to do keeps up";
  EXPECT_EQ(Seconds(120, spread(4000, 400, 0.9)).substr(3), "+queue_imbalance");
  EXPECT_NE(last_.text.find("queue 0 of 4 got"), std::string::npos) << last_.text;
  const std::vector<QueueRules::Load> loads = rules_->Queues();
  ASSERT_EQ(loads.size(), 4u);
  EXPECT_NEAR(loads[0].share_percent, 100 * 4000.0 / 5200, 0.1);
  EXPECT_NEAR(loads[0].busy_percent, 90, 0.1);
  EXPECT_NEAR(loads[3].share_percent, 100 * 400.0 / 5200, 0.1);
  EXPECT_NE(Seconds(150, spread(1000, 1000, 0.9)).find(":-queue_imbalance"), std::string::npos);
}

TEST_F(AlarmRulesTest, AMirrorThatLosesHalf) {
  interfaces_with_losses = {"eth0", "eth1"};
  const auto lose = [&](uint64_t seen, uint64_t unseen, uint64_t late, uint64_t streams) {
    return WithTraffic([this, seen, unseen, late, streams] {
      losses.seen[0] += 100'000;
      losses.seen[1] += seen;
      losses.unseen[1] += unseen;
      losses.late[1] += late;
      losses.streams_with_loss[1] += streams;
    });
  };
  EXPECT_EQ(Seconds(300, lose(100'000, 500, 0, 1)), "") << "half a percent";
  EXPECT_EQ(Seconds(300, lose(50'000, 50'000, 50'000, 1)), "") << "it only came late";
  EXPECT_EQ(Seconds(300, lose(100'000, 0, 0, 0)), "");
  EXPECT_EQ(Seconds(300, lose(50'000, 50'000, 0, 0)), "") << "in no streams: a few forged acknowledgments";
  EXPECT_EQ(Seconds(60, lose(50'000, 50'000, 0, 1)), "20:+loss_before");
  EXPECT_NE(last_.text.find("eth1: 50.0 % ("), std::string::npos) << last_.text;
  EXPECT_EQ(last_.text.find("eth0"), std::string::npos) << last_.text;
  EXPECT_NE(Seconds(500, lose(100'000, 0, 0, 0)).find(":-loss_before"), std::string::npos);
}

// What the sensor drops itself leaves the same holes.
TEST_F(AlarmRulesTest, ItsOwnDropsAreNoLossBefore) {
  interfaces_with_losses = {"eth0"};
  const std::string all = Seconds(300, WithTraffic([&] {
                                    dropped_by_kernel += 300;  // of 1000
                                    losses.seen[0] += 69'900;
                                    losses.unseen[0] += 30'100;
                                    losses.streams_with_loss[0] += 5;
                                  }));
  EXPECT_EQ(all, "1:+drops");
  ASSERT_EQ(rules_->Losses().size(), 1u);
  EXPECT_NEAR(rules_->Losses()[0].percent, 0.14, 0.01);
}

TEST_F(AlarmRulesTest, OneQueueAloneIsNeverUneven) {
  queues.resize(1);
  EXPECT_EQ(Seconds(200, WithTraffic([this] { queues[0].first += 1000, queues[0].second += 1; })), "");
}

TEST_F(AlarmRulesTest, DropsOfAnyCauseOverOneInAThousand) {
  EXPECT_EQ(Seconds(100, WithTraffic()), "");
  EXPECT_EQ(Seconds(30, WithTraffic([this] { dropped_by_kernel += 0.5, dropped_by_interface += 0.5; })),
            "");  // a tenth of a percent
  EXPECT_EQ(Seconds(1, WithTraffic([this] { dropped_by_interface += 100; })), "1:+drops");
  EXPECT_NE(last_.text.find("packets were dropped"), std::string::npos);
  // The window passes, then the time for which it has to be well.
  EXPECT_EQ(Seconds(200, WithTraffic()), "120:-drops");
}

TEST_F(AlarmRulesTest, AlertsThatAreLostCountToo) {
  EXPECT_EQ(Seconds(10, WithTraffic([this] { ++alerts; })), "");
  ++alerts_dropped;
  EXPECT_EQ(Seconds(1, WithTraffic()), "1:+drops");
  EXPECT_TRUE(last_.text.starts_with("9.09 % of the alerts were dropped")) << last_.text;  // 1 of 11
}

// It has an alarm of its own, and nothing is gained by muting.
TEST_F(AlarmRulesTest, WhatOutputCouldNotTakeIsNoDrop) {
  EXPECT_EQ(Seconds(20, WithTraffic([this] { ++alerts, ++output_lost; })), "");
}

TEST_F(AlarmRulesTest, APartnerThatLosesAlerts) {
  EXPECT_EQ(Seconds(10, WithTraffic([this] { ++alerts, ++feed_alerts; })), "");
  EXPECT_EQ(Seconds(1, WithTraffic([this] { feed_alerts += 10, feed_dropped += 5; })), "1:+drops");
  EXPECT_TRUE(last_.text.starts_with("25.00 % of the alerts for partners were dropped")) << last_.text;
}

TEST_F(AlarmRulesTest, OneWayTrafficNeedsEnoughFlows) {
  EXPECT_EQ(Seconds(19, WithTraffic([this] { ++one_way; })), "");
  EXPECT_EQ(Seconds(1, WithTraffic([this] { ++one_way; })), "1:+one_way_traffic");
  EXPECT_EQ(Seconds(1, WithTraffic([this] { both_ways += 10; })), "");
  EXPECT_EQ(Seconds(60, WithTraffic()), "60:-one_way_traffic");
}

TEST_F(AlarmRulesTest, SomeOneWayFlowsAreTraffic) {
  EXPECT_EQ(Seconds(1000, WithTraffic([this] { one_way += 8, both_ways += 2; })), "");
  EXPECT_EQ(Seconds(400, WithTraffic([this] { one_way += 10; })).substr(3), ":+one_way_traffic");
}

TEST_F(AlarmRulesTest, AFailedReloadUntilOneSucceeds) {
  EXPECT_EQ(Seconds(5, WithTraffic()), "");
  ++reloads_failed, reload_failing = 1;
  EXPECT_EQ(Seconds(100, WithTraffic()), "1:+reload_failed");
  ++reloads, reload_failing = 0;
  EXPECT_EQ(Seconds(100, WithTraffic()), "1:-reload_failed");
  ++reloads_failed, reload_failing = 1;
  EXPECT_EQ(Seconds(1, WithTraffic()), "1:+reload_failed");
  ++reloads, ++reloads_failed, reload_failing = 0;  // a bad and a good one since the last look: the good one was later
  EXPECT_EQ(Seconds(1, WithTraffic()), "1:-reload_failed");
  ++reloads, ++reloads_failed;
  EXPECT_EQ(Seconds(100, WithTraffic()), "");
  geo_failing = 1;
  EXPECT_EQ(Seconds(5, WithTraffic()), "1:+reload_failed");
  geo_failing = 0;
  EXPECT_EQ(Seconds(5, WithTraffic()), "1:-reload_failed");
}

TEST_F(AlarmRulesTest, AnOutputThatCannotBeWritten) {
  EXPECT_EQ(Seconds(5, WithTraffic()), "");
  output_failing = 1;
  EXPECT_EQ(Seconds(5, WithTraffic()), "1:+output_failed");
  output_failing = 0;
  EXPECT_EQ(Seconds(5, WithTraffic()), "1:-output_failed");
}

TEST_F(AlarmRulesTest, KeptPacketsThatCannotBeWritten) {
  EXPECT_EQ(Seconds(5, WithTraffic()), "");
  keep_failing = 1;
  EXPECT_EQ(Seconds(5, WithTraffic()), "1:+output_failed");
  EXPECT_NE(last_.text.find("capture: keep"), std::string::npos) << last_.text;
  output_failing = 1;  // one alarm for both, that of the alerts first
  EXPECT_EQ(Seconds(5, WithTraffic()), "");
  keep_failing = 0;
  EXPECT_EQ(Seconds(5, WithTraffic()), "");
  output_failing = 0;
  EXPECT_EQ(Seconds(5, WithTraffic()), "1:-output_failed");
}

TEST_F(AlarmRulesTest, IndicatorsThatNobodyTouched) {
  newest_file = static_cast<double>(kUnix) - 7 * 86'400 + 5;
  EXPECT_EQ(Seconds(10, WithTraffic()), "6:+stale_indicators");
  newest_file = static_cast<double>(kUnix);
  EXPECT_EQ(Seconds(10, WithTraffic()), "1:-stale_indicators");
  newest_file = 0;  // not known
  EXPECT_EQ(Seconds(10, WithTraffic()), "");
}

TEST_F(AlarmRulesTest, EachSilentPartner) {
  partners = {{"alpha", 86'398}, {"beta", 0}};
  EXPECT_EQ(Seconds(5, WithTraffic([this] { ++partners[0].second; })), "2:+partner_silent.alpha");
  EXPECT_NE(last_.text.find("not been connected for 24 h 0 min"), std::string::npos) << last_.text;
  partners[0].second = 0;
  EXPECT_EQ(Seconds(1, WithTraffic()), "1:-partner_silent.alpha");
  partners[1].second = 100'000;
  EXPECT_EQ(Seconds(1, WithTraffic()), "1:+partner_silent.beta");
  partners.pop_back();
  EXPECT_EQ(Seconds(1, WithTraffic()), "1:-partner_silent.beta");
}

TEST_F(AlarmRulesTest, ASuspendedPartnerUntilItIsReadmitted) {
  partners = {{"alpha", 0}, {"beta", 0}};
  EXPECT_EQ(Seconds(3, WithTraffic()), "");
  suspended = "beta";
  EXPECT_EQ(Seconds(3, WithTraffic()), "1:+partner_suspended.beta");
  EXPECT_NE(last_.text.find("`vedette partner readmit beta`"), std::string::npos) << last_.text;
  suspended.clear();
  EXPECT_EQ(Seconds(3, WithTraffic()), "1:-partner_suspended.beta");
}

TEST_F(AlarmRulesTest, EachInterfaceThatIsOut) {
  interfaces = {{"eth1", InterfaceState::kUp}, {"eth2", InterfaceState::kUp}};
  EXPECT_EQ(Seconds(5, WithTraffic()), "");
  interfaces[1].second = InterfaceState::kDown;
  EXPECT_EQ(Second(), "+interface_down.eth2");
  EXPECT_TRUE(last_.critical);
  EXPECT_NE(last_.text.find("ip link set eth2 up"), std::string::npos) << last_.text;
  interfaces[1].second = InterfaceState::kAbsent;
  EXPECT_EQ(Second(), "") << "raised already";
  EXPECT_NE(rules_->Active()[0].text.find("there is no interface eth2"), std::string::npos);
  interfaces[0].second = InterfaceState::kNoCarrier;
  EXPECT_EQ(Second(), "+interface_down.eth1");
  interfaces[1].second = InterfaceState::kRenamed;
  EXPECT_EQ(Second(), "");
  EXPECT_FALSE(rules_->Active()[1].critical) << "it is captured";
  interfaces[1].second = InterfaceState::kUp;
  EXPECT_EQ(Second(), "-interface_down.eth2");
  interfaces[0].second = InterfaceState::kFailed;
  EXPECT_EQ(Second(), "");
  interfaces[0].second = InterfaceState::kUp;
  EXPECT_EQ(Second(), "-interface_down.eth1");
}

// Silence of interfaces that are out has its alarm; it counts again from when one is back.
TEST_F(AlarmRulesTest, NoPacketsIsOfInterfacesThatAreUp) {
  interfaces = {{"eth1", InterfaceState::kUp}, {"eth2", InterfaceState::kUp}};
  EXPECT_EQ(Seconds(10, WithTraffic()), "");
  interfaces[0].second = InterfaceState::kDown;
  EXPECT_EQ(Seconds(10, WithTraffic()), "1:+interface_down.eth1");
  interfaces[1].second = InterfaceState::kAbsent;
  EXPECT_EQ(Seconds(500), "1:+interface_down.eth2");
  interfaces[0].second = InterfaceState::kUp;
  EXPECT_EQ(Seconds(100), "1:-interface_down.eth1 60:+no_packets");
  interfaces[0].second = InterfaceState::kDown;
  EXPECT_EQ(Seconds(500), "1:+interface_down.eth1") << "it stays raised until packets come";
  interfaces[0].second = interfaces[1].second = InterfaceState::kUp;
  EXPECT_EQ(Seconds(100, WithTraffic()), "1:-interface_down.eth1 -interface_down.eth2 61:-no_packets");
}

TEST_F(AlarmRulesTest, AHelperThatEnded) {
  helpers = {{"command", 1}, {"sockets", 1}};
  EXPECT_EQ(Seconds(5, WithTraffic()), "");
  helpers[1].second = 0;
  EXPECT_EQ(Seconds(5, WithTraffic()), "1:+helper_ended.sockets");
  EXPECT_FALSE(last_.critical);
  EXPECT_NE(last_.text.find("restart the sensor"), std::string::npos);
}

TEST_F(AlarmRulesTest, WhatAnEarlierRunRaisedIsClearedOnceItIsKnownToBeOver) {
  const auto carry = [&](const char* name) {
    Begin({}, {{.name = name, .critical = true, .text = "as it was", .since = kUnix - 500}});
    EXPECT_EQ(rules_->Active().size(), 1u);
    EXPECT_EQ(rules_->Active()[0].since, kUnix - 500);
  };
  carry("no_packets");
  EXPECT_EQ(Seconds(200), "") << "still silent";
  EXPECT_EQ(Seconds(100, WithTraffic()), "61:-no_packets");
  carry("drops");
  EXPECT_EQ(Seconds(100, WithTraffic()), "65:-drops");
  carry("reload_failed");
  EXPECT_EQ(Seconds(100, WithTraffic()), "1:-reload_failed");
  carry("canary_missed");
  EXPECT_EQ(Seconds(100, WithTraffic()), "") << "none was sent yet";
  ++canaries_sent, ++canaries_arrived;
  EXPECT_EQ(Seconds(100, WithTraffic()), "1:-canary_missed");
  interfaces = {{"eth1", InterfaceState::kDown}};
  carry("interface_down.eth1");
  EXPECT_EQ(Seconds(100, WithTraffic()), "");
  EXPECT_EQ(rules_->Active()[0].since, kUnix - 500);
  interfaces[0].second = InterfaceState::kUp;
  EXPECT_EQ(Second(), "-interface_down.eth1");
  carry("interface_down.eth7");
  EXPECT_EQ(Seconds(100, WithTraffic()), "5:-interface_down.eth7") << "no longer in the configuration";
  partners = {{"alpha", 1}};
  carry("partner_silent.alpha");
  EXPECT_EQ(Seconds(100, WithTraffic([this] { ++partners[0].second; })), "");
  partners[0].second = 0;
  EXPECT_EQ(Second(), "-partner_silent.alpha");
  carry("partner_silent.gone");
  EXPECT_EQ(Seconds(100, WithTraffic()), "5:-partner_silent.gone");
}

// It fails again before it was known to be over: that is the same alarm.
TEST_F(AlarmRulesTest, WhatHoldsAgainAfterARestartIsNotRaisedTwice) {
  Begin({}, {{.name = "output_failed", .critical = false, .text = "as it was", .since = kUnix - 500}});
  output_failing = 1;
  EXPECT_EQ(Seconds(10, WithTraffic()), "");
  EXPECT_NE(rules_->Active()[0].text, "as it was");
  output_failing = 0;
  EXPECT_EQ(Second(), "-output_failed");
}

TEST_F(AlarmRulesTest, AShortSilenceIsSaidInMinutes) {
  AlarmsConfig config;
  config.partner_silent = seconds(90);
  Begin(config);
  partners = {{"alpha", 90}};
  EXPECT_EQ(Seconds(1, WithTraffic()), "1:+partner_silent.alpha");
  EXPECT_NE(last_.text.find("not been connected for 1 min 30 s"), std::string::npos) << last_.text;
}

TEST_F(AlarmRulesTest, AMissedCanaryUntilOneArrives) {
  ++canaries_sent, ++canaries_arrived;
  EXPECT_EQ(Seconds(5, WithTraffic()), "");
  ++canaries_missed, canary_failing = 1;
  EXPECT_EQ(Seconds(5, WithTraffic()), "1:+canary_missed");
  ++canaries_missed, ++canaries_arrived, canary_failing = 0;
  EXPECT_EQ(Seconds(5, WithTraffic()), "1:-canary_missed");
}

TEST_F(AlarmRulesTest, EachCanBeSwitchedOff) {
  AlarmsConfig off;
  off.no_packets = off.stale_indicators = off.partner_silent = seconds(0);
  off.one_way_percent = off.drop_percent = 0;
  off.reload_failed = off.canary_missed = off.output_failed = off.partner_suspended = false;
  off.interface_down = off.helper_ended = false;
  Begin(off);
  newest_file = 1;
  reload_failing = geo_failing = canary_failing = output_failing = 1;
  partners = {{"alpha", 1e9}};
  suspended = "alpha";
  interfaces = {{"eth1", InterfaceState::kDown}};
  helpers = {{"sockets", 0}};
  EXPECT_EQ(
      Seconds(200, [this] { ++dropped_by_kernel, ++alerts_dropped, ++one_way, ++reloads_failed, ++canaries_missed; }),
      "");
}

TEST_F(AlarmRulesTest, ThresholdsAreTheConfigurations) {
  AlarmsConfig config;
  config.no_packets = seconds(5);
  config.clear_after = seconds(2);
  config.drop_percent = 50;
  Begin(config);
  EXPECT_EQ(Seconds(6), "5:+no_packets");
  EXPECT_EQ(Seconds(6, WithTraffic([this] { dropped_by_kernel += 400; })), "3:-no_packets");
}

TEST(Alarms, TellTheCommandWhoIsWell) {
  AlarmChange change{.alarm = {.name = "no_packets", .critical = true, .text = "a \"tap\" is out", .since = kUnix},
                     .raised = true};
  const std::string message = Alarms::Message(change, "vienna-1", kUnix + 5);
  EXPECT_TRUE(message.ends_with("}\n"));
  const nlohmann::json json = nlohmann::json::parse(message);
  EXPECT_EQ(json["alarm"], "no_packets");
  EXPECT_EQ(json["state"], "raised");
  EXPECT_EQ(json["sensor"], "vienna-1");
  EXPECT_EQ(json["text"], "a \"tap\" is out");
  EXPECT_EQ(json["since"], "2026-11-23T10:00:00Z");
  EXPECT_EQ(json["time"], "2026-11-23T10:00:05Z");
}

TEST(Alarms, AreCountedAndShownWhileTheyLast) {
  AlarmsConfig config;
  config.no_packets = seconds(1);
  config.clear_after = seconds(1);
  Log log;
  const AlarmRules::Now start{std::chrono::steady_clock::time_point(hours(1)), kUnix};
  Alarms alarms(config, "vienna-1", start, log, nullptr);
  const auto at = [&](int second) { return AlarmRules::Now{start.steady + seconds(second), kUnix + second}; };
  Figures figures;
  alarms.Evaluate(figures, at(1));
  ASSERT_EQ(alarms.Active().size(), 1u);
  Figures shown;
  alarms.AppendFigures(shown);
  EXPECT_EQ(shown.Value(families::kAlarm, "no_packets"), 1);
  EXPECT_EQ(shown.Value(families::kAlarms, "no_packets"), 1);
  const auto is_there = [&](const Figure& figure) {
    return figure.family == &families::kAlarms && figure.label_value == "drops" && figure.value == 0;
  };
  EXPECT_TRUE(std::any_of(shown.all().begin(), shown.all().end(), is_there)) << "an increase is seen from the first on";
  for (int second = 2; second < 5; ++second) {
    Figures traffic;
    traffic.Add(families::kPacketsReceived, second);
    alarms.Evaluate(traffic, at(second));
  }
  EXPECT_TRUE(alarms.Active().empty());
  Figures after;
  alarms.AppendFigures(after);
  EXPECT_EQ(after.Value(families::kAlarm, "no_packets"), 0);
  EXPECT_EQ(after.Value(families::kAlarms, "no_packets"), 1);
}

}  // namespace
}  // namespace vedette
