// What a worker hands on at the end of each burst.
#pragma once

#include <cstdint>
#include <span>

#include "exporter/alert/alert.h"
#include "parsers/base/observable.h"
#include "sensor/pipeline/match_kit.h"

namespace vedette {

// The flow and place of the observables that carry its index. Evidence is taken when an observable is emitted.
struct EmissionContext {
  FlowSnapshot flow;
  uint32_t file = 0;
  uint64_t packet = 0;
  uint64_t time_ns = 0;  // of that packet; of what the end of a flow brought: of the flow's last one
  Direction direction = Direction::kToServer;  // in which that packet went, by what is known of the flow's ends then
  // 0 for what a packet brought. What the end of a flow brought, found between packets, is ordered behind that packet
  // by the flow's first packet, so that the order does not depend on which worker had the flow.
  uint64_t rank = 0;
};

struct AlertCounters {
  uint64_t alerts = 0;    // queued
  uint64_t flows = 0;     // with alerts
  uint64_t repeated = 0;  // the flow had shown that value before, to each audience of its hits
  // Alerts that an audience, or several, did not get: the others did, where there are others. The queue's is live only;
  // the flow's is of one with more than MatchLimits::alerts_per_flow distinct values of that audience.
  uint64_t dropped_queue_full = 0;
  uint64_t dropped_flow_limit = 0;
  // Indicators that were taken out of alerts so.
  uint64_t hits_queue_full = 0;
  uint64_t hits_flow_limit = 0;
  uint64_t ends_queue_full = 0;   // ends of flows that no audience got, for want of room in the queue
  uint64_t unremembered = 0;      // beyond MatchLimits::remembered: the flow may show the value again
  uint64_t remembered_bytes = 0;  // what is held of flows with alerts, now
};

// A flow that is over: its packets are those of its five-tuple from `first_packet` to `last_packet`. Flows of the same
// five-tuple follow each other and share no position.
struct EndedFlow {
  uint64_t id = 0;
  uint64_t first_packet = 0;  // PacketPosition
  uint64_t last_packet = 0;   // no later one belongs to it; not necessarily one of its own
  // For a consumer that wants ends, while the call lasts: the whole flow and where its end stands. Else nullptr.
  const EmissionContext* end = nullptr;
  uint32_t context = 0;  // index of the first context of the batch that comes after the end
};

// Called by one worker, in its thread.
class BurstConsumer {
 public:
  virtual ~BurstConsumer() = default;
  // Before the first burst and after each reload. The kit outlives its use; a worker without indicators has none.
  virtual void Use(MatchKit&) {}
  // Views hold during the call. `ended_flows` ended behind everything that the batch holds of them.
  virtual void OnBurst(const ObservableBatch& batch, std::span<const EmissionContext> contexts,
                       std::span<const EndedFlow> ended_flows) = 0;
  // Whether EndedFlow::end is wanted: what it holds is made for every flow. Asked once, before the first burst.
  virtual bool wants_ends() const { return false; }
  // Everything up to this packet has been handed over.
  virtual void OnProgress(uint32_t file, uint64_t packet) = 0;
  // Whether an alert of that flow is out, so that its ends have their names. Of a flow that ended: false.
  virtual bool HasRaised(uint64_t) const { return false; }
  virtual AlertCounters alert_counters() const { return {}; }
};

}  // namespace vedette
