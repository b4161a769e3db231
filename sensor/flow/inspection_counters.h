// What stream inspection counts; one a worker.
#pragma once

#include <array>
#include <cstdint>

#include "parsers/base/parser.h"
#include "parsers/base/tunnel.h"

namespace vedette {

struct InspectionCounters {
  std::array<uint64_t, static_cast<size_t>(ProtocolId::kCount)> flows_by_protocol{};
  uint64_t flows_unrecognised = 0;           // TCP flows with payload that ended and that no parser knew
  uint64_t udp_unrecognised = 0;             // the same of UDP flows, those with tunnels apart
  std::array<uint64_t, kTunnels> tunnels{};  // flows that carry other packets
  uint64_t malformed = 0;                    // flows whose parser gave up on broken input
  uint64_t payload_bytes = 0;                // carried by TCP and UDP, in order
  uint64_t payload_bytes_unscanned = 0;      // passed over because of the inspection depth
  uint64_t gap_bytes_scan_only = 0;  // of TcpCounters::gap_bytes: in streams that only patterns are looked for in
  uint64_t payload_bytes_aside = 0;  // TCP: set aside, or of another copy; looked at alone
  uint64_t parser_held_bytes = 0;    // now
  uint64_t stream_bytes = 0;         // now: StreamStates with all they own, without what parsers hold
  uint64_t parser_limit_hit = 0;     // parsers given up because all together held too much
  uint64_t hand_over_limit_hit = 0;
  uint64_t second_readings = 0;        // streams read a second time, because copies differed or the place changed
  uint64_t second_readings_limit = 0;  // not begun: the flow had as many as it may have
  uint64_t http_heads_over_limit = 0;  // see Http1Counters; so is the next
  uint64_t http_values_over_limit = 0;
};

}  // namespace vedette
