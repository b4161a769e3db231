#include "sensor/pipeline/match_kit.h"

#include <utility>

namespace vedette {

std::unique_ptr<MatchKit> MatchKit::Make(std::shared_ptr<const IndicatorSet> set, uint64_t generation,
                                         ObservableMask wanted) {
  auto kit = std::make_unique<MatchKit>();
  if (!set->PrepareScratch(kit->payload) || !set->PrepareScratch(kit->fields)) return nullptr;
  kit->set = std::move(set);
  kit->generation = generation;
  kit->wanted = wanted;
  return kit;
}

KitExchange::~KitExchange() {
  delete offered_.load(std::memory_order_acquire);
  delete returned_.load(std::memory_order_acquire);
}

void KitExchange::Offer(std::unique_ptr<MatchKit> kit) {
  delete offered_.exchange(kit.release(), std::memory_order_acq_rel);
}

void KitExchange::Collect() {
  delete returned_.exchange(nullptr, std::memory_order_acq_rel);
  if (ended()) delete offered_.exchange(nullptr, std::memory_order_acq_rel);
}

void KitExchange::Return(std::unique_ptr<MatchKit> old, uint64_t generation) {
  // Two reloads without a Collect in between: the older kit is freed here, which happens to nobody who waits for the
  // worker to take a kit before offering the next.
  delete returned_.exchange(old.release(), std::memory_order_acq_rel);
  in_use_.store(generation, std::memory_order_release);
}

}  // namespace vedette
