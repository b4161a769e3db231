// From observables to alerts: looks a burst up in the indicator set and queues what was hit.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "exporter/alert_queue.h"
#include "sensor/pipeline/burst_consumer.h"
#include "signatures/indicator_set.h"

namespace vedette {

struct AlertCounters {
  uint64_t alerts = 0;              // queued
  uint64_t repeated = 0;            // the flow had shown that value before
  uint64_t dropped_queue_full = 0;  // live only
  uint64_t dropped_flow_limit = 0;  // a flow with more than kMaxAlertsPerFlow distinct hits
};

class MatchConsumer : public BurstConsumer {
 public:
  // A crafted flow must not fill the memory: more distinct values than that in one flow are counted only.
  static constexpr size_t kMaxAlertsPerFlow = 4096;
  // A DNS message with thousands of listed answers raises as many alerts, each with its neighbours; what an alert shows
  // of a message is less than that.
  static constexpr size_t kMaxMessageValues = 256;

  // `wait_when_full`: replay; else a full queue drops.
  MatchConsumer(std::shared_ptr<const IndicatorSet> indicators, uint64_t generation, AlertQueue& queue,
                bool wait_when_full);

  void OnBurst(const ObservableBatch& batch, std::span<const EmissionContext> contexts,
               std::span<const uint64_t> ended_flows) override;
  void OnProgress(uint32_t file, uint64_t packet) override;

  const AlertCounters& counters() const { return counters_; }
  const MatchCounters& match_counters() const { return scratch_.counters; }
  // False: no memory for the matcher's scratch.
  bool ready() const { return ready_; }

 private:
  void Raise(const ObservableBatch& batch, const Observable& observable, uint32_t index, const EmissionContext& context,
             std::span<const Hit> hits);
  bool SeenBefore(const Observable& observable, const EmissionContext& context);

  std::shared_ptr<const IndicatorSet> indicators_;
  uint64_t generation_;
  AlertQueue& queue_;
  bool wait_when_full_;
  MatchScratch scratch_;
  bool ready_;
  std::vector<Hit> hits_;
  std::unordered_map<uint64_t, std::unordered_set<uint64_t>> raised_;  // by flow id: what it alerted on
  AlertPosition position_;
  uint32_t ordinal_ = 0;
  AlertCounters counters_;
};

}  // namespace vedette
