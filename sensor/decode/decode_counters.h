// What decoding counts; one per worker.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "parsers/base/counter.h"
#include "sensor/decode/packet.h"
#include "sensor/decode/type_counts.h"

namespace vedette {

namespace families {

inline constexpr FigureFamily kPacketsDecoded = {"vedette_packets_decoded_total", FigureKind::kCounter,
                                                 "packets whose content was handed on to flows", ""};
inline constexpr FigureFamily kPacketsDecodedBy = {"vedette_packets_decoded_layer_total", FigureKind::kCounter,
                                                   "decoded packets by what they are made of", "layer"};
// Other protocols, and fragments that still wait.
inline constexpr std::string_view kNoPacketLoss[] = {"ether_type_other", "fragment_held"};
inline constexpr FigureFamily kPacketsNotDecoded = {"vedette_packets_not_decoded_total",
                                                    FigureKind::kCounter,
                                                    "packets that end before the flow layer, and why",
                                                    "reason",
                                                    true,
                                                    kNoPacketLoss};
inline constexpr FigureFamily kPacketsOfOtherType = {
    "vedette_packets_ether_type_other_total", FigureKind::kCounter,
    "packets not decoded as ether_type_other, by what stands where IP would", "type"};
inline constexpr FigureFamily kPacketsOfUnknownLink = {"vedette_packets_link_type_unknown_total", FigureKind::kCounter,
                                                       "packets not decoded as link_type_unknown, by LINKTYPE number",
                                                       "type"};
inline constexpr FigureFamily kPacketsTruncated = {"vedette_packets_truncated_total", FigureKind::kCounter,
                                                   "decoded packets that the capture does not hold whole", "", true};
inline constexpr FigureFamily kDatagramsReassembled = {"vedette_datagrams_reassembled_total", FigureKind::kCounter,
                                                       "IP datagrams put together from fragments", ""};

}  // namespace families

// received == decoded + sum(not_decoded) at any time.
struct DecodeCounters {
  uint64_t received = 0;
  uint64_t decoded = 0;
  NotDecodedCounts not_decoded{};
  uint64_t datagrams_reassembled = 0;  // their fragments count as decoded
  TypeCounts other_types;              // LinkTypeNumbers of the frames under kEtherTypeOther
  TypeCounts unknown_link_types;       // LINKTYPEs of those under kLinkTypeUnknown
  // Headers; a tunnel that is opened has several of IP.
  uint64_t vlan_tagged = 0, ipv4 = 0, ipv6 = 0, tcp = 0, udp = 0, icmp = 0, other_transport = 0;
  uint64_t truncated = 0;

  static constexpr auto Counters() {
    using namespace families;
    using C = DecodeCounters;
    return CounterTable(
        Count(&C::received, "frames of this worker's share"), Count(&C::decoded, kPacketsDecoded),
        CountEach(&C::not_decoded, kPacketsNotDecoded, [](size_t i) { return NameOf(static_cast<NotDecoded>(i)); })
            .IsLimit({"fragments", "", true}, static_cast<size_t>(NotDecoded::kFragmentLimit)),
        Count(&C::datagrams_reassembled, kDatagramsReassembled),
        CountEach(&C::other_types, kPacketsOfOtherType, NameOfLinkType),
        CountEach(&C::unknown_link_types, kPacketsOfUnknownLink, [](uint32_t type) { return std::to_string(type); }),
        Count(&C::vlan_tagged, kPacketsDecodedBy, "vlan", "with one VLAN tag or more"),
        Count(&C::ipv4, kPacketsDecodedBy, "ipv4", "IPv4 headers"),
        Count(&C::ipv6, kPacketsDecodedBy, "ipv6", "IPv6 headers"),
        Count(&C::tcp, kPacketsDecodedBy, "tcp", "TCP headers"),
        Count(&C::udp, kPacketsDecodedBy, "udp", "UDP headers"),
        Count(&C::icmp, kPacketsDecodedBy, "icmp", "ICMP and ICMPv6 headers"),
        Count(&C::other_transport, kPacketsDecodedBy, "other_transport", "any other protocol above IP"),
        Count(&C::truncated, kPacketsTruncated));
  }
};

}  // namespace vedette
