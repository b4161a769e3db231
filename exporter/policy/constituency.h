// What a partner says is its own to look after: networks, AS numbers, countries.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "parsers/base/address.h"

namespace vedette {

struct IpPrefix {
  IpAddress network;  // masked
  uint8_t length = 0;
  std::string ToString() const { return network.ToString() + '/' + std::to_string(length); }
};
// "192.0.2.0/24"; an address without length is itself. None, with a reason, for anything else: bits set behind the
// length, or /0, which would take every address from those who claim by AS number or country.
std::optional<IpPrefix> ParseIpPrefix(std::string_view text, std::string& reason);

// Two capital letters of ISO 3166-1, or XK, which databases use for Kosovo.
bool IsCountryCode(std::string_view code);

struct Constituency {
  // A country's networks as registries list them are some ten thousand.
  static constexpr size_t kMaxPrefixes = 100'000;
  static constexpr size_t kMaxAsns = 100'000;  // there are 120,000 in the world

  std::vector<IpPrefix> prefixes;
  std::vector<uint32_t> asns;
  std::vector<std::string> countries;
  bool empty() const { return prefixes.empty() && asns.empty() && countries.empty(); }
};

}  // namespace vedette
