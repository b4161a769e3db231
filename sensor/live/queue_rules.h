// How the traffic of the last minute spread over the queues, and whether that is a problem.
#pragma once

#include <chrono>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "exporter/metrics/figures.h"
#include "parsers/base/counter.h"

namespace vedette {

namespace families {

inline constexpr FigureFamily kQueueShare = {"vedette_queue_share_percent", FigureKind::kGauge,
                                             "a queue's share of the packets of the last minute", "queue"};
inline constexpr FigureFamily kQueueBusy = {"vedette_queue_busy_percent", FigureKind::kGauge,
                                            "how much of a CPU a queue's worker used in the last minute", "queue"};

}  // namespace families

// One thread.
class QueueRules {
 public:
  using Time = std::chrono::steady_clock::time_point;
  static constexpr std::chrono::seconds kWindow{60};
  // A worker with less to do than that keeps up whatever share it has.
  static constexpr double kBusyPercent = 25;

  struct Load {
    std::string queue;
    double share_percent = 0;  // of the packets
    double busy_percent = 0;   // of one CPU
  };

  // Once a second: figures of a running sensor (sensor/pipeline/queue_figures.h).
  void TakeSample(const Figures& figures, Time now);
  // Within the window, in the order of the queues; nothing before two samples.
  std::vector<Load> Loads() const;
  // What to tell the operator where a busy queue has more than `limit_percent` of what the others should have had of it:
  // 0 is an even spread, 100 is everything in one queue. Nothing where there is one queue only, or for a limit of 0.
  std::optional<std::string> Imbalance(double limit_percent) const;

 private:
  struct Counts {
    double packets = 0, cpu_seconds = 0;
  };
  struct Sample {
    Time time;
    std::map<std::string, Counts> queues;
  };

  std::vector<std::string> order_;
  std::deque<Sample> samples_;
};

}  // namespace vedette
