// The indicators of a running sensor, as its start and its reloads read them.
#pragma once

#include <string>
#include <vector>

#include "sensor/config/config.h"
#include "sensor/live/reloader.h"
#include "sensor/setup/inputs.h"

namespace vedette {

// Reads and compiles, with the canary's indicator.
LoadedIndicators LoadLiveIndicators(const Config& config);
// What of it the workers use, and what is told about it. `paths` are those it was read from.
IndicatorLoad ReadyForUse(LoadedIndicators loaded, const std::vector<std::string>& paths);
// Reads configuration and indicators anew: the file may name others by now. What else changed in it waits for a
// restart, and is told.
IndicatorLoad LoadAgain(const Config& as_started);

}  // namespace vedette
