// The files that the default geolocation database is made of: Tor's list, libloc's database, names of countries. The
// first byte chooses. What was read is merged and written as MMDB, and each range is found there again.
#include "exporter/geo/build/mmdb_writer.h"
#include "exporter/geo/build/sources.h"
#include "exporter/geo/geo.h"
#include "tests/fuzz/input.h"

namespace {

using namespace vedette;

void CheckDisjoint(const std::vector<NetworkRange>& ranges) {
  for (size_t i = 0; i < ranges.size(); ++i) {
    Check(ranges[i].first <= ranges[i].last);
    Check(i == 0 || ranges[i - 1].last < ranges[i].first);
  }
}

// The facts at one place, looked for one by one.
NetworkFacts Naive(const std::vector<NetworkRange>& ranges, Place128 place) {
  for (const NetworkRange& range : ranges) {
    if (range.first <= place && place <= range.last) return range.facts;
  }
  return {};
}

IpAddress AddressOf(Place128 place) {
  uint8_t wire[16];
  for (size_t i = 0; i < 16; ++i) wire[i] = static_cast<uint8_t>(place >> (120 - 8 * i));
  return place >> 32 == 0 ? IpAddress::V4(wire + 12) : IpAddress::V6(wire);
}

// IPv4 is found again through ::ffff:0:0/96 and 2002::/16, whatever a list says about these.
bool IsAlias(Place128 place) { return place >> 112 == 0x2002 || place >> 32 == 0xffff; }

// Stands for the facts in the file; never zero, which is no AS number.
uint32_t Number(const NetworkFacts& facts) { return facts.country + 1u; }

void WriteAndFind(const std::vector<NetworkRange>& ranges) {
  MmdbWriter writer;
  for (const NetworkRange& range : ranges) {
    writer.Insert(
        range.first, range.last,
        writer.AddValue(MmdbValue::Map({{"autonomous_system_number", MmdbValue::Uint32(Number(range.facts))}})));
  }
  std::string bytes, error;
  Check(writer.Finish({.database_type = "Fuzz", .description = "of a fuzz target", .build_epoch = 1}, bytes));
  static const FuzzFile file("mmdb");
  file.Write(bytes);
  GeoLookup geo;
  Check(geo.Open(file.path(), error));
  for (const NetworkRange& range : ranges) {
    for (const Place128 place : {range.first, range.first + (range.last - range.first) / 2, range.last}) {
      const IpAddress address = AddressOf(place);
      if (address.IsSpecial() || IsAlias(place)) continue;
      const GeoRecord& record = geo.Find(address);
      Check(record.asn == Number(range.facts));
    }
  }
  Check(geo.counters().lookup_errors == 0);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  FuzzInput input(data, size);
  static const FuzzFile file("source");
  const uint8_t choice = input.Byte();
  GeoSource source;
  std::string error;
  file.Write(input.Rest());
  bool read = false;
  switch (choice % 3) {
    case 0:
      read = ReadTorGeoip(file.path(), source, error);
      break;
    case 1:
      read = ReadLibloc(file.path(), source, error);
      break;
    default:
      read = ReadCountryNames(file.path(), source.countries, error);
  }
  if (!read) {
    Check(error.starts_with(file.path() + ":"));
    return 0;
  }
  Check(error.empty());
  // The slow checks below look at some hundred ranges.
  if (source.ranges.size() > 200) source.ranges.resize(200);
  std::vector<NetworkRange> disjoint = source.ranges;
  MakeDisjoint(disjoint);
  CheckDisjoint(disjoint);
  // The other half as a second source.
  std::vector<NetworkRange> a(disjoint.begin(), disjoint.begin() + static_cast<ptrdiff_t>(disjoint.size() / 2));
  std::vector<NetworkRange> b = source.ranges;
  std::reverse(b.begin(), b.end());
  MakeDisjoint(b);
  CheckDisjoint(b);
  const std::vector<NetworkRange> merged = Merge(a, b);
  CheckDisjoint(merged);
  for (const std::vector<NetworkRange>& list : {a, b, merged}) {
    for (const NetworkRange& range : list) {
      for (const Place128 place : {range.first, range.last}) {
        const NetworkFacts of_a = Naive(a, place), of_b = Naive(b, place), of_both = Naive(merged, place);
        Check(of_both.country == (of_a.country != 0 ? of_a.country : of_b.country));
        Check(of_both.asn == (of_a.asn != 0 ? of_a.asn : of_b.asn));
        Check(of_both.flags == (of_a.flags | of_b.flags));
      }
    }
  }
  WriteAndFind(merged);
  return 0;
}
