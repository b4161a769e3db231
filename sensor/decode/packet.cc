#include "sensor/decode/packet.h"

namespace vedette {

std::string_view NameOf(NotDecoded reason) {
  switch (reason) {
    case NotDecoded::kLinkTypeUnknown:
      return "link_type_unknown";
    case NotDecoded::kLinkTruncated:
      return "link_truncated";
    case NotDecoded::kEtherTypeOther:
      return "ether_type_other";
    case NotDecoded::kVlanTooDeep:
      return "vlan_too_deep";
    case NotDecoded::kIpTruncated:
      return "ip_truncated";
    case NotDecoded::kIpHeaderBad:
      return "ip_header_bad";
    case NotDecoded::kIpLengthBad:
      return "ip_length_bad";
    case NotDecoded::kIpv6ExtensionBad:
      return "ipv6_extension_bad";
    case NotDecoded::kIpv6Jumbogram:
      return "ipv6_jumbogram";
    case NotDecoded::kFragmentHeld:
      return "fragment_held";
    case NotDecoded::kFragmentBad:
      return "fragment_bad";
    case NotDecoded::kFragmentCut:
      return "fragment_cut";
    case NotDecoded::kFragmentTimeout:
      return "fragment_timeout";
    case NotDecoded::kFragmentLimit:
      return "fragment_limit";
    case NotDecoded::kTransportTruncated:
      return "transport_truncated";
    case NotDecoded::kTransportHeaderBad:
      return "transport_header_bad";
    case NotDecoded::kCount:
      break;
  }
  return "unknown";
}

}  // namespace vedette
