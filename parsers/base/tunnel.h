// Tunnels and layers: packets that carry other packets.
//
// A packet in a tunnel has several address pairs. The innermost one is its flow's; each pair around it is an outer
// layer. Most packets have none.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "parsers/base/address.h"

namespace vedette {

// In the order in which the bytes of a datagram are compared with them. Names are public: they label a figure.
enum class Tunnel : uint8_t {
  kNone,
  kVxlan,      // RFC 7348, and its generic protocol extension
  kGeneve,     // RFC 8926
  kGtpU,       // 3GPP TS 29.281
  kTeredo,     // RFC 4380
  kL2tp,       // RFC 2661, RFC 3931
  kWireguard,  // the paper's section 5.4
  kGre,        // RFC 2784, RFC 7637; RFC 8086 over UDP
  kMpls,       // RFC 4023, RFC 7510 over UDP
  kTzsp,       // TaZmen Sniffer Protocol: mirrored frames
  kIpInUdp,    // an IP packet and nothing before it
  kIpInIp,     // RFC 2003, RFC 4213, RFC 2473
  kEsp,        // RFC 4303
  kEtherIp,    // RFC 3378
  kCount
};
constexpr size_t kTunnels = static_cast<size_t>(Tunnel::kCount);

// "vxlan", as a label; "none" for kNone.
constexpr std::string_view NameOf(Tunnel tunnel) {
  constexpr std::string_view kNames[] = {"none", "vxlan", "geneve", "gtp_u",     "teredo",   "l2tp", "wireguard",
                                         "gre",  "mpls",  "tzsp",   "ip_in_udp", "ip_in_ip", "esp",  "etherip"};
  static_assert(std::size(kNames) == kTunnels);
  return tunnel < Tunnel::kCount ? kNames[static_cast<size_t>(tunnel)] : kNames[0];
}

// A mirror (VXLAN, GENEVE) of an overlay that carries a subscriber's own tunnel has three; more is made to hide what
// is inside.
constexpr size_t kMaxOuterLayers = 4;

// A packet that carries the next one.
struct OuterLayer {
  IpAddress source, destination;
  Tunnel tunnel = Tunnel::kNone;  // by which it carries the next one
  // The network that the tunnel says, 24 bits: VXLAN's and GENEVE's VNI, NVGRE's VSID. 0 for every other tunnel: GTP-U's
  // TEID, MPLS labels and L2TP's sessions differ between the two directions of a flow.
  uint32_t network = 0;

  // What both directions of a flow have in common, as one number that is never 0.
  uint32_t identity() const { return static_cast<uint32_t>(tunnel) << 24 | network; }
};

// Outermost first. Nothing is allocated.
class OuterLayers {
 public:
  bool empty() const { return count_ == 0; }
  bool full() const { return count_ == kMaxOuterLayers; }
  size_t size() const { return count_; }
  std::span<const OuterLayer> layers() const { return std::span(layers_).first(count_); }
  void Clear() { count_ = 0; }
  // OuterLayer::identity of each, 0 behind them.
  std::array<uint32_t, kMaxOuterLayers> identities() const {
    std::array<uint32_t, kMaxOuterLayers> out{};
    for (size_t i = 0; i < count_; ++i) out[i] = layers_[i].identity();
    return out;
  }
  // False: there are kMaxOuterLayers already.
  bool Push(const OuterLayer& layer) {
    if (full()) return false;
    layers_[count_++] = layer;
    return true;
  }

 private:
  uint8_t count_ = 0;
  std::array<OuterLayer, kMaxOuterLayers> layers_;
};

// Whether packets within these layers belong together: the same tunnels and networks. Addresses do not count: they are
// the other way round in the other direction, and change when a subscriber moves.
inline bool SameTunnels(std::span<const OuterLayer> a, std::span<const OuterLayer> b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    if (a[i].identity() != b[i].identity()) return false;
  }
  return true;
}
// The same for those that SameTunnels; 0 without layers.
inline uint64_t TunnelHash(std::span<const OuterLayer> layers) {
  uint64_t hash = 0;
  for (const OuterLayer& layer : layers) hash = Mix64(hash + layer.identity());
  return hash;
}

}  // namespace vedette
