#include "sensor/decode/link.h"

#include <iterator>

#include "parsers/base/bytes.h"

namespace vedette {
namespace {

constexpr uint16_t kCookedLlc = 0x0004;  // Linux: an 802.2 header follows
constexpr uint8_t kLlcSnap = 0xaa, kLlcIp = 0x06, kLlcUnnumbered = 0x03;

NotDecoded AtIp(const ByteReader& reader, uint8_t version, LinkLayer& link) {
  link.ip_offset = static_cast<uint32_t>(reader.position());
  link.ip_version = version;
  return kDecoded;
}

NotDecoded Other(LinkSpace space, uint32_t type, LinkLayer& link) {
  link.other_type = LinkTypeNumber(space, static_cast<uint16_t>(type));
  return NotDecoded::kEtherTypeOther;
}

// What an EtherType leads to. Tags may stand before and after an LLC header; kMaxVlanTags bounds them together, and
// there is one LLC header at most.
struct Encapsulation {
  size_t num_tags = 0;
  bool had_llc = false;
};
NotDecoded AfterEtherType(ByteReader& reader, uint16_t type, LinkLayer& link, Encapsulation seen);

// IEEE 802.2: SNAP with an EtherType (RFC 1042), or IP by its own service access point.
NotDecoded AfterLlc(ByteReader& reader, LinkLayer& link, Encapsulation seen) {
  uint8_t destination = 0, source = 0, control = 0;
  if (!reader.ReadU8(destination) || !reader.ReadU8(source) || !reader.ReadU8(control))
    return NotDecoded::kLinkTruncated;
  if (seen.had_llc || control != kLlcUnnumbered) return Other(LinkSpace::kLlc, destination, link);
  seen.had_llc = true;
  if (destination == kLlcIp && source == kLlcIp) return AtIp(reader, 4, link);
  if (destination != kLlcSnap || source != kLlcSnap) return Other(LinkSpace::kLlc, destination, link);
  uint32_t organisation = 0;
  uint16_t type = 0;
  if (!reader.ReadU24(organisation) || !reader.ReadU16(type)) return NotDecoded::kLinkTruncated;
  // 0000f8 is the bridge-tunnel encapsulation of IEEE 802.1H; every other organisation has types of its own.
  const bool ether_type = (organisation == 0 || organisation == 0x0000f8) && type >= kFirstEtherType;
  return ether_type ? AfterEtherType(reader, type, link, seen) : Other(LinkSpace::kSnap, type, link);
}

NotDecoded AfterEtherType(ByteReader& reader, uint16_t type, LinkLayer& link, Encapsulation seen) {
  while (IsVlanTag(type)) {
    if (++seen.num_tags > kMaxVlanTags) return NotDecoded::kVlanTooDeep;
    uint16_t control = 0;
    if (!reader.ReadU16(control) || !reader.ReadU16(type)) return NotDecoded::kLinkTruncated;
    if (link.num_vlans < std::size(link.vlan)) link.vlan[link.num_vlans++] = control & 0x0fff;
  }
  if (type == kEtherIpv4) return AtIp(reader, 4, link);
  if (type == kEtherIpv6) return AtIp(reader, 6, link);
  return type < kFirstEtherType ? AfterLlc(reader, link, seen) : Other(LinkSpace::kEtherType, type, link);
}

NotDecoded Ethernet(ByteReader& reader, LinkLayer& link) {
  uint16_t type = 0;
  if (!reader.Skip(12) || !reader.ReadU16(type)) return NotDecoded::kLinkTruncated;
  return AfterEtherType(reader, type, link, {});
}

// Sixteen bytes, the protocol last.
NotDecoded Cooked(ByteReader& reader, LinkLayer& link) {
  uint16_t type = 0;
  if (!reader.Skip(14) || !reader.ReadU16(type)) return NotDecoded::kLinkTruncated;
  if (type == kCookedLlc) return AfterLlc(reader, link, {});
  return type < kFirstEtherType ? Other(LinkSpace::kEtherType, type, link) : AfterEtherType(reader, type, link, {});
}

// Twenty bytes, the protocol first.
NotDecoded Cooked2(ByteReader& reader, LinkLayer& link) {
  uint16_t type = 0;
  if (!reader.ReadU16(type) || !reader.Skip(18)) return NotDecoded::kLinkTruncated;
  if (type == kCookedLlc) return AfterLlc(reader, link, {});
  return type < kFirstEtherType ? Other(LinkSpace::kEtherType, type, link) : AfterEtherType(reader, type, link, {});
}

// An address family in four bytes, in the order of the machine that captured (LINKTYPE_NULL) or of the network
// (LINKTYPE_LOOP); a family is a small number, so that the bytes themselves tell. Some write an EtherType into the last
// two bytes.
NotDecoded Loopback(ByteReader& reader, LinkLayer& link) {
  uint32_t word = 0;
  if (!reader.ReadU32(word)) return NotDecoded::kLinkTruncated;
  const uint32_t family = word > 0xffff ? __builtin_bswap32(word) : word;
  switch (family) {
    case 2:
      return AtIp(reader, 4, link);
    case 10:  // Linux
    case 23:  // Windows
    case 24:  // NetBSD, OpenBSD
    case 28:  // FreeBSD
    case 30:  // macOS
      return AtIp(reader, 6, link);
    default:
      const auto type = static_cast<uint16_t>(word);
      return type < kFirstEtherType ? Other(LinkSpace::kFamily, family, link) : AfterEtherType(reader, type, link, {});
  }
}

NotDecoded RawIp(const ByteReader& reader, LinkLayer& link) {
  if (reader.empty()) return NotDecoded::kLinkTruncated;
  const uint8_t version = reader.rest()[0] >> 4;
  return version == 4 || version == 6 ? AtIp(reader, version, link) : NotDecoded::kIpHeaderBad;
}

// Address (0f or 8f), control, an EtherType.
NotDecoded CiscoHdlc(ByteReader& reader, LinkLayer& link) {
  uint16_t type = 0;
  if (!reader.Skip(2) || !reader.ReadU16(type)) return NotDecoded::kLinkTruncated;
  return type < kFirstEtherType ? Other(LinkSpace::kEtherType, type, link) : AfterEtherType(reader, type, link, {});
}

// RFC 1661 in RFC 1662's framing: address ff and control 03 may be left out, a protocol below 256 may be one byte (its
// lowest bit says so). LINKTYPE_PPP_HDLC may also be Cisco HDLC.
NotDecoded Ppp(ByteReader& reader, LinkLayer& link) {
  const Bytes bytes = reader.rest();
  if (bytes.size() < 2) return NotDecoded::kLinkTruncated;
  uint16_t protocol = 0;
  if ((bytes[0] == 0x0f || bytes[0] == 0x8f) && bytes[1] == 0x00) return CiscoHdlc(reader, link);
  if (bytes[0] == 0xff && bytes[1] == 0x03 && !reader.Skip(2)) return NotDecoded::kLinkTruncated;
  uint8_t first = 0, second = 0;
  if (!reader.ReadU8(first)) return NotDecoded::kLinkTruncated;
  protocol = first;
  if ((first & 1) == 0) {
    if (!reader.ReadU8(second)) return NotDecoded::kLinkTruncated;
    protocol = static_cast<uint16_t>(first << 8 | second);
  }
  if (protocol == kPppIpv4) return AtIp(reader, 4, link);
  return protocol == kPppIpv6 ? AtIp(reader, 6, link) : Other(LinkSpace::kPpp, protocol, link);
}

}  // namespace

NotDecoded FindIpSlowly(const Frame& frame, LinkLayer& link) {
  link.num_vlans = 0;
  ByteReader reader(frame.bytes());
  switch (frame.link_type) {
    case kLinkEthernet:
      return Ethernet(reader, link);
    case kLinkNull:
    case kLinkLoop:
      return Loopback(reader, link);
    case kLinkRaw:
    case kLinkRawBsd:
    case kLinkRawOpenBsd:
      return RawIp(reader, link);
    case kLinkIpv4:
      return AtIp(reader, 4, link);
    case kLinkIpv6:
      return AtIp(reader, 6, link);
    case kLinkCooked:
      return Cooked(reader, link);
    case kLinkCooked2:
      return Cooked2(reader, link);
    case kLinkCiscoHdlc:
      return CiscoHdlc(reader, link);
    case kLinkPpp:
    case kLinkPppHdlc:
      return Ppp(reader, link);
    default:
      return NotDecoded::kLinkTypeUnknown;
  }
}

bool IsLaterFragment(const Frame& frame) {
  constexpr uint16_t kOffset4 = 0x1fff, kOffset6 = 0xfff8;
  constexpr uint32_t kHeader6 = 40;
  LinkLayer link;
  if (FindIp(frame, link) != kDecoded) return false;
  const uint8_t* const ip = frame.data + link.ip_offset;
  const uint32_t left = frame.captured_bytes - link.ip_offset;
  if (link.ip_version == 4) return left >= 8 && (LoadU16(ip + 6) & kOffset4) != 0;
  return left >= kHeader6 + 4 && ip[6] == kIpProtoFragment && (LoadU16(ip + kHeader6 + 2) & kOffset6) != 0;
}

}  // namespace vedette
