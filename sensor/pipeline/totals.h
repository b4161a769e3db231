// What the lanes of a run have counted.
#pragma once

#include <cstdint>
#include <vector>

#include "exporter/metrics/families.h"
#include "exporter/metrics/histogram.h"
#include "parsers/base/counter.h"
#include "sensor/capture/frame.h"
#include "sensor/pipeline/burst_consumer.h"
#include "sensor/pipeline/worker.h"

namespace vedette {

namespace families {

inline constexpr FigureFamily kPacketDelay = {"vedette_packet_delay_seconds", FigureKind::kHistogram,
                                              "from the capture of a burst's last packet to its turn (live)", ""};
inline constexpr FigureFamily kWorkerCpu = {"vedette_worker_cpu_seconds_total", FigureKind::kCounter,
                                            "CPU time of all workers", ""};

}  // namespace families

// How the sources of several lanes relate: each walks the whole capture and takes its share, or each has packets of its
// own.
enum class Sharing : uint8_t { kSameCapture, kOwnPackets };

// What one lane counted, or all of them added up. Every packet is counted by exactly one of them.
struct CountedTotals {
  CaptureCounters capture;  // replay: of one source, since all of them walk the same capture; live: of all interfaces
  DecodeCounters decode;
  WorkerCounters workers;
  TcpCounters tcp;
  LossCounters loss;
  InspectionCounters inspection;
  MatchCounters payload, fields;
  AlertCounters alerts;
  HistogramCounts delay;
  uint64_t flow_memory_bytes = 0;
  uint64_t fragment_memory_bytes = 0;
  double worker_cpu_seconds = 0;  // thread CPU time

  // Figures and limits are shown in this order.
  static constexpr auto Counters() {
    using namespace families;
    using C = CountedTotals;
    return CounterTable(CountAll(&C::capture), CountAll(&C::workers),
                        Count(&C::flow_memory_bytes, kMemory, "flows", "the flow table"), CountAll(&C::tcp),
                        CountAll(&C::loss), CountAll(&C::inspection), CountAll(&C::decode), CountAll(&C::payload),
                        CountAll(&C::fields), CountAll(&C::alerts),
                        Count(&C::fragment_memory_bytes, kMemory, "fragments", "fragments that wait for others"),
                        Count(&C::delay, kPacketDelay), Count(&C::worker_cpu_seconds, kWorkerCpu));
  }
};

struct Totals : CountedTotals {
  std::vector<CaptureDamage> damage;  // only at the end
  double seconds = 0;                 // wall time
  bool interrupted = false;
};

// Adds one lane's figures to the sum of others.
void Add(Totals& sum, const Totals& part, Sharing sharing);

}  // namespace vedette
