#include "exporter/alert/roles.h"

#include <algorithm>

namespace vedette {
namespace {

constexpr uint16_t kDnsPort = 53;

// Multicast of both versions and the limited broadcast address: nobody is there to be told.
bool IsGroup(const IpAddress& address) {
  const Bytes wire = address.wire();
  if (address.is_v4()) {
    return (wire[0] & 0xf0) == 0xe0 || std::all_of(wire.begin(), wire.end(), [](uint8_t byte) { return byte == 0xff; });
  }
  return address.is_v6() && wire[0] == 0xff;
}

const IpAddress& AddressOf(const Sighting& alert, End end) {
  return end == End::kClient ? alert.flow.client : alert.flow.server;
}

// The end that asked: it sent the query, or the answer went to it. Also where a capture has only answers, and the end
// that answers was taken for the client.
End AskerOf(const Sighting& alert) {
  const bool is_response = alert.kind != ObservableKind::kDnsQuery ||
                           std::any_of(alert.message.begin(), alert.message.end(), [](const ContextValue& context) {
                             return context.kind == ObservableKind::kDnsRcode;
                           });
  return is_response ? OtherEnd(SenderOf(alert)) : SenderOf(alert);
}

// Asks for others: a resolver the operator named, or a name server that asks from the server's port, as resolvers used
// to.
bool IsResolver(const Sighting& alert, End asker, std::span<const IpAddress> resolvers) {
  const uint16_t port = asker == End::kClient ? alert.flow.client_port : alert.flow.server_port;
  return port == kDnsPort || std::binary_search(resolvers.begin(), resolvers.end(), AddressOf(alert, asker));
}

// `suspect` owns the value, the other end is affected, unless nobody can be there.
Roles SuspectIs(End suspect, const Sighting& alert, std::string_view rule) {
  Roles roles;
  roles.matched_side = roles.suspect = suspect;
  if (!IsGroup(AddressOf(alert, OtherEnd(suspect)))) roles.affected = OtherEnd(suspect);
  roles.rule = rule;
  return roles;
}

Roles OfAddress(const Sighting& alert) {
  const bool known = alert.address.version() != 0;
  const bool client = known && alert.address == alert.flow.client, server = known && alert.address == alert.flow.server;
  if (client && server) {
    Roles roles;
    roles.matched_both = true;
    roles.rule = "address-is-both-ends";
    return roles;
  }
  if (client) return SuspectIs(End::kClient, alert, "address-is-client");
  if (server) return SuspectIs(End::kServer, alert, "address-is-server");
  Roles roles;  // inside a tunnel, or quoted: no end of this flow
  if (known) roles.suspect_address = alert.address;
  if (alert.kind == ObservableKind::kIpQuoted) {
    // An ICMP error goes back to who sent the quoted packet: that is who talked to the listed address.
    const End receiver = OtherEnd(SenderOf(alert));
    if (!IsGroup(AddressOf(alert, receiver))) roles.affected = receiver;
    roles.rule = "address-quoted";
  } else {
    roles.rule = "address-in-tunnel";
  }
  return roles;
}

Roles OfName(const Sighting& alert, std::span<const IpAddress> resolvers) {
  const bool answer = alert.kind != ObservableKind::kDnsQuery;
  const bool listed_address = alert.kind == ObservableKind::kDnsAnswer;
  Roles roles;
  if (listed_address && alert.address.version() != 0) roles.suspect_address = alert.address;
  const End asker = AskerOf(alert);
  if (IsResolver(alert, asker, resolvers)) {
    roles.rule = listed_address ? "address-answered-to-resolver" : "name-looked-up-by-resolver";
    return roles;
  }
  if (!IsGroup(AddressOf(alert, asker))) roles.affected = asker;  // an unasked mDNS answer goes to a group
  roles.rule = listed_address ? "address-in-answer" : answer ? "name-in-answer" : "name-looked-up";
  return roles;
}

// A request that asks its server to fetch from elsewhere (RFC 9112 sections 3.2.2 and 3.2.3): the server is a proxy.
bool AsksProxy(const Sighting& alert) {
  return std::any_of(alert.message.begin(), alert.message.end(), [](const ContextValue& context) {
    return context.kind == ObservableKind::kHttpTarget ||
           (context.kind == ObservableKind::kHttpMethod && context.value == "CONNECT");
  });
}

Roles OfRequest(const Sighting& alert) {
  if (!AsksProxy(alert)) return SuspectIs(End::kServer, alert, "request-to-server");
  Roles roles;
  roles.affected = End::kClient;
  roles.rule = "request-through-proxy";
  return roles;
}

}  // namespace

Roles DecideRoles(const Sighting& alert, std::span<const IpAddress> resolvers) {
  const End sender = SenderOf(alert);
  switch (TraitsOf(alert.kind).ownership) {
    case Ownership::kEndOfPacket:
      return OfAddress(alert);
    case Ownership::kLookedUp:
      return OfName(alert, resolvers);
    case Ownership::kRequested:
      return OfRequest(alert);
    case Ownership::kServer:
      return SuspectIs(End::kServer, alert, "name-of-server");
    case Ownership::kServerSoftware:
      return SuspectIs(End::kServer, alert, "software-of-server");
    case Ownership::kClientSoftware: {
      // The client runs what is listed. The indicator says nothing about whom it talks to.
      Roles roles;
      roles.matched_side = roles.affected = End::kClient;
      roles.rule = "software-of-client";
      return roles;
    }
    case Ownership::kForwarded: {
      // The request came through a proxy on behalf of the listed address.
      Roles roles;
      if (alert.address.version() != 0) roles.suspect_address = alert.address;
      roles.affected = End::kServer;
      roles.rule = "address-behind-proxy";
      return roles;
    }
    case Ownership::kCertificateOwner:
      return SuspectIs(sender, alert, sender == End::kServer ? "certificate-of-server" : "certificate-of-client");
    case Ownership::kSender:
      return SuspectIs(sender, alert, sender == End::kServer ? "sent-by-server" : "sent-by-client");
    case Ownership::kNobody:
      break;
  }
  Roles roles;
  roles.rule = "no-rule";
  return roles;
}

}  // namespace vedette
