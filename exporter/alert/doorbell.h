// Wakes the exporter thread when a worker has something for it.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>

namespace vedette {

// Any thread rings, one thread waits. Ringing costs a load while nobody waits.
class Doorbell {
 public:
  void Ring() {
    rung_.store(true, std::memory_order_seq_cst);
    if (!waiting_.load(std::memory_order_seq_cst)) return;
    const std::lock_guard<std::mutex> lock(mutex_);
    wake_.notify_one();
  }
  // Returns when it was rung since the last call, or after `limit`.
  void WaitFor(std::chrono::microseconds limit) {
    std::unique_lock<std::mutex> lock(mutex_);
    waiting_.store(true, std::memory_order_seq_cst);
    wake_.wait_for(lock, limit, [&] { return rung_.load(std::memory_order_seq_cst); });
    waiting_.store(false, std::memory_order_relaxed);
    rung_.store(false, std::memory_order_relaxed);
  }

 private:
  std::atomic<bool> rung_{false}, waiting_{false};
  std::mutex mutex_;
  std::condition_variable wake_;
};

}  // namespace vedette
