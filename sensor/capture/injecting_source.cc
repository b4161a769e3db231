#include "sensor/capture/injecting_source.h"

#include <chrono>
#include <utility>

#include "sensor/capture/link_type.h"

namespace vedette {

void InjectingSource::Inject(std::vector<uint8_t> frame) {
  const std::lock_guard<std::mutex> lock(mutex_);
  waiting_bytes_ = std::move(frame);
  waiting_.store(true, std::memory_order_release);
}

PollStatus InjectingSource::Poll(std::span<const Frame>& frames) {
  if (waiting_.load(std::memory_order_relaxed)) {
    // Whoever injects holds the lock for a moment; then the next burst brings the frame.
    const std::unique_lock<std::mutex> lock(mutex_, std::try_to_lock);
    if (lock.owns_lock()) {
      bytes_ = std::exchange(waiting_bytes_, {});
      waiting_.store(false, std::memory_order_relaxed);
      const auto now = std::chrono::system_clock::now().time_since_epoch();
      frame_ = {.data = bytes_.data(),
                .captured_bytes = static_cast<uint32_t>(bytes_.size()),
                .wire_bytes = static_cast<uint32_t>(bytes_.size()),
                .time_ns = static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(now).count()),
                .number = last_number_,
                .file = 0,
                .link_type = kLinkEthernet,
                .interface = 0};
      frames = {&frame_, 1};
      taken_.fetch_add(1, std::memory_order_release);
      return PollStatus::kFrames;
    }
  }
  const PollStatus status = source_->Poll(frames);
  if (status == PollStatus::kFrames) last_number_ = frames.back().number;
  return status;
}

}  // namespace vedette
