// `replay --summary FILE`: the result of a replay, for programs and reports. docs/summary.md describes the format.
#pragma once

#include <cstdint>
#include <string>

#include "sensor/capture/files/capture_list.h"
#include "sensor/replay/carve_setup.h"
#include "sensor/setup/inputs.h"
#include "sensor/setup/summary.h"

namespace vedette {

constexpr char kSummarySchema[] = "vedette-summary/1";

// The input of a summary; all of it outlives the call.
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

// Writes a file whole or not at all (except a pipe or a device); until it is complete, its name has kPartSuffix. False
// with an error that says what to do.
constexpr char kPartSuffix[] = ".part";
enum class Durability : uint8_t {
  kAtOnce,    // on disk, with its name, before this returns
  kInItsTime  // when the system decides
};
bool WriteWholeFile(const std::string& path, const std::string& text, std::string& error,
                    Durability durability = Durability::kInItsTime);

}  // namespace vedette
