// Address ranges on one 128-bit line, where IPv4 stands in the first 2^32 places (::/96), as an MMDB's tree has it.
#pragma once

#include <cstdint>
#include <vector>

#include "parsers/base/address.h"

namespace vedette {

__extension__ using Place128 = unsigned __int128;

Place128 PlaceOf(const IpAddress& address);
constexpr Place128 kLastPlace = ~Place128{0};

// What a range is said to be; two ranges that say the same may be joined.
struct NetworkFacts {
  uint16_t country = 0;  // two letters, the first in the high byte; 0 where unknown
  uint16_t flags = 0;    // kAnonymousProxy | …
  uint32_t asn = 0;      // 0 where unknown
  bool empty() const { return country == 0 && flags == 0 && asn == 0; }
  friend bool operator==(const NetworkFacts&, const NetworkFacts&) = default;
};
constexpr uint16_t kAnonymousProxy = 1, kSatelliteProvider = 2, kAnycast = 4, kDrop = 8;

struct NetworkRange {
  Place128 first = 0, last = 0;  // both included
  NetworkFacts facts;
};

// 0 unless two letters.
uint16_t CountryCode(char first, char second);

// Sorts by place; where ranges overlap, the one that begins later (of those, the later in the list) is kept and the
// earlier one is cut.
void MakeDisjoint(std::vector<NetworkRange>& ranges);

// Both lists disjoint and sorted. Country from `a` where it knows one, the rest from `b` where it knows it; neighbours
// that say the same are joined.
std::vector<NetworkRange> Merge(const std::vector<NetworkRange>& a, const std::vector<NetworkRange>& b);

}  // namespace vedette
