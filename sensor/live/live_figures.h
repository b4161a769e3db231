// The figures of a running sensor's parts, and the short form in which the log shows them.
#pragma once

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "exporter/alert/alert_queue.h"
#include "exporter/metrics/figures.h"
#include "sensor/pipeline/pipeline.h"

namespace vedette {

// Packets, flows, matching: what the workers published last.
class PipelineFigures : public FigureSource {
 public:
  // `interfaces`: their names, in the sensor's order.
  PipelineFigures(const Pipeline& pipeline, std::vector<std::string> interfaces)
      : pipeline_(pipeline), interfaces_(std::move(interfaces)) {}
  void AppendFigures(Figures& out) const override;

 private:
  const Pipeline& pipeline_;
  const std::vector<std::string> interfaces_;
};

// How full the rings between workers and exporter are.
class QueueFigures : public FigureSource {
 public:
  explicit QueueFigures(std::vector<AlertQueue*> queues) : queues_(std::move(queues)) {}
  void AppendFigures(Figures& out) const override;

 private:
  std::vector<AlertQueue*> queues_;
};

// The process itself. Opens what it reads at once: later the process may be confined.
class ProcessFigures : public FigureSource {
 public:
  ProcessFigures();
  ~ProcessFigures() override;
  ProcessFigures(const ProcessFigures&) = delete;
  ProcessFigures& operator=(const ProcessFigures&) = delete;
  void AppendFigures(Figures& out) const override;
  double uptime_seconds() const;

 private:
  const int statm_;  // proc(5); -1: not there
  const std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
  const std::chrono::system_clock::time_point started_at_ = std::chrono::system_clock::now();
};

// One line of figures, with what has been added since the line before.
class PeriodicSummary {
 public:
  std::string Line(const Figures& figures);

 private:
  double packets_ = 0, dropped_ = 0, alerts_ = 0;
};

}  // namespace vedette
