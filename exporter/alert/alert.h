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

// What an event is, as readers tell them apart.
enum class EventKind : uint8_t {
  kAlert,       // something listed was seen
  kUpdate,      // an alert that was shown before, as it is by now: repeats, outcome. Readers' incidents will make them
  kClosed,      // a flow with alerts has ended; its evidence is that of the whole flow
  kRetraction,  // an alert that was shown before was wrong: its indicator was revoked. A reload will make them
  kCanary,      // the sensor's test of itself: no partner's business
  kHeartbeat,   // nothing to tell but that the sensor is there. Views will make them
};
// Some of them.
class EventKinds {
 public:
  constexpr EventKinds() = default;
  constexpr EventKinds(EventKind kind) : bits_(BitOf(kind)) {}
  constexpr bool Has(EventKind kind) const { return (bits_ & BitOf(kind)) != 0; }
  constexpr void Add(EventKinds kinds) { bits_ |= kinds.bits_; }

 private:
  static constexpr uint8_t BitOf(EventKind kind) { return static_cast<uint8_t>(1 << static_cast<uint8_t>(kind)); }
  uint8_t bits_ = 0;
};

// What traffic showed, whatever is listed.
struct Sighting {
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
  std::vector<ContextValue> message;           // of the same message, in order of emission
};

// What a worker tells the exporter: one alert per flow, kind and value (payload: per pattern and direction; addresses:
// once per flow), and, where somebody takes them, one kClosed per flow with alerts.
struct Alert : Sighting {
  EventKind event = EventKind::kAlert;
  uint64_t generation = 0;           // of the indicator set
  std::vector<uint32_t> indicators;  // indexes into that set, ascending; none of a flow's end, else some
  // Further hits on the value, of audiences that heard of it in this flow before: for them it is nothing new.
  // Ascending.
  std::vector<uint32_t> told;
  // Of a flow's end: keys of the audiences that it is for (signatures/indicator.h).
  std::vector<uint64_t> audiences;
  // Where the lane keeps packets of flows with alerts: what it knows the flow by (sensor/keep), and its number. 0: it
  // keeps none.
  uint64_t keep_key = 0;
  uint32_t lane = 0;
};

}  // namespace vedette
