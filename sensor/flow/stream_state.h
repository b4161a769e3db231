// What is kept of a flow whose bytes are inspected.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "parsers/base/bytes.h"
#include "sensor/flow/reading.h"
#include "sensor/flow/tcp_half.h"
#include "signatures/set/indicator_set.h"

namespace vedette {

// The bytes of a stream once more, beside the leading reading. Either those of another place: then the reading of the
// place before stands still in one direction until the stream comes back to it. Or the other copies: where bytes come
// more than once and differ, the leading reading sees the first of them and this one the first of the others.
struct SecondReading {
  static constexpr int kNone = -1;

  Reading reading;
  int suspended = kNone;     // the direction that stands still; kNone: reads the other copies
  bool was_leading = false;  // of a suspended one: the stream may come back to it
  // Other copies only, by direction: what the leading reading has seen and this one has not. Numbers of bytes that tell
  // a place are counted backwards, from the leading reading's place.
  struct Piece {
    uint32_t bytes = 0;
    bool copied = false;  // it came from a copy
  };
  struct Direction {
    uint32_t behind = 0;        // where this reading is
    std::string waiting;        // the last of the bytes behind it: another copy of them may come
    std::vector<Piece> pieces;  // how they came: a protocol begins where a piece does
    uint32_t gap_bytes = 0;     // missing in front of them
    uint32_t told_before = 0;   // of them, from the first: known from the leading reading, and the same in this one
    bool start = false;         // the connection begins with them

    void Append(Bytes bytes);
    // Puts another copy in, which begins `begin` bytes before the place, in `waiting`.
    void Replace(Bytes bytes, uint32_t begin);
    // How many of the bytes that wait have to be read before a copy from `begin` to `end` bytes before the place is put
    // in: those that came from another copy already.
    size_t CopiedBefore(uint32_t begin, uint32_t end) const;

    void Split(size_t at);
  } direction[2];
  bool begun_within = false;   // a message whose first byte was kept: it knows the protocol once it has read that
  uint32_t copies = 0;         // told so far
  uint32_t exact_repeats = 0;  // since it began
  uint32_t chunks_since = 0;   // of both directions, since the last copy or the change of place
};

// Of one TCP flow that carried payload, and of a UDP flow whose protocol has a state (as of OpenVPN). Arrays are indexed by
// the flow's direction.
struct StreamState {
  Reading reading;  // the leading one
  std::unique_ptr<SecondReading> second;
  uint8_t second_readings = 0;   // begun so far
  uint32_t counted = 0;          // bytes, as counted in InspectionCounters::stream_bytes
  bool flip_pending = false;     // the bytes say that the client is at the other end
  uint64_t scanned[2] = {0, 0};  // payload bytes looked at
  std::unique_ptr<std::array<PayloadTail, 2>> tails;
  // Of a bypassed flow in whose payload patterns are looked for: the stream in order. Beside the flow's own halves, so
  // that nothing but patterns depends on it.
  std::unique_ptr<std::array<TcpHalf, 2>> scanned_halves;

  // Whether nothing more can be learned from fields.
  bool parsing_over() const { return reading.over && (second == nullptr || second->reading.over); }
  void SwapEnds();
  // With all it owns, beside what parsers hold.
  size_t memory_bytes() const;
};

// The direction of what side `index` of the flow sends, as far as is known by now.
inline Direction DirectionShown(const StreamState& state, size_t index) {
  return (index == 0) != state.flip_pending ? Direction::kToServer : Direction::kToClient;
}

}  // namespace vedette
