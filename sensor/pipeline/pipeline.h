// Runs the workers over a capture, each in its own thread, and adds up what they counted.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "exporter/metrics/families.h"
#include "exporter/metrics/histogram.h"
#include "parsers/base/counter.h"
#include "sensor/capture/frame.h"
#include "sensor/pipeline/worker.h"

namespace vedette {

namespace families {

inline constexpr FigureFamily kPacketDelay = {"vedette_packet_delay_seconds", FigureKind::kHistogram,
                                              "from the capture of a burst's last packet to its turn (live)", ""};
inline constexpr FigureFamily kWorkerCpu = {"vedette_worker_cpu_seconds_total", FigureKind::kCounter,
                                            "CPU time of all workers", ""};

}  // namespace families

// What one worker counted, or all of them added up. Every packet is counted by exactly one of them.
struct CountedTotals {
  CaptureCounters capture;  // replay: of one source, since all of them walk the same capture; live: of all interfaces
  DecodeCounters decode;
  WorkerCounters workers;
  TcpCounters tcp;
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
    return CounterTable(
        CountAll(&C::capture), CountAll(&C::workers), Count(&C::flow_memory_bytes, kMemory, "flows", "the flow table"),
        CountAll(&C::tcp), CountAll(&C::inspection), CountAll(&C::decode), CountAll(&C::payload), CountAll(&C::fields),
        CountAll(&C::alerts), Count(&C::fragment_memory_bytes, kMemory, "fragments", "fragments that wait for others"),
        Count(&C::delay, kPacketDelay), Count(&C::worker_cpu_seconds, kWorkerCpu));
  }
};

struct Totals : CountedTotals {
  std::vector<CaptureDamage> damage;  // only at the end
  double seconds = 0;                 // wall time
  bool interrupted = false;
};

// What one worker works with. Owned by its thread while the pipeline runs.
struct WorkerSetup {
  std::unique_ptr<CaptureSource> source;
  std::unique_ptr<PacketFilter> filter;  // may be null
  WorkerOptions options;
  std::unique_ptr<MatchKit> kit;      // null: nothing is matched
  KitExchange* exchange = nullptr;    // where a reload leaves a new kit; may be null, else outlives the run
  BurstConsumer* consumer = nullptr;  // outlives the run
  std::function<void()> on_end;       // called in the worker's thread when it has handed over everything
};

struct ProgressReport {
  CaptureCounters capture;  // of the worker that has come least far
  uint64_t packets = 0;     // received, all workers
  uint64_t alerts = 0;
};

// How the sources of several workers relate: each walks the whole capture and takes its share, or each has packets of
// its own.
enum class Sharing : uint8_t { kSameCapture, kOwnPackets };

class Pipeline {
 public:
  Pipeline(std::vector<WorkerSetup> setups, Sharing sharing);
  ~Pipeline();
  Pipeline(const Pipeline&) = delete;
  Pipeline& operator=(const Pipeline&) = delete;

  // Runs until every source is at its end or `stop` is set, then ends all flows. `on_progress` is called in the calling
  // thread a few times a second; it may be empty. Once only.
  Totals Run(const std::atomic<bool>& stop, const std::function<void(const ProgressReport&)>& on_progress);

  // Any thread, during Run too: what the workers last published. A worker publishes every kPublishInterval and never
  // waits for who reads.
  Totals Snapshot() const;

  static constexpr auto kPublishInterval = std::chrono::milliseconds(200);

 private:
  struct Lane;
  void Work(Lane& lane, const std::atomic<bool>& stop);
  static Totals ReportOf(const Lane& lane);

  std::vector<std::unique_ptr<Lane>> lanes_;
  Sharing sharing_;
};

// Adds one worker's figures to the sum of others.
void Add(Totals& sum, const Totals& part, Sharing sharing);

}  // namespace vedette
