// A capture source into which the sensor can inject its own frames.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "sensor/capture/frame.h"

namespace vedette {

// Passes on what `source` captures and, between two bursts, an injected frame, as if it had been captured just
// then. It appears in no counter of the capture; the decoder counts it as received. Costs one check per burst.
class InjectingSource final : public CaptureSource {
 public:
  explicit InjectingSource(std::unique_ptr<CaptureSource> source) : source_(std::move(source)) {}

  // Any thread. An Ethernet frame; it replaces one that was not taken yet.
  void Inject(std::vector<uint8_t> frame);
  // Any thread: frames that the worker has taken.
  uint64_t taken() const { return taken_.load(std::memory_order_acquire); }

  PollStatus Poll(std::span<const Frame>& frames) override;
  bool Drain() override { return source_->Drain(); }
  std::string_view FileName(uint32_t file) const override { return source_->FileName(file); }
  CaptureCounters counters() const override { return source_->counters(); }
  std::span<const CaptureDamage> damage() const override { return source_->damage(); }

 private:
  const std::unique_ptr<CaptureSource> source_;
  std::atomic<bool> waiting_{false};
  std::atomic<uint64_t> taken_{0};
  std::mutex mutex_;  // of waiting_bytes_
  std::vector<uint8_t> waiting_bytes_;
  // The worker's.
  std::vector<uint8_t> bytes_;
  Frame frame_;
  uint64_t last_number_ = 0;
};

}  // namespace vedette
