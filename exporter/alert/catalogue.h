// What an alert's indexes mean: generations of indicators, as the exporter sees them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "signatures/set/indicator_set.h"

namespace vedette {

// One generation.
struct IndicatorCatalogue {
  std::function<IndicatorRecord(uint32_t)> at;  // its views hold as long as the catalogue does
  uint32_t size = 0;
  std::string digest;
  uint64_t generation = 0;              // 0: answers the alerts of every generation (replay, where nothing is reloaded)
  std::optional<uint32_t> canary = {};  // the indicator of the sensor's test of itself
  std::vector<Audience> audiences = {};
};
inline IndicatorCatalogue CatalogueOf(std::shared_ptr<const IndicatorSet> set, uint64_t generation = 0) {
  const auto size = static_cast<uint32_t>(set->size());
  std::string digest = set->digest();
  const std::optional<uint32_t> canary = set->canary();
  std::vector<Audience> audiences = set->audiences();
  return {[set = std::move(set)](uint32_t index) { return set->at(index); },
          size,
          std::move(digest),
          generation,
          canary,
          std::move(audiences)};
}

// The generations that alerts may still be of. One thread.
class Catalogues {
 public:
  // A reload: alerts of the new generation may come, those of older ones still do until ForgetBefore.
  void Add(IndicatorCatalogue catalogue) {
    all_.push_back(std::make_unique<const IndicatorCatalogue>(std::move(catalogue)));
  }
  void ForgetBefore(uint64_t generation) {
    std::erase_if(all_, [generation](const auto& catalogue) {
      return catalogue->generation != 0 && catalogue->generation < generation;
    });
  }
  // The one that an alert's indexes are of; nullptr where it is no longer known. Holds until it is forgotten.
  const IndicatorCatalogue* Find(uint64_t generation) const {
    const auto at = std::find_if(all_.rbegin(), all_.rend(), [&](const auto& candidate) {
      return candidate->generation == generation || candidate->generation == 0;
    });
    return at == all_.rend() ? nullptr : at->get();
  }
  // The one that was added last; there is one.
  const IndicatorCatalogue& newest() const { return *all_.back(); }

 private:
  std::vector<std::unique_ptr<const IndicatorCatalogue>> all_;
};

}  // namespace vedette
