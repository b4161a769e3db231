// What is kept of a flow whose bytes are inspected.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "sensor/flow/reading.h"
#include "signatures/indicator_set.h"

namespace vedette {

// The bytes of a stream once more, beside the leading reading. Either those of another place: then the reading of the
// place before stands still in one direction until the stream comes back to it. Or the other copies: where bytes come
// more than once and differ, the leading reading sees the first of them and this one the last.
struct SecondReading {
  static constexpr int kNone = -1;

  Reading reading;
  int suspended = kNone;     // the direction that stands still; kNone: reads the other copies
  bool was_leading = false;  // of a suspended one: the stream may come back to it
  // Other copies only, by direction: what the leading reading has seen and this one has not.
  struct Direction {
    uint32_t behind = 0;  // bytes, up to the leading reading's place
    std::string waiting;  // the last of them, not read yet: another copy of them may come
    uint32_t gap_bytes = 0;
  } direction[2];
  uint32_t copies = 0;         // told so far
  uint32_t exact_repeats = 0;  // since it began
  uint32_t chunks_since = 0;   // of both directions, since the last copy or the change of place
};

// Of one TCP flow that carried payload, and of a UDP flow whose protocol has a state (OpenVPN). Arrays are indexed by
// the flow's direction.
struct StreamState {
  Reading reading;  // the leading one
  std::unique_ptr<SecondReading> second;
  uint8_t second_readings = 0;   // begun so far
  uint32_t counted = 0;          // bytes, as counted in InspectionCounters::stream_bytes
  bool flip_pending = false;     // the bytes say that the client is at the other end
  uint64_t scanned[2] = {0, 0};  // payload bytes looked at
  std::unique_ptr<std::array<PayloadTail, 2>> tails;

  // Whether nothing more can be learned from fields.
  bool parsing_over() const { return reading.over && (second == nullptr || second->reading.over); }
  void SwapEnds();
  // With all it owns, beside what parsers hold.
  size_t memory_bytes() const;
};

}  // namespace vedette
