// One IP header and what belongs to it: addresses, lengths, the headers of its chain, whether it is a fragment.
//
// The same for a packet of its own and for one in a tunnel. Inline: every packet passes here.
#pragma once

#include <algorithm>
#include <cstdint>

#include "parsers/base/bytes.h"
#include "sensor/decode/extension_headers.h"
#include "sensor/decode/link.h"
#include "sensor/decode/packet.h"
#include "sensor/decode/transport.h"

namespace vedette {

// Where an IP header begins, and how much there is from there on. At least the fixed header is captured.
struct IpPlace {
  const uint8_t* ip;
  uint32_t captured_bytes;
  uint32_t wire_bytes;  // at least captured_bytes
};

struct IpHeader {
  IpPayload payload{};
  uint32_t header_bytes = 0;  // of IP, for the length of a datagram that is put together
  bool is_fragment = false;   // then what follows holds
  bool more = false;
  uint8_t key_protocol = 0;  // what belongs to the datagram's identity: IPv4's protocol; IPv6 has none
  uint32_t offset = 0;
  uint32_t identification = 0;
};

// Fill `header` and the packet's addresses, protocol and ip_bytes. kDecoded, or why the content cannot be read; after
// kIpHeaderBad nothing holds, after any other reason the packet's fields do.

inline NotDecoded ReadIpv4(const IpPlace& at, Packet& packet, IpHeader& header) {
  constexpr uint16_t kFragmentBits = 0x3fff, kMoreFragments = 0x2000, kOffsetBits = 0x1fff;
  const uint8_t* const ip = at.ip;
  const uint32_t header_bytes = (ip[0] & 15) * 4u;
  if (ip[0] >> 4 != 4 || header_bytes < kIpv4HeaderBytes) [[unlikely]] {
    return NotDecoded::kIpHeaderBad;
  }
  packet.source = IpAddress::V4(ip + 12);
  packet.destination = IpAddress::V4(ip + 16);
  // 0: segmentation left to the network card, and captured before it.
  const uint32_t said_bytes = LoadU16(ip + 2);
  const uint32_t total_bytes = said_bytes != 0 ? said_bytes : at.wire_bytes;
  packet.ip_bytes = total_bytes;
  const uint8_t protocol = ip[9];
  if (total_bytes < header_bytes || at.captured_bytes < header_bytes) [[unlikely]] {
    packet.protocol = protocol;
    return total_bytes < header_bytes ? NotDecoded::kIpLengthBad : NotDecoded::kIpTruncated;
  }
  header.payload = {4, protocol, ip + header_bytes, std::min(at.captured_bytes, total_bytes) - header_bytes,
                    total_bytes - header_bytes};
  const uint16_t fragment_field = LoadU16(ip + 6);
  if ((fragment_field & kFragmentBits) != 0) [[unlikely]] {
    header.is_fragment = true;
    header.identification = LoadU16(ip + 4);
    header.key_protocol = protocol;
    header.header_bytes = header_bytes;
    header.offset = (fragment_field & kOffsetBits) * 8u;
    header.more = (fragment_field & kMoreFragments) != 0;
    return kDecoded;
  }
  return protocol == kIpProtoAuthentication ? PassHeaders(header.payload, packet) : kDecoded;
}

inline NotDecoded ReadIpv6(const IpPlace& at, Packet& packet, IpHeader& header) {
  const uint8_t* const ip = at.ip;
  if (ip[0] >> 4 != 6) [[unlikely]] {
    return NotDecoded::kIpHeaderBad;
  }
  packet.source = IpAddress::V6(ip + 8);
  packet.destination = IpAddress::V6(ip + 24);
  uint32_t payload_bytes = LoadU16(ip + 4);
  const uint8_t next_header = ip[6];
  if (payload_bytes == 0 && HasPorts(next_header)) {
    payload_bytes = at.wire_bytes - kIpv6HeaderBytes;  // as in IPv4: left to the network card
  }
  packet.ip_bytes = kIpv6HeaderBytes + payload_bytes;
  const uint32_t rest = at.captured_bytes - kIpv6HeaderBytes;
  header.payload = {6, next_header, ip + kIpv6HeaderBytes, std::min(rest, payload_bytes), payload_bytes};
  if (!ExtensionHeaders::IsExtension(next_header)) [[likely]] {
    return kDecoded;
  }
  // A jumbogram says 0: its options lie behind the length.
  const bool perhaps_jumbo = payload_bytes == 0 && next_header == kIpProtoHopByHop;
  ExtensionHeaders chain(next_header, header.payload.data, perhaps_jumbo ? rest : header.payload.captured_bytes,
                         perhaps_jumbo ? rest : payload_bytes);
  const NotDecoded reason = chain.Walk();
  packet.protocol = chain.protocol();
  if (reason != kDecoded) return reason;
  if (perhaps_jumbo) return NotDecoded::kIpLengthBad;
  header.payload = {6, chain.protocol(), chain.data(), chain.captured_bytes(), chain.wire_bytes()};
  if (chain.at_fragment()) {
    header.is_fragment = true;
    header.identification = chain.identification();
    header.header_bytes = kIpv6HeaderBytes;
    header.offset = chain.fragment_offset();
    header.more = chain.more_fragments();
  }
  return kDecoded;
}

}  // namespace vedette
