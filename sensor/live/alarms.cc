#include "sensor/live/alarms.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "exporter/metrics/counter_figures.h"
#include "exporter/metrics/families.h"
#include "parsers/base/time_text.h"

namespace vedette {
namespace {

constexpr std::chrono::minutes kFailureInterval{1};  // between lines about a command that fails again and again
constexpr std::chrono::minutes kKeepAgain{1};        // a full disk stays full for a while

std::string TimeText(int64_t unix_seconds) { return Rfc3339(unix_seconds * 1'000'000'000); }

}  // namespace

AlarmRules::Now AlarmClock() {
  return {
      std::chrono::steady_clock::now(),
      std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count()};
}

Alarms::Alarms(const AlarmsConfig& config, std::string sensor, AlarmRules::Now start, Log& log, CommandRunner* command,
               std::string file)
    : sensor_(std::move(sensor)),
      log_(log),
      command_(command),
      file_(std::move(file)),
      rules_(config, start, ReadFile()) {}

// Those that are still raised. What the command was told and is over already is told by the first Evaluate.
std::vector<Alarm> Alarms::ReadFile() {
  std::string error;
  std::vector<Alarm> carried;
  for (const KeptAlarm& kept : file_.Read(error)) {
    const Alarm& alarm = kept.alarm;
    kept_[alarm.name] = kept;
    if (!kept.raised) continue;
    carried.push_back(alarm);
    log_.Warn(fmt::format("alarm {} is raised since {}, before this start: {}", alarm.name, TimeText(alarm.since),
                          alarm.text),
              "alarm " + alarm.name);
  }
  if (!error.empty()) log_.Warn("alarms: " + error);
  return carried;
}

std::string Alarms::Message(const AlarmChange& change, const std::string& sensor, int64_t unix_seconds) {
  const nlohmann::json message = {{"alarm", change.alarm.name},        {"state", change.raised ? "raised" : "cleared"},
                                  {"critical", change.alarm.critical}, {"since", TimeText(change.alarm.since)},
                                  {"time", TimeText(unix_seconds)},    {"sensor", sensor},
                                  {"text", change.alarm.text}};
  return message.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

void Alarms::Evaluate(const Figures& figures, AlarmRules::Now now) {
  const std::vector<AlarmChange> changes = rules_.Evaluate(figures, now);
  for (const AlarmChange& change : changes) {
    const Alarm& alarm = change.alarm;
    TakeChange(change);
    if (change.raised) {
      log_.Warn(fmt::format("alarm {} raised: {}", alarm.name, alarm.text), "alarm " + alarm.name);
    } else {
      log_.Info(fmt::format("alarm {} cleared; it was raised at {}", alarm.name, TimeText(alarm.since)),
                "alarm " + alarm.name);
    }
  }
  if (!changes.empty() || now.steady >= tell_again_) Tell(now);
  Keep(now);
  LookAtCommand(now);
  std::vector<Alarm> active = rules_.Active();
  std::vector<QueueRules::Load> queues = rules_.Queues();
  std::vector<LossRules::Loss> losses = rules_.Losses();
  const std::lock_guard<std::mutex> lock(mutex_);
  active_ = std::move(active);
  queues_ = std::move(queues);
  losses_ = std::move(losses);
  // Series are there before the first alarm: whoever asks for an increase misses none.
  for (const std::string& name : rules_.Names()) raised_.try_emplace(name, 0);
  for (const AlarmChange& change : changes) raised_[change.alarm.name] += change.raised ? 1 : 0;
}

void Alarms::TakeChange(const AlarmChange& change) {
  KeptAlarm& kept = kept_[change.alarm.name];
  // One that was to be told over, and is raised again, is raised for the command.
  if (change.raised && !kept.told) kept.alarm = change.alarm;
  kept.raised = change.raised;
}

bool Alarms::Tell(const AlarmChange& change, AlarmRules::Now now) {
  if (command_->Run(change.alarm.name, Message(change, sensor_, now.unix_seconds))) return true;
  // For as long as it takes: said once.
  if (tell_again_ == std::chrono::steady_clock::time_point{}) {
    log_.Warn(
        fmt::format("alarm {}: the alarm command was not run, {}", change.alarm.name,
                    command_->Status().gone ? "its process is gone" : "there are too many at once; it is told later"));
  }
  tell_again_ = now.steady + kTellAgain;
  return false;
}

// Those that are over first: there may be no room for all.
void Alarms::Tell(AlarmRules::Now now) {
  const bool can_tell = command_ != nullptr && !said_gone_;
  bool all = true;
  for (auto at = kept_.begin(); at != kept_.end();) {
    const KeptAlarm& kept = at->second;
    const bool over = !kept.raised;
    if (over && kept.told && command_ != nullptr)
      all = all && can_tell && Tell({.alarm = kept.alarm, .raised = false}, now);
    at = over && (all || !kept.told) ? kept_.erase(at) : std::next(at);
  }
  for (auto& [name, kept] : kept_) {
    if (!kept.raised || kept.told || !can_tell) continue;
    kept.told = all = all && Tell({.alarm = kept.alarm, .raised = true}, now);
  }
  if (all) tell_again_ = {};
}

void Alarms::Keep(AlarmRules::Now now) {
  if (now.steady < keep_again_) return;
  std::vector<KeptAlarm> list;
  for (const auto& [name, kept] : kept_) list.push_back(kept);
  std::string error;
  if (file_.Write(list, error)) return;
  keep_again_ = now.steady + kKeepAgain;
  log_.Warn(fmt::format("alarms: {}; after a restart the alarm command may not be told which alarms are over", error));
}

void Alarms::LookAtCommand(AlarmRules::Now now) {
  if (command_ == nullptr) return;
  const CommandStatus status = command_->Status();
  if (status.gone && !said_gone_) {
    said_gone_ = true;
    log_.Error(CommandProblem());
  }
  const uint64_t failures = status.counters.failed + status.counters.timed_out;
  if (failures == failures_said_) return;
  if (failures_said_ != 0 && now.steady - failure_said_ < kFailureInterval) return;
  log_.Warn(fmt::format("the alarm command {} failed: {} ({} of {} runs failed)", command_->program(),
                        status.last_failure, failures, failures + status.counters.succeeded));
  failures_said_ = failures;
  failure_said_ = now.steady;
}

std::optional<CommandStatus> Alarms::Command() const {
  if (command_ == nullptr) return std::nullopt;
  return command_->Status();
}

std::string Alarms::CommandProblem() const {
  if (command_ == nullptr) return {};
  const CommandStatus status = command_->Status();
  if (status.gone)
    return fmt::format(
        "the process that starts the alarm command {} has ended, and a confined sensor cannot start another: the "
        "command will not run until the sensor is restarted",
        command_->program());
  return status.failing
             ? fmt::format("the alarm command {} failed at its last run: {}", command_->program(), status.last_failure)
             : std::string();
}

std::vector<Alarm> Alarms::Active() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return active_;
}

void Alarms::AppendFigures(Figures& out) const {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    for (const auto& [name, times] : raised_) {
      const bool active = std::any_of(active_.begin(), active_.end(),
                                      [&known = name](const Alarm& alarm) { return alarm.name == known; });
      out.Add(families::kAlarm, name, active ? 1 : 0);
    }
    for (const auto& [name, times] : raised_) out.Add(families::kAlarms, name, static_cast<double>(times));
    for (const LossRules::Loss& loss : losses_) out.Add(families::kLossBefore, loss.interface, loss.percent);
    for (const QueueRules::Load& load : queues_) out.Add(families::kQueueShare, load.queue, load.share_percent);
    for (const QueueRules::Load& load : queues_) out.Add(families::kQueueBusy, load.queue, load.busy_percent);
  }
  if (command_ == nullptr) return;
  const CommandStatus status = command_->Status();
  out.Add(families::kHelperUp, "command", status.gone ? 0 : 1);
  AppendCounters(status.counters, out);
}

}  // namespace vedette
