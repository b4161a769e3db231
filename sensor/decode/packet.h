// A decoded packet: what the flow layer needs of it, and nothing else.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "parsers/address.h"
#include "parsers/bytes.h"
#include "sensor/capture/frame.h"

namespace vedette {

constexpr uint8_t kIpProtoIcmp = 1, kIpProtoTcp = 6, kIpProtoUdp = 17, kIpProtoIcmpV6 = 58;

constexpr uint8_t kTcpFin = 0x01, kTcpSyn = 0x02, kTcpRst = 0x04, kTcpPsh = 0x08, kTcpAck = 0x10;

// Why a packet, or a part of it, was not decoded. Every packet that ends before the flow layer counts under exactly
// one.
enum class NotDecoded : uint8_t {
  kLinkTypeUnknown,     // a link type outside the supported ones
  kLinkTruncated,       // too short for its link header
  kEtherTypeOther,      // neither IP nor a VLAN tag: ARP, LLDP, spanning tree, 802.3 length
  kVlanTooDeep,         // more tags than kMaxVlanTags
  kIpTruncated,         // too short for its IP header
  kIpHeaderBad,         // version or header length that cannot be
  kIpLengthBad,         // total length smaller than the headers
  kIpv6ExtensionBad,    // an extension header that does not fit, or more than kMaxExtensionHeaders
  kFragmentHeld,        // part of a datagram still waiting; counted until the datagram is complete
  kFragmentBad,         // overlapping (RFC 5722 for IPv6), too long, empty
  kFragmentTimeout,     // its datagram was never completed
  kFragmentLimit,       // given up because of a memory bound
  kTransportTruncated,  // too short for its TCP, UDP or ICMP header
  kTransportHeaderBad,  // a TCP data offset or UDP length that cannot be
  kCount
};
std::string_view NameOf(NotDecoded reason);  // "link_type_unknown"

struct Packet {
  const Frame* frame = nullptr;  // of a reassembled datagram: the frame that completed it
  Bytes payload;                 // above the transport header; holds until the end of the burst
  IpAddress source, destination;
  uint32_t sequence = 0, acknowledgment = 0;       // TCP
  uint16_t source_port = 0, destination_port = 0;  // TCP, UDP, SCTP; ICMP: see icmp_type
  uint16_t vlan[2] = {0, 0};                       // outer first; 12-bit ids
  uint8_t num_vlans = 0;
  uint8_t protocol = 0;  // IP protocol number of the payload's header
  uint8_t tcp_flags = 0;
  uint8_t icmp_type = 0, icmp_code = 0;
  bool reassembled = false;    // made of fragments
  bool truncated = false;      // the capture holds less of the payload than the IP header promised
  uint32_t missing_bytes = 0;  // of the payload, because of that
  uint32_t ip_bytes = 0;       // IP datagram length as its header says
  // Addresses quoted in an ICMP error (RFC 792, RFC 4443), and the transport ports behind them where quoted.
  bool has_quoted = false;
  IpAddress quoted_source, quoted_destination;
  uint16_t quoted_source_port = 0, quoted_destination_port = 0;
  uint8_t quoted_protocol = 0;
};

}  // namespace vedette
