#include "sensor/decode/transport.h"

#include "sensor/decode/extension_headers.h"

namespace vedette {
namespace {

// RFC 792: destination unreachable, source quench, redirect, time exceeded, parameter problem.
constexpr bool IsIcmpError(uint8_t type) { return type == 3 || type == 4 || type == 5 || type == 11 || type == 12; }
// RFC 4443: destination unreachable, packet too big, time exceeded, parameter problem.
constexpr bool IsIcmpV6Error(uint8_t type) { return type >= 1 && type <= 4; }

void QuotePorts(const uint8_t* data, size_t bytes, Packet& packet) {
  if (!HasPorts(packet.quoted_protocol) || bytes < 4) return;
  packet.quoted_source_port = LoadU16(data);
  packet.quoted_destination_port = LoadU16(data + 2);
}

// The beginning of the datagram that caused the error; routers quote 28 bytes or more.
void Quote(const uint8_t* data, size_t bytes, bool v6, Packet& packet) {
  packet.quoted_source_port = packet.quoted_destination_port = 0;
  if (!v6) {
    const size_t header_bytes = bytes < kIpv4HeaderBytes || data[0] >> 4 != 4 ? 0 : (data[0] & 15) * 4u;
    if (header_bytes < kIpv4HeaderBytes) return;
    packet.quoted_source = IpAddress::V4(data + 12);
    packet.quoted_destination = IpAddress::V4(data + 16);
    packet.quoted_protocol = data[9];
    packet.has_quoted = true;
    const bool first_fragment = (LoadU16(data + 6) & 0x1fff) == 0;
    if (!first_fragment || bytes <= header_bytes) return;
    const auto rest = static_cast<uint32_t>(bytes - header_bytes);
    ExtensionHeaders chain(packet.quoted_protocol, data + header_bytes, rest, rest, 4);
    const bool passed = chain.Walk() == kDecoded;
    packet.quoted_protocol = chain.protocol();
    if (passed) QuotePorts(chain.data(), chain.captured_bytes(), packet);
    return;
  }
  if (bytes < kIpv6HeaderBytes || data[0] >> 4 != 6) return;
  packet.quoted_source = IpAddress::V6(data + 8);
  packet.quoted_destination = IpAddress::V6(data + 24);
  packet.has_quoted = true;
  const auto rest = static_cast<uint32_t>(bytes - kIpv6HeaderBytes);
  ExtensionHeaders chain(data[6], data + kIpv6HeaderBytes, rest, rest);
  NotDecoded end = chain.Walk();
  if (chain.at_fragment() && chain.fragment_offset() == 0) end = chain.WalkPastFragment();
  packet.quoted_protocol = chain.protocol();
  if (end == kDecoded && !chain.at_fragment()) QuotePorts(chain.data(), chain.captured_bytes(), packet);
}

NotDecoded DecodeIcmp(const IpPayload& ip, Packet& packet) {
  constexpr uint32_t kMinBytes = 4, kHeaderBytes = 8;
  if (ip.captured_bytes < kMinBytes) return NotDecoded::kTransportTruncated;
  packet.icmp_type = ip.data[0];
  packet.icmp_code = ip.data[1];
  const bool v6 = ip.protocol == kIpProtoIcmpV6;
  const bool is_error = v6 ? IsIcmpV6Error(packet.icmp_type) : IsIcmpError(packet.icmp_type);
  if (is_error && ip.captured_bytes > kHeaderBytes) {
    Quote(ip.data + kHeaderBytes, ip.captured_bytes - kHeaderBytes, v6, packet);
  }
  SetPayload(ip, std::min(kHeaderBytes, ip.wire_bytes), packet);
  return kDecoded;
}

}  // namespace

NotDecoded PassHeaders(IpPayload& payload, Packet& packet) {
  ExtensionHeaders chain(payload.protocol, payload.data, payload.captured_bytes, payload.wire_bytes, payload.version);
  const NotDecoded reason = chain.Walk();
  packet.protocol = chain.protocol();
  if (reason != kDecoded) return reason;
  if (chain.at_fragment()) return NotDecoded::kFragmentBad;
  payload = {payload.version, chain.protocol(), chain.data(), chain.captured_bytes(), chain.wire_bytes()};
  return kDecoded;
}

NotDecoded DecodeOtherTransport(const IpPayload& ip, Packet& packet) {
  packet.tcp_flags = 0;
  packet.source_port = packet.destination_port = 0;
  packet.icmp_type = packet.icmp_code = 0;  // of ICMP's number under the other version of IP, too
  if (ip.protocol == (ip.version == 4 ? kIpProtoIcmp : kIpProtoIcmpV6)) return DecodeIcmp(ip, packet);
  uint32_t header_bytes = 0;
  if (HasPorts(ip.protocol)) {
    // The common header of SCTP and DCCP without its options is 12 bytes, UDP-Lite's is UDP's.
    header_bytes = ip.protocol == kIpProtoUdpLite ? 8 : 12;
    if (ip.captured_bytes < header_bytes) return NotDecoded::kTransportTruncated;
    packet.source_port = LoadU16(ip.data);
    packet.destination_port = LoadU16(ip.data + 2);
  }
  SetPayload(ip, header_bytes, packet);
  return kDecoded;
}

}  // namespace vedette
