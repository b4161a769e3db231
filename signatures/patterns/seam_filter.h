// Whether a literal can lie across the seam between two pieces of a stream.
//
// Scanning the few bytes around every seam costs a tenth of scanning a segment. Most seams can be told apart for less:
// a literal that crosses holds the four bytes around the seam, or begins one byte before it, or ends one byte behind
// it. From there the test walks on gram by gram (four bytes each) towards both ends of the literal. It may say yes
// where no literal lies; it never says no where one does.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "parsers/base/bytes.h"

namespace vedette {

class SeamFilter {
 public:
  static constexpr size_t kContext = 8;  // bytes looked at on either side

  SeamFilter() = default;
  // Case is ignored. Literals of at least 3 bytes.
  explicit SeamFilter(std::span<const std::string_view> literals);

  // `before` ends, and `after` begins, at the seam.
  bool MayCross(Bytes before, Bytes after) const {
    if (before.size() < kContext || after.size() < kContext) return !all_.empty();
    return MayCross(before.data() + before.size() - kContext, after.data());
  }

  size_t memory_bytes() const { return all_.memory_bytes() + begins_.memory_bytes() + ends_.memory_bytes(); }

 private:
  // A set of hashed grams.
  class GramSet {
   public:
    GramSet() = default;
    explicit GramSet(size_t max_grams);
    void Add(uint32_t gram) { words_[Slot(gram) >> 6] |= uint64_t{1} << (Slot(gram) & 63); }
    bool Has(uint32_t gram) const { return words_[Slot(gram) >> 6] >> (Slot(gram) & 63) & 1; }
    bool empty() const { return words_.empty(); }
    size_t memory_bytes() const { return words_.size() * sizeof(uint64_t); }

   private:
    size_t Slot(uint32_t gram) const { return gram * 0x9e3779b1u >> shift_; }
    std::vector<uint64_t> words_;
    unsigned shift_ = 0;
  };

  bool MayCross(const uint8_t* before, const uint8_t* after) const;

  GramSet all_, begins_, ends_;
  GramSet triples_;  // literals of 3 bytes
  bool has_triples_ = false;
};

}  // namespace vedette
