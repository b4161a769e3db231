#include "sensor/capture/paced_source.h"

#include <algorithm>
#include <thread>
#include <utility>

namespace vedette {

RecordedPace::RecordedPace(double factor, uint64_t longest_pause_ns)
    : factor_(factor), longest_pause_ns_(longest_pause_ns) {}

uint64_t RecordedPace::DueNs(uint64_t time_ns) {
  if (!std::exchange(begun_, true)) clock_.stamp_ns = other_.stamp_ns = time_ns;
  const auto apart = [time_ns](const Clock& clock) {
    return time_ns > clock.stamp_ns ? time_ns - clock.stamp_ns : clock.stamp_ns - time_ns;
  };
  // Back at the clock that the last jump left: it has gone on meanwhile.
  if (apart(clock_) > kNearNs && apart(other_) <= kNearNs) std::swap(clock_, other_);
  const bool ahead = time_ns > clock_.stamp_ns;
  const double pause = static_cast<double>(ahead ? apart(clock_) : 0) / factor_;
  const auto bounded = static_cast<uint64_t>(std::min(pause, static_cast<double>(longest_pause_ns_)));
  const uint64_t due_ns = clock_.due_ns + bounded;
  due_ns_ = std::max(due_ns_, due_ns);
  if (apart(clock_) > kNearNs) {
    other_ = std::exchange(clock_, {time_ns, due_ns_});
  } else if (ahead) {
    clock_ = {time_ns, due_ns};
  }
  return due_ns_;
}

uint64_t PaceClock::ElapsedNs() {
  std::call_once(begun_, [this] { begin_ = std::chrono::steady_clock::now(); });
  return static_cast<uint64_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now() - begin_).count());
}

PacedSource::PacedSource(std::unique_ptr<CaptureSource> source, std::shared_ptr<PaceClock> clock)
    : source_(std::move(source)),
      clock_(std::move(clock)),
      pace_(clock_->options().factor,
            static_cast<uint64_t>(std::chrono::nanoseconds(clock_->options().longest_pause).count())) {}

uint64_t PacedSource::DueNs(const Frame& frame) {
  const PaceClock::Options& options = clock_->options();
  const bool looked_at =
      frame.time_ns >= options.since_ns && (frame.time_ns < options.until_ns || options.until_ns == UINT64_MAX);
  return looked_at ? pace_.DueNs(frame.time_ns) : pace_.due_ns();
}

PollStatus PacedSource::Poll(std::span<const Frame>& frames) {
  frames = {};
  if (waiting_.empty()) {
    const PollStatus status = source_->Poll(waiting_);
    if (status != PollStatus::kFrames) return status;
  }
  const uint64_t now = clock_->ElapsedNs();
  size_t count = 0;
  while (count < waiting_.size()) {
    if (!first_due_ns_) first_due_ns_ = DueNs(waiting_[count]);
    if (*first_due_ns_ > now) break;
    first_due_ns_.reset();
    ++count;
  }
  if (count == 0) {
    const std::chrono::nanoseconds left(*first_due_ns_ - now);
    std::this_thread::sleep_for(std::min<std::chrono::nanoseconds>(left, kLongestWait));
    return PollStatus::kWorking;
  }
  frames = waiting_.first(count);
  waiting_ = waiting_.subspan(count);
  clock_->Reached(frames.back().time_ns);
  return PollStatus::kFrames;
}

}  // namespace vedette
