// What TCP reassembly counts; one per worker.
#pragma once

#include <cstdint>

#include "exporter/metrics/families.h"
#include "parsers/base/counter.h"
#include "sensor/flow/segment_queue.h"

namespace vedette {

namespace families {

inline constexpr FigureFamily kTcp = {"vedette_tcp_total", FigureKind::kCounter, "what TCP reassembly met", "event"};
inline constexpr FigureFamily kTcpSetAside = {"vedette_tcp_set_aside_segments_total", FigureKind::kCounter,
                                              "segments kept out of their stream; scanned alone", "reason"};
inline constexpr FigureFamily kTcpRepeatedBytes = {"vedette_tcp_retransmitted_bytes_total", FigureKind::kCounter,
                                                   "bytes of TCP streams that had been seen before", ""};

}  // namespace families

struct TcpCounters {
  uint64_t segments = 0;
  uint64_t out_of_order = 0;
  uint64_t retransmitted_bytes = 0;
  uint64_t gaps = 0;
  uint64_t gap_bytes = 0;
  uint64_t flow_limit_hit = 0;
  uint64_t total_limit_hit = 0;
  uint64_t held_bytes = 0;     // now, in all flows
  uint64_t held_segments = 0;  // they came in so many pieces
  uint64_t detour_bytes = 0;   // now
  // Segments set aside: not part of the stream as far as it was followed. Each counts under one reason.
  uint64_t out_of_window = 0;
  uint64_t at_candidate = 0;
  uint64_t queue_full = 0;
  uint64_t padding = 0;
  // What happened to places and copies.
  uint64_t exact_repeats = 0;
  uint64_t other_copies = 0;
  uint64_t checksum_wrong = 0;
  uint64_t place_changes = 0;
  uint64_t place_reversals = 0;
  uint64_t syns_in_stream = 0;
  uint64_t resets_in_vain = 0;

  static constexpr auto Counters() {
    using namespace families;
    using C = TcpCounters;
    return CounterTable(
        Count(&C::segments, kTcp, "segments", "segments with payload"),
        Count(&C::out_of_order, kTcp, "out_of_order", "segments held for their turn"),
        Count(&C::gaps, kTcp, "gaps", "holes that nothing filled"),
        Count(&C::flow_limit_hit, kTcp, "no_room_direction", "segments for which one direction held too much")
            .IsLimit({"direction_too_long", "no room: one TCP direction"}),
        Count(&C::total_limit_hit, kTcp, "no_room_memory", "segments for which all flows together held too much")
            .IsLimit({"reassembly", "no room: TCP reassembly", true}),
        Count(&C::exact_repeats, kTcp, "exact_repeats", "segments seen before, told by their hashes"),
        Count(&C::other_copies, kTcp, "other_copies", "segments over bytes seen before that differ, or may"),
        Count(&C::checksum_wrong, kTcp, "other_copies_checksum_wrong",
              "of other_copies: with a wrong checksum in a direction whose others are right"),
        Count(&C::place_changes, kTcp, "place_changes", "times that a stream went on at another place"),
        Count(&C::place_reversals, kTcp, "place_reversals", "of place_changes: back to where it had been before"),
        Count(&C::syns_in_stream, kTcp, "syns_in_stream", "SYNs that did not begin a connection when they came"),
        Count(&C::resets_in_vain, kTcp, "resets_in_vain", "RSTs outside the window, or after which the stream went on"),
        Count(&C::out_of_window, kTcpSetAside, "outside_window", "neither at the place nor at the candidate"),
        Count(&C::at_candidate, kTcpSetAside, "another_place", "at the candidate; may be part of the stream later"),
        Count(&C::queue_full, kTcpSetAside, "no_room", "farthest from the place when there was no room"),
        Count(&C::padding, kTcpSetAside, "padding", "of an Ethernet frame, counted as data by its sender"),
        Count(&C::gap_bytes, "bytes missing in gaps"), Count(&C::retransmitted_bytes, kTcpRepeatedBytes),
        Count(&C::held_bytes, kMemory, "reassembly", "bytes of segments held"),
        Count(&C::held_segments, kMemory, "reassembly", "segments held").Weight(kSegmentOverheadBytes),
        Count(&C::detour_bytes, kMemory, "reassembly", "what halves own beside their held segments"));
  }
};

}  // namespace vedette
