#include "sensor/decode/tunnel_headers.h"

#include "sensor/decode/ether_type.h"

namespace vedette {
namespace {

// An IP packet that fills what is left, or leaves less than an Ethernet frame's padding.
bool IsIp(Carried inner) {
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

bool IsEthernet(Carried inner) {
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

bool Leads(Carried& carried, TunnelContent content) {
  carried.content = content;
  return true;
}

bool LeadsToEtherType(Carried& carried, uint16_t type) {
  if (type == kEtherBridging) return Leads(carried, TunnelContent::kEthernet);
  return (type == kEtherIpv4 || type == kEtherIpv6) && Leads(carried, TunnelContent::kIp);
}

}  // namespace

bool ReadVxlan(Carried& carried) {
  constexpr uint8_t kInstance = 0x08, kNextProtocol = 0x04, kGroupPolicy = 0x80;
  uint8_t flags = 0, next = 0, reserved = 0;
  uint16_t policy = 0;
  if (!carried.reader.ReadU8(flags) || !carried.reader.ReadU16(policy) || !carried.reader.ReadU8(next) ||
      !carried.reader.ReadU24(carried.network) || !carried.reader.ReadU8(reserved) || (flags & kInstance) == 0 ||
      reserved != 0) {
    return false;
  }
  if (flags == (kInstance | kNextProtocol))
    return Leads(carried, next == 1 || next == 2 ? TunnelContent::kIp : TunnelContent::kEthernet);
  if (next != 0 && (flags & kGroupPolicy) == 0) return false;
  return (flags & ~(kInstance | kGroupPolicy)) == 0 && Leads(carried, TunnelContent::kEthernet);
}

bool ReadGeneve(Carried& carried) {
  uint8_t first = 0, flags = 0, reserved = 0;
  uint16_t type = 0;
  return carried.reader.ReadU8(first) && first >> 6 == 0 && carried.reader.ReadU8(flags) && (flags & 0x3f) == 0 &&
         carried.reader.ReadU16(type) && carried.reader.ReadU24(carried.network) && carried.reader.ReadU8(reserved) &&
         reserved == 0 && carried.reader.Skip((first & 0x3f) * 4u) && LeadsToEtherType(carried, type);
}

bool ReadGtpU(Carried& carried) {
  constexpr uint8_t kUserData = 255;
  constexpr size_t kMaxExtensions = 8;
  uint8_t flags = 0, type = 0;
  uint16_t length = 0;
  if (!carried.reader.ReadU8(flags) || !carried.reader.ReadU8(type) || !carried.reader.ReadU16(length) ||
      flags >> 4 != 3 || type != kUserData || !carried.reader.Skip(4) || length != carried.wire_bytes()) {
    return false;
  }
  if ((flags & 7) == 0) return Leads(carried, TunnelContent::kIp);
  uint8_t next = 0, words = 0;
  if (!carried.reader.Skip(3) || !carried.reader.ReadU8(next)) return false;
  for (size_t i = 0; next != 0 && (flags & 4) != 0; ++i) {
    if (i == kMaxExtensions || !carried.reader.ReadU8(words) || words == 0 || !carried.reader.Skip(words * 4u - 2) ||
        !carried.reader.ReadU8(next)) {
      return false;
    }
  }
  return Leads(carried, TunnelContent::kIp);
}

// IPv6 of 2001:0::/32, or a link-local address of its negotiation, behind its indications.
bool ReadTeredo(Carried& carried) {
  const auto indication = [&]() -> uint16_t {
    ByteReader peek = carried.reader;
    uint16_t type = 0xffff;
    return peek.ReadU16(type) ? type : 0xffff;
  };
  if (indication() == 1) {  // authentication
    uint8_t id_bytes = 0, value_bytes = 0;
    if (!carried.reader.Skip(2) || !carried.reader.ReadU8(id_bytes) || !carried.reader.ReadU8(value_bytes) ||
        !carried.reader.Skip(size_t{id_bytes} + value_bytes + 9)) {
      return false;
    }
  }
  if (indication() == 0 && !carried.reader.Skip(8)) return false;  // origin
  const Bytes packet = carried.reader.rest();
  if (packet.size() < 40 || packet[0] >> 4 != 6 || !Leads(carried, TunnelContent::kIp)) return false;
  const auto is_teredo = [&](size_t at) {
    return packet[at] == 0x20 && packet[at + 1] == 0x01 && packet[at + 2] == 0 && packet[at + 3] == 0;
  };
  const auto is_link_local = [&](size_t at) { return packet[at] == 0xfe && packet[at + 1] == 0x80; };
  return is_teredo(8) || is_teredo(24) || (is_link_local(8) && is_link_local(24));
}

bool ReadL2tp(Carried& carried) {
  constexpr uint16_t kControl = 0x8000, kLength = 0x4000, kSequence = 0x0800, kOffset = 0x0200, kVersion = 0x000f,
                     kReserved = 0x34f0;
  const size_t wire_bytes = carried.wire_bytes();
  uint16_t flags = 0, length = 0;
  if (!carried.reader.ReadU16(flags) || (flags & kReserved) != 0) return false;
  const uint16_t version = flags & kVersion;
  if (version != 2 && version != 3) return false;
  if ((flags & kLength) != 0 && (!carried.reader.ReadU16(length) || length != wire_bytes)) return false;
  if ((flags & kControl) != 0) return (flags & kLength) != 0 && (flags & kSequence) != 0 && length >= 12;
  if (version == 3) return false;  // its data has no form of its own
  uint16_t offset = 0;
  if (!carried.reader.Skip(4) || ((flags & kSequence) != 0 && !carried.reader.Skip(4)) ||
      ((flags & kOffset) != 0 && (!carried.reader.ReadU16(offset) || !carried.reader.Skip(offset)))) {
    return false;
  }
  // RFC 1661: address and control may be left out.
  uint16_t protocol = 0;
  if (!carried.reader.ReadU16(protocol)) return false;
  if (protocol == 0xff03 && !carried.reader.ReadU16(protocol)) return false;
  if (protocol == kPppIpv4 || protocol == kPppIpv6) return Leads(carried, TunnelContent::kIp);
  return (protocol & 0xff01) == 0x8001 || (protocol & 0xff01) == 0xc001;  // control protocols
}

bool ReadWireguard(Carried& carried) {
  const Bytes bytes = carried.reader.rest();
  if (bytes.size() < 4 || bytes[1] != 0 || bytes[2] != 0 || bytes[3] != 0) return false;
  const size_t size = carried.wire_bytes();
  return (bytes[0] == 1 && size == 148) || (bytes[0] == 2 && size == 92) || (bytes[0] == 3 && size == 64) ||
         (bytes[0] == 4 && size >= 32 && size % 16 == 0 && bytes.size() >= 16 && bytes[15] == 0 && bytes[14] == 0);
}

bool ReadGre(Carried& carried) {
  constexpr uint16_t kChecksum = 0x8000, kKey = 0x2000, kSequence = 0x1000;
  uint16_t flags = 0, type = 0;
  if (!carried.reader.ReadU16(flags) || !carried.reader.ReadU16(type)) return false;
  if ((flags & ~(kChecksum | kKey | kSequence)) != 0) return false;
  uint32_t key = 0;
  if ((flags & kChecksum) != 0 && !carried.reader.Skip(4)) return false;
  if ((flags & kKey) != 0 && !carried.reader.ReadU32(key)) return false;
  if ((flags & kSequence) != 0 && !carried.reader.Skip(4)) return false;
  // Of all keys only NVGRE's (RFC 7637 section 3.2) is certainly the same both ways.
  if (flags == kKey && type == kEtherBridging) carried.network = key >> 8;
  return LeadsToEtherType(carried, type);
}

bool ReadMpls(Carried& carried) {
  constexpr size_t kMaxLabels = 8;
  uint32_t label = 0;
  for (size_t i = 0; (label & 0x100) == 0; ++i) {
    if (i == kMaxLabels || !carried.reader.ReadU32(label)) return false;
  }
  return Leads(carried, TunnelContent::kIp);
}

bool ReadTzsp(Carried& carried) {
  constexpr size_t kMaxTags = 32;
  uint8_t version = 0, type = 0, tag = 0, length = 0;
  uint16_t protocol = 0;
  if (!carried.reader.ReadU8(version) || !carried.reader.ReadU8(type) || !carried.reader.ReadU16(protocol) ||
      version != 1 || type > 1 || protocol != 1) {
    return false;
  }
  for (size_t i = 0; i < kMaxTags && carried.reader.ReadU8(tag); ++i) {
    if (tag == 1) return Leads(carried, TunnelContent::kEthernet);
    if (tag != 0 && (!carried.reader.ReadU8(length) || !carried.reader.Skip(length))) return false;
  }
  return false;
}

bool ReadNoHeader(Carried& carried) { return Leads(carried, TunnelContent::kIp); }

bool ReadEtherIp(Carried& carried) {
  constexpr uint16_t kVersion3 = 0x3000;
  uint16_t version = 0;
  return carried.reader.ReadU16(version) && version == kVersion3 && Leads(carried, TunnelContent::kEthernet);
}

bool Fits(const Carried& carried) {
  switch (carried.content) {
    case TunnelContent::kNothing:
      break;
    case TunnelContent::kIp:
      return IsIp(carried);
    case TunnelContent::kEthernet:
      return IsEthernet(carried);
  }
  return true;
}

}  // namespace vedette
