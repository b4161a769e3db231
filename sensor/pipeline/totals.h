// What the lanes of a run have counted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "exporter/metrics/histogram.h"
#include "sensor/capture/frame.h"
#include "sensor/pipeline/burst_consumer.h"
#include "sensor/pipeline/worker.h"

namespace vedette {

// How the sources of several lanes relate: each walks the whole capture and takes its share, or each has packets of its
// own.
enum class Sharing : uint8_t { kSameCapture, kOwnPackets };

// What one lane counted, or all of them added up. Every packet is counted by exactly one of them.
struct Totals {
  CaptureCounters capture;  // replay: of one source, since all of them walk the same capture; live: of all interfaces
  DecodeCounters decode;
  WorkerCounters workers;
  InspectionCounters inspection;
  TcpCounters tcp;
  MatchCounters payload, fields;
  AlertCounters alerts;
  HistogramCounts delay;              // live: from the capture of a burst's last packet to its turn
  std::vector<CaptureDamage> damage;  // only at the end
  size_t flow_memory_bytes = 0;
  size_t fragment_memory_bytes = 0;
  double worker_cpu_seconds = 0;  // thread CPU time
  double seconds = 0;             // wall time
  bool interrupted = false;
};

// Adds one lane's figures to the sum of others.
void Add(Totals& sum, const Totals& part, Sharing sharing);

}  // namespace vedette
