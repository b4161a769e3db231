#include "sensor/decode/type_counts.h"

#include <string_view>

#include "sensor/decode/ether_type.h"

namespace vedette {
namespace {

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
  const std::string_view name = EtherTypeName(type);
  return name.empty() ? Hex(type, 4) : std::string(name);
}

}  // namespace vedette
