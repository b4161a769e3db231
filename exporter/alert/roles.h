// Which end of a flow is said to do harm and which is harmed: what routing and every export format go by.
//
// The table of rules stands in exporter/README.md; the names of the rules are a promise to readers.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "exporter/alert/alert.h"

namespace vedette {

enum class End : uint8_t { kNone, kClient, kServer };
// The end whose packet carried the observable, and the one across.
constexpr End SenderOf(const Sighting& seen) {
  return seen.direction == Direction::kToServer ? End::kClient : End::kServer;
}
constexpr End OtherEnd(End end) {
  return end == End::kClient ? End::kServer : end == End::kServer ? End::kClient : End::kNone;
}

struct Roles {
  End matched_side = End::kNone;  // the end the value belongs to; kNone where it belongs to neither, as a DNS answer
  bool matched_both = false;      // the value belongs to both; `matched_side` is kNone
  End suspect = End::kNone;       // who is said to do harm
  // The suspect is no end of the flow but the address that matched: a listed address in a DNS answer.
  std::optional<IpAddress> suspect_address;
  End affected = End::kNone;  // who is harmed and should be told
  std::string_view rule;      // stable name, static text
};

// `resolvers`: the operator's own name servers and forwarders, sorted; a resolver that looks up a name for others is
// neither suspect nor affected.
Roles DecideRoles(const Sighting& seen, std::span<const IpAddress> resolvers = {});

// One end of a flow.
struct EndPoint {
  const IpAddress* address;
  uint16_t port;
};
inline EndPoint EndPointOf(const FlowSnapshot& flow, End end) {
  return end == End::kClient ? EndPoint{&flow.client, flow.client_port} : EndPoint{&flow.server, flow.server_port};
}

}  // namespace vedette
