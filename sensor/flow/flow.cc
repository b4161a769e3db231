#include "sensor/flow/flow.h"

#include <cstring>
#include <utility>

#include "sensor/flow/stream_state.h"

namespace vedette {
namespace {

IpAddress AddressOf(const uint8_t* mapped, uint8_t version) {
  return version == 4 ? IpAddress::V4(mapped + 12) : IpAddress::V6(mapped);
}

}  // namespace

Flow::Flow() = default;
Flow::~Flow() = default;

// Its making must not change: whoever replays a capture again has to find the same flow.
uint64_t IdOf(const Flow& flow) {
  const uint8_t* ends[2] = {flow.client, flow.server};
  uint16_t ports[2] = {flow.client_port, flow.server_port};
  if (flow.turned) {
    std::swap(ends[0], ends[1]);
    std::swap(ports[0], ports[1]);
  }
  uint64_t words[4];
  std::memcpy(words, ends[0], 16);
  std::memcpy(words + 2, ends[1], 16);
  uint64_t id = Mix64(flow.first_packet + 1);
  for (const uint64_t word : words) id = Mix64(id ^ word);
  return Mix64(id ^ (uint64_t{ports[0]} << 32 | uint64_t{ports[1]} << 16 | flow.protocol)) >> 11;
}

void SwapEnds(Flow& flow) {
  std::swap(flow.client, flow.server);
  std::swap(flow.client_port, flow.server_port);
  std::swap(flow.packets_low[0], flow.packets_low[1]);
  std::swap(flow.packets_high[0], flow.packets_high[1]);
  std::swap(flow.bytes[0], flow.bytes[1]);
  std::swap(flow.half[0], flow.half[1]);
  flow.turned = !flow.turned;
}

IpAddress ClientOf(const Flow& flow) { return AddressOf(flow.client, flow.version); }
IpAddress ServerOf(const Flow& flow) { return AddressOf(flow.server, flow.version); }

void TakeSnapshot(const Flow& flow, FlowSnapshot& snapshot) {
  snapshot.id = IdOf(flow);
  snapshot.client = ClientOf(flow);
  snapshot.server = ServerOf(flow);
  snapshot.client_port = flow.client_port;
  snapshot.server_port = flow.server_port;
  snapshot.protocol = flow.protocol;
  snapshot.app = flow.app;
  snapshot.client_known = flow.start_seen;
  snapshot.first_ns = flow.first_ns;
  snapshot.last_ns = flow.last_ns;
  for (size_t i = 0; i < 2; ++i) {
    snapshot.packets[i] = flow.packets(i);
    snapshot.bytes[i] = flow.bytes[i];
    snapshot.vlan[i] = flow.vlan[i];
  }
  snapshot.num_vlans = flow.num_vlans;
}

}  // namespace vedette
