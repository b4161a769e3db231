// Community ID version 1, seed 0 (github.com/corelight/community-id-spec): one name for a flow, the same in every tool.
#pragma once

#include <cstdint>
#include <string>

#include "parsers/base/address.h"

namespace vedette {

// ICMP has no ports: the spec puts the type into the source port and its counterpart (echo request and reply, …) into
// the destination port; where a type has none, the code, and then the order of the ends is kept.
struct IcmpPorts {
  uint16_t source = 0, destination = 0;
  bool one_way = false;
};
// `protocol`: 1 (ICMP) or 58 (ICMPv6).
IcmpPorts IcmpPortsOf(uint8_t protocol, uint8_t type, uint8_t code);

// Which end is named first does not matter, except for one-way ICMP: there `source` is the sender. Ports as
// IcmpPortsOf gives them for ICMP; of protocols without ports they are not looked at. Empty where one of the addresses
// is none, or the two are of different versions.
std::string CommunityId(const IpAddress& source, uint16_t source_port, const IpAddress& destination,
                        uint16_t destination_port, uint8_t protocol);

}  // namespace vedette
