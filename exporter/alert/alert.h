// An alert on its way from a worker to the partners (contract 3). Owns all of its bytes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "parsers/base/address.h"
#include "parsers/base/observable.h"
#include "parsers/base/parser.h"
#include "parsers/base/tunnel.h"

namespace vedette {

// The flow as it was when the observable was emitted. Index 0 counts what the client sent, index 1 the server.
struct FlowSnapshot {
  uint64_t id = 0;  // from the five-tuple and the flow's first packet: the same in every replay; below 2^53, so that
                    // any JSON reader keeps it exact
  IpAddress client, server;
  uint16_t client_port = 0, server_port = 0;  // ICMP: type and code as Community ID v1 pairs them
  uint8_t protocol = 0;                       // IP protocol number
  ProtocolId app = ProtocolId::kUnknown;
  bool client_known = false;           // the opening packet was seen; else the client is a guess
  uint64_t first_ns = 0, last_ns = 0;  // packet times, since 1970
  uint64_t packets[2] = {0, 0};
  uint64_t bytes[2] = {0, 0};  // as on the wire, link header included
  uint16_t vlan[2] = {0, 0};
  uint8_t num_vlans = 0;
  // Around the flow's first packet, outermost first; client and server are then addresses within the tunnel. Empty for
  // every flow of one layer.
  std::vector<OuterLayer> outer;
};

// What else the same message showed: the context of the hit.
struct ContextValue {
  ObservableKind kind;
  std::string value;  // addresses as text
};

// One alert per flow, kind and value (payload: per pattern and direction; addresses: once per flow).
struct Alert {
  // Where it was found; sorted by these three, alerts are in the one order that every number of workers gives.
  uint32_t file = 0;     // index into the capture source's files
  uint64_t packet = 0;   // number in that file, from 1 on
  uint32_t ordinal = 0;  // among the alerts of that packet

  uint64_t time_ns = 0;  // of that packet
  FlowSnapshot flow;
  ObservableKind kind = ObservableKind::kIp;
  Direction direction = Direction::kToServer;  // in which the packet went
  std::string value;                           // matched value in normal form; payload: the bytes of the hit
  IpAddress address;                           // where the value is an address
  uint64_t generation = 0;                     // of the indicator set
  std::vector<uint32_t> indicators;            // indexes into that set; not empty, ascending
  // Further hits on the value, of audiences that heard of it in this flow before: for them it is nothing new.
  // Ascending.
  std::vector<uint32_t> told;
  std::vector<ContextValue> message;  // of the same message, in order of emission
  bool canary = false;                // the sensor's test of itself: no partner's business
};

}  // namespace vedette
