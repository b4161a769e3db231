// What replay, observe and run have in common: options of a capture, indicators, geolocation.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "exporter/geo/geo.h"
#include "sensor/capture/files/capture_list.h"
#include "sensor/config/config.h"
#include "sensor/pipeline/lane.h"
#include "signatures/readers/read_indicators.h"
#include "signatures/set/indicator_set.h"

namespace CLI {
class App;
}

namespace vedette {

// The options that say what of which captures is read.
struct CaptureOptions {
  std::vector<std::string> paths;
  std::string filter;
  std::string since, until;  // as given
  uint32_t workers = 0;      // 0: one a processor
  bool follow = false;

  void AddTo(CLI::App& app);
  // False with an error for the user.
  bool Check(std::string& error);

  uint64_t since_ns = 0, until_ns = UINT64_MAX;  // set by Check
};

struct LoadedIndicators {
  std::shared_ptr<const IndicatorSet> set;  // nullptr: nothing could be loaded; said on standard error
  CompileReport report;
  std::vector<SourceReport> sources;
  double seconds = 0;
  std::string error;                 // why `set` is nullptr: the first thing that was said
  std::vector<std::string> guesses;  // what a value given without a type was taken for, a line each
  bool problems_written = true;      // false: not all of it, which was said

  // Rows that were read and are not looked for. Not what is only remarked on: a column, a tag, a file of a folder.
  uint64_t unusable() const {
    uint64_t count = report.refused;
    for (const SourceReport& source : sources) count += source.unusable;
    return count;
  }
};

struct LoadOptions {
  bool canary = false;  // with the indicator of a live sensor's test of itself
  bool quiet = false;   // says nothing on standard error but why there is no set
};

// Reads paths and values, compiles, and reports on standard error: each source, what was guessed, and how many rows
// cannot be used, or may not do what was meant, by reason, with an example of each. All of these rows, one a line, are
// written to `problems_file` where that is not empty, also where nothing could be loaded. Compiled patterns are kept in
// `cache_folder` where that is not empty.
LoadedIndicators LoadIndicators(const std::vector<std::string>& paths, const std::vector<std::string>& values,
                                const std::string& problems_file, const std::string& cache_folder = {},
                                const LoadOptions& options = {});

// $XDG_CACHE_HOME/vedette, or ~/.cache/vedette; empty where there is no home.
std::string UserCacheFolder();
// The configuration's, or the default one where it is there and can be written; else empty.
std::string CacheFolderOf(const Config& config);

// Where the package and the build put the default databases.
std::vector<std::filesystem::path> DefaultGeoFolders();
// Opens the databases named, or, where none is, those that the installation holds. `problem` gets a sentence for each
// that cannot be used, or that there is none. False: one that was named cannot be used.
bool OpenGeoFiles(const std::vector<std::string>& paths, GeoLookup& geo,
                  const std::function<void(const std::string&)>& problem);
// The same, with problems, and with what was named and is older than kGeoStaleDays, on standard error. `no_geo`: none
// at all.
bool OpenGeo(const std::vector<std::string>& paths, bool no_geo, GeoLookup& geo);

// The files to read, settled once. nullptr with an error for the user. `stop` ends the wait for standard input. What
// was passed over in folders is said on standard error.
std::shared_ptr<const CaptureList> ResolveCaptures(const CaptureOptions& options, const std::atomic<bool>& stop,
                                                   std::string& error);
// A lane's source and filter, for each worker. False with an error for the user.
bool SetUpLanes(const CaptureOptions& options, const std::shared_ptr<const CaptureList>& list,
                std::vector<LaneSetup>& lanes, std::string& error);

}  // namespace vedette
