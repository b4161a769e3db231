// Names of the numbers in DNS messages: IANA "Domain Name System (DNS) Parameters".
#pragma once

#include <cstdint>
#include <string_view>

namespace vedette {

// Static text; empty for a number without one. Of types those that are asked for in practice.
std::string_view DnsTypeName(uint16_t type);
std::string_view DnsRcodeName(unsigned rcode);

}  // namespace vedette
