// From a frame's first byte to its IP header.
#pragma once

#include <cstdint>

#include "sensor/capture/link_type.h"
#include "sensor/decode/ether_type.h"
#include "sensor/decode/packet.h"
#include "sensor/decode/type_counts.h"

namespace vedette {

// No reason: everything is there.
constexpr NotDecoded kDecoded = NotDecoded::kCount;

inline uint16_t LoadU16(const uint8_t* p) { return static_cast<uint16_t>(p[0] << 8 | p[1]); }
inline uint32_t LoadU32(const uint8_t* p) {
  return static_cast<uint32_t>(p[0]) << 24 | static_cast<uint32_t>(p[1]) << 16 | static_cast<uint32_t>(p[2]) << 8 |
         p[3];
}

struct LinkLayer {
  uint32_t ip_offset;   // of the IP header; at most the frame's captured bytes
  uint8_t ip_version;   // 4 or 6, as the link layer says
  uint8_t num_vlans;    // recorded in `vlan`
  uint16_t vlan[2];     // only the first num_vlans are set
  uint32_t other_type;  // kEtherTypeOther only: what stands there, a LinkTypeNumber
};

// kDecoded, or why there is no IP header to look at.
NotDecoded FindIpSlowly(const Frame& frame, LinkLayer& link);

inline NotDecoded FindIp(const Frame& frame, LinkLayer& link) {
  constexpr uint32_t kEthernetBytes = 14;
  if (frame.link_type == kLinkEthernet && frame.captured_bytes >= kEthernetBytes) [[likely]] {
    const uint16_t type = LoadU16(frame.data + 12);
    if (type == kEtherIpv4 || type == kEtherIpv6) [[likely]] {
      link.ip_offset = kEthernetBytes;
      link.ip_version = type == kEtherIpv4 ? 4 : 6;
      link.num_vlans = 0;
      return kDecoded;
    }
  }
  return FindIpSlowly(frame, link);
}

// Whether the frame is a fragment of an IP packet other than the first: it has no ports.
bool IsLaterFragment(const Frame& frame);

}  // namespace vedette
