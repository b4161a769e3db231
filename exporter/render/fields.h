// What several formats say in the same words.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "exporter/policy/view.h"
#include "parsers/base/ip_protocol.h"

namespace vedette {

enum class Validity : uint8_t { kBefore, kWithin, kAfter };
std::string_view NameOf(Validity validity);
// Judged at packet time: from valid_from on, up to but not including valid_until (STIX 2.1 section 4.7).
Validity ValidityAt(const IndicatorRecord& record, uint64_t time_ns);

// EVE's `proto`: "TCP", "IPv6-ICMP"; three digits where the number has no name.
std::string ProtocolName(uint8_t protocol);

}  // namespace vedette
