// A flow: the packets of one five-tuple, both ways, until it ends or is idle for too long.
#pragma once

#include <cstdint>
#include <memory>

#include "exporter/alert/alert.h"
#include "sensor/decode/packet.h"
#include "sensor/flow/tcp_half.h"

namespace vedette {

struct StreamState;  // parsing and payload inspection; see stream_inspector.h

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
  bool tunnel : 1 = false;        // carries other packets, and was counted as such
  uint64_t last_ns = 0;           // by the capture's clock, which is the packet's stamp unless that was not believed
  uint32_t packets_low[2] = {0, 0};
  uint16_t packets_high[2] = {0, 0};  // together 48 bits: 1,000 years at 10,000 packets/s
  uint32_t hash = 0;                  // of the five-tuple, either way round; the table's

  uint64_t bytes[2] = {0, 0};
  uint64_t first_ns = 0;      // by the capture's clock
  uint64_t first_packet = 0;  // PacketPosition of the first one
  // Part of every alert: the same in every replay, whichever end is taken for the client later on. Below 2^53, so that
  // every JSON reader keeps it exact.
  uint64_t id = 0;
  uint16_t vlan[2] = {0, 0};
  uint16_t generation = 0;  // of the indicators that its addresses were looked up in
  uint8_t num_vlans = 0;
  uint8_t udp_misses = 0;  // datagrams that no parser knew

  TcpHalf half[2];
  std::unique_ptr<StreamState> stream;
};
static_assert(sizeof(Flow) <= 192, "a million flows a worker have to stay affordable");

// (file, packet number) as one number that sorts.
inline uint64_t PacketPosition(uint32_t file, uint64_t number) {
  return uint64_t{file} << 40 | (number & ((uint64_t{1} << 40) - 1));
}

inline uint32_t FileOfPosition(uint64_t position) { return static_cast<uint32_t>(position >> 40); }

// The id of a flow whose ends and first packet are known.
uint64_t IdOfNew(const Flow& flow);

// Client and server change places; what is held of the stream is the inspector's (StreamInspector::TurnRound).
void SwapEnds(Flow& flow);

IpAddress ClientOf(const Flow& flow);
IpAddress ServerOf(const Flow& flow);
FlowSnapshot SnapshotOf(const Flow& flow);

}  // namespace vedette
