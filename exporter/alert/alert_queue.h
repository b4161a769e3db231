// From one worker to the exporter thread: alerts in a queue, and how far the worker has come.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

#include "exporter/alert/alert.h"
#include "exporter/alert/doorbell.h"

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

class AlertQueue;

struct QueuedAlert {
  AlertPosition position;
  Alert alert;

 private:
  friend class AlertQueue;
  AlertQueue* queue_ = nullptr;                  // that it was pushed to
  std::vector<std::atomic<uint32_t>*> charged_;  // see AlertQueue::Room
};

// One producer, one consumer, no locks.
//
// There is no room that alerts share: each audience has its own, and what it waits with takes none of another's. An
// alert counts for every audience that it has hits of. So an alert is lost to an audience because of that audience's
// alerts alone, and no view shows how many hits of others were on their way.
//
// Alerts that were delivered go back to the worker, which fills them again: their buffers are there already, and nothing
// that one thread allocated is freed by the other.
//
// Memory: at most `room` alerts of each audience of the set, some 1-3 kB each, and kSpares of at most 16 kB.
class AlertQueue {
 public:
  // Alerts of one audience in flight: a stall of the exporter of 0.1 s at 80,000 alerts a second.
  static constexpr size_t kRoom = 8192;

  // `doorbell` is rung for each alert and at the end; it outlives the queue.
  explicit AlertQueue(Doorbell& doorbell, size_t room = kRoom)
      : doorbell_(doorbell), room_(room), first_(new Segment), last_(first_) {}
  ~AlertQueue() {
    while (first_ != nullptr) delete std::exchange(first_, first_->next);
  }
  AlertQueue(const AlertQueue&) = delete;
  AlertQueue& operator=(const AlertQueue&) = delete;

  // Producer. An empty alert to fill.
  std::unique_ptr<QueuedAlert> MakeAlert() {
    const size_t taken = spares_taken_.load(std::memory_order_relaxed);
    const size_t given = spares_given_.load(std::memory_order_acquire);
    if (taken == given) return std::make_unique<QueuedAlert>();
    std::unique_ptr<QueuedAlert> alert = std::move(spares_[taken % kSpares]);
    spares_taken_.store(taken + 1, std::memory_order_release);
    if (taken + 1 != given) {
      // The next one, which is in the consumer's cache.
      const auto* const next = reinterpret_cast<const char*>(spares_[(taken + 1) % kSpares].get());
      for (size_t at = 0; at < sizeof(QueuedAlert); at += 64) __builtin_prefetch(next + at, 1);
    }
    return alert;
  }
  // Producer. `audiences`: keys of those that the alert has hits of, each once; not empty. False where one of them has
  // no room: the alert stays with the caller (live: that audience's hits are taken out and counted before; replay:
  // tried again).
  bool TryPush(std::unique_ptr<QueuedAlert>& alert, std::span<const uint64_t> audiences) {
    for (const uint64_t audience : audiences) {
      if (!HasRoom(audience)) return false;
    }
    for (const uint64_t audience : audiences) {
      std::atomic<uint32_t>* in_flight = Find(audience);
      if (in_flight == nullptr) in_flight = &rooms_[audience];
      in_flight->fetch_add(1, std::memory_order_relaxed);
      alert->charged_.push_back(in_flight);
    }
    alert->queue_ = this;
    const size_t tail = tail_.load(std::memory_order_relaxed);
    if (tail % kSegment == 0 && tail != 0) last_ = last_->next = new Segment;
    last_->alerts[tail % kSegment] = std::move(alert);
    tail_.store(tail + 1, std::memory_order_release);
    doorbell_.Ring();
    return true;
  }
  // Producer. Whether an alert with hits of that audience alone would be taken.
  bool HasRoom(uint64_t audience) const {
    const std::atomic<uint32_t>* const in_flight = Find(audience);
    return in_flight == nullptr || in_flight->load(std::memory_order_acquire) < room_;
  }
  // Producer, at a reload: audiences with nothing in flight may be gone for good.
  void ForgetIdle() {
    found_ = nullptr;
    std::erase_if(rooms_, [](const auto& room) { return room.second.load(std::memory_order_acquire) == 0; });
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
    if (head == tail_.load(std::memory_order_acquire)) return nullptr;
    return (head % kSegment == 0 && head != 0 ? first_->next : first_)->alerts[head % kSegment].get();
  }
  // Only where Front is one.
  std::unique_ptr<QueuedAlert> Pop() {
    const size_t head = head_.load(std::memory_order_relaxed);
    if (head % kSegment == 0 && head != 0) delete std::exchange(first_, first_->next);
    std::unique_ptr<QueuedAlert> alert = std::move(first_->alerts[head % kSegment]);
    head_.store(head + 1, std::memory_order_release);
    // From here on the producer may forget the rooms.
    for (std::atomic<uint32_t>* in_flight : alert->charged_) in_flight->fetch_sub(1, std::memory_order_release);
    alert->charged_.clear();
    return alert;
  }
  // Consumer. An alert that was popped, of whichever queue, and is done with.
  static void GiveBack(std::unique_ptr<QueuedAlert> alert) {
    if (alert->queue_ != nullptr) alert->queue_->Keep(std::move(alert));
  }
  uint64_t watermark() const { return watermark_.load(std::memory_order_acquire); }
  bool closed() const { return closed_.load(std::memory_order_acquire); }
  // Alerts pushed, and popped, so far.
  size_t pushed() const { return tail_.load(std::memory_order_acquire); }
  size_t popped() const { return head_.load(std::memory_order_acquire); }
  // For each audience.
  size_t room() const { return room_; }
  size_t depth() const { return tail_.load(std::memory_order_relaxed) - head_.load(std::memory_order_relaxed); }

 private:
  static constexpr size_t kSpares = 1024;
  // Buffers of a spare alert; one with larger ones is freed.
  static constexpr size_t kSpareValueBytes = 4096, kSpareMessage = 128, kSpareIndexes = 512;

  // A room keeps its place until ForgetIdle. Most sets have few audiences, which come many times in a row.
  std::atomic<uint32_t>* Find(uint64_t audience) const {
    if (found_ != nullptr && found_->first == audience) return &found_->second;
    const auto at = rooms_.find(audience);
    if (at == rooms_.end()) return nullptr;
    found_ = const_cast<Room*>(&*at);
    return &found_->second;
  }

  // Consumer. What is not a buffer is that of a new alert.
  void Keep(std::unique_ptr<QueuedAlert> spent) {
    Alert& old = spent->alert;
    const size_t given = spares_given_.load(std::memory_order_relaxed);
    if (given - spares_taken_.load(std::memory_order_acquire) == kSpares || old.value.capacity() > kSpareValueBytes ||
        old.message.capacity() > kSpareMessage ||
        old.indicators.capacity() + old.told.capacity() + old.audiences.capacity() > kSpareIndexes)
      return;
    Alert fresh;
    const auto keep = [](auto& buffer, auto& of) {
      of.clear();
      buffer = std::move(of);
    };
    keep(fresh.value, old.value);
    keep(fresh.message, old.message);
    keep(fresh.flow.outer, old.flow.outer);
    keep(fresh.indicators, old.indicators);
    keep(fresh.told, old.told);
    keep(fresh.audiences, old.audiences);
    old = std::move(fresh);
    spares_[given % kSpares] = std::move(spent);
    spares_given_.store(given + 1, std::memory_order_release);
  }

  // Alerts lie in a chain of these: the producer appends to the last, the consumer frees those that it has emptied. The
  // link is written before the alert behind it is published.
  static constexpr size_t kSegment = 512;
  struct Segment {
    std::array<std::unique_ptr<QueuedAlert>, kSegment> alerts;
    Segment* next = nullptr;
  };

  Doorbell& doorbell_;
  const size_t room_;
  Segment* first_;                                             // the consumer's
  alignas(64) Segment* last_;                                  // the producer's, as the next
  std::unordered_map<uint64_t, std::atomic<uint32_t>> rooms_;  // alerts in flight by audience
  using Room = std::pair<const uint64_t, std::atomic<uint32_t>>;
  mutable Room* found_ = nullptr;  // the room that was found last
  std::array<std::unique_ptr<QueuedAlert>, kSpares> spares_;
  alignas(64) std::atomic<size_t> spares_given_{0};  // by the consumer
  alignas(64) std::atomic<size_t> spares_taken_{0};  // by the producer
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

// Takes one alert of each queue in turn, so that a queue that is never empty keeps none of the others waiting: with N
// queues an alert at the front of its queue waits for N - 1 others. Consumer side only.
class AlertTurns {
 public:
  explicit AlertTurns(std::vector<AlertQueue*> queues) : queues_(std::move(queues)) {}

  // nullptr where all are empty.
  std::unique_ptr<QueuedAlert> Next() {
    for (size_t asked = 0; asked < queues_.size(); ++asked) {
      AlertQueue& queue = *queues_[turn_];
      turn_ = turn_ + 1 == queues_.size() ? 0 : turn_ + 1;
      if (queue.Front() != nullptr) return queue.Pop();
    }
    return nullptr;
  }

 private:
  std::vector<AlertQueue*> queues_;
  size_t turn_ = 0;  // the queue that is asked next
};

}  // namespace vedette
