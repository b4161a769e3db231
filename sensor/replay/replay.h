// A replay: captures against indicators. The command of that name has the options (sensor/commands/replay.cc).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sensor/replay/carve_setup.h"
#include "sensor/setup/inputs.h"

namespace vedette {

struct ReplayOptions {
  CaptureOptions capture;
  CarveSetup carve;
  std::vector<std::string> indicators, values, geo;
  std::string format = "jsonl";
  std::string output = "-";
  std::string publish;
  std::string problems;
  std::string cache;
  std::string resume;
  double resume_every = 2;
  std::string summary;
  uint32_t partner_wait = 10;
  uint64_t payload_depth = 0;
  std::string pace;        // how many times as fast as recorded, a number; empty: as fast as it goes
  double pace_pause = 60;  // seconds that a gap of the recording takes at most
  bool each = false;       // every file is judged on its own
  bool no_geo = false;
  bool no_cache = false;
  bool fail_on_match = false;
  bool quiet = false;
};

// The whole of it, to the summary. Returns the exit code; what is wrong is said on standard error.
int Replay(ReplayOptions& options);

}  // namespace vedette
