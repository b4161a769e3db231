// The headers of tunnels: each reader says whether the bytes are one, and what follows it.
//
// The readers judge every field that has a fixed value, because most tunnels over UDP are told by their bytes alone.
// Whether what follows fits is judged by Fits.
#pragma once

#include <cstddef>
#include <cstdint>

#include "parsers/base/bytes.h"

namespace vedette {

enum class TunnelContent : uint8_t {
  kNothing,   // no packet that could be read: a control message, or encrypted
  kIp,        // an IP packet, of either version
  kEthernet,  // a frame, from its addresses on
};

// What is left of a datagram, and how much of it the capture has not. A reader moves it behind its header.
struct Carried {
  ByteReader reader;
  size_t missing_bytes = 0;
  TunnelContent content = TunnelContent::kNothing;
  uint32_t network = 0;  // see OuterLayer

  size_t wire_bytes() const { return reader.remaining() + missing_bytes; }
};

// False: it is not this header; `carried` is of no use any more.
using TunnelHeaderReader = bool (*)(Carried& carried);

bool ReadVxlan(Carried& carried);
bool ReadGeneve(Carried& carried);
bool ReadGtpU(Carried& carried);
bool ReadTeredo(Carried& carried);
bool ReadL2tp(Carried& carried);
bool ReadWireguard(Carried& carried);
bool ReadGre(Carried& carried);
bool ReadMpls(Carried& carried);
bool ReadTzsp(Carried& carried);
bool ReadNoHeader(Carried& carried);  // an IP packet and nothing before it
bool ReadEtherIp(Carried& carried);

// Whether what follows the header is what it says: an IP packet that fills the rest, or leaves less than an Ethernet
// frame's padding, or a frame with one or with ARP.
bool Fits(const Carried& carried);

}  // namespace vedette
