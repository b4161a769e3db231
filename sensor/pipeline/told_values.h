// The values that one audience was told of one flow, by their hashes: few as a rule, thousands at most.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <unordered_set>

namespace vedette {

// Not thread safe.
class ToldValues {
 public:
  bool Has(uint64_t value) const {
    if (many_ != nullptr) return many_->contains(value);
    return std::find(few_.begin(), few_.begin() + size_, value) != few_.begin() + size_;
  }
  // A value that is not there.
  void Add(uint64_t value) {
    if (many_ == nullptr && size_ == kFew) {
      many_ = std::make_unique<std::unordered_set<uint64_t>>(few_.begin(), few_.end());
    }
    if (many_ != nullptr) {
      many_->insert(value);
    } else {
      few_[size_] = value;
    }
    ++size_;
  }
  size_t size() const { return size_; }
  // What it allocated, as libstdc++ and malloc lay it out: a node for each value with its share of the buckets.
  size_t memory_bytes() const { return many_ == nullptr ? 0 : sizeof *many_ + size_ * kNodeBytes; }

 private:
  static constexpr size_t kFew = 4, kNodeBytes = 48;

  uint32_t size_ = 0;
  std::array<uint64_t, kFew> few_{};
  std::unique_ptr<std::unordered_set<uint64_t>> many_;  // all of them, where they are more
};

}  // namespace vedette
