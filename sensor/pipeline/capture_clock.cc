#include "sensor/pipeline/capture_clock.h"

#include <algorithm>

namespace vedette {
namespace {

// A quiet link is captured without a frame for days; a file that begins a month before all the rest begins with a
// stamp of no clock, such as 1970.
constexpr uint64_t kLongestPauseNs = uint64_t{30} * 86'400 * 1'000'000'000;

}  // namespace

// The first frame of a file. Its stamp is the time, unless both that follow agree on one that cannot come after it.
uint64_t CaptureClock::Begin(const Frame& frame, uint64_t time_ns) {
  begun_ = true;
  file_ = frame.file;
  seen_ = 0;
  left_ = beside_ = false;
  disbelieved_ += time_ns != frame.time_ns;
  return now_ns_ = time_ns;
}

std::optional<uint64_t> CaptureClock::JudgeFar(std::span<const Frame> frames, bool last) {
  const Frame& frame = frames.front();
  const uint64_t time = frame.time_ns;
  if (near_ns_ == kBelieveAll) return Begin(frame, time);
  // Those that follow in the same file, as far as they matter.
  const size_t most = std::min(frames.size(), 1 + kLookAhead);
  size_t known = 1;
  while (known < most && frames[known].file == frame.file) ++known;
  if (known == frames.size() && known <= kLookAhead && !last) return std::nullopt;

  if (!begun_ || frame.file != file_) {
    if (known <= kLookAhead) return Begin(frame, time);
    const uint64_t next = frames[1].time_ns, second = frames[2].time_ns;
    const bool agree = Distance(next, second) <= near_ns_ && Distance(time, next) > near_ns_;
    return Begin(frame, agree && (next < time || next - time > kLongestPauseNs) ? next : time);
  }

  const uint64_t distance = Distance(time, now_ns_);
  const bool ahead = time > now_ns_;
  const bool of_other =
      (seen_ != 0 || left_ || beside_) && ahead == other_ahead_ && Distance(distance, difference_ns_) <= near_ns_;
  if (of_other && (beside_ || left_)) {
    beside_ = true;
    difference_ns_ = distance;
    other_ahead_ = !ahead;
    return now_ns_ = time;
  }
  bool agree = true;
  for (size_t i = 1; i < known; ++i) {
    agree = agree && Distance(frames[i].time_ns, time) < Distance(frames[i].time_ns, now_ns_);
  }
  if (!agree) {
    // While two clocks go on, a stamp of neither leaves what is known of them.
    if (!beside_ && !left_) {
      seen_ = of_other ? seen_ + 1 : 1;
      difference_ns_ = distance;
      other_ahead_ = ahead;
    }
    if (beside_ || left_ || seen_ < kSeenBeside) {
      ++disbelieved_;
      return now_ns_;
    }
  }
  beside_ = !agree;
  left_ = agree;
  seen_ = 0;
  difference_ns_ = distance;
  other_ahead_ = !ahead;
  return now_ns_ = time;
}

}  // namespace vedette
