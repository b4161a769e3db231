// Which end of a flow opened it, as far as one packet shows: for flows that a capture meets in the middle.
#pragma once

#include <cstdint>
#include <optional>

#include "parsers/registry.h"
#include "sensor/decode/packet.h"
#include "sensor/flow/flow.h"

namespace vedette {

enum class PacketEnd : uint8_t { kSender, kReceiver };

struct ClientGuess {
  PacketEnd client = PacketEnd::kSender;
  bool settled = false;     // by what the packet says, not by its ports
  bool start_seen = false;  // it is the opening packet, or its answer
};

// Of a flow's first packet. The ends' ports decide where the packet itself does not tell; of equal ports the sender's
// is the client's. A group's or broadcast address is never a client.
ClientGuess GuessClient(const Packet& packet);

// What a later packet of the flow says of it, for a flow whose client is not settled: a SYN or SYN-ACK that begins the
// stream as it was met, or a datagram that tells its sender, such as a DNS message. Nothing: it says nothing.
inline bool MayTellClient(const Packet& packet, const Flow& flow) {
  constexpr uint8_t kMaxMisses = 8;  // datagrams that no parser knew: none will
  if (packet.protocol == kIpProtoTcp) return (packet.tcp_flags & kTcpSyn) != 0 && flow.app == ProtocolId::kUnknown;
  return packet.protocol == kIpProtoUdp && flow.udp_misses < kMaxMisses && LaterDatagramTellsSender(flow.app);
}
std::optional<ClientGuess> ClientToldBy(const Packet& packet, const Flow& flow, bool from_client);

// How much a port looks like a service's: 0 (a client's, given out for one connection) to 5.
int ServiceScore(uint16_t port);

}  // namespace vedette
