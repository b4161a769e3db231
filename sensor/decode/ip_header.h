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

// What a packet says of itself as a part of a datagram. Filled only where it is one.
struct IpFragment {
  uint32_t header_bytes;  // of IP, for the length of the whole
  uint32_t offset;
  uint32_t identification;
  bool more;
  uint8_t key_protocol;  // what belongs to the datagram's identity: IPv4's protocol; IPv6 has none
};

// Fill `payload` and the packet's addresses, protocol and ip_bytes. kDecoded; kFragmentHeld, if the packet is a fragment,
// which `fragment` then tells; or why the content cannot be read. After kIpHeaderBad nothing holds, after any other
// reason the packet's fields do.

inline NotDecoded ReadIpv4(const IpPlace& at, Packet& packet, IpPayload& payload, IpFragment& fragment) {
  constexpr uint16_t kFragmentBits = 0x3fff, kMoreFragments = 0x2000, kOffsetBits = 0x1fff;
  const uint8_t* const ip = at.ip;
  const uint32_t header_bytes = (ip[0] & 15) * 4u;
  if (ip[0] >> 4 != 4 || header_bytes < kIpv4HeaderBytes) [[unlikely]] {
    return NotDecoded::kIpHeaderBad;
  }
  packet.source = IpAddress::V4(ip + 12);
  packet.destination = IpAddress::V4(ip + 16);
  // 0: segmentation left to the network card, and captured before it.
  uint32_t total_bytes = LoadU16(ip + 2);
  if (total_bytes == 0) [[unlikely]] {
    total_bytes = at.wire_bytes;
  }
  packet.ip_bytes = total_bytes;
  const uint8_t protocol = ip[9];
  if (total_bytes < header_bytes || at.captured_bytes < header_bytes) [[unlikely]] {
    packet.protocol = protocol;
    return total_bytes < header_bytes ? NotDecoded::kIpLengthBad : NotDecoded::kIpTruncated;
  }
  payload = {4, protocol, ip + header_bytes, std::min(at.captured_bytes, total_bytes) - header_bytes,
             total_bytes - header_bytes};
  const uint16_t fragment_field = LoadU16(ip + 6);
  if ((fragment_field & kFragmentBits) != 0) [[unlikely]] {
    fragment = {.header_bytes = header_bytes,
                .offset = (fragment_field & kOffsetBits) * 8u,
                .identification = LoadU16(ip + 4),
                .more = (fragment_field & kMoreFragments) != 0,
                .key_protocol = protocol};
    return NotDecoded::kFragmentHeld;
  }
  if (protocol == kIpProtoAuthentication) [[unlikely]] {
    IpPayload behind = payload;  // a copy: what is passed by reference stays out of registers for every packet
    const NotDecoded reason = PassHeaders(behind, packet);
    payload = behind;
    return reason;
  }
  return kDecoded;
}

inline NotDecoded ReadIpv6(const IpPlace& at, Packet& packet, IpPayload& payload, IpFragment& fragment) {
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
  payload = {6, next_header, ip + kIpv6HeaderBytes, std::min(rest, payload_bytes), payload_bytes};
  if (!ExtensionHeaders::IsExtension(next_header)) [[likely]] {
    return kDecoded;
  }
  // A jumbogram says 0: its options lie behind the length.
  const bool perhaps_jumbo = payload_bytes == 0 && next_header == kIpProtoHopByHop;
  ExtensionHeaders chain(next_header, payload.data, perhaps_jumbo ? rest : payload.captured_bytes,
                         perhaps_jumbo ? rest : payload_bytes);
  const NotDecoded reason = chain.Walk();
  packet.protocol = chain.protocol();
  if (reason != kDecoded) return reason;
  if (perhaps_jumbo) return NotDecoded::kIpLengthBad;
  payload = {6, chain.protocol(), chain.data(), chain.captured_bytes(), chain.wire_bytes()};
  if (chain.at_fragment()) {
    fragment = {.header_bytes = kIpv6HeaderBytes,
                .offset = chain.fragment_offset(),
                .identification = chain.identification(),
                .more = chain.more_fragments(),
                .key_protocol = 0};
    return NotDecoded::kFragmentHeld;
  }
  return kDecoded;
}

}  // namespace vedette
