#include "exporter/render/fields.h"

#include <algorithm>

#include "parsers/base/ip_protocol.h"

namespace vedette {
std::string_view NameOf(Validity validity) {
  return validity == Validity::kBefore ? "before" : validity == Validity::kWithin ? "within" : "after";
}

Validity ValidityAt(const IndicatorRecord& record, uint64_t time_ns) {
  const auto now = static_cast<int64_t>(std::min<uint64_t>(time_ns, INT64_MAX));
  if (record.valid_from_ns && now < *record.valid_from_ns) return Validity::kBefore;
  if (record.valid_until_ns && now >= *record.valid_until_ns) return Validity::kAfter;
  return Validity::kWithin;
}

std::string ProtocolName(uint8_t protocol) {
  if (const std::string_view name = IpProtocolName(protocol); !name.empty()) return std::string(name);
  std::string digits = std::to_string(protocol);
  return std::string(3 - digits.size(), '0') + digits;
}

}  // namespace vedette
