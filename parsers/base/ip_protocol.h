// Numbers of the protocols above IP (IANA), and which of them have ports.
#pragma once

#include <cstdint>

namespace vedette {

constexpr uint8_t kIpProtoIcmp = 1, kIpProtoTcp = 6, kIpProtoUdp = 17, kIpProtoDccp = 33, kIpProtoIcmpV6 = 58,
                  kIpProtoSctp = 132, kIpProtoUdpLite = 136;

// TCP, UDP, UDP-Lite, SCTP and DCCP begin with two ports (RFC 9293, 768, 3828, 9260, 4340): these are read, tell flows
// apart and are shown.
constexpr bool HasPorts(uint8_t protocol) {
  return protocol == kIpProtoTcp || protocol == kIpProtoUdp || protocol == kIpProtoSctp ||
         protocol == kIpProtoUdpLite || protocol == kIpProtoDccp;
}

}  // namespace vedette
