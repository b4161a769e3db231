#include "sensor/live/service_report.h"

#include <fmt/format.h>

namespace vedette {
namespace {

constexpr int kBeatsPerInterval = 3;  // one may come late

}  // namespace

void ServiceReport::Tick(Clock::time_point now) {
  if (!manager_.present()) return;
  const Reloader::Outcome reload = reloader_.last();
  if (reload.running && !reloading_) {
    reloading_ = true;
    manager_.Reloading("reading its indicators");
  } else if (!reload.running && (reloading_ || reload.number != reloads_)) {  // or begun and ended since the last time
    reloading_ = false;
    reloads_ = reload.number;
    manager_.Ready(fmt::format("{} indicators, generation {}{}", reload.indicators, reload.generation,
                               !reload.succeeded         ? "; the last reload failed"
                               : reload.warnings.empty() ? ""
                                                         : "; the last reload had warnings"));
  }
  if (manager_.watchdog() && now >= next_watch_) {
    next_watch_ = now + *manager_.watchdog() / kBeatsPerInterval;
    Watch();
  }
}

// A lane that hangs is not hidden by those that work.
bool ServiceReport::EveryLaneWorked() {
  bool all = true;
  spent_cpu_seconds_.resize(pipeline_.num_lanes(), -1);
  for (size_t i = 0; i < pipeline_.num_lanes(); ++i) {
    const double spent = pipeline_.lane(i).Snapshot().worker_cpu_seconds;
    all &= spent != spent_cpu_seconds_[i] || pipeline_.lane(i).ended();
    spent_cpu_seconds_[i] = spent;
  }
  return all;
}

void ServiceReport::Watch() {
  if (EveryLaneWorked() && exporter_answered_) manager_.Alive();
  if (exporter_answered_.exchange(false)) exporter_.Post([this] { exporter_answered_ = true; });
}

}  // namespace vedette
