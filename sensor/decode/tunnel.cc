#include "sensor/decode/tunnel.h"

#include <algorithm>
#include <array>
#include <iterator>

#include "sensor/decode/link.h"
#include "sensor/decode/tunnel_headers.h"

namespace vedette {
namespace {

constexpr uint16_t kNoPort = 0;

// How a kind of tunnel is met. `over_ip`, `over_udp`: the reader of its header; nullptr: nothing in it can be read so.
struct TunnelRow {
  Tunnel tunnel;
  std::array<uint8_t, 2> ip_protocols;  // unused: 0, which is no tunnel's
  TunnelHeaderReader over_ip;
  uint16_t udp_port;  // the usual one
  TunnelHeaderReader over_udp;
};

// In the order of their numbers: datagrams are compared with them one after the other.
constexpr TunnelRow kRows[] = {
    {Tunnel::kVxlan, {}, nullptr, 4789, ReadVxlan},
    {Tunnel::kGeneve, {}, nullptr, 6081, ReadGeneve},
    {Tunnel::kGtpU, {}, nullptr, 2152, ReadGtpU},
    {Tunnel::kTeredo, {}, nullptr, 3544, ReadTeredo},
    {Tunnel::kL2tp, {kIpProtoL2tp}, nullptr, 1701, ReadL2tp},
    {Tunnel::kWireguard, {}, nullptr, kNoPort, ReadWireguard},
    {Tunnel::kGre, {kIpProtoGre}, ReadGre, 4754, ReadGre},
    {Tunnel::kMpls, {kIpProtoMpls}, ReadMpls, 6635, ReadMpls},
    {Tunnel::kTzsp, {}, nullptr, 37008, ReadTzsp},
    {Tunnel::kIpInUdp, {}, nullptr, kNoPort, ReadNoHeader},
    {Tunnel::kIpInIp, {kIpProtoIpv4, kIpProtoIpv6}, ReadNoHeader, kNoPort, nullptr},
    {Tunnel::kEsp, {kIpProtoEsp}, nullptr, kNoPort, nullptr},
    {Tunnel::kEtherIp, {kIpProtoEtherIp}, ReadEtherIp, kNoPort, nullptr},
};
static_assert(std::size(kRows) == kTunnels - 1, "one row per kind");

const TunnelRow* RowOfIpProtocol(uint8_t protocol) {
  if (protocol == 0) return nullptr;
  const auto* const row = std::find_if(std::begin(kRows), std::end(kRows), [protocol](const TunnelRow& one) {
    return std::find(one.ip_protocols.begin(), one.ip_protocols.end(), protocol) != one.ip_protocols.end();
  });
  return row == std::end(kRows) ? nullptr : row;
}

Carried CarriedBy(const uint8_t* data, uint32_t captured_bytes, uint32_t wire_bytes) {
  Carried carried;
  carried.reader = ByteReader({data, captured_bytes});
  carried.missing_bytes = wire_bytes - captured_bytes;
  return carried;
}

// The IP packet that the content begins with. False: it does not, or not all of its fixed header is there.
bool FindPacket(const Carried& content, CarriedPacket& out) {
  const Bytes rest = content.reader.rest();
  uint32_t offset = 0;
  if (content.content == TunnelContent::kNothing || rest.empty()) return false;
  if (content.content == TunnelContent::kEthernet) {
    Frame frame;
    frame.data = rest.data();
    frame.captured_bytes = static_cast<uint32_t>(rest.size());
    frame.wire_bytes = static_cast<uint32_t>(content.wire_bytes());
    frame.link_type = kLinkEthernet;
    LinkLayer link;
    if (FindIp(frame, link) != kDecoded) return false;
    offset = link.ip_offset;
  }
  if (offset >= rest.size()) return false;
  out.ip = rest.data() + offset;
  out.version = out.ip[0] >> 4;
  out.captured_bytes = static_cast<uint32_t>(rest.size()) - offset;
  out.wire_bytes = static_cast<uint32_t>(content.wire_bytes()) - offset;
  return out.captured_bytes >= (out.version == 4 ? kIpv4HeaderBytes : kIpv6HeaderBytes);
}

bool OpenWith(const TunnelRow& row, TunnelHeaderReader read, Carried carried, CarriedPacket& out) {
  if (read == nullptr || !read(carried) || !Fits(carried) || !FindPacket(carried, out)) return false;
  out.tunnel = row.tunnel;
  out.network = carried.network;
  return true;
}

}  // namespace

Tunnel TunnelOfDatagram(Bytes datagram, size_t wire_bytes) {
  // None of the headers begins so but L2TP's control messages; QUIC's do, which is most of what comes here.
  constexpr uint8_t kL2tpControl = 0xc8;
  if (datagram.empty() || (datagram[0] >= 0xc0 && datagram[0] != kL2tpControl)) return Tunnel::kNone;
  for (const TunnelRow& row : kRows) {
    Carried carried;
    carried.reader = ByteReader(datagram);
    carried.missing_bytes = wire_bytes > datagram.size() ? wire_bytes - datagram.size() : 0;
    if (row.over_udp != nullptr && row.over_udp(carried) && Fits(carried)) return row.tunnel;
  }
  return Tunnel::kNone;
}

Tunnel TunnelOfIpProtocol(uint8_t protocol) {
  const TunnelRow* const row = RowOfIpProtocol(protocol);
  return row == nullptr ? Tunnel::kNone : row->tunnel;
}

bool OpenTunnel(TunnelSet opened, const IpPayload& ip, CarriedPacket& carried) {
  if (ip.protocol != kIpProtoUdp) {
    const TunnelRow* const row = RowOfIpProtocol(ip.protocol);
    return row != nullptr && opened.Has(row->tunnel) &&
           OpenWith(*row, row->over_ip, CarriedBy(ip.data, ip.captured_bytes, ip.wire_bytes), carried) &&
           (row->tunnel != Tunnel::kIpInIp || carried.version == (ip.protocol == kIpProtoIpv4 ? 4 : 6));
  }
  IpPayload datagram = ip;
  if (FitUdp(datagram) != kDecoded) return false;
  const uint16_t source = LoadU16(ip.data), destination = LoadU16(ip.data + 2);
  for (const TunnelRow& row : kRows) {
    if (row.udp_port == kNoPort || !opened.Has(row.tunnel)) continue;
    if (row.udp_port != source && row.udp_port != destination) continue;
    if (OpenWith(row, row.over_udp,
                 CarriedBy(datagram.data + kUdpHeaderBytes, datagram.captured_bytes - kUdpHeaderBytes,
                           datagram.wire_bytes - kUdpHeaderBytes),
                 carried))
      return true;
  }
  return false;
}

bool MayCarry(TunnelSet opened, uint8_t protocol) {
  if (protocol != kIpProtoUdp) {
    const TunnelRow* const row = RowOfIpProtocol(protocol);
    return row != nullptr && row->over_ip != nullptr && opened.Has(row->tunnel);
  }
  return std::any_of(std::begin(kRows), std::end(kRows),
                     [&](const TunnelRow& row) { return row.udp_port != kNoPort && opened.Has(row.tunnel); });
}

}  // namespace vedette
