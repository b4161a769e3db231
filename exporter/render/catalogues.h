// The generations of indicators that alerts may still be of.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "exporter/render/render.h"

namespace vedette {

// One thread, as those that use it.
class Catalogues {
 public:
  void Add(IndicatorCatalogue catalogue) { all_.push_back(std::move(catalogue)); }
  void ForgetBefore(uint64_t generation) {
    std::erase_if(all_, [generation](const IndicatorCatalogue& catalogue) {
      return catalogue.generation != 0 && catalogue.generation < generation;
    });
  }
  // The one that an alert's indexes are of; nullptr where it is no longer known.
  const IndicatorCatalogue* Find(uint64_t generation) const {
    const auto at = std::find_if(all_.rbegin(), all_.rend(), [&](const IndicatorCatalogue& candidate) {
      return candidate.generation == generation || candidate.generation == 0;
    });
    return at == all_.rend() ? nullptr : &*at;
  }

 private:
  std::vector<IndicatorCatalogue> all_;
};

}  // namespace vedette
