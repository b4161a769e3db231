// Numbers that a link header says its content with, the one place that has them: EtherTypes (IANA, IEEE) and PPP
// protocols (RFC 1661).
#pragma once

#include <cstdint>
#include <string_view>

namespace vedette {

constexpr uint16_t kEtherIpv4 = 0x0800, kEtherArp = 0x0806, kEtherVlan = 0x8100, kEtherBridging = 0x6558,
                   kEtherIpv6 = 0x86dd, kEtherMpls = 0x8847, kEtherMplsMulticast = 0x8848,
                   kEtherPppoeDiscovery = 0x8863, kEtherPppoe = 0x8864, kEtherProviderVlan = 0x88a8,
                   kEtherOldQinQ = 0x9100;
constexpr uint16_t kFirstEtherType = 0x0600;  // below it the field is an IEEE 802.3 length

constexpr bool IsVlanTag(uint16_t ether_type) {
  return ether_type == kEtherVlan || ether_type == kEtherProviderVlan || ether_type == kEtherOldQinQ;
}

// "arp": of those that are met everywhere; empty for the others.
constexpr std::string_view EtherTypeName(uint16_t type) {
  switch (type) {
    case kEtherArp:
      return "arp";
    case 0x8035:
      return "rarp";
    case 0x22f3:
      return "trill";
    case kEtherBridging:
      return "ethernet_bridging";
    case 0x8137:
      return "ipx";
    case 0x8809:
      return "slow_protocols";
    case kEtherMpls:
      return "mpls";
    case kEtherMplsMulticast:
      return "mpls_multicast";
    case kEtherPppoeDiscovery:
      return "pppoe_discovery";
    case kEtherPppoe:
      return "pppoe";
    case 0x888e:
      return "eapol";
    case 0x88cc:
      return "lldp";
    case 0x88e5:
      return "macsec";
    case 0x88e7:
      return "provider_backbone";
    case 0x88f7:
      return "ptp";
    case 0x8902:
      return "cfm";
    case 0x894f:
      return "nsh";
    case 0x9000:
      return "loopback_test";
    default:
      return "";
  }
}

constexpr uint16_t kPppIpv4 = 0x0021, kPppIpv6 = 0x0057;

}  // namespace vedette
