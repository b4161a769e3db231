// What follows an IP header: TCP, UDP, ICMP and the rest.
#pragma once

#include <algorithm>
#include <cstdint>

#include "sensor/decode/link.h"
#include "sensor/decode/packet.h"

namespace vedette {

// The content of an IP datagram, behind its headers.
struct IpPayload {
  uint8_t version;
  uint8_t protocol;
  const uint8_t* data;
  uint32_t captured_bytes;
  uint32_t wire_bytes;  // as the IP header says; at least captured_bytes
};

// Past the headers that stand before the transport's; kDecoded, or why not. packet.protocol is that of the last header.
NotDecoded PassHeaders(IpPayload& payload, Packet& packet);

// The payload begins `header_bytes` into the datagram's content and ends where that ends.
inline void SetPayload(const IpPayload& ip, uint32_t header_bytes, Packet& packet) {
  const uint32_t captured = std::max(header_bytes, ip.captured_bytes);
  const uint32_t wire = std::max(captured, ip.wire_bytes);
  packet.payload = header_bytes <= ip.captured_bytes ? Bytes(ip.data + header_bytes, captured - header_bytes) : Bytes();
  packet.missing_bytes = wire - captured;
  packet.truncated = ip.captured_bytes < ip.wire_bytes;
}

inline NotDecoded DecodeTcp(const IpPayload& ip, Packet& packet) {
  constexpr uint32_t kMinHeaderBytes = 20;
  if (ip.captured_bytes < kMinHeaderBytes) return NotDecoded::kTransportTruncated;
  const uint32_t header_bytes = (ip.data[12] >> 4) * 4u;
  if (header_bytes < kMinHeaderBytes || header_bytes > ip.wire_bytes) return NotDecoded::kTransportHeaderBad;
  packet.source_port = LoadU16(ip.data);
  packet.destination_port = LoadU16(ip.data + 2);
  packet.sequence = LoadU32(ip.data + 4);
  packet.acknowledgment = LoadU32(ip.data + 8);
  packet.tcp_flags = ip.data[13];
  packet.window = LoadU16(ip.data + 14);
  packet.tcp_header = ip.data;
  SetPayload(ip, header_bytes, packet);
  return kDecoded;
}

// Cuts `ip` to what the UDP header says that it is.
inline NotDecoded FitUdp(IpPayload& ip) {
  if (ip.captured_bytes < kUdpHeaderBytes) return NotDecoded::kTransportTruncated;
  // 0: left to the network card, or longer than the field holds. More than there is: what is there.
  const uint32_t length = LoadU16(ip.data + 4);
  if (length != 0) {
    if (length < kUdpHeaderBytes) return NotDecoded::kTransportHeaderBad;
    ip.wire_bytes = std::min(ip.wire_bytes, length);
    ip.captured_bytes = std::min(ip.captured_bytes, length);
  }
  return kDecoded;
}

inline NotDecoded DecodeUdp(IpPayload ip, Packet& packet) {
  const NotDecoded reason = FitUdp(ip);
  if (reason != kDecoded) return reason;
  packet.source_port = LoadU16(ip.data);
  packet.destination_port = LoadU16(ip.data + 2);
  packet.tcp_flags = 0;
  SetPayload(ip, kUdpHeaderBytes, packet);
  return kDecoded;
}

NotDecoded DecodeOtherTransport(const IpPayload& ip, Packet& packet);

// Fills the packet's transport part; kDecoded, or why not.
inline NotDecoded DecodeTransport(const IpPayload& ip, Packet& packet) {
  packet.protocol = ip.protocol;
  packet.has_quoted = false;
  if (ip.protocol == kIpProtoTcp) [[likely]] {
    return DecodeTcp(ip, packet);
  }
  return ip.protocol == kIpProtoUdp ? DecodeUdp(ip, packet) : DecodeOtherTransport(ip, packet);
}

}  // namespace vedette
