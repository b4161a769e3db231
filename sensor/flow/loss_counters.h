// How much of TCP's streams the capture does not have although their receivers got it: what was lost before the sensor.
//
// A receiver acknowledges what it has. Bytes that it acknowledged and that never came by were lost between the wire and
// the capture: by a mirror port, a tap, a network card. Bytes that come late, repeats, keep-alives and window probes
// leave no such hole.
//
// Only streams whose receiver was heard are judged, from their handshake or the first byte that was seen on. What cannot
// be told counts neither way: what was in flight when a flow was first seen, bytes that a snap length cut, flows that are
// only followed. Whoever sends forged acknowledgments must not make a loss of nothing, so a hole counts with at
// most kMostTimesSeen times the bytes that were seen around it, and at most kBlockBytes.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "parsers/base/counter.h"

namespace vedette {

namespace families {

inline constexpr FigureFamily kAcknowledgedBytes = {
    "vedette_tcp_acknowledged_bytes_total", FigureKind::kCounter,
    "bytes of TCP streams whose receiver was heard, by whether the capture has them", "capture"};

}  // namespace families

// Of one direction, since it was last told.
struct JudgedBytes {
  uint32_t seen = 0;
  uint32_t unseen = 0;      // acknowledged, and passed over because they did not come
  uint32_t late = 0;        // of those told as unseen: they came after all
  uint32_t one_way = 0;     // acknowledged, in a direction of which no packet came
  bool first_loss = false;  // the first that this direction lost
};

struct LossCounters {
  // By place of the interface in the sensor's list, as far as that goes; a replay adds them up.
  static constexpr size_t kInterfaces = 32;
  using Each = std::array<uint64_t, kInterfaces>;

  Each seen{}, unseen{}, late{};
  Each streams_with_loss{};
  uint64_t one_way = 0;

  void Add(size_t interface, const JudgedBytes& bytes) {
    const size_t i = interface < kInterfaces ? interface : kInterfaces - 1;
    seen[i] += bytes.seen;
    unseen[i] += bytes.unseen;
    late[i] += bytes.late;
    streams_with_loss[i] += bytes.first_loss;
    one_way += bytes.one_way;
  }

  static constexpr auto Counters() {
    using C = LossCounters;
    using std::string_view;
    constexpr const FigureFamily& kBytes = families::kAcknowledgedBytes;
    // All interfaces are one figure.
    return CounterTable(CountEach(&C::seen, kBytes, [](size_t) { return string_view("seen"); }),
                        CountEach(&C::unseen, kBytes, [](size_t) { return string_view("unseen"); }),
                        CountEach(&C::late, kBytes, [](size_t) { return string_view("late"); }),
                        CountEach(&C::streams_with_loss, kBytes, [](size_t) { return string_view(); }),  // no bytes
                        Count(&C::one_way, kBytes, "one_way", "of directions that the capture does not have at all"));
  }
};

// All interfaces, or one.
struct LossShare {
  uint64_t seen = 0;
  uint64_t unseen = 0;  // without those that came late
  double percent() const {
    return unseen == 0 ? 0 : 100 * static_cast<double>(unseen) / static_cast<double>(seen + unseen);
  }
};
LossShare LossOf(const LossCounters& counters);

}  // namespace vedette
