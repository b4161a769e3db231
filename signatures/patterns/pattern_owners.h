// Whose a pattern is, and how many patterns one scan may report to each.
//
// A pattern is of every audience that has a row with it. Each audience has a budget of its own for a scan: what it
// loses depends on nothing but the text and its own patterns. A pattern that only some of its audiences have left is
// reported to the others, as its *parts*, one for each audience.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "parsers/base/observable.h"

namespace vedette {

// One audience of a pattern, and where its rows look for it.
struct PatternOwner {
  uint32_t audience = 0;
  ObservableMask places;
  bool directions[2] = {false, false};
};

class PatternOwners {
 public:
  // All of a pattern's audiences.
  static constexpr uint32_t kAll = 0xffffffff;

  // Patterns are added in the order of their numbers. `order`: a hash of what the pattern looks for, the same in every
  // set: of patterns that end at the same byte, it says which comes first. `owners`: each audience once.
  void Add(uint64_t order, const std::vector<PatternOwner>& owners) {
    for (const PatternOwner& owner : owners) {
      parts_.push_back({owner, pattern_count()});
      num_audiences_ = std::max(num_audiences_, owner.audience + 1);
    }
    orders_.push_back(order);
    first_part_.push_back(static_cast<uint32_t>(parts_.size()));
  }

  uint32_t pattern_count() const { return static_cast<uint32_t>(orders_.size()); }
  uint64_t order(uint32_t pattern) const { return orders_[pattern]; }
  size_t memory_bytes() const {
    return orders_.capacity() * sizeof(uint64_t) + parts_.capacity() * sizeof(Part) +
           first_part_.capacity() * sizeof(uint32_t);
  }

  // A number as a scan reports it: a pattern, or behind all of those a part of one.
  bool IsKnown(uint32_t number) const { return number < pattern_count() + parts_.size(); }
  uint32_t PatternOf(uint32_t number) const {
    return number < pattern_count() ? number : parts_[number - pattern_count()].pattern;
  }
  uint32_t AudienceOf(uint32_t number) const {
    return number < pattern_count() ? kAll : parts_[number - pattern_count()].owner.audience;
  }

  // For each pattern that a scan found, in order: calls `report(number)` for what `budget` lets through, and returns
  // how many parts it did not. `used` is the caller's: what each audience has used, given to Forget after the scan.
  template <class Report>
  uint64_t Spend(uint32_t pattern, ObservableKind kind, Direction direction, size_t budget, std::vector<uint32_t>& used,
                 Report&& report) const {
    if (used.size() < num_audiences_) used.resize(num_audiences_, 0);
    const uint32_t begin = first_part_[pattern], end = first_part_[pattern + 1];
    const auto looks = [&](const PatternOwner& owner) {
      return owner.places.Has(kind) && owner.directions[static_cast<size_t>(direction)];
    };
    uint64_t over = 0;
    for (uint32_t i = begin; i < end; ++i) {
      const PatternOwner& owner = parts_[i].owner;
      if (looks(owner) && used[owner.audience] >= budget) ++over;
    }
    for (uint32_t i = begin; i < end; ++i) {
      const PatternOwner& owner = parts_[i].owner;
      if (!looks(owner) || used[owner.audience] >= budget) continue;
      ++used[owner.audience];
      if (over != 0) report(pattern_count() + i);
    }
    if (over == 0) report(pattern);
    return over;
  }
  static void Forget(std::vector<uint32_t>& used) { std::fill(used.begin(), used.end(), 0); }

 private:
  struct Part {
    PatternOwner owner;
    uint32_t pattern;
  };
  std::vector<uint64_t> orders_;            // by pattern
  std::vector<Part> parts_;                 // by pattern
  std::vector<uint32_t> first_part_ = {0};  // of each pattern; one more at the end
  uint32_t num_audiences_ = 0;
};

}  // namespace vedette
