// Flows that carry other packets. What is inside is not looked at; that it is there is counted.
//
// Tunnels over UDP are told by their bytes: the header is one of the protocol's, and what follows it begins as an IP
// packet, or a frame with one, that fits. So an encrypted tunnel is only told where its own header says enough
// (WireGuard, ESP by its IP protocol).
#pragma once

#include <cstdint>
#include <string_view>

#include "parsers/base/bytes.h"

namespace vedette {

enum class Tunnel : uint8_t {
  kNone,
  kVxlan,      // RFC 7348, and its generic protocol extension
  kGeneve,     // RFC 8926
  kGtpU,       // 3GPP TS 29.281
  kTeredo,     // RFC 4380
  kL2tp,       // RFC 2661, RFC 3931
  kWireguard,  // the paper's section 5.4
  kGre,        // RFC 2784, RFC 8086 over UDP
  kMpls,       // RFC 4023, RFC 7510 over UDP
  kTzsp,       // TaZmen Sniffer Protocol: mirrored frames
  kIpInUdp,    // an IP packet and nothing before it
  kIpInIp,     // RFC 2003, RFC 4213, RFC 2473
  kEsp,        // RFC 4303
  kEtherIp,    // RFC 3378
  kCount
};
std::string_view NameOf(Tunnel tunnel);  // "vxlan", as a label

// `datagram`: the payload of one; `wire_bytes`: its length before the capture cut it.
Tunnel TunnelOfDatagram(Bytes datagram, size_t wire_bytes);
// By the number of the protocol above IP.
Tunnel TunnelOfIpProtocol(uint8_t protocol);

}  // namespace vedette
