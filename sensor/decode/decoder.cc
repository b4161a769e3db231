#include "sensor/decode/decoder.h"

#include <algorithm>
#include <bit>
#include <span>

#include "sensor/decode/extension_headers.h"
#include "sensor/decode/fragments.h"
#include "sensor/decode/ip_header.h"
#include "sensor/decode/link.h"
#include "sensor/decode/transport.h"

namespace vedette {
namespace {

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
  packet.outer.Clear();
  packet.num_vlans = link.num_vlans;
  if (link.num_vlans != 0) std::copy_n(link.vlan, link.num_vlans, packet.vlan);
}

IpPlace PlaceOf(const Frame& frame, const LinkLayer& link) {
  return {frame.data + link.ip_offset, frame.captured_bytes - link.ip_offset,
          std::max(frame.wire_bytes, frame.captured_bytes) - link.ip_offset};
}

}  // namespace

Decoder::Decoder(const Options& options)
    : share_(options.share),
      opened_(options.opened),
      fragments_(std::make_unique<FragmentTable>(
          FragmentTable::Limits{options.fragment_bytes, std::max<size_t>(options.fragment_datagrams, 1),
                                options.fragment_timeout_ns, options.keep_given_up},
          counters_.not_decoded)) {
  if (opened_.empty()) return;
  for (size_t protocol = 0; protocol < may_carry_.size(); ++protocol) {
    const auto number = static_cast<uint8_t>(protocol);
    may_carry_[protocol] = MayCarry(opened_, number) || ExtensionHeaders::IsExtension(number);
  }
}

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
    packet.outer.Clear();
    for (const OuterLayer& layer : beginning->head.outer) packet.outer.Push(layer);
    packet.ip_bytes = beginning->head.header_bytes + beginning->wire_bytes;
    packet.protocol = beginning->protocol;
    const IpPayload payload{key.source.version(), beginning->protocol, beginning->data.data(),
                            static_cast<uint32_t>(beginning->data.size()), beginning->wire_bytes};
    if (HandOnDatagram(payload, 0, IsOurs(key.source, key.destination), packet) == DecodeResult::kPacket) return true;
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

template <uint8_t kVersion>
inline bool Decoder::IsOursAt(const uint8_t* ip) const {
  return kVersion == 4 ? IsOurs(LoadIpv4(ip + 12), LoadIpv4(ip + 16)) : IsOurs(FoldIpv6(ip + 8), FoldIpv6(ip + 24));
}

bool Decoder::IsOurs(const IpAddress& source, const IpAddress& destination) const {
  const uint8_t *const a = source.bytes().data(), *const b = destination.bytes().data();
  return source.is_v4() ? IsOurs(LoadIpv4(a + 12), LoadIpv4(b + 12)) : IsOurs(FoldIpv6(a), FoldIpv6(b));
}

inline void Decoder::Count(Account account, uint8_t version, const Packet& packet) {
  counters_.received += account.frames;
  counters_.vlan_tagged += account.frames != 0 && packet.num_vlans != 0;
  ++(version == 4 ? counters_.ipv4 : counters_.ipv6);
}

void Decoder::CountOuter(Account account, const Packet& packet) {
  for (const OuterLayer& layer : packet.outer.layers().subspan(account.layers_counted))
    ++(layer.source.is_v4() ? counters_.ipv4 : counters_.ipv6);
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

bool Decoder::Descend(const IpPayload& content, Account account, Packet& packet, DecodeResult& result) {
  CarriedPacket inner;
  if (!may_carry_[content.protocol] || packet.outer.full() || !OpenTunnel(opened_, content, inner)) return false;
  packet.outer.Push({packet.source, packet.destination, inner.tunnel, inner.network});
  const IpPlace at{inner.ip, inner.captured_bytes, inner.wire_bytes};
  result = inner.version == 4 ? DecodeLayer<4, true>(at, account, packet) : DecodeLayer<6, true>(at, account, packet);
  return true;
}

DecodeResult Decoder::HandOnDatagram(IpPayload content, uint64_t num_frames, bool ours, Packet& packet) {
  if (ExtensionHeaders::IsExtension(content.protocol, content.version)) {
    const NotDecoded reason = PassHeaders(content, packet);
    if (reason != kDecoded) return ours ? AddressesOnly(reason, num_frames, packet) : DecodeResult::kNotOurs;
  }
  DecodeResult result;
  if (Descend(content, {.frames = 0, .layers_counted = packet.outer.size() + 1}, packet, result)) {
    if (!ours) return result;
    counters_.decoded += num_frames;
    return result == DecodeResult::kNotOurs ? DecodeResult::kConsumed : result;
  }
  return ours ? HandOn(content, num_frames, packet) : DecodeResult::kNotOurs;
}

DecodeResult Decoder::DecodeFragment(IpPayload part, const IpFragment& fragment, Account account, bool ours,
                                     Packet& packet) {
  // What IPv6's last header says of a later fragment need not be what the first one says.
  const bool may_carry = part.version == 4 ? may_carry_[part.protocol] : !opened_.empty();
  if (!ours && !may_carry) return DecodeResult::kNotOurs;
  if (ours) {
    Count(account, part.version, packet);
    CountOuter(account, packet);
  }
  const uint32_t num_frames = ours ? account.frames : 0;
  packet.protocol = part.protocol;
  packet.is_fragment = true;
  packet.identification = fragment.identification;
  if (part.captured_bytes < part.wire_bytes) {
    // It can never be put together. The first one shows its ports and the beginning of the payload.
    if (fragment.offset == 0) return HandOnDatagram(part, num_frames, ours, packet);
    return ours ? AddressesOnly(NotDecoded::kFragmentCut, num_frames, packet) : DecodeResult::kNotOurs;
  }
  const std::span<const OuterLayer> outer = packet.outer.layers();
  DatagramKey key{.source = packet.source,
                  .destination = packet.destination,
                  .identification = fragment.identification,
                  .protocol = fragment.key_protocol,
                  .tunnels = packet.outer.identities()};
  std::copy_n(packet.vlan, packet.num_vlans, key.vlan);
  FragmentTable::Datagram datagram;
  switch (
      fragments_->Add(key,
                      {.offset = fragment.offset,
                       .more = fragment.more,
                       .protocol = part.protocol,
                       .data = {part.data, part.captured_bytes},
                       .time_ns = packet.frame->time_ns,
                       .head = {*packet.frame, fragment.header_bytes, packet.num_vlans, {outer.begin(), outer.end()}},
                       .num_frames = num_frames},
                      datagram)) {
    case FragmentTable::Status::kHeld:
      return ours ? DecodeResult::kConsumed : DecodeResult::kNotOurs;
    case FragmentTable::Status::kHeldFirst:
    case FragmentTable::Status::kRefused:
      return ours ? AddressesOnly(NotDecoded::kFragmentHeld, 0, packet) : DecodeResult::kNotOurs;
    case FragmentTable::Status::kComplete:
      break;
  }
  const auto length = static_cast<uint32_t>(datagram.data.size());
  counters_.datagrams_reassembled += ours;
  packet.reassembled = true;
  packet.ip_bytes = fragment.header_bytes + length;
  return HandOnDatagram({part.version, datagram.protocol, datagram.data.data(), length, length}, datagram.num_frames,
                        ours, packet);
}

template <uint8_t kVersion, bool kOpens>
inline DecodeResult Decoder::DecodeLayer(const IpPlace& at, Account account, Packet& packet) {
  IpPayload payload;
  IpFragment fragment;
  const NotDecoded reason =
      kVersion == 4 ? ReadIpv4(at, packet, payload, fragment) : ReadIpv6(at, packet, payload, fragment);
  const bool ours = !kOpens || IsOursAt<kVersion>(at.ip);
  if (reason == kDecoded) [[likely]] {
    if constexpr (kOpens) {
      DecodeResult result;
      if (Descend(payload, account, packet, result)) return result;
      if (!ours) return DecodeResult::kNotOurs;
      CountOuter(account, packet);
    }
    Count(account, kVersion, packet);
    return HandOn(payload, account.frames, packet);
  }
  if (reason == NotDecoded::kFragmentHeld) return DecodeFragment(payload, fragment, account, ours, packet);
  if (!ours) return DecodeResult::kNotOurs;
  if (reason == NotDecoded::kIpHeaderBad) {
    counters_.received += account.frames;
    counters_.not_decoded[static_cast<size_t>(reason)] += account.frames;
    return DecodeResult::kConsumed;
  }
  CountOuter(account, packet);
  Count(account, kVersion, packet);
  return AddressesOnly(reason, account.frames, packet);
}

inline DecodeResult Decoder::DecodeIpv4(const Frame& frame, const LinkLayer& link, Packet& packet) {
  const IpPlace at = PlaceOf(frame, link);
  if (at.captured_bytes < kIpv4HeaderBytes) [[unlikely]] {
    packet.is_fragment = false;
    return WithoutAddresses(NotDecoded::kIpTruncated);
  }
  if (may_carry_[at.ip[9]]) [[unlikely]] {
    SetLink(frame, link, packet);
    return DecodeLayer<4, true>(at, {}, packet);
  }
  if (!IsOursAt<4>(at.ip)) return DecodeResult::kNotOurs;
  SetLink(frame, link, packet);
  return DecodeLayer<4, false>(at, {}, packet);
}

inline DecodeResult Decoder::DecodeIpv6(const Frame& frame, const LinkLayer& link, Packet& packet) {
  const IpPlace at = PlaceOf(frame, link);
  if (at.captured_bytes < kIpv6HeaderBytes) [[unlikely]] {
    packet.is_fragment = false;
    return WithoutAddresses(NotDecoded::kIpTruncated);
  }
  if (may_carry_[at.ip[6]]) [[unlikely]] {
    SetLink(frame, link, packet);
    return DecodeLayer<6, true>(at, {}, packet);
  }
  if (!IsOursAt<6>(at.ip)) return DecodeResult::kNotOurs;
  SetLink(frame, link, packet);
  return DecodeLayer<6, false>(at, {}, packet);
}

DecodeResult Decoder::Decode(const Frame& frame, Packet& packet) {
  LinkLayer link;
  const NotDecoded reason = FindIp(frame, link);
  if (reason != kDecoded) [[unlikely]] {
    packet.is_fragment = false;
    const DecodeResult result = WithoutAddresses(reason);
    if (result == DecodeResult::kNotOurs) return result;
    if (reason == NotDecoded::kEtherTypeOther) counters_.other_types.Add(link.other_type);
    if (reason == NotDecoded::kLinkTypeUnknown) counters_.unknown_link_types.Add(frame.link_type);
    return result;
  }
  return link.ip_version == 4 ? DecodeIpv4(frame, link, packet) : DecodeIpv6(frame, link, packet);
}

}  // namespace vedette
