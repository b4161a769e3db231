// When a flow is over: it was idle for too long, or its five-tuple is used again by another connection.
#pragma once

#include <algorithm>
#include <cstdint>

#include "sensor/decode/packet.h"
#include "sensor/flow/flow.h"

namespace vedette {

// How long flows may be idle, in nanoseconds.
struct FlowTimeouts {
  uint64_t tcp_ns, tcp_closed_ns, other_ns;

  uint64_t Of(const Flow& flow) const {
    if (flow.protocol != kIpProtoTcp) return other_ns;
    return flow.closed ? tcp_closed_ns : tcp_ns;
  }
};

// A packet that the flow table has found a flow for.
struct PacketOfFlow {
  const Packet& packet;
  uint64_t time_ns;        // by the capture's clock
  uint64_t difference_ns;  // see CaptureClock
  bool addresses_only;
  bool from_client;
};

// False: the packet certainly belongs to the flow. Few packets need more of a look.
inline bool MayBeOver(const FlowTimeouts& timeouts, const Flow& flow, const PacketOfFlow& next) {
  const uint64_t apart = next.time_ns > flow.last_ns ? next.time_ns - flow.last_ns : flow.last_ns - next.time_ns;
  return apart > timeouts.Of(flow) || (next.packet.tcp_flags & kTcpSyn) != 0 ||
         flow.half[next.from_client ? 0 : 1].irregular();
}
bool IsOver(const FlowTimeouts& timeouts, const Flow& flow, const PacketOfFlow& next);

// Packets come a little out of order; a flow that goes on at another time, on the other hand, is there now.
inline void UpdateTimes(const FlowTimeouts& timeouts, Flow& flow, uint64_t time_ns) {
  flow.first_ns = std::min(flow.first_ns, time_ns);
  if (time_ns > flow.last_ns || flow.last_ns - time_ns > timeouts.Of(flow)) flow.last_ns = time_ns;
}

}  // namespace vedette
