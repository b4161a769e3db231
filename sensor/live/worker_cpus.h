// Which CPU each worker of a live sensor runs on.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sensor/config/config.h"

namespace vedette {

// One entry for each worker: a CPU, or -1 for wherever the scheduler puts it. Empty, with `error`, where there are fewer
// CPUs than workers, or `pin` names one that this process may not use.
//
// One worker goes wherever there is room, for the scheduler knows which CPU the interrupts load. Several are pinned, each
// to a CPU of its own, so that none has to wait for another: first those near the first interface's card (its NUMA
// node), and one for each core before a second for any.
std::vector<int> ChooseCpus(const CaptureConfig& capture, std::string& error);

// "0-3,8": as files below /sys have it. What is no number is passed over.
std::vector<uint32_t> ParseCpuList(const std::string& text);

}  // namespace vedette
