// Where one source of a lane is replaced while the lane runs: by the source of an interface that came back.
#pragma once

#include <atomic>
#include <memory>
#include <utility>

#include "sensor/capture/live/live_source.h"

namespace vedette {

// Opening an interface and freeing its ring take milliseconds and more; one thread does both, and the lane only
// exchanges pointers.
class SourceSlot {
 public:
  SourceSlot() = default;
  ~SourceSlot() {
    delete offered_.load();
    delete returned_.load();
  }
  SourceSlot(const SourceSlot&) = delete;
  SourceSlot& operator=(const SourceSlot&) = delete;

  // Whoever opens: the lane's next source. What was offered before and not taken comes back.
  std::unique_ptr<LiveSource> Offer(std::unique_ptr<LiveSource> source) {
    return std::unique_ptr<LiveSource>(offered_.exchange(source.release(), std::memory_order_acq_rel));
  }
  // Whoever opens: the source that the lane used before, once it has changed to the one offered; else null.
  std::unique_ptr<LiveSource> TakeReturned() {
    return std::unique_ptr<LiveSource>(returned_.exchange(nullptr, std::memory_order_acq_rel));
  }
  // Whether the lane's source failed for good; then no packet comes from it any more. Any thread.
  bool failed() const { return failed_.load(std::memory_order_acquire); }

  // The lane.
  bool has_offer() const { return offered_.load(std::memory_order_relaxed) != nullptr; }
  std::unique_ptr<LiveSource> Take(std::unique_ptr<LiveSource> used) {
    // Nobody offers another before this was taken back, so that nothing is freed here.
    delete returned_.exchange(used.release(), std::memory_order_acq_rel);
    failed_.store(false, std::memory_order_release);
    return std::unique_ptr<LiveSource>(offered_.exchange(nullptr, std::memory_order_acq_rel));
  }
  void Fail() { failed_.store(true, std::memory_order_release); }

 private:
  std::atomic<LiveSource*> offered_{nullptr};
  std::atomic<LiveSource*> returned_{nullptr};
  std::atomic<bool> failed_{false};
};

}  // namespace vedette
