// vedette-geo-build: makes the default geolocation database of what Debian packages. Run by deploy/geo.
#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <ctime>
#include <string>
#include <string_view>
#include <vector>

#include "exporter/geo/build/mmdb_writer.h"
#include "exporter/geo/build/sources.h"
#include "exporter/geo/geo.h"
#include "parsers/base/errno_text.h"
#include "parsers/base/time_text.h"

namespace vedette {
namespace {

constexpr const char* kUsage =
    "usage: vedette-geo-build --out FILE [--tor FILE]… [--libloc FILE] [--country-names FILE]\n"
    "  --tor            Tor's geoip or geoip6 (package tor-geoipdb): country\n"
    "  --libloc         location.db (package libloc-database): network, and country where Tor's list has none\n"
    "  --country-names  iso3166.tab (package tzdata): English names of countries\n";

struct Options {
  std::string out, libloc, country_names;
  std::vector<std::string> tor;
};

bool ReadOptions(int argc, char** argv, Options& options) {
  for (int i = 1; i < argc; i += 2) {
    const std::string_view name = argv[i];
    if (i + 1 == argc) return false;
    const std::string value = argv[i + 1];
    if (name == "--out") {
      options.out = value;
    } else if (name == "--tor") {
      options.tor.push_back(value);
    } else if (name == "--libloc") {
      options.libloc = value;
    } else if (name == "--country-names") {
      options.country_names = value;
    } else {
      return false;
    }
  }
  return !options.out.empty() && (!options.tor.empty() || !options.libloc.empty());
}

// MaxMind's layout, so that any reader of GeoLite2 databases understands the file.
class RecordMaker {
 public:
  RecordMaker(const std::map<uint16_t, CountryName>& countries,
              const std::unordered_map<uint32_t, std::string>& organisations)
      : countries_(countries), organisations_(organisations) {}

  MmdbValue Make(const NetworkFacts& facts) const {
    std::vector<MmdbEntry> entries;
    if (facts.asn != 0) {
      entries.push_back({"autonomous_system_number", MmdbValue::Uint32(facts.asn)});
      const auto organisation = organisations_.find(facts.asn);
      if (organisation != organisations_.end() && !organisation->second.empty()) {
        entries.push_back({"autonomous_system_organization", MmdbValue::String(organisation->second)});
      }
    }
    if (facts.country != 0) {
      const auto known = countries_.find(facts.country);
      const CountryName* country = known == countries_.end() ? nullptr : &known->second;
      if (country != nullptr && !country->continent.empty()) {
        entries.push_back({"continent", MmdbValue::Map({{"code", MmdbValue::String(country->continent)}})});
      }
      std::vector<MmdbEntry> fields;
      fields.push_back({"iso_code", MmdbValue::String({static_cast<char>(facts.country >> 8),
                                                       static_cast<char>(facts.country & 0xff)})});
      if (country != nullptr && !country->name.empty()) {
        fields.push_back({"names", MmdbValue::Map({{"en", MmdbValue::String(country->name)}})});
      }
      entries.push_back({"country", MmdbValue::Map(std::move(fields))});
    }
    std::vector<MmdbEntry> traits;
    const auto add = [&](uint16_t flag, const char* name) {
      if ((facts.flags & flag) != 0) traits.push_back({name, MmdbValue::Bool(true)});
    };
    add(kAnonymousProxy, "is_anonymous_proxy");
    add(kAnycast, "is_anycast");
    add(kSatelliteProvider, "is_satellite_provider");
    if (!traits.empty()) entries.push_back({"traits", MmdbValue::Map(std::move(traits))});
    if ((facts.flags & kDrop) != 0) entries.push_back({"is_drop", MmdbValue::Bool(true)});
    return MmdbValue::Map(std::move(entries));
  }

 private:
  const std::map<uint16_t, CountryName>& countries_;
  const std::unordered_map<uint32_t, std::string>& organisations_;
};

// Whole or not at all: written beside its place, then renamed.
bool WriteWhole(const std::string& path, const std::string& content) {
  const std::string part = path + ".part";
  std::FILE* file = std::fopen(part.c_str(), "wb");
  if (file == nullptr) return false;
  bool done = std::fwrite(content.data(), 1, content.size(), file) == content.size();
  done = std::fflush(file) == 0 && fsync(fileno(file)) == 0 && done;
  done = std::fclose(file) == 0 && done;
  if (done && std::rename(part.c_str(), path.c_str()) == 0) return true;
  const int reason = errno;
  (void)std::remove(part.c_str());
  errno = reason;
  return false;
}

int Run(int argc, char** argv) {
  Options options;
  if (!ReadOptions(argc, argv, options)) {
    fmt::print(stderr, "{}", kUsage);
    return 2;
  }
  std::string error;
  GeoSource tor, libloc;
  std::map<uint16_t, CountryName> countries;
  bool read = true;
  for (const std::string& path : options.tor) read = read && ReadTorGeoip(path, tor, error);
  if (!options.libloc.empty()) read = read && ReadLibloc(options.libloc, libloc, error);
  if (!options.country_names.empty()) read = read && ReadCountryNames(options.country_names, countries, error);
  if (!read) {
    fmt::print(stderr, "vedette-geo-build: {}\n", error);
    return 1;
  }
  for (const auto& [code, country] : libloc.countries) {
    if (!country.name.empty()) countries[code].name = country.name;
    countries[code].continent = country.continent;
  }
  MakeDisjoint(tor.ranges);
  MakeDisjoint(libloc.ranges);
  const std::vector<NetworkRange> ranges = Merge(tor.ranges, libloc.ranges);
  if (ranges.empty()) {
    fmt::print(stderr, "vedette-geo-build: the sources hold no networks; install them again\n");
    return 1;
  }

  MmdbWriter writer;
  const RecordMaker maker(countries, libloc.organisations);
  for (const NetworkRange& range : ranges)
    writer.Insert(range.first, range.last, writer.AddValue(maker.Make(range.facts)));

  MmdbMetadata metadata;
  metadata.database_type = "Vedette-Country-Network";
  metadata.build_epoch = std::max(tor.created, libloc.created);
  metadata.description = "Country";
  if (!tor.ranges.empty()) {
    metadata.description += " from the IPFire Location database of " + DateText(tor.created) +
                            " in the Tor Project's geoip files (Debian package tor-geoipdb)";
    if (!libloc.ranges.empty()) metadata.description += ";";
  }
  if (!libloc.ranges.empty()) {
    metadata.description += std::string(tor.ranges.empty() ? " and network" : " network") +
                            " from the IPFire Location database of " + DateText(libloc.created) +
                            " (Debian package libloc-database)";
  }
  metadata.description +=
      ". By the IPFire Project, https://location.ipfire.org/; converted and merged. Licence: CC BY-SA 4.0, "
      "https://creativecommons.org/licenses/by-sa/4.0/";
  std::string file;
  if (!writer.Finish(metadata, file)) {
    fmt::print(stderr, "vedette-geo-build: more networks than the format can hold\n");
    return 1;
  }
  const std::string notice =
      metadata.description +
      "\n\nThis database is a work of its own under that licence, whatever the licence of the programs that read it.\n";
  if (!WriteWhole(options.out, file) || !WriteWhole(options.out + ".LICENSE.txt", notice)) {
    fmt::print(stderr, "vedette-geo-build: {}: {}\n", options.out, ErrnoText());
    return 1;
  }
  const auto built = static_cast<int64_t>(metadata.build_epoch);
  const int64_t days = (static_cast<int64_t>(std::time(nullptr)) - built) / 86'400;
  fmt::print("{}: {} networks, {} bytes, data of {}{}\n", options.out, ranges.size(), file.size(),
             DateText(metadata.build_epoch),
             days <= kGeoStaleDays ? ""
                                   : fmt::format(", {} days ago; newer packages (apt-get update; apt-get install "
                                                 "tor-geoipdb libloc-database) may have newer data",
                                                 days));
  return 0;
}

}  // namespace
}  // namespace vedette

int main(int argc, char** argv) { return vedette::Run(argc, argv); }
