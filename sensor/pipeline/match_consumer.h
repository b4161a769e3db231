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

class MatchConsumer : public BurstConsumer {
 public:
  // A crafted flow must not fill the memory: more distinct values than that in one flow are counted only.
  static constexpr size_t kMaxAlertsPerFlow = 4096;
  // A DNS message with thousands of listed answers raises as many alerts, each with its neighbours; what an alert shows
  // of a message is less than that.
  static constexpr size_t kMaxMessageValues = 256;

  // `wait_when_full`: replay; else a full queue drops.
  MatchConsumer(AlertQueue& queue, bool wait_when_full);

  void Use(MatchKit& kit) override { kit_ = &kit; }
  void OnBurst(const ObservableBatch& batch, std::span<const EmissionContext> contexts,
               std::span<const uint64_t> ended_flows) override;
  void OnProgress(uint32_t file, uint64_t packet) override;

  AlertCounters alert_counters() const override { return counters_; }

 private:
  void Raise(const ObservableBatch& batch, const Observable& observable, uint32_t index, const EmissionContext& context,
             std::span<const Hit> hits);
  bool SeenBefore(const Observable& observable, const EmissionContext& context, uint32_t first_hit);

  MatchKit* kit_ = nullptr;
  AlertQueue& queue_;
  bool wait_when_full_;
  std::vector<Hit> hits_;
  std::unordered_map<uint64_t, std::unordered_set<uint64_t>> raised_;  // by flow id: what it alerted on
  AlertPosition position_;
  uint32_t ordinal_ = 0;
  AlertCounters counters_;
};

}  // namespace vedette
