#include "sensor/decode/type_counts.h"

#include <fmt/format.h>

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

}  // namespace

std::string NameOfLinkType(uint32_t number) {
  const auto type = static_cast<uint16_t>(number);
  switch (static_cast<LinkSpace>(number >> 16)) {
    case LinkSpace::kLlc:
      return fmt::format("llc_{:#04x}", type);
    case LinkSpace::kSnap:
      return fmt::format("snap_{:#06x}", type);
    case LinkSpace::kPpp:
      return fmt::format("ppp_{:#06x}", type);
    case LinkSpace::kFamily:
      return fmt::format("family_{}", type);
    case LinkSpace::kEtherType:
      break;
  }
  const std::string_view name = NameOfEtherType(type);
  return name.empty() ? fmt::format("{:#06x}", type) : std::string(name);
}

}  // namespace vedette
