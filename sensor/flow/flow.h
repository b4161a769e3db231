// A flow: the packets of one five-tuple, both ways, until it ends or is idle for too long.
//
// Flows of a tunnel are those of the packets in it: the five-tuple is the innermost one, and the tunnels around it, with
// the networks that they name, tell flows apart as the ports do. Where the operator says so, VLANs do as well. That is
// the flow's *scope*. What is around a flow's packets is kept beside the flow (FlowTable::OuterOf): few have it.
#pragma once

#include <cstdint>
#include <memory>

#include "exporter/alert/alert.h"
#include "sensor/decode/packet.h"
#include "sensor/flow/tcp_half.h"

namespace vedette {

struct StreamState;  // parsing and payload inspection; see stream_inspector.h

// What else than the five-tuple tells flows apart: bits of `scope`.
constexpr uint8_t kScopeTunnel = 1;  // tunnels and their networks
constexpr uint8_t kScopeVlan = 2;    // VLAN tags

// Owned by the flow table, at a fixed place until it is released. Index 0 of a pair is the client's direction.
struct Flow {
  Flow();
  ~Flow();
  Flow(const Flow&) = delete;
  Flow& operator=(const Flow&) = delete;

  uint64_t packets(size_t direction) const { return uint64_t{packets_high[direction]} << 32 | packets_low[direction]; }
  void CountPacket(size_t direction) {
    if (++packets_low[direction] == 0) ++packets_high[direction];
  }

  // The first cache line is what every packet touches.
  uint8_t client[16], server[16];  // mapped form
  uint16_t client_port = 0, server_port = 0;
  uint8_t protocol = 0;
  uint8_t version = 0;  // of IP
  ProtocolId app = ProtocolId::kUnknown;
  bool client_known : 1 = false;  // settled: the opening was seen, the bytes told, or an alert named the ends
  bool start_seen : 1 = false;    // the opening packet was seen
  bool turned : 1 = false;        // client and server changed places since the first packet
  bool closed : 1 = false;        // FIN both ways, or RST
  bool bypass : 1 = false;        // nothing more to learn: only counted from here on
  bool tunnel : 1 = false;        // carries other packets that are not looked into, and was counted as such
  uint8_t scope : 2 = 0;
  uint64_t last_ns = 0;  // by the capture's clock, which is the packet's stamp unless that was not believed
  uint32_t packets_low[2] = {0, 0};
  uint16_t packets_high[2] = {0, 0};  // together 48 bits: 1,000 years at 10,000 packets/s
  uint32_t hash = 0;                  // of the five-tuple, either way round; the table's

  uint64_t bytes[2] = {0, 0};
  uint64_t first_ns = 0;      // by the capture's clock
  uint64_t first_packet = 0;  // PacketPosition of the first one
  uint16_t vlan[2] = {0, 0};
  uint16_t generation = 0;  // of the indicators that its addresses were looked up in
  uint8_t num_vlans = 0;
  uint8_t udp_misses = 0;  // datagrams that no parser knew

  TcpHalf half[2];
  std::unique_ptr<StreamState> stream;
};
static_assert(sizeof(Flow) <= 176, "a million flows per worker must stay affordable");

// Tags as one number that is never 0, for those that have any.
inline uint32_t VlansOf(const uint16_t (&vlan)[2], uint8_t num_vlans) {
  return uint32_t{num_vlans} << 24 | uint32_t{vlan[0]} << 12 | (num_vlans > 1 ? uint32_t{vlan[1]} : 0);
}

// (file, packet number) as one number that sorts.
inline uint64_t PacketPosition(uint32_t file, uint64_t number) {
  return uint64_t{file} << 40 | (number & ((uint64_t{1} << 40) - 1));
}

inline uint32_t FileOfPosition(uint64_t position) { return static_cast<uint32_t>(position >> 40); }

// Part of every alert: the same in every replay, whichever end is taken for the client later on. Below 2^53, so that
// every JSON reader keeps it exact.
uint64_t IdOf(const Flow& flow);

// Client and server change places; what is held of the stream is the inspector's (StreamInspector::TurnRound).
void SwapEnds(Flow& flow);

IpAddress ClientOf(const Flow& flow);
IpAddress ServerOf(const Flow& flow);
// Fills a snapshot that was just made, but for `outer`, which is FlowTable::OuterOf.
void TakeSnapshot(const Flow& flow, FlowSnapshot& snapshot);

}  // namespace vedette
