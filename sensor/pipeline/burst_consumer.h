// What a worker hands on at the end of each burst.
#pragma once

#include <cstdint>
#include <span>

#include "exporter/alert/alert.h"
#include "exporter/metrics/families.h"
#include "parsers/base/counter.h"
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
  uint64_t first_packet = 0;  // of the flow: PacketPosition
};

namespace families {

inline constexpr FigureFamily kAlerts = {"vedette_alerts_total", FigureKind::kCounter, "alerts raised", ""};
inline constexpr FigureFamily kAlertsRepeated = {"vedette_alerts_repeated_total", FigureKind::kCounter,
                                                 "hits that their flow had shown before", ""};
inline constexpr FigureFamily kAlertHitsDropped = {
    "vedette_alert_hits_dropped_total", FigureKind::kCounter,
    "indicators left out of alerts because their audience was over a limit, by cause", "cause"};
inline constexpr FigureFamily kAlertsUnremembered = {
    "vedette_alerts_unremembered_total", FigureKind::kCounter,
    "alerts beyond what a worker remembers: their flows may show the same values again", ""};

}  // namespace families

struct AlertCounters {
  uint64_t alerts = 0;
  uint64_t flows = 0;
  uint64_t repeated = 0;  // the flow had shown that value before, to each audience of its hits
  // Alerts that an audience, or several, did not get: the others did, where there are others. The queue's is live only;
  // the flow's is of one with more than MatchLimits::alerts_per_flow distinct values of that audience.
  uint64_t dropped_queue_full = 0;
  uint64_t dropped_flow_limit = 0;
  uint64_t hits_queue_full = 0;
  uint64_t hits_flow_limit = 0;
  uint64_t ends_queue_full = 0;
  uint64_t unremembered = 0;      // beyond MatchLimits::remembered
  uint64_t remembered_bytes = 0;  // now

  static constexpr auto Counters() {
    using namespace families;
    using C = AlertCounters;
    return CounterTable(
        Count(&C::alerts, kAlerts), Count(&C::flows, "flows with alerts"), Count(&C::repeated, kAlertsRepeated),
        Count(&C::unremembered, kAlertsUnremembered),
        Count(&C::dropped_queue_full, kAlertsDropped, "queue_full", "the exporter was too slow"),
        Count(&C::dropped_flow_limit, kAlertsDropped, "too_many_in_one_flow", "the flow had shown too many values"),
        Count(&C::hits_queue_full, kAlertHitsDropped, "queue_full", "indicators that were taken out of alerts so"),
        Count(&C::hits_flow_limit, kAlertHitsDropped, "too_many_in_one_flow", "the same"),
        Count(&C::ends_queue_full, "ends of flows that no audience got, for want of room in the queue"),
        Count(&C::remembered_bytes, kMemory, "alerts", "what is held of flows with alerts"));
  }
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
