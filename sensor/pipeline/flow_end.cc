#include "sensor/pipeline/flow_end.h"

#include "sensor/pipeline/capture_clock.h"

namespace vedette {
namespace {

// The next segment of its direction, a keep-alive one byte before it (RFC 9293 section 3.8.4), or the answer to the SYN
// that was seen: whatever time it is, the connection goes on.
bool GoesOn(const Flow& flow, const Packet& packet, bool from_client) {
  if (packet.protocol != kIpProtoTcp) return false;
  const TcpHalf &half = flow.half[from_client ? 0 : 1], &other = flow.half[from_client ? 1 : 0];
  if ((packet.tcp_flags & kTcpSyn) != 0) {
    return (packet.tcp_flags & kTcpAck) != 0 && !half.started() && other.started() &&
           packet.acknowledgment == other.next();
  }
  if (!half.known() || half.ended()) return false;
  const int32_t distance = SequenceDistance(packet.sequence, half.next());
  return distance == 0 || (distance == -1 && packet.payload.empty() && packet.missing_bytes == 0);
}

// Whether the ports are used again, by a connection of its own. A SYN says so where the one before is over; in the
// middle of another, which it must not hide, only once the peer accepts it, or where the peer was never heard and the
// sender goes on behind it.
bool BeginsAnother(const Flow& flow, const Packet& packet, bool from_client) {
  const TcpHalf& half = flow.half[from_client ? 0 : 1];
  const TcpHalf& other = flow.half[from_client ? 1 : 0];
  const bool syn = (packet.tcp_flags & kTcpSyn) != 0, ack = (packet.tcp_flags & kTcpAck) != 0;
  if (syn && !ack) {
    const bool another = half.known() && half.first() != packet.sequence + 1;
    return another && (flow.closed || half.fin_reached());
  }
  if (!half.passed_any() && !other.passed_any()) return false;  // the streams find their places themselves
  if (syn) return other.SynIsAcknowledged(packet.acknowledgment);
  return half.SynIsContinued(packet.sequence);
}

}  // namespace

bool IsOver(const FlowTimeouts& timeouts, const Flow& flow, const PacketOfFlow& next) {
  if (CaptureClock::Between(next.time_ns, flow.last_ns, next.difference_ns) > timeouts.Of(flow) &&
      (next.addresses_only || !GoesOn(flow, next.packet, next.from_client)))
    return true;
  return flow.protocol == kIpProtoTcp && !next.addresses_only && BeginsAnother(flow, next.packet, next.from_client);
}

}  // namespace vedette
