// Reads one MMDB record into a GeoRecord, in any of the known layouts: MaxMind's and DB-IP's nested maps, the
// flat ones of ipinfo and of the default database. Private to the geolocation code.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "exporter/geo/geo.h"

struct MMDB_entry_s;  // libmaxminddb's
struct MMDB_entry_data_s;

namespace vedette {

class GeoFieldReader {
 public:
  // `entry` outlives the reader.
  explicit GeoFieldReader(MMDB_entry_s* entry) : entry_(entry) {}

  // Fills what is still empty; true if the record had anything new.
  bool Fill(GeoRecord& record);
  // The record could not be decoded. Once set, nothing more is read from it.
  bool corrupt() const { return corrupt_; }

 private:
  // A path of at most three keys into the record; most databases have two.
  struct Path {
    const char* keys[3];
  };

  bool Get(const Path& path, MMDB_entry_data_s& data);
  std::string Text(const Path& path);
  std::optional<double> Degrees(const Path& path, double limit);
  std::optional<uint32_t> Number(const Path& path);
  bool True(const Path& path);

  bool FillCountry(GeoRecord& record);
  bool FillCity(GeoRecord& record);
  bool FillNetwork(GeoRecord& record);
  bool FillFlags(GeoRecord& record);

  MMDB_entry_s* entry_;
  bool corrupt_ = false;
};

}  // namespace vedette
