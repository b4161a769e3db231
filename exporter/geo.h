// Where in the world an address is: MMDB databases through libmaxminddb.
//
// One thread uses a GeoLookup (it memoises); the databases behind it are read-only maps.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "parsers/address.h"

namespace vedette {

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
  int64_t build_epoch = 0;  // seconds since 1970
  std::string date;         // build date, YYYY-MM-DD
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
  // Memoised; the reference holds until the next call. Special addresses (RFC 6890) have no place. A database that
  // turns out corrupt in a look-up counts in `lookup_errors` and is treated as not knowing.
  const GeoRecord& Find(const IpAddress& address);
  const std::vector<GeoDatabaseInfo>& databases() const;
  uint64_t lookup_errors() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace vedette
