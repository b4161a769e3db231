// Alarms of a running sensor: in the log, as a metric, and by the operator's command.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "exporter/metrics/figures.h"
#include "sensor/config/config.h"
#include "sensor/hardening/processes/command_runner.h"
#include "sensor/live/alarm_file.h"
#include "sensor/live/alarm_rules.h"
#include "sensor/live/log.h"

namespace vedette {

class Alarms : public FigureSource {
 public:
  // `command` may be null: no command. It and `log` outlive this. `file`: where alarms are kept across a restart; empty:
  // nowhere.
  Alarms(const AlarmsConfig& config, std::string sensor, AlarmRules::Now start, Log& log, CommandRunner* command,
         std::string file = {});

  // Once a second, one thread.
  void Evaluate(const Figures& figures, AlarmRules::Now now);

  // Any thread.
  std::vector<Alarm> Active() const;
  void AppendFigures(Figures& out) const override;
  // The command as it does; nullopt where there is none.
  std::optional<CommandStatus> Command() const;
  // Why alarms do not reach whoever the command tells; empty: they do, or there is no command.
  std::string CommandProblem() const;

  // What the command could not be told at once (its rate is limited) is told later, as far as it still holds: so it
  // always comes to know how each alarm is. It is asked again after so long.
  static constexpr std::chrono::seconds kTellAgain{6};

  // What the command reads: {"alarm":…,"state":"raised"|"cleared","since":…,"time":…,"sensor":…,"text":…} and a
  // newline.
  static std::string Message(const AlarmChange& change, const std::string& sensor, int64_t unix_seconds);

 private:
  std::vector<Alarm> ReadFile();
  void LookAtCommand(AlarmRules::Now now);
  void Tell(AlarmRules::Now now);
  bool Tell(const AlarmChange& change, AlarmRules::Now now);
  void Keep(AlarmRules::Now now);
  void TakeChange(const AlarmChange& change);

  const std::string sensor_;
  Log& log_;
  CommandRunner* const command_;
  // Of the thread that evaluates.
  AlarmFile file_;
  std::map<std::string, KeptAlarm> kept_;  // by name: raised, or to be told over; as they were when they were raised
  std::chrono::steady_clock::time_point tell_again_{}, keep_again_{};
  AlarmRules rules_;
  // Of the thread that evaluates: what was said of the command, and when.
  uint64_t failures_said_ = 0;
  bool said_gone_ = false;
  std::chrono::steady_clock::time_point failure_said_{};
  mutable std::mutex mutex_;  // of what follows
  std::vector<Alarm> active_;
  std::vector<QueueRules::Load> queues_;
  std::vector<LossRules::Loss> losses_;
  std::map<std::string, uint64_t> raised_;  // by name: how often
};

// The sensor's clocks.
AlarmRules::Now AlarmClock();

}  // namespace vedette
