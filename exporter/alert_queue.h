// From one worker to the exporter thread: a ring of alerts, and how far the worker has come.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "exporter/alert.h"
#include "exporter/doorbell.h"

namespace vedette {

// Where an alert stands in the one order of all alerts.
struct AlertPosition {
  uint64_t packet = 0;  // file and packet number, as one number that sorts
  uint64_t rank = 0;    // 0 for what the packet brought; behind it, what the end of older flows brought
  // Ranks from here on are for what the end of the capture brings. Until then a watermark at a packet says that nothing
  // of it comes any more, so that an alert need not wait for the next packet.
  static constexpr uint64_t kEndOfCapture = uint64_t{1} << 63;

  friend auto operator<=>(const AlertPosition&, const AlertPosition&) = default;
};

struct QueuedAlert {
  AlertPosition position;
  Alert alert;
};

// One producer, one consumer, no locks.
class AlertQueue {
 public:
  // `doorbell` is rung for each alert and at the end; it outlives the queue. Capacity: alerts in flight; a power of
  // two.
  explicit AlertQueue(Doorbell& doorbell, size_t capacity = size_t{16} * 1024)
      : doorbell_(doorbell), mask_(capacity - 1), ring_(capacity) {}

  // Producer. False where the ring is full: the alert stays with the caller (live: dropped and counted; replay: tried
  // again).
  bool TryPush(std::unique_ptr<QueuedAlert>& alert) {
    if (!HasRoom()) return false;
    const size_t tail = tail_.load(std::memory_order_relaxed);
    ring_[tail & mask_] = std::move(alert);
    tail_.store(tail + 1, std::memory_order_release);
    doorbell_.Ring();
    return true;
  }
  // Producer. The next TryPush succeeds.
  bool HasRoom() const {
    return tail_.load(std::memory_order_relaxed) - head_.load(std::memory_order_acquire) <= mask_;
  }
  // Producer: every alert up to this packet has been pushed.
  void SetWatermark(uint64_t packet) { watermark_.store(packet, std::memory_order_release); }
  void Close() {
    closed_.store(true, std::memory_order_release);
    doorbell_.Ring();
  }

  // Consumer. nullptr where it is empty; the alert stays until Pop.
  const QueuedAlert* Front() const {
    const size_t head = head_.load(std::memory_order_relaxed);
    return head == tail_.load(std::memory_order_acquire) ? nullptr : ring_[head & mask_].get();
  }
  std::unique_ptr<QueuedAlert> Pop() {
    const size_t head = head_.load(std::memory_order_relaxed);
    std::unique_ptr<QueuedAlert> alert = std::move(ring_[head & mask_]);
    head_.store(head + 1, std::memory_order_release);
    return alert;
  }
  uint64_t watermark() const { return watermark_.load(std::memory_order_acquire); }
  bool closed() const { return closed_.load(std::memory_order_acquire); }
  // Alerts pushed, and popped, so far.
  size_t pushed() const { return tail_.load(std::memory_order_acquire); }
  size_t popped() const { return head_.load(std::memory_order_acquire); }
  size_t capacity() const { return ring_.size(); }
  size_t depth() const { return tail_.load(std::memory_order_relaxed) - head_.load(std::memory_order_relaxed); }

 private:
  Doorbell& doorbell_;
  size_t mask_;
  std::vector<std::unique_ptr<QueuedAlert>> ring_;
  alignas(64) std::atomic<size_t> head_{0};
  alignas(64) std::atomic<size_t> tail_{0};
  alignas(64) std::atomic<uint64_t> watermark_{0};
  std::atomic<bool> closed_{false};
};

// Takes the alerts of all queues in their one order: by packet, then rank. Consumer side only.
class AlertMerger {
 public:
  explicit AlertMerger(std::vector<AlertQueue*> queues) : queues_(std::move(queues)) {}

  // The next alert in order, or nullptr where none can be told to be the next yet.
  std::unique_ptr<QueuedAlert> Next() {
    // The watermarks are read before the queues: what is pushed later lies behind them.
    uint64_t safe = UINT64_MAX;
    watermarks_.clear();
    for (const AlertQueue* queue : queues_) watermarks_.push_back(queue->closed() ? UINT64_MAX : queue->watermark());
    AlertQueue* first = nullptr;
    for (size_t i = 0; i < queues_.size(); ++i) {
      const QueuedAlert* front = queues_[i]->Front();
      if (front == nullptr) {
        safe = watermarks_[i] < safe ? watermarks_[i] : safe;
      } else if (first == nullptr || front->position < first->Front()->position) {
        first = queues_[i];
      }
    }
    // At the watermark itself only the end of the capture may still bring something.
    if (first == nullptr) return nullptr;
    if (safe != UINT64_MAX && first->Front()->position >= AlertPosition{safe, AlertPosition::kEndOfCapture})
      return nullptr;
    return first->Pop();
  }
  bool Finished() const {
    for (const AlertQueue* queue : queues_) {
      if (!queue->closed() || queue->Front() != nullptr) return false;
    }
    return true;
  }

 private:
  std::vector<AlertQueue*> queues_;
  std::vector<uint64_t> watermarks_;
};

}  // namespace vedette
