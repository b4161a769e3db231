#include "sensor/flow/loss_counters.h"

#include <algorithm>
#include <numeric>

namespace vedette {
namespace {

uint64_t SumOf(const LossCounters::Each& each) { return std::accumulate(each.begin(), each.end(), uint64_t{0}); }

}  // namespace

LossShare LossOf(const LossCounters& counters) {
  const uint64_t unseen = SumOf(counters.unseen), late = std::min(SumOf(counters.late), unseen);
  return {.seen = SumOf(counters.seen) + late, .unseen = unseen - late};
}

}  // namespace vedette
