#include "sensor/flow/flow.h"

#include "sensor/flow/stream_inspector.h"

namespace vedette {
namespace {

struct TypePair {
  uint8_t type, counterpart;
};
// Community ID v1: types that ask and answer each other.
constexpr TypePair kIcmp4Pairs[] = {{8, 0},   {0, 8},  {13, 14}, {14, 13}, {15, 16},
                                    {16, 15}, {10, 9}, {9, 10},  {17, 18}, {18, 17}};
constexpr TypePair kIcmp6Pairs[] = {{128, 129}, {129, 128}, {133, 134}, {134, 133}, {135, 136},
                                    {136, 135}, {130, 131}, {131, 130}, {144, 145}, {145, 144}};

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

IcmpPorts IcmpPortsOf(uint8_t type, uint8_t code, bool v6) {
  const auto search = [&](const auto& pairs) -> IcmpPorts {
    for (const TypePair& pair : pairs) {
      if (pair.type == type) return {type, pair.counterpart, false};
    }
    return {type, code, true};
  };
  return v6 ? search(kIcmp6Pairs) : search(kIcmp4Pairs);
}

}  // namespace vedette
