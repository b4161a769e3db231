#include "sensor/live/alarm_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "exporter/feed/feed_counters.h"
#include "exporter/geo/geo.h"
#include "exporter/metrics/families.h"
#include "exporter/output/file_sink.h"
#include "exporter/policy/partner.h"
#include "sensor/capture/live/interface_record.h"
#include "sensor/config/duration.h"
#include "sensor/keep/keep_counters.h"
#include "sensor/pipeline/totals_figures.h"
#include "sensor/setup/progress.h"

namespace vedette {
namespace {

using std::chrono::seconds;

constexpr seconds kAtOnce{0};
// By when a canary's packet has been counted, or never will be.
constexpr seconds kCanaryCounted{30};

constexpr std::string_view kSilent = "partner_silent.", kSuspended = "partner_suspended.";
constexpr std::string_view kInterface = "interface_down.", kHelper = "helper_ended.";

double Share(double part, double whole) { return whole > 0 ? 100 * part / whole : 0; }

std::string About(seconds time) { return DurationText(time); }

}  // namespace

AlarmRules::AlarmRules(const AlarmsConfig& config, Now start, const std::vector<Alarm>& carried)
    : config_(config),
      last_packet_(start.steady),
      last_canary_(start.steady),
      last_look_(start.steady),
      start_(start.steady) {
  samples_.push_back({.time = start.steady});
  for (const Alarm& alarm : carried) states_[alarm.name] = {.raised = true, .carried = true, .alarm = alarm};
  // The silence that it was raised for lasts until a packet comes.
  if (states_.contains("no_packets")) last_packet_ -= config_.no_packets;
}

AlarmRules::Finding AlarmRules::Carried(const std::string& name) const {
  const auto found = states_.find(name);
  if (found == states_.end() || !found->second.carried) return std::nullopt;
  return found->second.alarm.text;
}

std::vector<Alarm> AlarmRules::Active() const {
  std::vector<Alarm> active;
  for (const auto& [name, state] : states_) {
    if (state.raised) active.push_back(state.alarm);
  }
  return active;
}

std::vector<std::string> AlarmRules::Names() const {
  std::vector<std::string> names;
  for (const auto& [name, state] : states_) names.push_back(name);
  return names;
}

void AlarmRules::TakeSample(const Figures& figures, Time now) {
  // These never became alerts; the other causes lost some that had.
  const auto dropped = [&](std::string_view cause) { return figures.Value(families::kAlertsDropped, cause); };
  samples_.push_back(
      {.time = now,
       .packets = figures.Value(families::kPacketsReceived),
       .packets_dropped = figures.Sum(families::kPacketsDropped),
       .alerts = figures.Value(families::kAlerts) + dropped("queue_full") + dropped("too_many_in_one_flow"),
       .alerts_dropped = figures.Sum(families::kAlertsDropped) - dropped("output_failed"),
       .feed_alerts = figures.Sum(families::kFeedAlerts),
       .feed_alerts_dropped = figures.Sum(families::kFeedDropped),
       .flows = figures.Sum(families::kTcpFlowsJudged),
       .flows_one_way = figures.Value(families::kTcpFlowsJudged, "one_way")});
  // One sample older than the longest window is kept: it is where that window begins.
  const Time begin = now - std::max(kDropWindow, kOneWayWindow);
  while (samples_.size() > 2 && samples_[1].time <= begin) samples_.pop_front();
}

// The newest sample that is as old as the window, or the oldest there is.
const AlarmRules::Sample& AlarmRules::Before(Time now, seconds window) const {
  const auto after =
      std::find_if(samples_.begin(), samples_.end(), [&](const Sample& sample) { return sample.time > now - window; });
  return after == samples_.begin() ? *after : *(after - 1);
}

void AlarmRules::Known(const std::string& name) {
  const auto found = states_.find(name);
  if (found != states_.end()) found->second.carried = false;
}

void AlarmRules::KnowByFigures(const Figures& figures) {
  if (figures.Has(families::kReloadFailing)) Known("reload_failed");
  if (figures.Has(families::kOutputFailing)) Known("output_failed");
  if (figures.Has(families::kIndicatorNewest)) Known("stale_indicators");
  if (figures.Value(families::kCanaries, "arrived") != 0) Known("canary_missed");
}

AlarmRules::Finding AlarmRules::NoPackets(const Figures& figures, Time now) {
  const double packets = figures.Value(families::kPacketsReceived);
  const double canaries = figures.Value(families::kCanaries, "sent");
  if (canaries > canaries_) {
    canaries_awaited_ += canaries - canaries_;
    last_canary_ = now;
  }
  if (now - last_canary_ > kCanaryCounted) canaries_awaited_ = 0;
  const double own = std::min(canaries_awaited_, packets - packets_);
  if (packets - packets_ > own) last_packet_ = now;
  // An interface that is down has an alarm of its own: silence is that of interfaces that could bring something.
  const auto is_down = [](const Figure& figure) {
    return figure.family != &families::kInterfaceUp || figure.value == 0;
  };
  const bool any = figures.Has(families::kInterfaceUp);
  if (any && std::all_of(figures.all().begin(), figures.all().end(), is_down)) last_packet_ += now - last_look_;
  last_look_ = now;
  canaries_awaited_ -= std::max(own, 0.0);
  canaries_ = canaries;
  packets_ = packets;
  if (config_.no_packets == kAtOnce || now - last_packet_ < config_.no_packets) return std::nullopt;
  return fmt::format("no packet came for {}; is the mirror port or tap still connected, and the filter right?",
                     About(config_.no_packets));
}

AlarmRules::Finding AlarmRules::Drops(Time now) const {
  const Sample& before = Before(now, kDropWindow);
  const Sample& after = samples_.back();
  const double packets = Share(after.packets_dropped - before.packets_dropped, after.packets - before.packets);
  const double alerts = Share(after.alerts_dropped - before.alerts_dropped, after.alerts - before.alerts);
  const double feed =
      Share(after.feed_alerts_dropped - before.feed_alerts_dropped, after.feed_alerts - before.feed_alerts);
  if (config_.drop_percent == 0) return std::nullopt;
  if (packets > config_.drop_percent) {
    return fmt::format(
        "{:.2f} % of the packets were dropped in the last {}; give the sensor more CPU or a larger `capture: "
        "buffer_mebibytes`, or reduce the traffic with `capture: filter` (`vedette status` shows where they are lost)",
        packets, About(kDropWindow));
  }
  if (alerts > config_.drop_percent) {
    return fmt::format(
        "{:.2f} % of the alerts were dropped in the last {}; mute the indicators that raise so many (`vedette status` "
        "shows where they are lost)",
        alerts, About(kDropWindow));
  }
  if (feed > config_.drop_percent) {
    return fmt::format(
        "{:.2f} % of the alerts for partners were dropped in the last {}, because a partner reads too slowly; tell it "
        "(`vedette status` shows which)",
        feed, About(kDropWindow));
  }
  return std::nullopt;
}

AlarmRules::Finding AlarmRules::OneWay(Time now) const {
  const Sample& before = Before(now, kOneWayWindow);
  const Sample& after = samples_.back();
  const double flows = after.flows - before.flows;
  const double share = Share(after.flows_one_way - before.flows_one_way, flows);
  if (config_.one_way_percent == 0 || flows < kMinJudgedFlows || share <= config_.one_way_percent) return std::nullopt;
  return fmt::format(
      "of {:.0f} TCP flows in the last {}, {:.0f} % were seen in one direction only; mirror both directions, or "
      "capture where both pass",
      flows, About(kOneWayWindow), share);
}

AlarmRules::Finding AlarmRules::ReloadFailed(const Figures& figures) const {
  const bool indicators = figures.Value(families::kReloadFailing) != 0;
  if (!config_.reload_failed || (!indicators && figures.Value(families::kGeoReloadFailing) == 0)) return std::nullopt;
  return std::string(
      indicators
          ? "the last reload failed, and the previous indicators stay in use; the log says why, and `vedette reload` "
            "tries again"
          : "the geolocation databases could not be replaced, and the previous ones stay in use; the log says why");
}

AlarmRules::Finding AlarmRules::OutputFailed(const Figures& figures) const {
  if (!config_.output_failed) return std::nullopt;
  if (figures.Value(families::kOutputFailing) == 0) {
    if (figures.Value(families::kKeepFailing) == 0) return std::nullopt;
    return fmt::format(
        "packets of flows with alerts cannot be written to the folder of `capture: keep`, and {:.0f} were lost so far; "
        "alerts go on. The log says why. Free space on a full disk; the sensor tries again every second",
        figures.Value(families::kKeptLost, "disk") + figures.Value(families::kKeptLost, "quota"));
  }
  return fmt::format(
      "alerts cannot be written to `output`, and {:.0f} were lost so far; the log says why. Free space on a full disk; "
      "where the file was renamed or removed, let the sensor's user create a new one. The sensor tries again every "
      "second. Where the reader of a pipe has gone, restart the sensor",
      figures.Value(families::kAlertsDropped, "output_failed"));
}

AlarmRules::Finding AlarmRules::StaleIndicators(const Figures& figures, int64_t unix_seconds) const {
  const double newest = figures.Value(families::kIndicatorNewest);
  const double age = static_cast<double>(unix_seconds) - newest;
  if (config_.stale_indicators == kAtOnce || newest <= 0 ||
      age <= static_cast<double>(config_.stale_indicators.count())) {
    return std::nullopt;
  }
  return fmt::format(
      "the newest indicator file is {:.0f} days old (limit {}); is whatever delivers them still running?", age / 86'400,
      About(config_.stale_indicators));
}

AlarmRules::Finding AlarmRules::CanaryMissed(const Figures& figures) const {
  if (!config_.canary_missed) return std::nullopt;
  if (Finding carried = Carried("canary_missed")) return carried;
  if (figures.Value(families::kCanaryFailing) == 0) return std::nullopt;
  return "the last canary did not arrive; `vedette canary` tries again and says where it was lost";
}

AlarmRules::Finding AlarmRules::InterfaceDown(const Figure& figure) const {
  const std::string& name = figure.label_value;
  if (!config_.interface_down) return std::nullopt;
  switch (static_cast<InterfaceState>(figure.value)) {
    case InterfaceState::kUp:
      return std::nullopt;
    case InterfaceState::kDown:
      return fmt::format("interface {0} is down, and nothing of it is captured; bring it up: ip link set {0} up", name);
    case InterfaceState::kNoCarrier:
      return fmt::format(
          "interface {} has no carrier, and nothing of it is captured; is the cable in, and the mirror port or tap at "
          "its other end on?",
          name);
    case InterfaceState::kAbsent:
      return fmt::format(
          "there is no interface {}, and nothing of it is captured; the sensor waits for it. Was it removed, or is the "
          "name in `capture` misspelt? The log lists the interfaces there are",
          name);
    case InterfaceState::kRenamed:
      return fmt::format(
          "interface {} has another name now (`vedette status` says which); it is still captured, but a restart would "
          "not find it. Rename it back, or change `capture`",
          name);
    case InterfaceState::kFailed:
      break;
  }
  return fmt::format("interface {} is there, but cannot be captured from; the log says why. Restart the sensor", name);
}

AlarmRules::Finding AlarmRules::HelperEnded(const Figure& figure) const {
  if (!config_.helper_ended || figure.value != 0) return std::nullopt;
  if (figure.label_value == "command")
    return "the process that starts the alarm command has ended: the command tells nobody anything until the sensor is "
           "restarted";
  return fmt::format(
      "the process for {} has ended: an interface that is removed and comes back cannot be captured until the sensor "
      "is "
      "restarted. What is captured now is not affected: restart the sensor when it suits",
      figure.label_value);
}

void AlarmRules::Judge(const std::string& name, bool critical, seconds clear_after, const Finding& finding, Now now,
                       std::vector<AlarmChange>& changes) {
  State& state = states_[name];
  if (finding) {
    state.good = false;
    state.alarm.critical = critical;
    if (!state.raised) {
      state.raised = true;
      state.alarm = {.name = name, .critical = critical, .text = *finding, .since = now.unix_seconds};
      changes.push_back({state.alarm, true});
    }
    state.alarm.text = *finding;
    return;
  }
  if (!state.raised || (state.carried && now.steady - start_ < kCarried)) return;
  if (!state.good) {
    state.good = true;
    state.good_since = now.steady;
  }
  if (now.steady - state.good_since < clear_after) return;
  state.raised = state.good = state.carried = false;
  changes.push_back({state.alarm, false});
}

void AlarmRules::JudgeEach(std::string_view prefix, const FigureFamily& family, const Figures& figures, Now now,
                           std::vector<AlarmChange>& changes, const std::function<Finding(const Figure&)>& finding_of,
                           const std::function<bool(const Figure&)>& critical) {
  std::set<std::string> there;
  for (const Figure& figure : figures.all()) {
    if (figure.family != &family) continue;
    const std::string name = std::string(prefix) + figure.label_value;
    there.insert(name);
    const Finding finding = finding_of(figure);
    if (!finding) Known(name);
    Judge(name, critical && critical(figure), kAtOnce, finding, now, changes);
  }
  // What is gone from the list is nobody's alarm.
  for (auto& [name, state] : states_) {
    if (name.starts_with(prefix) && !there.contains(name)) Judge(name, false, kAtOnce, {}, now, changes);
  }
}

std::vector<AlarmChange> AlarmRules::Evaluate(const Figures& figures, Now now) {
  std::vector<AlarmChange> changes;
  const seconds later = config_.clear_after;
  TakeSample(figures, now.steady);
  KnowByFigures(figures);
  queues_.TakeSample(figures, now.steady);
  losses_.TakeSample(figures, now.steady);
  Judge("no_packets", true, later, NoPackets(figures, now.steady), now, changes);
  Judge("drops", false, later, Drops(now.steady), now, changes);
  Judge("one_way_traffic", false, later, OneWay(now.steady), now, changes);
  Judge("loss_before", false, later, losses_.Finding(config_.loss_before_percent), now, changes);
  Judge("queue_imbalance", false, later, queues_.Imbalance(config_.queue_imbalance_percent), now, changes);
  Judge("reload_failed", false, kAtOnce, ReloadFailed(figures), now, changes);
  Judge("output_failed", false, kAtOnce, OutputFailed(figures), now, changes);
  Judge("stale_indicators", false, kAtOnce, StaleIndicators(figures, now.unix_seconds), now, changes);
  Judge("canary_missed", true, kAtOnce, CanaryMissed(figures), now, changes);
  JudgeEach(
      kInterface, families::kInterfaceState, figures, now, changes,
      [this](const Figure& figure) { return InterfaceDown(figure); },
      [](const Figure& figure) { return !IsSeen(static_cast<InterfaceState>(figure.value)); });
  JudgeEach(kHelper, families::kHelperUp, figures, now, changes,
            [this](const Figure& figure) { return HelperEnded(figure); });
  JudgeEach(kSilent, families::kFeedSilent, figures, now, changes, [this](const Figure& figure) -> Finding {
    if (config_.partner_silent == kAtOnce) return std::nullopt;
    if (figure.value > 0) {
      if (Finding carried = Carried(std::string(kSilent) + figure.label_value)) return carried;
    }
    if (figure.value < static_cast<double>(config_.partner_silent.count())) return std::nullopt;
    return fmt::format("partner {} has not been connected for {}; ask it whether it still wants the feed",
                       figure.label_value, Span(figure.value));
  });
  JudgeEach(kSuspended, families::kFeedSuspended, figures, now, changes, [this](const Figure& figure) -> Finding {
    if (!config_.partner_suspended || figure.value == 0) return std::nullopt;
    return fmt::format(
        "partner {} sent messages into its feed, which no subscriber does, and is refused; ask it what happened, then "
        "readmit it: `vedette partner readmit {}`",
        figure.label_value, figure.label_value);
  });
  return changes;
}

}  // namespace vedette
