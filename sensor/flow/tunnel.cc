#include "sensor/flow/tunnel.h"

namespace vedette {
namespace {

constexpr uint16_t kEtherIpv4 = 0x0800, kEtherIpv6 = 0x86dd, kEtherArp = 0x0806, kEtherVlan = 0x8100,
                   kEtherBridging = 0x6558;

// What is left of a datagram, and how much of it the capture has not.
struct Inner {
  ByteReader reader;
  size_t missing_bytes;

  size_t wire_bytes() const { return reader.remaining() + missing_bytes; }
};

// An IP packet that fills what is left, or leaves less than an Ethernet frame's padding.
bool IsIp(Inner inner) {
  constexpr size_t kMaxPadding = 46;
  uint8_t first = 0, traffic = 0;
  uint16_t length = 0;
  size_t header_bytes = 40, total_bytes = 0;
  if (!inner.reader.ReadU8(first)) return false;
  const size_t wire_bytes = inner.wire_bytes() + 1;
  if (first >> 4 == 4) {
    header_bytes = (first & 15) * 4u;
    if (header_bytes < 20 || !inner.reader.ReadU8(traffic) || !inner.reader.ReadU16(length)) return false;
    total_bytes = length;
  } else if (first >> 4 == 6) {
    if (!inner.reader.Skip(3) || !inner.reader.ReadU16(length)) return false;
    total_bytes = header_bytes + length;
  } else {
    return false;
  }
  return total_bytes >= header_bytes && total_bytes <= wire_bytes && wire_bytes - total_bytes <= kMaxPadding;
}

bool IsEthernet(Inner inner) {
  constexpr int kMaxTags = 2;
  uint16_t type = 0;
  if (!inner.reader.Skip(12) || !inner.reader.ReadU16(type)) return false;
  for (int tags = 0; type == kEtherVlan && tags < kMaxTags; ++tags) {
    if (!inner.reader.Skip(2) || !inner.reader.ReadU16(type)) return false;
  }
  if (type == kEtherIpv4 || type == kEtherIpv6) return IsIp(inner);
  uint16_t hardware = 0, protocol = 0;
  return type == kEtherArp && inner.reader.ReadU16(hardware) && inner.reader.ReadU16(protocol) && hardware == 1 &&
         protocol == kEtherIpv4;
}

bool IsOfEtherType(const Inner& inner, uint16_t type) {
  if (type == kEtherBridging) return IsEthernet(inner);
  return (type == kEtherIpv4 || type == kEtherIpv6) && IsIp(inner);
}

bool IsVxlan(Inner inner) {
  constexpr uint8_t kInstance = 0x08, kNextProtocol = 0x04, kGroupPolicy = 0x80;
  uint8_t flags = 0, next = 0, reserved = 0;
  uint16_t policy = 0;
  if (!inner.reader.ReadU8(flags) || !inner.reader.ReadU16(policy) || !inner.reader.ReadU8(next) ||
      !inner.reader.Skip(3) || !inner.reader.ReadU8(reserved) || (flags & kInstance) == 0 || reserved != 0) {
    return false;
  }
  if (flags == (kInstance | kNextProtocol)) return (next == 1 || next == 2) ? IsIp(inner) : IsEthernet(inner);
  if (next != 0 && (flags & kGroupPolicy) == 0) return false;
  return (flags & ~(kInstance | kGroupPolicy)) == 0 && IsEthernet(inner);
}

bool IsGeneve(Inner inner) {
  uint8_t first = 0, flags = 0, reserved = 0;
  uint16_t type = 0;
  return inner.reader.ReadU8(first) && first >> 6 == 0 && inner.reader.ReadU8(flags) && (flags & 0x3f) == 0 &&
         inner.reader.ReadU16(type) && inner.reader.Skip(3) && inner.reader.ReadU8(reserved) && reserved == 0 &&
         inner.reader.Skip((first & 0x3f) * 4u) && IsOfEtherType(inner, type);
}

bool IsGtpU(Inner inner) {
  constexpr uint8_t kUserData = 255;
  constexpr size_t kMaxExtensions = 8;
  uint8_t flags = 0, type = 0;
  uint16_t length = 0;
  if (!inner.reader.ReadU8(flags) || !inner.reader.ReadU8(type) || !inner.reader.ReadU16(length) || flags >> 4 != 3 ||
      type != kUserData || !inner.reader.Skip(4) || length != inner.wire_bytes()) {
    return false;
  }
  if ((flags & 7) == 0) return IsIp(inner);
  uint8_t next = 0, words = 0;
  if (!inner.reader.Skip(3) || !inner.reader.ReadU8(next)) return false;
  for (size_t i = 0; next != 0 && (flags & 4) != 0; ++i) {
    if (i == kMaxExtensions || !inner.reader.ReadU8(words) || words == 0 || !inner.reader.Skip(words * 4u - 2) ||
        !inner.reader.ReadU8(next)) {
      return false;
    }
  }
  return IsIp(inner);
}

// IPv6 of 2001:0::/32, or a link-local address of its negotiation, behind its indications.
bool IsTeredo(Inner inner) {
  const auto indication = [&]() -> uint16_t {
    ByteReader peek = inner.reader;
    uint16_t type = 0xffff;
    return peek.ReadU16(type) ? type : 0xffff;
  };
  if (indication() == 1) {  // authentication
    uint8_t id_bytes = 0, value_bytes = 0;
    if (!inner.reader.Skip(2) || !inner.reader.ReadU8(id_bytes) || !inner.reader.ReadU8(value_bytes) ||
        !inner.reader.Skip(size_t{id_bytes} + value_bytes + 9)) {
      return false;
    }
  }
  if (indication() == 0 && !inner.reader.Skip(8)) return false;  // origin
  const Bytes packet = inner.reader.rest();
  if (packet.size() < 40 || packet[0] >> 4 != 6 || !IsIp(inner)) return false;
  const auto is_teredo = [&](size_t at) {
    return packet[at] == 0x20 && packet[at + 1] == 0x01 && packet[at + 2] == 0 && packet[at + 3] == 0;
  };
  const auto is_link_local = [&](size_t at) { return packet[at] == 0xfe && packet[at + 1] == 0x80; };
  return is_teredo(8) || is_teredo(24) || (is_link_local(8) && is_link_local(24));
}

bool IsL2tp(Inner inner) {
  constexpr uint16_t kControl = 0x8000, kLength = 0x4000, kSequence = 0x0800, kOffset = 0x0200, kVersion = 0x000f,
                     kReserved = 0x34f0;
  const size_t wire_bytes = inner.wire_bytes();
  uint16_t flags = 0, length = 0;
  if (!inner.reader.ReadU16(flags) || (flags & kReserved) != 0) return false;
  const uint16_t version = flags & kVersion;
  if (version != 2 && version != 3) return false;
  if ((flags & kLength) != 0 && (!inner.reader.ReadU16(length) || length != wire_bytes)) return false;
  if ((flags & kControl) != 0) return (flags & kLength) != 0 && (flags & kSequence) != 0 && length >= 12;
  if (version == 3) return false;  // its data has no form of its own
  uint16_t offset = 0;
  if (!inner.reader.Skip(4) || ((flags & kSequence) != 0 && !inner.reader.Skip(4)) ||
      ((flags & kOffset) != 0 && (!inner.reader.ReadU16(offset) || !inner.reader.Skip(offset)))) {
    return false;
  }
  // RFC 1661: address and control may be left out.
  uint16_t protocol = 0;
  if (!inner.reader.ReadU16(protocol)) return false;
  if (protocol == 0xff03 && !inner.reader.ReadU16(protocol)) return false;
  if (protocol == 0x0021 || protocol == 0x0057) return IsIp(inner);
  return (protocol & 0xff01) == 0x8001 || (protocol & 0xff01) == 0xc001;  // control protocols
}

bool IsWireguard(const Inner& inner) {
  const Bytes bytes = inner.reader.rest();
  if (bytes.size() < 4 || bytes[1] != 0 || bytes[2] != 0 || bytes[3] != 0) return false;
  const size_t size = inner.wire_bytes();
  return (bytes[0] == 1 && size == 148) || (bytes[0] == 2 && size == 92) || (bytes[0] == 3 && size == 64) ||
         (bytes[0] == 4 && size >= 32 && size % 16 == 0 && bytes.size() >= 16 && bytes[15] == 0 && bytes[14] == 0);
}

bool IsGre(Inner inner) {
  constexpr uint16_t kChecksum = 0x8000, kKey = 0x2000, kSequence = 0x1000;
  uint16_t flags = 0, type = 0;
  if (!inner.reader.ReadU16(flags) || !inner.reader.ReadU16(type)) return false;
  if ((flags & ~(kChecksum | kKey | kSequence)) != 0) return false;
  for (const uint16_t option : {kChecksum, kKey, kSequence}) {
    if ((flags & option) != 0 && !inner.reader.Skip(4)) return false;
  }
  return IsOfEtherType(inner, type);
}

bool IsMpls(Inner inner) {
  constexpr size_t kMaxLabels = 8;
  uint32_t label = 0;
  for (size_t i = 0; (label & 0x100) == 0; ++i) {
    if (i == kMaxLabels || !inner.reader.ReadU32(label)) return false;
  }
  return IsIp(inner);
}

bool IsTzsp(Inner inner) {
  constexpr size_t kMaxTags = 32;
  uint8_t version = 0, type = 0, tag = 0, length = 0;
  uint16_t protocol = 0;
  if (!inner.reader.ReadU8(version) || !inner.reader.ReadU8(type) || !inner.reader.ReadU16(protocol) || version != 1 ||
      type > 1 || protocol != 1) {
    return false;
  }
  for (size_t i = 0; i < kMaxTags && inner.reader.ReadU8(tag); ++i) {
    if (tag == 1) return IsEthernet(inner);
    if (tag != 0 && (!inner.reader.ReadU8(length) || !inner.reader.Skip(length))) return false;
  }
  return false;
}

}  // namespace

std::string_view NameOf(Tunnel tunnel) {
  switch (tunnel) {
    case Tunnel::kVxlan:
      return "vxlan";
    case Tunnel::kGeneve:
      return "geneve";
    case Tunnel::kGtpU:
      return "gtp_u";
    case Tunnel::kTeredo:
      return "teredo";
    case Tunnel::kL2tp:
      return "l2tp";
    case Tunnel::kWireguard:
      return "wireguard";
    case Tunnel::kGre:
      return "gre";
    case Tunnel::kMpls:
      return "mpls";
    case Tunnel::kTzsp:
      return "tzsp";
    case Tunnel::kIpInUdp:
      return "ip_in_udp";
    case Tunnel::kIpInIp:
      return "ip_in_ip";
    case Tunnel::kEsp:
      return "esp";
    case Tunnel::kEtherIp:
      return "etherip";
    case Tunnel::kNone:
    case Tunnel::kCount:
      break;
  }
  return "none";
}

Tunnel TunnelOfDatagram(Bytes datagram, size_t wire_bytes) {
  // None of the headers begins so but L2TP's control messages; QUIC's do, which is most of what comes here.
  constexpr uint8_t kL2tpControl = 0xc8;
  if (datagram.empty() || (datagram[0] >= 0xc0 && datagram[0] != kL2tpControl)) return Tunnel::kNone;
  const Inner inner{ByteReader(datagram), wire_bytes > datagram.size() ? wire_bytes - datagram.size() : 0};
  if (IsVxlan(inner)) return Tunnel::kVxlan;
  if (IsGeneve(inner)) return Tunnel::kGeneve;
  if (IsGtpU(inner)) return Tunnel::kGtpU;
  if (IsTeredo(inner)) return Tunnel::kTeredo;
  if (IsL2tp(inner)) return Tunnel::kL2tp;
  if (IsWireguard(inner)) return Tunnel::kWireguard;
  if (IsGre(inner)) return Tunnel::kGre;
  if (IsMpls(inner)) return Tunnel::kMpls;
  if (IsTzsp(inner)) return Tunnel::kTzsp;
  return IsIp(inner) ? Tunnel::kIpInUdp : Tunnel::kNone;
}

Tunnel TunnelOfIpProtocol(uint8_t protocol) {
  switch (protocol) {
    case 4:
    case 41:
      return Tunnel::kIpInIp;
    case 47:
      return Tunnel::kGre;
    case 50:
      return Tunnel::kEsp;
    case 97:
      return Tunnel::kEtherIp;
    case 115:
      return Tunnel::kL2tp;
    case 137:
      return Tunnel::kMpls;
    default:
      return Tunnel::kNone;
  }
}

}  // namespace vedette
