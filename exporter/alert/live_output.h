// How a sensor that runs for months keeps its file of alerts.
#pragma once

#include <chrono>
#include <cstdint>

namespace vedette {

struct LiveOutput {
  std::chrono::seconds sync{1};  // until what is written is on disk; 0: whenever the system likes
  uint64_t rotate_bytes = 0;     // from this size on it becomes FILE.1, and that one FILE.2; 0: never
  uint32_t keep = 10;            // files that were rotated; the one after them is removed
};

}  // namespace vedette
