// A decoded packet: what the flow layer needs of it, and nothing else.
//
// A packet in a tunnel has layers. Everything here is about the innermost packet, but for the frame, the VLAN tags and
// `outer`: the packets around it, whose addresses say which way it was carried. Most packets have one layer, and `outer`
// is empty.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "parsers/base/address.h"
#include "parsers/base/bytes.h"
#include "parsers/base/ip_protocol.h"
#include "parsers/base/tunnel.h"
#include "sensor/capture/frame.h"

namespace vedette {

constexpr uint32_t kIpv4HeaderBytes = 20, kIpv6HeaderBytes = 40, kUdpHeaderBytes = 8;

constexpr uint8_t kTcpFin = 0x01, kTcpSyn = 0x02, kTcpRst = 0x04, kTcpPsh = 0x08, kTcpAck = 0x10;

// Tags looked through on the way to an IP header: provider and customer, and room for what a misconfigured mirror adds.
constexpr size_t kMaxVlanTags = 4;
// Real stacks send one to three; more is made to hide what follows.
constexpr size_t kMaxExtensionHeaders = 8;

// Why a packet, or a part of it, was not decoded. Every packet that ends before the flow layer counts under exactly
// one.
enum class NotDecoded : uint8_t {
  kLinkTypeUnknown,     // a link type outside the supported ones
  kLinkTruncated,       // too short for its link header
  kEtherTypeOther,      // neither IP nor a VLAN tag: ARP, LLDP, spanning tree, 802.3 length
  kVlanTooDeep,         // more tags than kMaxVlanTags
  kIpTruncated,         // too short for its IP header, options and extension headers included
  kIpHeaderBad,         // version or header length that cannot be
  kIpLengthBad,         // total length smaller than the headers; IPv4: authentication headers that do not fit
  kIpv6ExtensionBad,    // an extension header that does not fit, or more than kMaxExtensionHeaders
  kIpv6Jumbogram,       // RFC 2675: longer than 65535 bytes
  kFragmentHeld,        // part of a datagram still waiting; counted until the datagram is complete
  kFragmentBad,         // overlapping (RFC 5722 for IPv6), too long, empty, not in units of eight bytes
  kFragmentCut,         // cut by the snap length, so that its datagram cannot be put together
  kFragmentTimeout,     // its datagram was never completed
  kFragmentLimit,       // given up because of a memory bound
  kTransportTruncated,  // too short for its TCP, UDP or ICMP header
  kTransportHeaderBad,  // a TCP data offset or UDP length that cannot be
  kCount
};
using NotDecodedCounts = std::array<uint64_t, static_cast<size_t>(NotDecoded::kCount)>;
std::string_view NameOf(NotDecoded reason);  // "link_type_unknown"

// A Packet is filled again and again. Fields that are said to belong to a protocol hold something old for any other.
struct Packet {
  const Frame* frame = nullptr;  // of a reassembled datagram: the frame that completed it
  Bytes payload;                 // above the transport header; holds until the end of the burst
  IpAddress source, destination;
  uint8_t protocol = 0;      // IP protocol number of the payload's header
  uint8_t tcp_flags = 0;     // 0 where not TCP
  uint8_t num_vlans = 0;     // tags recorded in `vlan`
  bool reassembled = false;  // it, or a packet around it, is made of fragments
  bool is_fragment = false;  // this frame is one; the addresses and `identification` hold whatever became of it
  bool truncated = false;    // the capture holds less of the payload than the IP header promised
  bool has_quoted = false;
  uint16_t source_port = 0, destination_port = 0;  // TCP, UDP, UDP-Lite, SCTP, DCCP; otherwise 0
  uint16_t vlan[2] = {0, 0};                       // outer first; 12-bit ids; deeper tags are looked through
  uint32_t missing_bytes = 0;                      // of the payload, because it is truncated
  uint32_t identification = 0;                     // of the datagram, where is_fragment
  uint32_t ip_bytes = 0;                           // IP datagram length as its header says
  uint32_t sequence = 0, acknowledgment = 0;       // TCP
  uint16_t window = 0;                             // TCP, as in the header: not scaled
  const uint8_t* tcp_header = nullptr;             // TCP; the payload follows its options. Holds as the payload does
  uint8_t icmp_type = 0, icmp_code = 0;            // ICMP, ICMPv6
  OuterLayers outer;  // empty unless Decoder::Options::opened says which tunnels are opened
  // Where has_quoted: addresses quoted in an ICMP error (RFC 792, RFC 4443), and the transport ports behind them, 0
  // where they were not quoted.
  uint8_t quoted_protocol = 0;
  uint16_t quoted_source_port = 0, quoted_destination_port = 0;
  IpAddress quoted_source, quoted_destination;
};

}  // namespace vedette
