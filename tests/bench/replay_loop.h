// The replay loop of one worker, whole or in part, and what of it costs how much thread CPU time.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "sensor/capture/files/capture_files.h"
#include "signatures/set/indicator_set.h"

namespace vedette::bench {

struct ReplayInput {
  std::shared_ptr<const CaptureList> capture;
  std::shared_ptr<const IndicatorSet> set;
  uint64_t depth = 0;  // bytes of each direction that are scanned for patterns; 0: all
};

// The lists are those of contract 5. False where one cannot be used; why is said on standard error.
bool LoadSet(const std::string& path, ReplayInput& input);

struct LoopResult {
  double worker_seconds = 0, exporter_seconds = 0;
  uint64_t alerts = 0, flows = 0, packets = 0;
  double total() const { return worker_seconds + exporter_seconds; }
};

// As `vedette replay --workers 1` runs it, with alerts as JSON lines to /dev/null. Without start-up.
LoopResult RunLoop(const ReplayInput& input);

// Its beginning. Seconds.
double WalkOnly(const ReplayInput& input);
double WalkAndDecode(const ReplayInput& input);
// Without matching; `parse`: with parsers; `scan`: with the payload scan.
double WithoutMatching(const ReplayInput& input, bool parse, bool scan);

}  // namespace vedette::bench
