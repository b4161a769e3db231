#include "signatures/patterns/seam_filter.h"

#include <algorithm>
#include <cstring>

namespace vedette {
namespace {

// Lower-case letters and their capitals look the same, and so do some other pairs of bytes: the filter only has to keep
// equal what a literal takes for equal.
constexpr uint64_t kFold = 0x2020202020202020ull;

uint32_t Load(const uint8_t* at) {
  uint32_t gram;
  std::memcpy(&gram, at, sizeof gram);
  return gram;
}

}  // namespace

SeamFilter::GramSet::GramSet(size_t max_grams) {
  // 1 bit in 12 set, within 4 KiB to 1 MiB: it shares the second-level cache with the scanner.
  unsigned bits = 15;
  while (bits < 23 && (size_t{1} << bits) < max_grams * 12) ++bits;
  words_.assign((size_t{1} << bits) / 64, 0);
  shift_ = 32 - bits;
}

SeamFilter::SeamFilter(std::span<const std::string_view> literals) {
  size_t grams = 0;
  for (const std::string_view literal : literals) grams += literal.size();
  all_ = GramSet(grams);
  begins_ = GramSet(literals.size());
  ends_ = GramSet(literals.size());
  triples_ = GramSet(literals.size());
  std::vector<uint8_t> folded;
  for (const std::string_view literal : literals) {
    folded.assign(literal.begin(), literal.end());
    for (uint8_t& byte : folded) byte |= 0x20;
    if (folded.size() == 3) {
      folded.push_back(0);
      triples_.Add(Load(folded.data()));
      has_triples_ = true;
      continue;
    }
    for (size_t i = 0; i + 4 <= folded.size(); ++i) all_.Add(Load(&folded[i]));
    begins_.Add(Load(folded.data()));
    ends_.Add(Load(&folded[folded.size() - 4]));
  }
}

bool SeamFilter::MayCross(const uint8_t* before, const uint8_t* after) const {
  uint8_t bytes[2 * kContext + 4];  // the seam lies before bytes[kContext]
  uint64_t half;
  std::memcpy(&half, before, 8);
  half |= kFold;
  std::memcpy(bytes, &half, 8);
  std::memcpy(&half, after, 8);
  half |= kFold;
  std::memcpy(bytes + kContext, &half, 8);
  const uint8_t* const seam = bytes + kContext;

  // Whether a literal that holds the gram at `at` (and it is one of all_) can reach its beginning from there.
  const auto begins = [&](const uint8_t* at) {
    for (;; --at) {
      if (begins_.Has(Load(at))) return true;
      if (at == bytes) return true;  // beyond what is looked at
      if (!all_.Has(Load(at - 1))) return false;
    }
  };
  const auto ends = [&](const uint8_t* at) {
    for (;; ++at) {
      if (ends_.Has(Load(at))) return true;
      if (at == bytes + 2 * kContext - 4) return true;
      if (!all_.Has(Load(at + 1))) return false;
    }
  };
  if (all_.Has(Load(seam - 2)) && begins(seam - 2) && ends(seam - 2)) return true;
  if (begins_.Has(Load(seam - 1)) && ends(seam - 1)) return true;
  if (ends_.Has(Load(seam - 3)) && begins(seam - 3)) return true;
  if (!has_triples_) return false;
  constexpr uint32_t kThree = 0x00ffffff;  // little endian: the first three bytes
  return triples_.Has(Load(seam - 2) & kThree) || triples_.Has(Load(seam - 1) & kThree);
}

}  // namespace vedette
