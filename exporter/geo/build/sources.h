// Readers of the files from which the default geolocation database is made.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "exporter/geo/build/ip_ranges.h"

namespace vedette {

struct CountryName {
  std::string name;       // English
  std::string continent;  // two letters; may be empty
};

struct GeoSource {
  uint64_t created = 0;  // of the data, seconds since 1970
  std::vector<NetworkRange> ranges;
  std::unordered_map<uint32_t, std::string> organisations;  // by AS number
  std::map<uint16_t, CountryName> countries;
};

// Tor's `geoip` (IPv4: "16777216,16777471,AU") or `geoip6` ("2001:2::,2001:2:0:ffff:…,JP"). Appends to `source.ranges`.
// False, with file, line and reason, if a line is neither that nor a comment.
bool ReadTorGeoip(const std::string& path, GeoSource& source, std::string& error);

// libloc's database, format version 1:
//
//   "LOCDBXX" version:8 | created:64 vendor:32 description:32 licence:32 | offset:32 length:32 of AS table, networks,
//   tree, countries, string pool | signatures
//   tree node: zero:32 one:32 network:32 (0xffffffff: none); network: country:2 pad:2 asn:32 flags:16 pad:2
//   AS: number:32 name:32; country: code:2 continent:2 name:32; names are offsets into the pool
//
// IPv4 is at ::ffff:0:0/96. The last network found on the way down counts.
bool ReadLibloc(const std::string& path, GeoSource& source, std::string& error);

// tzdata's iso3166.tab: "DE\tGermany".
bool ReadCountryNames(const std::string& path, std::map<uint16_t, CountryName>& names, std::string& error);

}  // namespace vedette
