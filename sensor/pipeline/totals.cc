#include "sensor/pipeline/totals.h"

namespace vedette {

void Add(Totals& sum, const Totals& part, Sharing sharing) {
  AddCounters<CountedTotals>(sum, part, sharing == Sharing::kSameCapture);
}

}  // namespace vedette
