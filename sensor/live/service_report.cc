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

void ServiceReport::Watch() {
  const double spent = pipeline_.Snapshot().worker_cpu_seconds;
  const bool works = spent != worker_cpu_seconds_ && exporter_answered_;
  worker_cpu_seconds_ = spent;
  if (works) manager_.Alive();
  if (exporter_answered_.exchange(false)) exporter_.Post([this] { exporter_answered_ = true; });
}

}  // namespace vedette
