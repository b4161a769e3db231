// 64-bit hashes of short keys: fast, the same in every run, and not meant to withstand somebody who crafts collisions
// (a collision costs one more string comparison, never a wrong hit).
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace vedette {

constexpr uint64_t kHashKey0 = 0x9e3779b97f4a7c15ull;
constexpr uint64_t kHashKey1 = 0xe7037ed1a0b428dbull;
constexpr uint64_t kHashKey2 = 0x8ebc6af09c88c6e3ull;

// The 128-bit product folded into 64 bits.
inline uint64_t FoldMultiply(uint64_t a, uint64_t b) {
  __extension__ using Wide = unsigned __int128;
  const Wide product = static_cast<Wide>(a) * b;
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

// Reads nothing outside `text`.
inline uint64_t HashText(std::string_view text, uint64_t seed) {
  const auto load64 = [](const char* at) {
    uint64_t word;
    std::memcpy(&word, at, 8);
    return word;
  };
  const auto load32 = [](const char* at) {
    uint32_t word;
    std::memcpy(&word, at, 4);
    return static_cast<uint64_t>(word);
  };
  const char* at = text.data();
  size_t left = text.size();
  uint64_t hash = seed ^ kHashKey0;
  while (left > 16) {
    hash = FoldMultiply(load64(at) ^ kHashKey1, load64(at + 8) ^ hash);
    at += 16;
    left -= 16;
  }
  uint64_t a = 0, b = 0;
  if (left >= 8) {
    a = load64(at);
    b = load64(at + left - 8);
  } else if (left >= 4) {
    a = load32(at);
    b = load32(at + left - 4);
  } else if (left > 0) {
    a = static_cast<uint64_t>(static_cast<uint8_t>(at[0])) << 16 |
        static_cast<uint64_t>(static_cast<uint8_t>(at[left / 2])) << 8 | static_cast<uint8_t>(at[left - 1]);
  }
  return FoldMultiply(a ^ kHashKey1 ^ text.size(), b ^ hash);
}

// Makes every bit of a chained hash depend on every other.
inline uint64_t FinishHash(uint64_t hash) { return FoldMultiply(hash ^ kHashKey2, kHashKey1); }

}  // namespace vedette
