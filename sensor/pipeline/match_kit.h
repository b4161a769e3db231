// What a worker matches with: one generation of indicators, and the scratch memory for it.
//
// A reload makes a kit for each worker aside and leaves it in the worker's exchange; taking it over costs the worker an
// exchange of pointers. The kit it had goes back the same way, so that no set is ever freed on the packet path.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "parsers/base/observable.h"
#include "signatures/set/indicator_set.h"

namespace vedette {

struct MatchKit {
  std::shared_ptr<const IndicatorSet> set;
  uint64_t generation = 0;  // 0 in a replay, where nothing is reloaded; from 1 on in a live sensor
  ObservableMask wanted;    // what parsers emit while it is in use
  MatchScratch payload;     // for streams and datagrams
  MatchScratch fields;      // for the observables of a burst

  // nullptr: no memory for the scratch.
  static std::unique_ptr<MatchKit> Make(std::shared_ptr<const IndicatorSet> set, uint64_t generation,
                                        ObservableMask wanted);
};

// From the reloading thread to one worker and back. One thread on each side.
class KitExchange {
 public:
  KitExchange() = default;
  ~KitExchange();
  KitExchange(const KitExchange&) = delete;
  KitExchange& operator=(const KitExchange&) = delete;

  // Reloading thread. A kit that the worker did not take before is replaced and freed here.
  void Offer(std::unique_ptr<MatchKit> kit);
  // Reloading thread: frees what came back, and what a worker that has ended did not take.
  void Collect();

  // Worker, once a burst: a load unless there is something. nullptr: nothing new.
  std::unique_ptr<MatchKit> Take() {
    if (offered_.load(std::memory_order_relaxed) == nullptr) return nullptr;
    return std::unique_ptr<MatchKit>(offered_.exchange(nullptr, std::memory_order_acq_rel));
  }
  // Worker: from here on it uses `generation`; `old` (may be null) is freed by the next Collect.
  void Return(std::unique_ptr<MatchKit> old, uint64_t generation);

  // Worker's thread, once: it takes no kit any more.
  void End() { ended_.store(true, std::memory_order_release); }

  // Any thread.
  bool ended() const { return ended_.load(std::memory_order_acquire); }
  // Any thread: whether a reload waits for this worker no longer: it uses that generation, or a newer one, or has ended.
  bool HasPassed(uint64_t generation) const { return ended() || in_use() >= generation; }
  // Any thread: the newest generation that the worker uses; what it raises later is never of an older one.
  uint64_t in_use() const { return in_use_.load(std::memory_order_acquire); }

 private:
  std::atomic<MatchKit*> offered_{nullptr};
  std::atomic<MatchKit*> returned_{nullptr};
  std::atomic<uint64_t> in_use_{0};
  std::atomic<bool> ended_{false};
};

}  // namespace vedette
