// What is read of a TCP header only where it is needed (RFC 9293 section 3.1): most packets never ask.
#pragma once

#include <cstdint>
#include <optional>

#include "sensor/decode/packet.h"

namespace vedette {

enum class Checksum : uint8_t {
  kUnknown,  // not all of the segment was captured
  kRight,
  kWrong,
};

// The checksum of a TCP packet over pseudo header, header and payload. A capture made where the packets were sent shows
// wrong ones in every packet of a direction: the network card fills them in later.
Checksum ChecksumOf(const Packet& packet);

// The shift of a SYN's window scale option (RFC 7323 section 2.2), at most 14; without the option 0. nullopt where the
// options were not captured whole.
std::optional<uint8_t> WindowScaleOf(const Packet& packet);

}  // namespace vedette
