// Numbers of the protocols above IP (IANA): the one place that has them. Their names, and which of them have ports.
#pragma once

#include <cstdint>
#include <string_view>

namespace vedette {

constexpr uint8_t kIpProtoHopByHop = 0, kIpProtoIcmp = 1, kIpProtoIgmp = 2, kIpProtoIpv4 = 4, kIpProtoTcp = 6,
                  kIpProtoUdp = 17, kIpProtoDccp = 33, kIpProtoIpv6 = 41, kIpProtoRouting = 43, kIpProtoFragment = 44,
                  kIpProtoGre = 47, kIpProtoEsp = 50, kIpProtoAuthentication = 51, kIpProtoIcmpV6 = 58,
                  kIpProtoDestination = 60, kIpProtoOspf = 89, kIpProtoEtherIp = 97, kIpProtoPim = 103,
                  kIpProtoL2tp = 115, kIpProtoSctp = 132, kIpProtoMobility = 135, kIpProtoUdpLite = 136,
                  kIpProtoMpls = 137, kIpProtoHip = 139, kIpProtoShim6 = 140;

// TCP, UDP, UDP-Lite, SCTP and DCCP begin with two ports (RFC 9293, 768, 3828, 9260, 4340): these are read, tell flows
// apart and are shown.
constexpr bool HasPorts(uint8_t protocol) {
  return protocol == kIpProtoTcp || protocol == kIpProtoUdp || protocol == kIpProtoSctp ||
         protocol == kIpProtoUdpLite || protocol == kIpProtoDccp;
}

// As Suricata and /etc/protocols name it; empty for the others.
constexpr std::string_view IpProtocolName(uint8_t protocol) {
  switch (protocol) {
    case kIpProtoIcmp:
      return "ICMP";
    case kIpProtoIgmp:
      return "IGMP";
    case kIpProtoIpv4:
      return "IP-ENCAP";
    case kIpProtoTcp:
      return "TCP";
    case kIpProtoUdp:
      return "UDP";
    case kIpProtoIpv6:
      return "IPv6";
    case kIpProtoGre:
      return "GRE";
    case kIpProtoEsp:
      return "ESP";
    case kIpProtoAuthentication:
      return "AH";
    case kIpProtoIcmpV6:
      return "IPv6-ICMP";
    case kIpProtoOspf:
      return "OSPFIGP";
    case kIpProtoPim:
      return "PIM";
    case kIpProtoSctp:
      return "SCTP";
    default:
      return "";
  }
}

}  // namespace vedette
