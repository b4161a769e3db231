#include "sensor/flow/flow.h"

#include "sensor/flow/stream_state.h"

namespace vedette {
namespace {

IpAddress AddressOf(const uint8_t* mapped, uint8_t version) {
  return version == 4 ? IpAddress::V4(mapped + 12) : IpAddress::V6(mapped);
}

}  // namespace

Flow::Flow() = default;
Flow::~Flow() = default;

IpAddress ClientOf(const Flow& flow) { return AddressOf(flow.client, flow.version); }
IpAddress ServerOf(const Flow& flow) { return AddressOf(flow.server, flow.version); }

FlowSnapshot SnapshotOf(const Flow& flow) {
  FlowSnapshot snapshot;
  snapshot.id = flow.id;
  snapshot.client = ClientOf(flow);
  snapshot.server = ServerOf(flow);
  snapshot.client_port = flow.client_port;
  snapshot.server_port = flow.server_port;
  snapshot.protocol = flow.protocol;
  snapshot.app = flow.app;
  snapshot.client_known = flow.client_known;
  snapshot.first_ns = flow.first_ns;
  snapshot.last_ns = flow.last_ns;
  for (size_t i = 0; i < 2; ++i) {
    snapshot.packets[i] = flow.packets[i];
    snapshot.bytes[i] = flow.bytes[i];
    snapshot.vlan[i] = flow.vlan[i];
  }
  snapshot.num_vlans = flow.num_vlans;
  return snapshot;
}

}  // namespace vedette
