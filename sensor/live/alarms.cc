#include "sensor/live/alarms.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "exporter/metrics/families.h"
#include "parsers/base/time_text.h"

namespace vedette {
namespace {

constexpr std::chrono::minutes kFailureInterval{1};  // between lines about a command that fails again and again

std::string TimeText(int64_t unix_seconds) { return Rfc3339(unix_seconds * 1'000'000'000); }

}  // namespace

AlarmRules::Now AlarmClock() {
  return {
      std::chrono::steady_clock::now(),
      std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count()};
}

Alarms::Alarms(const AlarmsConfig& config, std::string sensor, AlarmRules::Now start, Log& log, CommandRunner* command)
    : sensor_(std::move(sensor)), log_(log), command_(command), rules_(config, start) {}

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
    if (change.raised) {
      log_.Warn(fmt::format("alarm {} raised: {}", alarm.name, alarm.text), "alarm " + alarm.name);
    } else {
      log_.Info(fmt::format("alarm {} cleared; it was raised at {}", alarm.name, TimeText(alarm.since)),
                "alarm " + alarm.name);
    }
    if (command_ != nullptr && !command_->Run(alarm.name, Message(change, sensor_, now.unix_seconds)))
      log_.Warn(fmt::format("alarm {}: the alarm command was not run, {}", alarm.name,
                            command_->Counters().gone ? "its process is gone" : "there are too many at once"));
  }
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

void Alarms::LookAtCommand(AlarmRules::Now now) {
  if (command_ == nullptr) return;
  const CommandCounters counters = command_->Counters();
  if (counters.gone && !said_gone_) {
    said_gone_ = true;
    log_.Error(CommandProblem());
  }
  const uint64_t failures = counters.failed + counters.timed_out;
  if (failures == failures_said_) return;
  if (failures_said_ != 0 && now.steady - failure_said_ < kFailureInterval) return;
  log_.Warn(fmt::format("the alarm command {} failed: {} ({} of {} runs failed)", command_->program(),
                        counters.last_failure, failures, failures + counters.succeeded));
  failures_said_ = failures;
  failure_said_ = now.steady;
}

std::optional<CommandCounters> Alarms::Command() const {
  if (command_ == nullptr) return std::nullopt;
  return command_->Counters();
}

std::string Alarms::CommandProblem() const {
  if (command_ == nullptr) return {};
  const CommandCounters counters = command_->Counters();
  if (counters.gone)
    return fmt::format(
        "the process that starts the alarm command {} has ended, and a confined sensor cannot start another: the "
        "command will not run until the sensor is restarted",
        command_->program());
  return counters.failing ? fmt::format("the alarm command {} failed at its last run: {}", command_->program(),
                                        counters.last_failure)
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
  const CommandCounters counters = command_->Counters();
  const auto add = [&](std::string_view result, uint64_t count) {
    out.Add(families::kAlarmCommands, result, static_cast<double>(count));
  };
  add("succeeded", counters.succeeded);
  add("failed", counters.failed);
  add("timed_out", counters.timed_out);
  add("dropped", counters.dropped_rate + counters.dropped_busy);
}

}  // namespace vedette
