#include "exporter/geo/build/ip_ranges.h"

#include <algorithm>

namespace vedette {

Place128 PlaceOf(const IpAddress& address) {
  Place128 place = 0;
  for (const uint8_t byte : address.wire()) place = place << 8 | byte;
  return place;
}

uint16_t CountryCode(char first, char second) {
  const auto is_letter = [](char c) { return c >= 'A' && c <= 'Z'; };
  return is_letter(first) && is_letter(second)
             ? static_cast<uint16_t>(static_cast<uint8_t>(first) << 8 | static_cast<uint8_t>(second))
             : uint16_t{0};
}

void MakeDisjoint(std::vector<NetworkRange>& ranges) {
  std::stable_sort(ranges.begin(), ranges.end(),
                   [](const NetworkRange& a, const NetworkRange& b) { return a.first < b.first; });
  std::vector<NetworkRange> out;
  out.reserve(ranges.size());
  for (const NetworkRange& range : ranges) {
    if (range.last < range.first) continue;
    while (!out.empty() && out.back().first == range.first) out.pop_back();
    if (!out.empty() && out.back().last >= range.first) out.back().last = range.first - 1;
    out.push_back(range);
  }
  ranges = std::move(out);
}

std::vector<NetworkRange> Merge(const std::vector<NetworkRange>& a, const std::vector<NetworkRange>& b) {
  std::vector<NetworkRange> out;
  out.reserve(a.size() + b.size());
  size_t i = 0, j = 0;
  Place128 place = 0;
  while (i < a.size() || j < b.size()) {
    // The next piece begins at `place` or at the next range, and ends where anything changes.
    const bool in_a = i < a.size() && a[i].first <= place, in_b = j < b.size() && b[j].first <= place;
    if (!in_a && !in_b) {
      place = i < a.size() && (j == b.size() || a[i].first < b[j].first) ? a[i].first : b[j].first;
      continue;
    }
    Place128 last = kLastPlace;
    if (i < a.size()) last = std::min(last, in_a ? a[i].last : a[i].first - 1);
    if (j < b.size()) last = std::min(last, in_b ? b[j].last : b[j].first - 1);

    NetworkFacts facts = in_a ? a[i].facts : NetworkFacts();
    if (in_b) {
      if (facts.country == 0) facts.country = b[j].facts.country;
      if (facts.asn == 0) facts.asn = b[j].facts.asn;
      facts.flags = static_cast<uint16_t>(facts.flags | b[j].facts.flags);
    }
    if (!facts.empty()) {
      if (!out.empty() && out.back().facts == facts && out.back().last + 1 == place) {
        out.back().last = last;
      } else {
        out.push_back({place, last, facts});
      }
    }
    if (in_a && a[i].last == last) ++i;
    if (in_b && b[j].last == last) ++j;
    if (last == kLastPlace) break;
    place = last + 1;
  }
  return out;
}

}  // namespace vedette
