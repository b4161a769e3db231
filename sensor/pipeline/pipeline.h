// Runs the lanes of a sensor or of a replay, each in its own thread, and adds up what they counted.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "sensor/pipeline/lane.h"
#include "sensor/pipeline/totals.h"

namespace vedette {

struct ProgressReport {
  CaptureCounters capture;  // of the lane that has come least far
  uint64_t packets = 0;     // received, all lanes
  uint64_t alerts = 0;
};

class Pipeline {
 public:
  Pipeline(std::vector<LaneSetup> setups, Sharing sharing);
  ~Pipeline();
  Pipeline(const Pipeline&) = delete;
  Pipeline& operator=(const Pipeline&) = delete;

  // Runs until every source is at its end or `stop` is set, then ends all flows. `on_progress` is called in the calling
  // thread a few times a second; it may be empty. Once only.
  Totals Run(const std::atomic<bool>& stop, const std::function<void(const ProgressReport&)>& on_progress);

  // Any thread, during Run too: what the lanes last published, added up.
  Totals Snapshot() const;
  // The same, lane by lane.
  std::vector<Totals> Snapshots() const;
  Totals SumOf(std::vector<Totals> parts) const;

  size_t num_lanes() const { return lanes_.size(); }
  const Lane& lane(size_t i) const { return *lanes_[i]; }
  // For the exporter and for a reload, in the order of the lanes. The rings are those there are.
  std::vector<AlertQueue*> alert_queues() const;
  std::vector<KitExchange*> exchanges() const;

 private:
  ProgressReport Progress() const;

  std::vector<std::unique_ptr<Lane>> lanes_;
  const Sharing sharing_;
};

}  // namespace vedette
