// The chain of headers between an IP header and what it carries: of IPv6 (RFC 8200 section 4, RFC 4302, RFC 6275,
// RFC 7401), and the authentication header of IPv4 (RFC 4302 section 3.1.1), which has no others.
#pragma once

#include <cstdint>

#include "sensor/decode/link.h"
#include "sensor/decode/packet.h"

namespace vedette {

class ExtensionHeaders {
 public:
  // `protocol`: of the first header at `data`; `wire_bytes` as the IP header says, at least `captured_bytes`; `version`
  // of IP.
  ExtensionHeaders(uint8_t protocol, const uint8_t* data, uint32_t captured_bytes, uint32_t wire_bytes,
                   uint8_t version = 6)
      : protocol_(protocol), version_(version), data_(data), captured_bytes_(captured_bytes), wire_bytes_(wire_bytes) {}

  // To the first header that is none of the chain, or to a fragment header: then at_fragment(), and data() is what
  // follows it. kDecoded, or why not; protocol() is then that of the header that stopped it.
  NotDecoded Walk();
  // As Walk, from the content of a first fragment on. A second fragment header is refused.
  NotDecoded WalkPastFragment();

  bool at_fragment() const { return at_fragment_; }
  // RFC 8200 section 4.5; valid once a fragment header was met.
  uint32_t fragment_offset() const { return fragment_field_ & 0xfff8u; }
  bool more_fragments() const { return (fragment_field_ & 1) != 0; }
  uint32_t identification() const { return identification_; }

  uint8_t protocol() const { return protocol_; }
  const uint8_t* data() const { return data_; }
  uint32_t captured_bytes() const { return captured_bytes_; }
  uint32_t wire_bytes() const { return wire_bytes_; }

  static constexpr bool IsExtension(uint8_t protocol, uint8_t version = 6) {
    if (version == 4) return protocol == kIpProtoAuthentication;
    switch (protocol) {
      case kIpProtoHopByHop:
      case kIpProtoRouting:
      case kIpProtoFragment:
      case kIpProtoAuthentication:
      case kIpProtoDestination:
      case kIpProtoMobility:
      case kIpProtoHip:
      case kIpProtoShim6:
        return true;
      default:
        return false;
    }
  }

 private:
  void Advance(uint32_t bytes) {
    data_ += bytes;
    captured_bytes_ -= bytes;
    wire_bytes_ -= bytes;
  }

  NotDecoded Bad() const { return version_ == 4 ? NotDecoded::kIpLengthBad : NotDecoded::kIpv6ExtensionBad; }

  uint8_t protocol_;
  uint8_t version_;
  bool at_fragment_ = false;
  bool had_fragment_ = false;
  uint16_t fragment_field_ = 0;
  uint32_t identification_ = 0;
  size_t num_headers_ = 0;
  const uint8_t* data_;
  uint32_t captured_bytes_;
  uint32_t wire_bytes_;
};

}  // namespace vedette
