// One worker with all that it works with: its sources, its consumer, its ring to the exporter, and its figures.
//
//   queue k of every interface ─► source ─► worker ─► consumer ─► alert ring ─► exporter
//                                   ▲ kits (a reload)                          figures ─► whoever asks
//
// A live sensor's lanes have packets of their own: lane k has queue k of every interface, so that both directions of a
// flow meet in it, whichever interfaces they come over. A replay's lanes walk one capture, and each takes its share.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>

#include "exporter/alert/alert_queue.h"
#include "sensor/capture/frame.h"
#include "sensor/capture/packet_filter.h"
#include "sensor/pipeline/burst_consumer.h"
#include "sensor/pipeline/match_kit.h"
#include "sensor/pipeline/totals.h"
#include "sensor/pipeline/worker.h"

namespace vedette {

// What a lane is made of.
struct LaneSetup {
  std::unique_ptr<CaptureSource> source;
  std::unique_ptr<PacketFilter> filter;  // may be null
  WorkerOptions options;
  std::unique_ptr<MatchKit> kit;            // null: nothing is matched
  std::unique_ptr<AlertQueue> alerts;       // where the consumer puts alerts; null: it raises none
  std::unique_ptr<BurstConsumer> consumer;  // not null
  int cpu = -1;                             // where its thread runs; below 0: wherever
  // Called in the lane's thread, last of all: everything is handed over, and `alerts` is closed. May be empty.
  std::function<void()> on_end;
};

class Lane {
 public:
  Lane(LaneSetup setup, Sharing sharing);
  ~Lane();
  Lane(const Lane&) = delete;
  Lane& operator=(const Lane&) = delete;

  // The lane's life, in a thread of its own: until its source ends or `stop` is set; then all of its flows end. Once
  // only. What only the worker needs is freed before this returns.
  void Run(const std::atomic<bool>& stop);

  // Any thread: what the lane last published, every kPublishInterval and at its end. It never waits for who reads.
  Totals Snapshot() const;
  static constexpr auto kPublishInterval = std::chrono::milliseconds(200);

  // How far the lane was when it last published.
  struct Progress {
    uint64_t input_bytes = 0, total_bytes = 0, packets = 0;
  };
  Progress progress() const;

  // Any thread: whether Run is about to return, or has.
  bool ended() const { return exchange_.ended(); }

  KitExchange& exchange() { return exchange_; }
  AlertQueue* alerts() const { return setup_.alerts.get(); }

 private:
  struct alignas(64) Position {
    std::atomic<uint64_t> input_bytes{0}, total_bytes{0}, packets{0};
  };

  void Walk(const std::atomic<bool>& stop);
  void Process(std::span<const Frame> frames);
  void TryPublish();
  Totals Report() const;

  LaneSetup setup_;
  const Sharing sharing_;
  KitExchange exchange_;
  std::unique_ptr<Worker> worker_;  // null once the lane has ended
  double cpu_before_ = 0;
  HistogramCounts delay_;
  Position position_;
  mutable std::mutex mutex_;  // of `published_`
  Totals published_;
};

}  // namespace vedette
