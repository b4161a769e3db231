// Reads a source to its end.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "sensor/capture/frame.h"

namespace vedette::testing {

// A packet by its first byte.
struct Seen {
  std::string file;
  uint64_t number;
  uint8_t mark;
  bool operator==(const Seen&) const = default;
};

inline std::vector<Seen> Read(CaptureSource& source) {
  std::vector<Seen> all;
  std::span<const Frame> frames;
  for (;;) {
    const PollStatus status = source.Poll(frames);
    if (status == PollStatus::kWaiting || status == PollStatus::kWorking) continue;
    if (status != PollStatus::kFrames) break;
    EXPECT_FALSE(frames.empty());
    EXPECT_LE(frames.size(), CaptureSource::kBurst);
    for (const Frame& frame : frames) {
      all.push_back({std::string(source.FileName(frame.file)), frame.number,
                     frame.captured_bytes == 0 ? uint8_t{0} : frame.data[0]});
    }
  }
  EXPECT_EQ(source.Poll(frames), PollStatus::kEnd);
  EXPECT_TRUE(frames.empty());
  return all;
}

}  // namespace vedette::testing
