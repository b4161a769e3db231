// Which packets carry other packets, and where the other one begins. The table of all tunnels is in tunnel.cc.
//
// Tunnels over UDP are told by their bytes: the header is one of the protocol's, and what follows it begins as an IP
// packet, or a frame with one, that fits. So an encrypted tunnel is only told where its own header says enough
// (WireGuard, ESP by its IP protocol).
//
// A tunnel that is opened gives its packet a layer (parsers/base/tunnel.h). One that is not is told and counted by the
// flow that it makes (sensor/flow/stream_inspector.h).
#pragma once

#include <cstdint>

#include "parsers/base/bytes.h"
#include "parsers/base/tunnel.h"
#include "sensor/decode/transport.h"

namespace vedette {

// `datagram`: the payload of one; `wire_bytes`: its length before the capture cut it.
Tunnel TunnelOfDatagram(Bytes datagram, size_t wire_bytes);
// By the number of the protocol above IP.
Tunnel TunnelOfIpProtocol(uint8_t protocol);

// A set of kinds.
class TunnelSet {
 public:
  constexpr TunnelSet() = default;
  static constexpr TunnelSet None() { return {}; }
  static constexpr TunnelSet All() { return TunnelSet((uint32_t{1} << kTunnels) - 1); }
  constexpr void Add(Tunnel tunnel) { bits_ |= uint32_t{1} << static_cast<unsigned>(tunnel); }
  constexpr bool Has(Tunnel tunnel) const { return (bits_ >> static_cast<unsigned>(tunnel) & 1) != 0; }
  constexpr bool empty() const { return bits_ == 0; }

 private:
  static_assert(kTunnels <= 32);
  constexpr explicit TunnelSet(uint32_t bits) : bits_(bits) {}

  uint32_t bits_ = 0;
};

// An IP packet within another one.
struct CarriedPacket {
  Tunnel tunnel;
  uint32_t network;  // see OuterLayer
  uint8_t version;   // of IP
  const uint8_t* ip;
  uint32_t captured_bytes;  // from `ip` on; its header, without options, is among them
  uint32_t wire_bytes;
};

// Opens the tunnel in the content of an IP datagram, where it is one of `opened`: by its IP protocol or its usual UDP
// port at either end, and if all that its header and the inner packet's promise fits. It depends on these bytes alone,
// so that every worker says the same. False: there is none; the datagram is what its own headers say.
bool OpenTunnel(TunnelSet opened, const IpPayload& ip, CarriedPacket& carried);
// Whether a datagram of that protocol may carry one that is opened; asked before its headers are read.
bool MayCarry(TunnelSet opened, uint8_t protocol);

}  // namespace vedette
