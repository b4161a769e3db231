// What is kept of some flows, by flow id.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <utility>
#include <vector>

namespace vedette {

// A hash table with open addressing: a look-up costs one cache line for most ids, and nothing is allocated for a flow
// where one was erased before. Ids have to be well mixed, as those of IdOf are. Not thread safe.
//
// `Value`: default is a new one's; Reset() makes it so again and may keep buffers.
template <class Value>
class FlowMap {
 public:
  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  bool Has(uint64_t id) const { return !entries_.empty() && entries_[PlaceOf(id)].value != kNone; }
  // nullptr: none. A value stays where it is until it is erased.
  Value* Find(uint64_t id) {
    if (entries_.empty()) return nullptr;
    const uint32_t value = entries_[PlaceOf(id)].value;
    return value == kNone ? nullptr : &values_[value];
  }
  Value& FindOrInsert(uint64_t id) {
    if (2 * (size_ + 1) > entries_.size()) Grow();
    Entry& entry = entries_[PlaceOf(id)];
    if (entry.value == kNone) {
      entry = {id, TakeValue()};
      ++size_;
    }
    return values_[entry.value];
  }
  // One that is there.
  void Erase(uint64_t id) {
    size_t hole = PlaceOf(id);
    values_[entries_[hole].value].Reset();
    free_.push_back(entries_[hole].value);
    --size_;
    // What had to go past the hole moves up, so that searches may end at an empty place.
    for (size_t at = Next(hole); entries_[at].value != kNone; at = Next(at)) {
      const size_t home = entries_[at].id & Mask();
      if (((at - home) & Mask()) < ((at - hole) & Mask())) continue;
      entries_[hole] = entries_[at];
      hole = at;
    }
    entries_[hole].value = kNone;
  }

 private:
  static constexpr uint32_t kNone = UINT32_MAX;
  static constexpr size_t kFirstEntries = 64;
  struct Entry {
    uint64_t id = 0;
    uint32_t value = kNone;  // in values_
  };

  size_t Mask() const { return entries_.size() - 1; }
  size_t Next(size_t at) const { return (at + 1) & Mask(); }
  // Where the id is, or would be. At least half of the places are empty.
  size_t PlaceOf(uint64_t id) const {
    size_t at = id & Mask();
    while (entries_[at].value != kNone && entries_[at].id != id) at = Next(at);
    return at;
  }
  uint32_t TakeValue() {
    if (!free_.empty()) {
      const uint32_t value = free_.back();
      free_.pop_back();
      return value;
    }
    values_.emplace_back();
    return static_cast<uint32_t>(values_.size() - 1);
  }
  void Grow() {
    const std::vector<Entry> old = std::move(entries_);
    entries_.assign(old.empty() ? kFirstEntries : 2 * old.size(), Entry());
    for (const Entry& entry : old) {
      if (entry.value != kNone) entries_[PlaceOf(entry.id)] = entry;
    }
  }

  std::vector<Entry> entries_;  // a power of two, or none
  std::deque<Value> values_;
  std::vector<uint32_t> free_;  // of values_
  size_t size_ = 0;
};

}  // namespace vedette
