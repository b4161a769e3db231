// A capture that comes as fast as it was recorded, or some times as fast.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string_view>

#include "sensor/capture/frame.h"

namespace vedette {

// When frames are due, by their stamps alone: every source of a capture gets the same answer. Jumps of the stamps,
// forwards or backwards, take no time, or the longest pause at most. Where stamps go to and fro between two clocks, as
// in captures of two interfaces that were merged, each is compared with the one before of its own clock. One thread.
class RecordedPace {
 public:
  // `factor`: how many times as fast as recorded. `longest_pause_ns`: of waiting, not of the recording.
  RecordedPace(double factor, uint64_t longest_pause_ns);
  // Nanoseconds after the first frame's turn; never less than for the frame before.
  uint64_t DueNs(uint64_t time_ns);
  uint64_t due_ns() const { return due_ns_; }

 private:
  // Stamps this near to each other are of one clock: packets of several queues are out of order by less.
  static constexpr uint64_t kNearNs = 1'000'000'000;

  const double factor_;
  const uint64_t longest_pause_ns_;
  struct Clock {
    uint64_t stamp_ns = 0;  // the latest
    uint64_t due_ns = 0;    // when that was due
  };
  bool begun_ = false;
  Clock clock_;  // of the last frame
  Clock other_;  // the one before the last jump
  uint64_t due_ns_ = 0;
};

// What the sources of one replay share: when it began, and how far it is. Any thread.
class PaceClock {
 public:
  struct Options {
    double factor = 1;
    std::chrono::milliseconds longest_pause{60'000};
    uint64_t since_ns = 0, until_ns = UINT64_MAX;  // frames outside are not looked at, and nobody waits for them
  };
  explicit PaceClock(const Options& options) : options_(options) {}

  const Options& options() const { return options_; }
  // Since the first call.
  uint64_t ElapsedNs();
  // The stamp that was handed out last; 0: none yet.
  uint64_t recorded_ns() const { return recorded_ns_.load(std::memory_order_relaxed); }
  void Reached(uint64_t time_ns) { recorded_ns_.store(time_ns, std::memory_order_relaxed); }

 private:
  const Options options_;
  std::once_flag begun_;
  std::chrono::steady_clock::time_point begin_;
  std::atomic<uint64_t> recorded_ns_{0};
};

// Hands out another source's frames when they are due. While nothing is, Poll waits for kLongestWait at most and says
// kWorking, for packet time goes on: what is found is the same as without it.
class PacedSource final : public CaptureSource {
 public:
  static constexpr std::chrono::milliseconds kLongestWait{20};

  PacedSource(std::unique_ptr<CaptureSource> source, std::shared_ptr<PaceClock> clock);

  PollStatus Poll(std::span<const Frame>& frames) override;
  bool Drain() override { return source_->Drain(); }
  std::string_view FileName(uint32_t file) const override { return source_->FileName(file); }
  CaptureCounters counters() const override { return source_->counters(); }
  std::span<const CaptureDamage> damage() const override { return source_->damage(); }

 private:
  uint64_t DueNs(const Frame& frame);

  const std::unique_ptr<CaptureSource> source_;
  const std::shared_ptr<PaceClock> clock_;
  RecordedPace pace_;
  std::span<const Frame> waiting_;        // of the source, which is not polled before they are handed out
  std::optional<uint64_t> first_due_ns_;  // of these
};

}  // namespace vedette
