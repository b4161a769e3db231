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
  // Nor must many of them: how many distinct values a worker remembers over all flows, some 48 bytes each. Beyond it
  // alerts are raised all the same, and a flow that repeats itself raises them again.
  static constexpr size_t kMaxRemembered = size_t{4} << 20;
  // A DNS message with thousands of listed answers raises as many alerts, each with its neighbours; what an alert shows
  // of a message is less than that. So many of the kinds that are always emitted, and so many of those that some
  // indicator looks in: whose they are must not show in another's alert.
  static constexpr size_t kMaxMessageValues = 256;

  // `wait_when_full`: replay; else a full queue drops. `keep_flows`: how many of the flows with alerts are kept for
  // matched_flows(), those that alerted first.
  MatchConsumer(AlertQueue& queue, bool wait_when_full, size_t keep_flows = 0);

  void Use(MatchKit& kit) override { kit_ = &kit; }
  void OnBurst(const ObservableBatch& batch, std::span<const EmissionContext> contexts,
               std::span<const EndedFlow> ended_flows) override;
  void OnProgress(uint32_t file, uint64_t packet) override;
  bool HasRaised(uint64_t flow_id) const override { return raised_.contains(flow_id); }

  AlertCounters alert_counters() const override;
  // Flows with alerts that are over, in no order.
  const std::vector<EndedFlow>& matched_flows() const { return matched_flows_; }

 private:
  struct Raised {
    std::unordered_set<uint64_t> identities;  // what the flow alerted on
    bool counted = false, kept = false;
  };
  // False where the alert was dropped.
  bool Raise(const ObservableBatch& batch, const Observable& observable, uint32_t index, const EmissionContext& context,
             std::span<const Hit> hits);
  // What the flow of a hit has shown so far.
  Raised& FlowOf(const EmissionContext& context, uint32_t first_hit);

  MatchKit* kit_ = nullptr;
  AlertQueue& queue_;
  bool wait_when_full_;
  std::vector<Hit> hits_;
  std::unordered_map<uint64_t, Raised> raised_;  // by flow id
  size_t num_remembered_ = 0;                    // identities of all flows
  size_t keep_flows_;                            // more that may be kept
  std::vector<EndedFlow> matched_flows_;
  AlertPosition position_;
  uint32_t ordinal_ = 0;
  AlertCounters counters_;
};

}  // namespace vedette
