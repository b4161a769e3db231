// `replay --resume STATE`: continues an interrupted run, so that its output is that of one run.
//
// The captures are read again from the start, since what the workers know of open flows is not kept; the alerts that
// are already on disk are found again, compared and not written twice. So a resumed run takes as long as a whole one,
// and its summary is that of a whole run.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "exporter/alert/alert_sink.h"
#include "exporter/output/file_sink.h"
#include "sensor/capture/files/capture_list.h"

namespace vedette {

// What identifies a run: everything that its output depends on. Two runs are compared name by name.
struct RunIdentity {
  std::vector<std::pair<std::string, std::string>> parts;  // name, value
  std::vector<std::string> captures;                       // of each: its name, size, and time of change
};

// For the files of a list. False, with `error`, if one cannot be read twice.
bool IdentifyCaptures(const CaptureList& list, RunIdentity& identity, std::string& error);
// Of other files that the output depends on: "PATH, 123 bytes, changed 1764000000.123456789".
std::string IdentifyFile(const std::string& path);

// The state file. Replaced atomically: whatever happens, it is the old or the new one.
class ResumeState {
 public:
  static constexpr char kNewSuffix[] = ".new";  // of the file that the next state is written to

  explicit ResumeState(std::string path) : path_(std::move(path)) {}

  // Loads the file, if there is one. False with `error`: it belongs to another run, or is damaged.
  bool Load(const RunIdentity& identity, std::string& error);
  // False with `error`.
  bool Save(const OutputMark& mark, std::string& error);
  // The run has ended and its output is complete.
  // `exit_status` is that without --fail-on-match.
  bool SaveComplete(const OutputMark& mark, bool matched, int exit_status, std::string& error);

  const OutputMark& mark() const { return mark_; }
  bool complete() const { return complete_; }
  // Of a complete run: whether there were alerts, and its exit status apart from that.
  bool matched() const { return matched_; }
  int exit_status() const { return exit_status_; }
  const std::string& path() const { return path_; }

 private:
  bool Write(std::string& error);

  const std::string path_;
  RunIdentity identity_;
  OutputMark mark_;
  bool complete_ = false;
  bool matched_ = false;
  int exit_status_ = 0;
};

// Syncs the output to disk at intervals and records that in the state. Comes after the output among the sinks.
class CheckpointSink : public AlertSink {
 public:
  // Alerts accepted after `stop` was set come from an incomplete run, and are never certain.
  CheckpointSink(FileSink& output, ResumeState& state, std::chrono::milliseconds interval,
                 const std::atomic<bool>& stop)
      : output_(output), state_(state), interval_(interval), stop_(stop), next_(Clock::now() + interval) {}

  bool Accept(const Event&) override { return error_.empty(); }
  void Idle() override;
  // After the output's: if the run was stopped, the state is what was certain just before that.
  bool Close() override;
  const std::string& error() const override { return error_; }
  bool delivers() const override { return false; }

 private:
  using Clock = std::chrono::steady_clock;

  FileSink& output_;
  ResumeState& state_;
  const std::chrono::milliseconds interval_;
  const std::atomic<bool>& stop_;
  Clock::time_point next_;
  OutputMark before_stop_;
  std::string error_;
};

}  // namespace vedette
