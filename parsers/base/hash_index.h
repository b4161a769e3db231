// From a 64-bit hash to the numbers of the entries that may have it: a filter that answers most misses from little
// memory, and behind it a table of 8-byte slots.
//
// Memory: 1.5 bytes of filter and 11.4 of slots a key. An entry that comes back has the same 32 low bits of the hash
// and lies in the same run of slots: the caller compares the key itself.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace vedette {

class HashIndex {
 public:
  HashIndex() = default;
  explicit HashIndex(size_t max_keys);

  size_t size() const { return size_; }
  size_t memory_bytes() const { return (filter_.capacity() + slots_.capacity()) * sizeof(uint64_t); }

  // Building: at most max_keys distinct keys. `same(entry)` says whether that entry has the key; if none has, `entry`
  // is stored for it. Returns the entry that now stands for the key.
  template <class Same>
  uint32_t FindOrInsert(uint64_t hash, uint32_t entry, Same&& same) {
    size_t slot = SlotOf(hash);
    for (; slots_[slot] != kFree; slot = Next(slot)) {
      if (TagOf(slots_[slot]) == static_cast<uint32_t>(hash) && same(EntryOf(slots_[slot]))) {
        return EntryOf(slots_[slot]);
      }
    }
    slots_[slot] = static_cast<uint64_t>(static_cast<uint32_t>(hash)) << 32 | entry;
    filter_[WordOf(hash)] |= BitsOf(hash);
    ++size_;
    return entry;
  }

  // Looking up in steps, so that a batch can prefetch between them.
  void PrefetchFilter(uint64_t hash) const { __builtin_prefetch(&filter_[WordOf(hash)]); }
  bool MayHave(uint64_t hash) const {
    const uint64_t bits = BitsOf(hash);
    return (filter_[WordOf(hash)] & bits) == bits;
  }
  void PrefetchSlot(uint64_t hash) const { __builtin_prefetch(&slots_[SlotOf(hash)]); }
  // The first entry with this hash for which `same(entry)`, or kNone.
  template <class Same>
  uint32_t Find(uint64_t hash, Same&& same) const {
    for (size_t slot = SlotOf(hash); slots_[slot] != kFree; slot = Next(slot)) {
      if (TagOf(slots_[slot]) == static_cast<uint32_t>(hash) && same(EntryOf(slots_[slot]))) {
        return EntryOf(slots_[slot]);
      }
    }
    return kNone;
  }

  // The first entry with the hash's tag, for prefetching what the comparison is going to read; or kNone.
  uint32_t Candidate(uint64_t hash) const {
    return Find(hash, [](uint32_t) { return true; });
  }

  static constexpr uint32_t kNone = 0xffffffff;  // never a valid entry

 private:
  static constexpr uint64_t kFree = ~uint64_t{0};

  static uint32_t TagOf(uint64_t slot) { return static_cast<uint32_t>(slot >> 32); }
  static uint32_t EntryOf(uint64_t slot) { return static_cast<uint32_t>(slot); }
  size_t SlotOf(uint64_t hash) const { return (hash >> 32) * slots_.size() >> 32; }
  size_t Next(size_t slot) const { return slot + 1 == slots_.size() ? 0 : slot + 1; }
  size_t WordOf(uint64_t hash) const { return (hash >> 32) * filter_.size() >> 32; }
  static uint64_t BitsOf(uint64_t hash) {
    return uint64_t{1} << (hash & 63) | uint64_t{1} << (hash >> 6 & 63) | uint64_t{1} << (hash >> 12 & 63) |
           uint64_t{1} << (hash >> 18 & 63);
  }

  std::vector<uint64_t> filter_;  // one word a key, 4 bits in it; 12 bits a key: 1-2 misses in 100 pass
  std::vector<uint64_t> slots_;   // tag and entry, linear probing, at most 70% full
  size_t size_ = 0;
};

}  // namespace vedette
