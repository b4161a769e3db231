#include "sensor/decode/decoder.h"

#include <algorithm>
#include <bit>

#include "sensor/decode/extension_headers.h"
#include "sensor/decode/fragments.h"
#include "sensor/decode/link.h"
#include "sensor/decode/transport.h"

namespace vedette {
namespace {

constexpr uint32_t kIpv4HeaderBytes = 20, kIpv6HeaderBytes = 40;
constexpr uint16_t kIpv4FragmentBits = 0x3fff, kIpv4MoreFragments = 0x2000, kIpv4OffsetBits = 0x1fff;

// The address as it lies there: only ever compared and mixed.
uint64_t LoadIpv4(const uint8_t* p) {
  uint32_t word;
  std::memcpy(&word, p, sizeof word);
  return word;
}
uint64_t FoldIpv6(const uint8_t* p) {
  uint64_t words[2];
  std::memcpy(words, p, sizeof words);
  return words[0] * 0x9e3779b97f4a7c15ull + words[1];
}

void SetLink(const Frame& frame, const LinkLayer& link, Packet& packet) {
  packet.frame = &frame;
  packet.reassembled = packet.is_fragment = false;
  packet.num_vlans = link.num_vlans;
  if (link.num_vlans != 0) std::copy_n(link.vlan, link.num_vlans, packet.vlan);
}

// Bytes from the IP header on, where the header does not say it.
uint32_t WireBytes(const Frame& frame, const LinkLayer& link) {
  return std::max(frame.wire_bytes, frame.captured_bytes) - link.ip_offset;
}

}  // namespace

// A fragment as found in its packet.
struct Decoder::Fragment {
  const LinkLayer& link;
  uint32_t identification;
  uint8_t key_protocol;   // what belongs to the datagram's identity: IPv4's protocol; IPv6 has none
  uint32_t header_bytes;  // of IP, for the length of the whole
  uint32_t offset;
  bool more;
  IpPayload payload;
};

Decoder::Decoder(const Options& options)
    : share_(options.share),
      fragments_(std::make_unique<FragmentTable>(
          FragmentTable::Limits{options.fragment_bytes, std::max<size_t>(options.fragment_datagrams, 1),
                                options.fragment_timeout_ns, options.keep_given_up},
          counters_.not_decoded)) {}

Decoder::~Decoder() = default;

void Decoder::BeginBurst() { fragments_->ReleaseFinished(); }

void Decoder::ExpireFragments(uint64_t now_ns) { fragments_->Expire(now_ns); }

void Decoder::Finish() { fragments_->Finish(); }

bool Decoder::has_given_up() const { return fragments_->has_given_up(); }

bool Decoder::TakeGivenUp(Packet& packet) {
  while (const FragmentTable::GivenUp* const beginning = fragments_->TakeGivenUp()) {
    const DatagramKey& key = beginning->key;
    packet.frame = &beginning->head.frame;
    packet.source = key.source;
    packet.destination = key.destination;
    packet.reassembled = false;
    packet.is_fragment = true;
    packet.identification = key.identification;
    packet.num_vlans = beginning->head.num_vlans;
    std::copy(std::begin(key.vlan), std::end(key.vlan), packet.vlan);
    packet.ip_bytes = beginning->head.header_bytes + beginning->wire_bytes;
    packet.protocol = beginning->protocol;
    const IpPayload payload{key.source.version(), beginning->protocol, beginning->data.data(),
                            static_cast<uint32_t>(beginning->data.size()), beginning->wire_bytes};
    if (HandOnBehindHeaders(payload, 0, packet) == DecodeResult::kPacket) return true;
  }
  return false;
}

size_t Decoder::fragment_bytes_held() const { return fragments_->held_bytes(); }

inline bool Decoder::IsOurs(uint64_t source, uint64_t destination) const {
  if (share_.count == 1) return true;
  // Both terms are the same whichever way round; the upper half of a product depends on all of its factors.
  const uint64_t mixed =
      (source + destination) * 0xd6e8feb86659fd93ull ^ std::rotl((source ^ destination) * 0x9e3779b97f4a7c15ull, 32);
  return ((mixed * 0x9e3779b97f4a7c15ull >> 32) * share_.count >> 32) == share_.index;
}

DecodeResult Decoder::WithoutAddresses(NotDecoded reason) {
  if (share_.index != 0) return DecodeResult::kNotOurs;
  ++counters_.received;
  ++counters_.not_decoded[static_cast<size_t>(reason)];
  return DecodeResult::kConsumed;
}

// `num_frames` are counted here; none where they are counted already.
DecodeResult Decoder::AddressesOnly(NotDecoded reason, uint64_t num_frames, Packet& packet) {
  counters_.not_decoded[static_cast<size_t>(reason)] += num_frames;
  packet.payload = {};
  packet.source_port = packet.destination_port = 0;
  packet.tcp_flags = 0;
  packet.icmp_type = packet.icmp_code = 0;  // they are a flow's ports, and must not be those of the packet before
  packet.has_quoted = false;
  packet.truncated = false;
  packet.missing_bytes = 0;
  return DecodeResult::kAddressesOnly;
}

inline DecodeResult Decoder::HandOn(const IpPayload& payload, uint64_t num_frames, Packet& packet) {
  const NotDecoded reason = DecodeTransport(payload, packet);
  if (reason != kDecoded) [[unlikely]] {
    return AddressesOnly(reason, num_frames, packet);
  }
  counters_.decoded += num_frames;
  counters_.truncated += packet.truncated;
  switch (payload.protocol) {
    case kIpProtoTcp:
      ++counters_.tcp;
      break;
    case kIpProtoUdp:
      ++counters_.udp;
      break;
    case kIpProtoIcmp:
    case kIpProtoIcmpV6:
      ++counters_.icmp;
      break;
    default:
      ++counters_.other_transport;
      break;
  }
  return DecodeResult::kPacket;
}

DecodeResult Decoder::HandOnBehindHeaders(const IpPayload& payload, uint64_t num_frames, Packet& packet) {
  if (!ExtensionHeaders::IsExtension(payload.protocol, payload.version)) return HandOn(payload, num_frames, packet);
  ExtensionHeaders chain(payload.protocol, payload.data, payload.captured_bytes, payload.wire_bytes, payload.version);
  const NotDecoded reason = chain.Walk();
  packet.protocol = chain.protocol();
  if (reason != kDecoded) return AddressesOnly(reason, num_frames, packet);
  if (chain.at_fragment()) return AddressesOnly(NotDecoded::kFragmentBad, num_frames, packet);
  return HandOn({payload.version, chain.protocol(), chain.data(), chain.captured_bytes(), chain.wire_bytes()},
                num_frames, packet);
}

DecodeResult Decoder::DecodeFragment(const Fragment& fragment, Packet& packet) {
  const IpPayload& part = fragment.payload;
  packet.protocol = part.protocol;
  packet.is_fragment = true;
  packet.identification = fragment.identification;
  if (part.captured_bytes < part.wire_bytes) {
    // It can never be put together. The first one shows its ports and the beginning of the payload.
    return fragment.offset == 0 ? HandOnBehindHeaders(part, 1, packet)
                                : AddressesOnly(NotDecoded::kFragmentCut, 1, packet);
  }
  DatagramKey key{.source = packet.source,
                  .destination = packet.destination,
                  .identification = fragment.identification,
                  .protocol = fragment.key_protocol};
  std::copy_n(fragment.link.vlan, fragment.link.num_vlans, key.vlan);
  FragmentTable::Datagram datagram;
  switch (fragments_->Add(key,
                          {.offset = fragment.offset,
                           .more = fragment.more,
                           .protocol = part.protocol,
                           .data = {part.data, part.captured_bytes},
                           .time_ns = packet.frame->time_ns,
                           .head = {*packet.frame, fragment.header_bytes, packet.num_vlans}},
                          datagram)) {
    case FragmentTable::Status::kHeld:
      return DecodeResult::kConsumed;
    case FragmentTable::Status::kHeldFirst:
    case FragmentTable::Status::kRefused:
      return AddressesOnly(NotDecoded::kFragmentHeld, 0, packet);
    case FragmentTable::Status::kComplete:
      break;
  }
  const auto length = static_cast<uint32_t>(datagram.data.size());
  ++counters_.datagrams_reassembled;
  packet.reassembled = true;
  packet.ip_bytes = fragment.header_bytes + length;
  return HandOnBehindHeaders({part.version, datagram.protocol, datagram.data.data(), length, length},
                             datagram.num_fragments, packet);
}

inline DecodeResult Decoder::DecodeIpv4(const Frame& frame, const LinkLayer& link, Packet& packet) {
  const uint8_t* ip = frame.data + link.ip_offset;
  const uint32_t captured = frame.captured_bytes - link.ip_offset;
  if (captured < kIpv4HeaderBytes) [[unlikely]] {
    return WithoutAddresses(NotDecoded::kIpTruncated);
  }
  if (!IsOurs(LoadIpv4(ip + 12), LoadIpv4(ip + 16))) return DecodeResult::kNotOurs;
  ++counters_.received;
  const uint32_t header_bytes = (ip[0] & 15) * 4u;
  if (ip[0] >> 4 != 4 || header_bytes < kIpv4HeaderBytes) [[unlikely]] {
    ++counters_.not_decoded[static_cast<size_t>(NotDecoded::kIpHeaderBad)];
    return DecodeResult::kConsumed;
  }
  ++counters_.ipv4;
  counters_.vlan_tagged += link.num_vlans != 0;
  SetLink(frame, link, packet);
  packet.source = IpAddress::V4(ip + 12);
  packet.destination = IpAddress::V4(ip + 16);
  // 0: segmentation left to the network card, and captured before it.
  const uint32_t said_bytes = LoadU16(ip + 2);
  const uint32_t total_bytes = said_bytes != 0 ? said_bytes : WireBytes(frame, link);
  packet.ip_bytes = total_bytes;
  const uint8_t protocol = ip[9];
  if (total_bytes < header_bytes || captured < header_bytes) [[unlikely]] {
    packet.protocol = protocol;
    return AddressesOnly(total_bytes < header_bytes ? NotDecoded::kIpLengthBad : NotDecoded::kIpTruncated, 1, packet);
  }
  const IpPayload payload{4, protocol, ip + header_bytes, std::min(captured, total_bytes) - header_bytes,
                          total_bytes - header_bytes};
  const uint16_t fragment_field = LoadU16(ip + 6);
  if ((fragment_field & kIpv4FragmentBits) != 0) [[unlikely]] {
    return DecodeFragment({.link = link,
                           .identification = LoadU16(ip + 4),
                           .key_protocol = protocol,
                           .header_bytes = header_bytes,
                           .offset = (fragment_field & kIpv4OffsetBits) * 8u,
                           .more = (fragment_field & kIpv4MoreFragments) != 0,
                           .payload = payload},
                          packet);
  }
  if (protocol == kIpProtoAuthentication) [[unlikely]] {
    return HandOnBehindHeaders(payload, 1, packet);
  }
  return HandOn(payload, 1, packet);
}

inline DecodeResult Decoder::DecodeIpv6(const Frame& frame, const LinkLayer& link, Packet& packet) {
  const uint8_t* ip = frame.data + link.ip_offset;
  const uint32_t captured = frame.captured_bytes - link.ip_offset;
  if (captured < kIpv6HeaderBytes) [[unlikely]] {
    return WithoutAddresses(NotDecoded::kIpTruncated);
  }
  if (!IsOurs(FoldIpv6(ip + 8), FoldIpv6(ip + 24))) return DecodeResult::kNotOurs;
  ++counters_.received;
  if (ip[0] >> 4 != 6) [[unlikely]] {
    ++counters_.not_decoded[static_cast<size_t>(NotDecoded::kIpHeaderBad)];
    return DecodeResult::kConsumed;
  }
  ++counters_.ipv6;
  counters_.vlan_tagged += link.num_vlans != 0;
  SetLink(frame, link, packet);
  packet.source = IpAddress::V6(ip + 8);
  packet.destination = IpAddress::V6(ip + 24);
  uint32_t payload_bytes = LoadU16(ip + 4);
  const uint8_t next_header = ip[6];
  if (payload_bytes == 0 && HasPorts(next_header)) {
    payload_bytes = WireBytes(frame, link) - kIpv6HeaderBytes;  // as in IPv4: left to the network card
  }
  packet.ip_bytes = kIpv6HeaderBytes + payload_bytes;
  IpPayload payload{6, next_header, ip + kIpv6HeaderBytes, std::min(captured - kIpv6HeaderBytes, payload_bytes),
                    payload_bytes};
  if (ExtensionHeaders::IsExtension(next_header)) [[unlikely]] {
    // A jumbogram says 0: its options lie behind the length.
    const bool perhaps_jumbo = payload_bytes == 0 && next_header == kIpProtoHopByHop;
    const uint32_t rest = captured - kIpv6HeaderBytes;
    ExtensionHeaders chain(next_header, payload.data, perhaps_jumbo ? rest : payload.captured_bytes,
                           perhaps_jumbo ? rest : payload_bytes);
    const NotDecoded reason = chain.Walk();
    packet.protocol = chain.protocol();
    if (reason != kDecoded) return AddressesOnly(reason, 1, packet);
    if (perhaps_jumbo) return AddressesOnly(NotDecoded::kIpLengthBad, 1, packet);
    payload = {6, chain.protocol(), chain.data(), chain.captured_bytes(), chain.wire_bytes()};
    if (chain.at_fragment()) {
      return DecodeFragment({.link = link,
                             .identification = chain.identification(),
                             .key_protocol = 0,
                             .header_bytes = kIpv6HeaderBytes,
                             .offset = chain.fragment_offset(),
                             .more = chain.more_fragments(),
                             .payload = payload},
                            packet);
    }
  }
  return HandOn(payload, 1, packet);
}

DecodeResult Decoder::Decode(const Frame& frame, Packet& packet) {
  LinkLayer link;
  const NotDecoded reason = FindIp(frame, link);
  if (reason != kDecoded) [[unlikely]] {
    const DecodeResult result = WithoutAddresses(reason);
    if (result == DecodeResult::kNotOurs) return result;
    if (reason == NotDecoded::kEtherTypeOther) counters_.other_types.Add(link.other_type);
    if (reason == NotDecoded::kLinkTypeUnknown) counters_.unknown_link_types.Add(frame.link_type);
    return result;
  }
  return link.ip_version == 4 ? DecodeIpv4(frame, link, packet) : DecodeIpv6(frame, link, packet);
}

}  // namespace vedette
