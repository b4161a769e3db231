// The hashes of a host name and of every domain above it, in one pass from the right.
#pragma once

#include <emmintrin.h>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "parsers/base/hash.h"

namespace vedette {

constexpr size_t kMaxHostNameBytes = 253;  // RFC 1035 section 3.1, as text without the trailing dot

// Where dots are in host[low, high), at most 16 bytes: a bit for each byte, the first one lowest. `low` is 0 where fewer
// than 16 bytes follow it.
inline uint32_t DotsIn(std::string_view host, size_t low, size_t high) {
  const auto equal = [](__m128i bytes) {
    return static_cast<uint32_t>(_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('.'))));
  };
  if (host.size() - low >= 16) {
    const uint32_t dots = equal(_mm_loadu_si128(reinterpret_cast<const __m128i*>(host.data() + low)));
    return dots & ((uint32_t{1} << (high - low)) - 1);
  }
  uint32_t dots = 0;
  if (host.size() >= 8) {
    // Two words that overlap.
    int64_t first, last;
    std::memcpy(&first, host.data(), 8);
    std::memcpy(&last, host.data() + host.size() - 8, 8);
    dots = equal(_mm_set_epi64x(last, first));
    dots = (dots & 0xff) | (dots >> 8) << (host.size() - 8);
  } else {
    for (size_t at = 0; at < host.size(); ++at) dots |= static_cast<uint32_t>(host[at] == '.') << at;
  }
  return dots & ((uint32_t{1} << high) - 1);
}

// Calls `visit(begin, hash)` for every suffix of `host` that begins at a label, shortest first ("com", "example.com");
// `begin` is its offset in `host`. Of a longer text than any host name may be, only the suffixes that could be one are
// visited: at most 127, and a text that holds no dot in its last kMaxHostNameBytes has none.
template <class Visit>
void ForEachSuffix(std::string_view host, Visit&& visit) {
  const size_t floor = host.size() > kMaxHostNameBytes ? host.size() - kMaxHostNameBytes : 0;
  uint64_t hash = 0;
  size_t end = host.size();
  for (size_t high = host.size(); high > floor;) {
    const size_t low = high - floor > 16 ? high - 16 : floor;
    for (uint32_t dots = DotsIn(host, low, high); dots != 0;) {
      const auto last = static_cast<size_t>(std::bit_width(dots) - 1);
      dots ^= uint32_t{1} << last;
      const size_t at = low + last + 1;
      hash = HashText(host.substr(at, end - at), hash);
      visit(at, FinishHash(hash));
      end = at - 1;
    }
    high = low;
  }
  if (floor == 0 && end > 0) visit(size_t{0}, FinishHash(HashText(host.substr(0, end), hash)));
}

// The hash that ForEachSuffix gives the whole of `host`; at most kMaxHostNameBytes long.
inline uint64_t HashHost(std::string_view host) {
  uint64_t last = 0;
  ForEachSuffix(host, [&](size_t, uint64_t hash) { last = hash; });
  return last;
}

}  // namespace vedette
