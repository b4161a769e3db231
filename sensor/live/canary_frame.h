// The canary's packet.
#pragma once

#include <cstdint>
#include <vector>

#include "exporter/policy/canary_watch.h"

namespace vedette {

// One that nobody else can know beforehand: name, port and DNS id by chance, from 192.0.2.1 to 192.0.2.53
// (TEST-NET-1, RFC 5737).
Canary NewCanary();

// Its packet: Ethernet between locally administered addresses, IPv4, UDP, and a DNS query (RFC 1035) for the name, type
// A.
std::vector<uint8_t> FrameOf(const Canary& canary);

}  // namespace vedette
