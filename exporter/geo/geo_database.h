// One MMDB file, in memory. Private to the geolocation code.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "exporter/geo/geo.h"

struct MMDB_s;  // libmaxminddb's

namespace vedette {

// Immutable once opened; any thread may read it. The file is read as a whole, at most 4 GiB: later changes to it
// do no harm, but a file that is written in place while it is opened may end the process. Replace it by renaming a new
// one over it.
class GeoDatabase {
 public:
  // Opens the file and reads a sample of its records. nullptr, with an error that names the file, says what is wrong
  // with it and what to do.
  static std::unique_ptr<GeoDatabase> Open(const std::string& path, std::string& error);
  ~GeoDatabase();
  GeoDatabase(const GeoDatabase&) = delete;
  GeoDatabase& operator=(const GeoDatabase&) = delete;

  // Fills the members of `record` that are still empty. False: the database is corrupt there.
  bool Fill(const IpAddress& address, GeoRecord& record) const;
  const GeoDatabaseInfo& info() const { return info_; }

 private:
  GeoDatabase();
  bool Sample(std::string& error);
  // Walks down from `node` to a record, choosing branches at random; false if tree or record are corrupt.
  bool WalkDown(uint32_t node, unsigned depth, uint64_t coins[2]);

  std::unique_ptr<MMDB_s> mmdb_;  // null until opened
  GeoDatabaseInfo info_;
};

}  // namespace vedette
