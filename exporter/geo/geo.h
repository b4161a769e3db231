// Where in the world an address is: MMDB databases through libmaxminddb.
//
// One thread uses a GeoLookup (it memoises); the databases behind it are read-only memory.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "parsers/base/address.h"
#include "parsers/base/counter.h"

namespace vedette {

namespace families {

inline constexpr FigureFamily kGeoDatabase = {"vedette_geo_database_timestamp_seconds", FigureKind::kGauge,
                                              "build time of a geolocation database, seconds since 1970", "database"};
inline constexpr FigureFamily kGeoAge = {"vedette_geo_database_age_days", FigureKind::kGauge,
                                         "days since a geolocation database was built; beyond 90 it is stale",
                                         "database"};
inline constexpr FigureFamily kGeoLookups = {"vedette_geo_lookups_total", FigureKind::kCounter,
                                             "geolocation look-ups, by how they were answered", "result"};
inline constexpr FigureFamily kGeoReloads = {"vedette_geo_reloads_total", FigureKind::kCounter,
                                             "geolocation databases swapped, by result", "result"};
inline constexpr FigureFamily kGeoReloadFailing = {"vedette_geo_reload_failing", FigureKind::kGauge,
                                                   "geolocation databases whose last replacement could not be used",
                                                   ""};
inline constexpr FigureFamily kGeoErrors = {"vedette_geo_lookup_errors_total", FigureKind::kCounter,
                                            "look-ups that met a corrupt database", ""};

}  // namespace families

// Fields that no database knows stay empty.
struct GeoRecord {
  std::string country_code;  // ISO 3166-1 alpha-2
  std::string country;       // English name
  std::string continent_code;
  std::string city;
  std::optional<double> latitude, longitude;  // degrees, WGS 84
  std::optional<uint32_t> asn;
  std::string organisation;
  std::vector<std::string> flags;  // "anycast", "anonymous_proxy", "satellite", "hosting", … : those that are true
  std::vector<std::string> databases;  // names of those that contributed, in order of preference
  bool empty() const { return databases.empty(); }
};

struct GeoDatabaseInfo {
  std::string path;
  std::string name;         // the file's name without its ending
  std::string type;         // database_type of its metadata
  std::string description;  // English, else the first; carries the attribution of the default database
  int64_t build_epoch = 0;  // seconds since 1970; 0 if not given
  std::string date;         // build date, YYYY-MM-DD
  // Whether some record of a sample named an AS number, a country.
  bool knows_networks = false, knows_countries = false;
};

// Networks move: an older database is still used, but reported as stale wherever it appears.
constexpr int64_t kGeoStaleDays = 90;
// Whole days from its build to `seconds` since 1970, 0 if it was built later; none if its date is not known.
std::optional<int64_t> AgeDays(const GeoDatabaseInfo& database, int64_t seconds);
inline bool IsStale(std::optional<int64_t> age_days) { return age_days && *age_days > kGeoStaleDays; }
// "geolocation database '…' was built on …, 153 days ago; …" for people; empty if it is not stale.
std::string StaleWarning(const GeoDatabaseInfo& database, int64_t seconds);

// Of one database.
struct GeoDatabaseFigures {
  double built = 0;                // GeoDatabaseInfo::build_epoch
  std::optional<double> age_days;  // AgeDays

  static constexpr auto Counters() {
    using C = GeoDatabaseFigures;
    return CounterTable(Count(&C::built, families::kGeoDatabase), Count(&C::age_days, families::kGeoAge));
  }
};
GeoDatabaseFigures FiguresOf(const GeoDatabaseInfo& database, int64_t seconds);
// What tells each in figures: its name, and a number behind it where files in several folders have one name.
std::vector<std::string> LabelsOf(const std::vector<GeoDatabaseInfo>& databases);

struct GeoCounters {
  // Find for an address that can have a place, with a database open:
  uint64_t remembered = 0;      // answered from memory
  uint64_t looked_up = 0;       // not
  uint64_t lookup_errors = 0;   // a database was corrupt at an address, and is treated as not having it
  uint64_t reloads = 0;         // replaced files that were loaded
  uint64_t failed_reloads = 0;  // replacements that cannot be used: the old file stays
  uint64_t failing = 0;         // files whose last replacement failed

  static constexpr auto Counters() {
    using namespace families;
    using C = GeoCounters;
    return CounterTable(Count(&C::reloads, kGeoReloads, "succeeded", "replaced files that were loaded"),
                        Count(&C::failed_reloads, kGeoReloads, "failed", "replacements that cannot be used"),
                        Count(&C::failing, kGeoReloadFailing),
                        Count(&C::remembered, kGeoLookups, "remembered", "answered from memory"),
                        Count(&C::looked_up, kGeoLookups, "looked_up", "answered from the databases"),
                        Count(&C::lookup_errors, kGeoErrors));
  }
};

class GeoLookup {
 public:
  GeoLookup();
  ~GeoLookup();
  GeoLookup(GeoLookup&&) noexcept;
  GeoLookup& operator=(GeoLookup&&) noexcept;

  // Opens one more database; for each field the earlier one wins. False, with an error that names the file, says what
  // is wrong with it and what to do.
  bool Open(const std::string& path, std::string& error);
  // Memoised; the reference is valid until the next call of any member. Special addresses (RFC 6890) have no place.
  const GeoRecord& Find(const IpAddress& address);

  // For a live sensor, from the thread that calls Find; a replay never calls it. Every few seconds (kLookInterval in
  // geo.cc) by the clock of `now` it checks whether a file was replaced; if so, it opens and
  // tests the new one, swaps them, and clears the cache. If a file cannot be used, or is gone,
  // the old one stays in use until the file changes again. Otherwise a call costs a comparison.
  void Refresh(std::chrono::system_clock::time_point now);
  // Gets one sentence for each file that was swapped or, with `is_problem`, could not be or is gone. Called within
  // Refresh.
  void set_log(std::function<void(std::string_view sentence, bool is_problem)> log);

  const std::vector<GeoDatabaseInfo>& databases() const;
  const GeoCounters& counters() const;
  // Rises with each file that is opened or swapped: results of Find are valid while it stays the same.
  uint64_t version() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace vedette
