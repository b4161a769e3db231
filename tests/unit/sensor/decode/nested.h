// Nested and fragmented traffic, and a decoder of it that is as simple as can be: strings, recursion and maps.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "sensor/decode/tunnel.h"
#include "tests/unit/sensor/decode/packets.h"

namespace vedette::testing {

inline std::string Gre(uint16_t type, const std::string& payload) { return Be16(0) + Be16(type) + payload; }
inline std::string Nvgre(uint32_t network, const std::string& ip, bool v6) {
  return Be16(0x2000) + Be16(0x6558) + Be32(network << 8 | 5) + Ethernet(v6 ? kEtherIpv6 : kEtherIpv4, ip);
}
inline std::string Vxlan(uint32_t network, const std::string& ip, bool v6) {
  return "\x08" + Zeros(3) + Be32(network << 8) + Ethernet(v6 ? kEtherIpv6 : kEtherIpv4, ip);
}

// The kinds that are built here.
inline TunnelSet NestedKinds() {
  TunnelSet out;
  for (const Tunnel tunnel : {Tunnel::kIpInIp, Tunnel::kGre, Tunnel::kVxlan}) out.Add(tunnel);
  return out;
}

inline Decoder::Options Opening(TunnelSet opened, WorkerShare share = {}) {
  Decoder::Options options;
  options.opened = opened;
  options.share = share;
  return options;
}

struct IpEnds {
  std::string source, destination;
  bool v6() const { return source.find(':') != std::string::npos; }
};

// One IP packet, or its fragments.
inline std::vector<std::string> IpPackets(const IpEnds& ends, uint8_t protocol, const std::string& content,
                                          size_t piece, uint16_t identification) {
  std::vector<std::string> out;
  const bool whole = piece == 0 || content.size() <= piece;
  for (size_t at = 0; at == 0 || at < content.size(); at += whole ? content.size() + 1 : piece) {
    const std::string part = whole ? content : content.substr(at, piece);
    const bool more = at + part.size() < content.size();
    const auto offset = static_cast<uint32_t>(at);
    if (!ends.v6()) {
      out.push_back(Ipv4{.source = ends.source,
                         .destination = ends.destination,
                         .protocol = protocol,
                         .identification = identification,
                         .fragment_offset = offset,
                         .more_fragments = more}(part));
    } else if (whole) {
      out.push_back(Ipv6{.source = ends.source, .destination = ends.destination, .next_header = protocol}(part));
    } else {
      out.push_back(Ipv6{.source = ends.source, .destination = ends.destination, .next_header = kIpProtoFragment}(
          FragmentHeader(protocol, offset, more, identification) + part));
    }
  }
  return out;
}

// Frames of conversations within up to three tunnels, any layer of which may come in fragments, out of order and mixed
// with others; some are lost. Few addresses, so that tunnels and plain packets use the same ones.
class NestedTraffic {
 public:
  explicit NestedTraffic(uint32_t seed) : random_(seed) {}

  std::vector<std::string> Frames(size_t num_packets) {
    std::vector<std::string> frames;
    for (uint16_t i = 0; i < num_packets; ++i) {
      std::vector<std::string> parts = Layer(static_cast<int>(random_() % 4), i);
      std::shuffle(parts.begin(), parts.end(), random_);
      for (const std::string& part : parts) {
        if (random_() % 40 == 0) continue;
        // Not far from the others of its datagram.
        const size_t back = random_() % 6;
        const size_t at = frames.size() - std::min(frames.size(), back);
        frames.insert(frames.begin() + static_cast<std::ptrdiff_t>(at),
                      Ethernet(part[0] >> 4 == 6 ? kEtherIpv6 : kEtherIpv4, part));
      }
    }
    return frames;
  }

 private:
  IpEnds Ends() {
    const bool v6 = random_() % 2 == 0;
    const auto one = [&] { return (v6 ? "2001:db8::" : "10.0.0.") + std::to_string(1 + random_() % 9); };
    return {one(), one()};
  }
  // IP packets that carry a conversation's packet `depth` tunnels deep.
  std::vector<std::string> Layer(int depth, uint16_t number) {
    const IpEnds ends = Ends();
    const size_t piece = random_() % 3 == 0 ? 24 + random_() % 8 * 8 : 0;
    if (depth == 0) {
      const std::string text(random_() % 120, static_cast<char>('a' + number % 26));
      const auto port = static_cast<uint16_t>(40000 + number % 7);
      ++identification_;
      if (random_() % 2 == 0)
        return IpPackets(ends, kIpProtoTcp, Tcp{.source_port = port}(text), piece, identification_);
      return IpPackets(ends, kIpProtoUdp, Udp{.source_port = port}(text), piece, identification_);
    }
    std::vector<std::string> out;
    const uint32_t network = 1 + static_cast<uint32_t>(random_() % 3);
    const auto kind = random_() % 4;
    for (const std::string& inner : Layer(depth - 1, number)) {
      const bool v6 = inner[0] >> 4 == 6;
      ++identification_;
      const auto carry = [&](uint8_t protocol, const std::string& content) {
        for (const std::string& part : IpPackets(ends, protocol, content, piece, identification_)) out.push_back(part);
      };
      if (kind == 0) carry(v6 ? kIpProtoIpv6 : kIpProtoIpv4, inner);
      if (kind == 1) carry(kIpProtoGre, Gre(v6 ? kEtherIpv6 : kEtherIpv4, inner));
      if (kind == 2) carry(kIpProtoGre, Nvgre(network, inner, v6));
      if (kind == 3) carry(kIpProtoUdp, Udp{.source_port = 51000, .destination_port = 4789}(Vxlan(network, inner, v6)));
    }
    return out;
  }

  std::mt19937 random_;
  uint16_t identification_ = 0;
};

// What a packet shows, as one line: tunnels, addresses, ports and payload of the innermost.
class NaiveDecoder {
 public:
  // Empty where the frame completes nothing.
  std::string Decode(const std::string& frame) { return Ip(frame.substr(14), ""); }

 private:
  struct Datagram {
    std::map<uint32_t, std::string> parts;
    uint32_t total = 0;
  };
  static unsigned U8(const std::string& s, size_t at) { return static_cast<uint8_t>(s.at(at)); }
  static unsigned U16(const std::string& s, size_t at) { return U8(s, at) << 8 | U8(s, at + 1); }
  static unsigned U24(const std::string& s, size_t at) { return U16(s, at) << 8 | U8(s, at + 2); }

  std::string Ip(const std::string& ip, const std::string& path) {
    const bool v6 = ip.at(0) >> 4 == 6;
    const std::string source = ip.substr(v6 ? 8 : 12, v6 ? 16 : 4), destination = ip.substr(v6 ? 24 : 16, v6 ? 16 : 4);
    unsigned protocol = U8(ip, v6 ? 6 : 9), fragment = 0;
    bool more = false;
    std::string id, content = ip.substr(v6 ? 40 : 20);
    if (!v6) {
      fragment = (U16(ip, 6) & 0x1fffu) * 8;
      more = (U16(ip, 6) & 0x2000u) != 0;
      id = ip.substr(4, 2);
    } else if (protocol == kIpProtoFragment) {
      protocol = U8(content, 0);
      fragment = U16(content, 2) & 0xfff8u;
      more = (U16(content, 2) & 1u) != 0;
      id = content.substr(4, 4);
      content = content.substr(8);
    }
    if (more || fragment != 0) {
      const std::string key = path + "|" + source + destination + id + (v6 ? "" : std::to_string(protocol));
      Datagram& datagram = waiting_[key];
      datagram.parts[fragment] = content;
      if (!more) datagram.total = fragment + static_cast<uint32_t>(content.size());
      std::string whole;
      for (const auto& [at, part] : datagram.parts) {
        if (at == whole.size()) whole += part;
      }
      if (datagram.total == 0 || whole.size() != datagram.total) return "";
      waiting_.erase(key);
      content = whole;
    }
    const std::string from = Address(source), to = Address(destination);
    if (protocol == kIpProtoIpv4 || protocol == kIpProtoIpv6) return Ip(content, path + "ip_in_ip 0 ");
    if (protocol == kIpProtoGre && U16(content, 0) == 0) return Ip(content.substr(4), path + "gre 0 ");
    if (protocol == kIpProtoGre)
      return Ip(content.substr(8 + 14), path + "gre " + std::to_string(U24(content, 4)) + " ");
    if (protocol == kIpProtoUdp && U16(content, 2) == 4789)
      return Ip(content.substr(8 + 8 + 14), path + "vxlan " + std::to_string(U24(content, 12)) + " ");
    return path + from + ":" + std::to_string(U16(content, 0)) + " " + to + ":" + std::to_string(U16(content, 2)) +
           " " + content.substr(protocol == kIpProtoTcp ? 20 : 8);
  }
  static std::string Address(const std::string& wire) {
    const auto* const bytes = reinterpret_cast<const uint8_t*>(wire.data());
    return (wire.size() == 4 ? IpAddress::V4(bytes) : IpAddress::V6(bytes)).ToString();
  }

  std::map<std::string, Datagram> waiting_;
};

// The same line of a packet that Decoder gave.
inline std::string LineOf(const Packet& packet) {
  std::string out;
  for (const OuterLayer& layer : packet.outer.layers())
    out += std::string(NameOf(layer.tunnel)) + " " + std::to_string(layer.network) + " ";
  return out + packet.source.ToString() + ":" + std::to_string(packet.source_port) + " " +
         packet.destination.ToString() + ":" + std::to_string(packet.destination_port) + " " +
         std::string(AsText(packet.payload));
}

}  // namespace vedette::testing
