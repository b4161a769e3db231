// `replay --summary FILE`: what a replay came to, for programs and reports. The format is described in docs/summary.md.
#pragma once

#include <cstdint>
#include <string>

#include "sensor/capture/files/capture_list.h"
#include "sensor/replay/carve_setup.h"
#include "sensor/setup/inputs.h"
#include "sensor/setup/summary.h"

namespace vedette {

constexpr char kSummarySchema[] = "vedette-summary/1";

// What a summary tells of; all outlives it.
struct SummaryInput {
  const CaptureOptions& options;
  uint64_t payload_depth_bytes;
  const CaptureList& captures;
  const LoadedIndicators& loaded;
  const MatchTally& tally;
  const Totals& totals;
  const CarveSetup& carve;
  uint64_t started_ns;  // since 1970
  int exit_status;
};

// A JSON document of several lines. Everything but the member `run` is the same for any number of workers, as long as
// no memory limit was hit.
std::string SummaryJson(const SummaryInput& input);

// Writes a file whole or not at all (a pipe or a device as it comes): under its name and kPartSuffix until then. False
// with an error that says what to do.
constexpr char kPartSuffix[] = ".part";
enum class Durability : uint8_t {
  kAtOnce,    // on disk, with its name, before this returns
  kInItsTime  // when the system likes
};
bool WriteWholeFile(const std::string& path, const std::string& text, std::string& error,
                    Durability durability = Durability::kInItsTime);

}  // namespace vedette
