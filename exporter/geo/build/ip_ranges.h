// Address ranges on one 128-bit line, where IPv4 takes the first 2^32 places (::/96), as in an MMDB's tree.
#pragma once

#include <cstdint>
#include <vector>

#include "parsers/base/address.h"

namespace vedette {

__extension__ using Place128 = unsigned __int128;

Place128 PlaceOf(const IpAddress& address);
constexpr Place128 kLastPlace = ~Place128{0};

// The attributes of a range; ranges with the same attributes may be joined.
struct NetworkFacts {
  uint16_t country = 0;  // two letters, the first in the high byte; 0 if unknown
  uint16_t flags = 0;    // kAnonymousProxy | …
  uint32_t asn = 0;      // 0 if unknown
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

// Sorts by place; if ranges overlap, the one that begins later (of several, the later in the list) is kept and the
// earlier one is cut.
void MakeDisjoint(std::vector<NetworkRange>& ranges);

// Both lists disjoint and sorted. The country comes from `a` if it has one, the rest from `b` if it has it; neighbours
// with the same attributes are joined.
std::vector<NetworkRange> Merge(const std::vector<NetworkRange>& a, const std::vector<NetworkRange>& b);

}  // namespace vedette
