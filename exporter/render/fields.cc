#include "exporter/render/fields.h"

#include <algorithm>

namespace vedette {
namespace {

struct ProtocolRow {
  uint8_t number;
  const char* name;
};
// The names Suricata gives, as /etc/protocols has them.
constexpr ProtocolRow kProtocols[] = {{1, "ICMP"},     {2, "IGMP"},  {4, "IP-ENCAP"}, {6, "TCP"}, {17, "UDP"},
                                      {41, "IPv6"},    {47, "GRE"},  {50, "ESP"},     {51, "AH"}, {58, "IPv6-ICMP"},
                                      {89, "OSPFIGP"}, {103, "PIM"}, {132, "SCTP"}};

}  // namespace

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
  for (const ProtocolRow& row : kProtocols) {
    if (row.number == protocol) return row.name;
  }
  std::string digits = std::to_string(protocol);
  return std::string(3 - digits.size(), '0') + digits;
}

}  // namespace vedette
