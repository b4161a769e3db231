#include "sensor/live/live_figures.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <utility>

#include "exporter/metrics/families.h"
#include "sensor/live/loss_rules.h"
#include "sensor/pipeline/queue_figures.h"
#include "sensor/pipeline/totals_figures.h"
#include "sensor/setup/progress.h"

namespace vedette {
namespace {

std::string Added(double now, double& before) {
  const double added = now - before;
  before = now;
  return fmt::format("{} (+{})", Thousands(static_cast<uint64_t>(now)),
                     Thousands(static_cast<uint64_t>(std::max(added, 0.0))));
}

}  // namespace

void PipelineFigures::AppendFigures(Figures& out) const {
  std::vector<Totals> lanes = pipeline_.Snapshots();
  Figures queues;
  AppendQueueFigures(lanes, queues);
  const Totals sum = pipeline_.SumOf(std::move(lanes));
  vedette::AppendFigures(sum, out);
  AppendInterfaceLosses(sum.loss, interfaces_, out);
  for (const Figure& figure : queues.all()) out.Add(figure);
}

void QueueFigures::AppendFigures(Figures& out) const {
  size_t depth = 0, capacity = 0;
  for (const AlertQueue* queue : queues_) {
    depth += queue->depth();
    capacity += queue->room();
  }
  out.Add(families::kAlertQueueDepth, static_cast<double>(depth));
  out.Add(families::kAlertQueueCapacity, static_cast<double>(capacity));
}

ProcessFigures::ProcessFigures() : statm_(open("/proc/self/statm", O_RDONLY | O_CLOEXEC)) {}

ProcessFigures::~ProcessFigures() {
  if (statm_ >= 0) close(statm_);
}

double ProcessFigures::uptime_seconds() const {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - started_).count();
}

void ProcessFigures::AppendFigures(Figures& out) const {
  out.Add(families::kStarted, std::chrono::duration<double>(started_at_.time_since_epoch()).count());
  char text[128] = "";
  unsigned long resident_pages = 0;
  if (statm_ >= 0 && pread(statm_, text, sizeof text - 1, 0) > 0 &&
      std::sscanf(text, "%*u %lu", &resident_pages) == 1) {
    out.Add(families::kMemory, "process",
            static_cast<double>(resident_pages) * static_cast<double>(sysconf(_SC_PAGESIZE)));
  }
}

std::string PeriodicSummary::Line(const Figures& figures) {
  const double now = static_cast<double>(std::time(nullptr));
  const double loaded = figures.Value(families::kIndicatorLoaded);
  return fmt::format(
      "packets {}, dropped {}, flows now {}, alerts {}, indicators {} (generation {}, {} old), memory {}",
      Added(figures.Value(families::kPacketsReceived), packets_),
      Added(figures.Sum(families::kPacketsDropped), dropped_),
      Thousands(static_cast<uint64_t>(figures.Value(families::kFlowsNow))),
      Added(figures.Value(families::kAlerts), alerts_),
      Thousands(static_cast<uint64_t>(figures.Value(families::kIndicators))),
      static_cast<uint64_t>(figures.Value(families::kIndicatorGeneration)), Span(std::max(0.0, now - loaded)),
      ByteSize(static_cast<uint64_t>(figures.Value(families::kMemory, "process"))));
}

}  // namespace vedette
