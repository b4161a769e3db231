// A set of bytes: what one place of a regular expression can be.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace vedette {

class ByteSet {
 public:
  constexpr ByteSet() = default;
  static constexpr ByteSet Of(uint8_t byte) {
    ByteSet out;
    out.Add(byte);
    return out;
  }
  static constexpr ByteSet Range(uint8_t first, uint8_t last) {
    ByteSet out;
    for (unsigned byte = first; byte <= last; ++byte) out.Add(static_cast<uint8_t>(byte));
    return out;
  }
  static constexpr ByteSet All() { return Range(0, 255); }

  constexpr void Add(uint8_t byte) { words_[byte >> 6] |= uint64_t{1} << (byte & 63); }
  constexpr void Add(const ByteSet& other) {
    for (size_t i = 0; i < words_.size(); ++i) words_[i] |= other.words_[i];
  }
  constexpr bool Has(uint8_t byte) const { return words_[byte >> 6] >> (byte & 63) & 1; }
  constexpr unsigned size() const {
    unsigned bytes = 0;
    for (const uint64_t word : words_) bytes += static_cast<unsigned>(std::popcount(word));
    return bytes;
  }
  constexpr unsigned SizeWithin(const ByteSet& other) const {
    unsigned bytes = 0;
    for (size_t i = 0; i < words_.size(); ++i)
      bytes += static_cast<unsigned>(std::popcount(words_[i] & other.words_[i]));
    return bytes;
  }
  constexpr ByteSet Complement() const {
    ByteSet out;
    for (size_t i = 0; i < words_.size(); ++i) out.words_[i] = ~words_[i];
    return out;
  }
  // With the other case of each ASCII letter in it.
  constexpr ByteSet WithBothCases() const {
    ByteSet out = *this;
    for (uint8_t letter = 'a'; letter <= 'z'; ++letter) {
      const auto capital = static_cast<uint8_t>(letter - 32);
      if (Has(letter)) out.Add(capital);
      if (Has(capital)) out.Add(letter);
    }
    return out;
  }
  friend constexpr bool operator==(const ByteSet&, const ByteSet&) = default;

 private:
  std::array<uint64_t, 4> words_{};
};

}  // namespace vedette
