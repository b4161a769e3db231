#include "sensor/decode/type_counts.h"

#include <string_view>

namespace vedette {
namespace {

std::string_view NameOfEtherType(uint16_t type) {
  switch (type) {
    case 0x0806:
      return "arp";
    case 0x8035:
      return "rarp";
    case 0x22f3:
      return "trill";
    case 0x6558:
      return "ethernet_bridging";
    case 0x8137:
      return "ipx";
    case 0x8809:
      return "slow_protocols";
    case 0x8847:
      return "mpls";
    case 0x8848:
      return "mpls_multicast";
    case 0x8863:
      return "pppoe_discovery";
    case 0x8864:
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

std::string Hex(uint16_t value, int digits) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string out = "0x";
  for (int at = digits - 1; at >= 0; --at) out += kDigits[value >> (4 * at) & 15];
  return out;
}

}  // namespace

std::string NameOfLinkType(uint32_t number) {
  const auto type = static_cast<uint16_t>(number);
  switch (static_cast<LinkSpace>(number >> 16)) {
    case LinkSpace::kLlc:
      return "llc_" + Hex(type, 2);
    case LinkSpace::kSnap:
      return "snap_" + Hex(type, 4);
    case LinkSpace::kPpp:
      return "ppp_" + Hex(type, 4);
    case LinkSpace::kFamily:
      return "family_" + std::to_string(type);
    case LinkSpace::kEtherType:
      break;
  }
  const std::string_view name = NameOfEtherType(type);
  return name.empty() ? Hex(type, 4) : std::string(name);
}

}  // namespace vedette
