#include "exporter/feed/sequence.h"

#include <algorithm>

namespace vedette {

// `first` is the number of the first alert that this message can answer for.
SequenceTracker::Arrival SequenceTracker::Enter(uint64_t epoch, uint64_t first) {
  Arrival arrival;
  if (epoch != epoch_) {
    arrival.new_epoch = true;
    arrival.went_back = epoch < epoch_;
    next_ = 1;
    if (epoch_ == 0) {
      arrival.before = first - 1;
      next_ = first;
    }
    epoch_ = epoch;
  }
  if (first > next_) {
    arrival.missing = first - next_;
    next_ = first;
  }
  return arrival;
}

SequenceTracker::Arrival SequenceTracker::OnAlerts(uint64_t epoch, uint64_t first, uint64_t count) {
  Arrival arrival = Enter(epoch, first);
  arrival.skip = std::min(next_ - first, count);
  next_ = std::max(next_, first + count);
  return arrival;
}

SequenceTracker::Arrival SequenceTracker::OnLast(uint64_t epoch, uint64_t last) { return Enter(epoch, last + 1); }

}  // namespace vedette
