// A flow: the packets of one five-tuple, both ways, until it ends or is idle for too long.
#pragma once

#include <cstdint>
#include <memory>

#include "exporter/alert.h"
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

  // The first cache line is what every packet touches.
  uint8_t client[16], server[16];  // mapped form
  uint16_t client_port = 0, server_port = 0;
  uint8_t protocol = 0;
  uint8_t version = 0;  // of IP
  ProtocolId app = ProtocolId::kUnknown;
  bool client_known : 1 = false;  // the opening packet was seen, or the bytes told
  bool closed : 1 = false;        // FIN both ways, or RST
  bool bypass : 1 = false;        // nothing more to learn: only counted from here on
  uint64_t last_ns = 0;
  uint32_t packets[2] = {0, 0};

  uint64_t bytes[2] = {0, 0};
  uint64_t first_ns = 0;
  uint64_t first_packet = 0;  // PacketPosition of the first one
  uint64_t id = 0;
  uint64_t hash = 0;  // of the five-tuple, either way round
  uint16_t vlan[2] = {0, 0};
  uint8_t num_vlans = 0;
  uint8_t udp_misses = 0;   // datagrams that no parser knew
  uint16_t generation = 0;  // of the indicators that its addresses were looked up in

  TcpHalf half[2];
  std::unique_ptr<StreamState> stream;
};
static_assert(sizeof(Flow) <= 192, "a million flows a worker have to stay affordable");

// (file, packet number) as one number that sorts.
inline uint64_t PacketPosition(uint32_t file, uint64_t number) {
  return uint64_t{file} << 40 | (number & ((uint64_t{1} << 40) - 1));
}

inline uint32_t FileOfPosition(uint64_t position) { return static_cast<uint32_t>(position >> 40); }

IpAddress ClientOf(const Flow& flow);
IpAddress ServerOf(const Flow& flow);
FlowSnapshot SnapshotOf(const Flow& flow);

}  // namespace vedette
