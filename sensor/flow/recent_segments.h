// The last segments of a direction, by a keyed hash of their place and bytes: a doubled mirror repeats all of them.
//
// Who does not know the key cannot make another segment look like a repeat. 64 segments are what a mirror is late by.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

#include "parsers/base/bytes.h"
#include "parsers/base/hash.h"

namespace vedette {

class RecentSegments {
 public:
  // `key` is secret, and the same for all segments that are compared.
  static uint64_t HashOf(uint32_t sequence, Bytes bytes, uint64_t key) {
    // Both factors hold something that is not known outside, so that no bytes make a product 0 at will.
    const uint64_t other_key = FoldMultiply(key ^ kHashKey2, kHashKey0);
    uint64_t hash = FoldMultiply(key ^ sequence, other_key ^ bytes.size());
    for (; bytes.size() >= 16; bytes = bytes.subspan(16)) {
      hash = FoldMultiply(Load(bytes.data(), 8) ^ key, Load(bytes.data() + 8, 8) ^ hash);
    }
    const size_t low = std::min<size_t>(bytes.size(), 8);
    hash = FoldMultiply(Load(bytes.data(), low) ^ key, Load(bytes.data() + low, bytes.size() - low) ^ hash);
    return FoldMultiply(hash ^ key, other_key);
  }

  bool Has(uint64_t hash) const { return std::find(hashes_.begin(), hashes_.end(), hash) != hashes_.end(); }
  void Add(uint64_t hash) { hashes_[next_++ % hashes_.size()] = hash; }

 private:
  static uint64_t Load(const uint8_t* bytes, size_t count) {
    uint64_t word = 0;
    if (count != 0) std::memcpy(&word, bytes, count);
    return word;
  }

  std::array<uint64_t, 64> hashes_{};
  size_t next_ = 0;
};

}  // namespace vedette
