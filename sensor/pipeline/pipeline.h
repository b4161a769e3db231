// Runs the workers over a capture, each in its own thread, and adds up what they counted.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "sensor/capture/frame.h"
#include "sensor/pipeline/worker.h"

namespace vedette {

// All workers' figures added up. Every packet is counted by exactly one of them.
struct Totals {
  CaptureCounters capture;  // of one source: all of them walk the same capture
  DecodeCounters decode;
  WorkerCounters workers;
  InspectionCounters inspection;
  TcpCounters tcp;
  MatchCounters payload;
  std::vector<CaptureDamage> damage;
  size_t flow_memory_bytes = 0;
  double worker_cpu_seconds = 0;  // thread CPU time of all workers
  double seconds = 0;             // wall time
  bool interrupted = false;
};

// What one worker works with. Owned by its thread while the pipeline runs.
struct WorkerSetup {
  std::unique_ptr<CaptureSource> source;
  std::unique_ptr<PacketFilter> filter;  // may be null
  WorkerOptions options;
  BurstConsumer* consumer = nullptr;  // outlives the run
  std::function<void()> on_end;       // called in the worker's thread when it has handed over everything
};

struct ProgressReport {
  CaptureCounters capture;  // of the worker that has come least far
  uint64_t packets = 0;     // received, all workers
  uint64_t alerts = 0;
};

// Runs until every source is at its end or `stop` is set, then ends all flows. `on_progress` is called in the calling
// thread a few times a second; it may be empty.
Totals RunPipeline(std::vector<WorkerSetup> setups, const std::atomic<bool>& stop,
                   const std::function<void(const ProgressReport&)>& on_progress);

}  // namespace vedette
