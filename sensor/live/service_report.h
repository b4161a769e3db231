// Keeps the service manager informed of a running sensor.
#pragma once

#include <atomic>
#include <chrono>
#include <vector>

#include "exporter/alert/export_loop.h"
#include "sensor/live/reloader.h"
#include "sensor/live/service/service_manager.h"
#include "sensor/pipeline/pipeline.h"

namespace vedette {

// One thread. All outlive it, and it the run of the export loop.
class ServiceReport {
 public:
  using Clock = std::chrono::steady_clock;
  ServiceReport(ServiceManager& manager, const Pipeline& pipeline, ExportLoop& exporter, const Reloader& reloader)
      : manager_(manager), pipeline_(pipeline), exporter_(exporter), reloader_(reloader) {}

  // A few times a second: says when a reload begins and ends, and, a few times in each interval of the watchdog, that
  // the sensor is alive. That is when every lane has spent CPU time since the last time (on a silent link it looks for
  // packets all the same) and the exporter has done what it was handed then. What stands still is restarted.
  void Tick(Clock::time_point now = Clock::now());

 private:
  bool EveryLaneWorked();
  void Watch();
  ServiceManager& manager_;
  const Pipeline& pipeline_;
  ExportLoop& exporter_;
  const Reloader& reloader_;
  bool reloading_ = false;
  uint64_t reloads_ = 0;  // told of
  Clock::time_point next_watch_;
  std::vector<double> spent_cpu_seconds_;  // by lane
  std::atomic<bool> exporter_answered_{true};
};

}  // namespace vedette
