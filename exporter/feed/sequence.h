// Numbers of a view, as they arrive: what is new, what was lost, when the sensor began anew.
#pragma once

#include <cstdint>

namespace vedette {

class SequenceTracker {
 public:
  struct Arrival {
    uint64_t skip = 0;     // leading alerts of this batch that were here before
    uint64_t missing = 0;  // alerts lost right before this message
    uint64_t before = 0;   // on the very first message: alerts of this epoch sent before we joined, which is no loss
    bool new_epoch = false;
    bool went_back = false;  // the new epoch is lower than the last one: the sensor's clock was set back
  };

  // Before the first message: `last` of `epoch` is here, from an earlier run. What is missing after it is a loss.
  void GoOnAfter(uint64_t epoch, uint64_t last) {
    epoch_ = epoch;
    next_ = last + 1;
  }
  Arrival OnAlerts(uint64_t epoch, uint64_t first, uint64_t count);
  // A heartbeat or end: `last` is the number of the last alert sent.
  Arrival OnLast(uint64_t epoch, uint64_t last);

  uint64_t epoch() const { return epoch_; }  // 0 before the first message
  uint64_t next() const { return next_; }    // number expected next

 private:
  Arrival Enter(uint64_t epoch, uint64_t first);

  uint64_t epoch_ = 0;
  uint64_t next_ = 1;
};

}  // namespace vedette
