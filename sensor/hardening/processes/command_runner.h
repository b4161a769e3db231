// Runs the operator's command for an alarm, from a process of its own that is started before the sensor is confined.
//
//   sensor ──(name, text)──► helper ──fork, exec──► /usr/local/bin/notify     text on its standard input
//          ◄───(counters)───                        VEDETTE_ALARM=name        time-out, then SIGKILL
//
// The sensor itself can start no program (sensor/hardening/processes/README.md); the helper starts this one command and no other,
// whatever it is sent. It reads no packets, and holds no file of the sensor's but its end of a socket pair. It ends
// with the sensor.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "parsers/base/counter.h"
#include "sensor/hardening/processes/helper_process.h"

namespace vedette {

namespace families {

inline constexpr FigureFamily kAlarmCommands = {"vedette_alarm_commands_total", FigureKind::kCounter,
                                                "runs of the alarm command, by result", "result"};

}  // namespace families

struct CommandCounters {
  uint64_t accepted = 0;      // handed to the helper
  uint64_t dropped_rate = 0;  // over the rate
  uint64_t dropped_busy = 0;  // the helper has too many waiting, or is gone
  uint64_t succeeded = 0;     // the command ended with 0
  uint64_t failed = 0;        // … with something else, by a signal, or could not be started
  uint64_t timed_out = 0;     // … was killed

  static constexpr auto Counters() {
    using namespace families;
    using C = CommandCounters;
    return CounterTable(Count(&C::accepted, "runs handed to the helper"),
                        Count(&C::succeeded, kAlarmCommands, "succeeded", "it ended with 0"),
                        Count(&C::failed, kAlarmCommands, "failed", "it ended otherwise, or could not be started"),
                        Count(&C::timed_out, kAlarmCommands, "timed_out", "it took too long and was killed"),
                        Count(&C::dropped_rate, kAlarmCommands, "dropped", "over the rate"),
                        Count(&C::dropped_busy, kAlarmCommands, "dropped", "too many wait, or the helper is gone"));
  }
};

struct CommandStatus {
  CommandCounters counters;
  bool failing = false;      // the last run did not end with 0
  std::string last_failure;  // how the last such run ended: "exit status 3"; empty: none yet
  bool gone = false;         // the helper has ended; no command can be run any more
};

class CommandRunner {
 public:
  // An alarm storm tells what it has to tell in its first ten messages.
  struct Options {
    std::vector<std::string> command;        // program, by its absolute path, and arguments; no shell
    std::chrono::seconds time_out{30};       // for one run
    uint32_t burst = 10;                     // runs at once …
    std::chrono::milliseconds every{6'000};  // … and one more in each of these
  };

  // More of a text is cut off. Fits a pipe (64 KiB), so that writing it never waits for the command.
  static constexpr size_t kMaxTextBytes = size_t{16} << 10;
  static constexpr size_t kMaxNameBytes = 64;

  // Forks. To be called while the process has one thread, after DropPrivileges (the command runs with the same user and
  // with no_new_privs: it cannot use sudo) and before Confine. nullptr with `error` where the command is no program
  // that can be started.
  static std::unique_ptr<CommandRunner> Start(const Options& options, std::string& error);

  // Never waits. False where it was dropped, which is counted. `name` is for the command's environment: a-z, 0-9, `_`,
  // `-` and `.`; other bytes become `_`. Any thread.
  bool Run(std::string_view name, std::string_view text);
  // What is known by now. Any thread.
  CommandStatus Status();
  const std::string& program() const { return options_.command[0]; }

  // Lets a running command end, at most for a second; the helper then goes on alone until what it had accepted is done.
  ~CommandRunner();
  CommandRunner(const CommandRunner&) = delete;
  CommandRunner& operator=(const CommandRunner&) = delete;

 private:
  CommandRunner(const Options& options, std::unique_ptr<HelperProcess> helper);
  bool TakeToken();

  const Options options_;
  const std::unique_ptr<HelperProcess> helper_;

  std::mutex mutex_;
  CommandStatus status_;
  double tokens_;
  std::chrono::steady_clock::time_point refilled_;
};

}  // namespace vedette
