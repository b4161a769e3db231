#include "sensor/decode/extension_headers.h"

namespace vedette {
namespace {

constexpr uint32_t kFragmentHeaderBytes = 8;
constexpr uint8_t kJumboOption = 0xc2;

// RFC 2675: an option of the hop-by-hop header.
bool HasJumboOption(const uint8_t* header, uint32_t bytes) {
  for (uint32_t at = 2; at < bytes;) {
    if (header[at] == kJumboOption) return true;
    if (header[at] == 0) {  // one byte of padding
      ++at;
    } else if (at + 1 < bytes) {
      at += 2u + header[at + 1];
    } else {
      break;
    }
  }
  return false;
}

}  // namespace

NotDecoded ExtensionHeaders::Walk() {
  while (IsExtension(protocol_, version_)) {
    if (++num_headers_ > kMaxExtensionHeaders) return Bad();
    if (captured_bytes_ < 2) return wire_bytes_ < 2 ? Bad() : NotDecoded::kIpTruncated;
    uint32_t length = (data_[1] + 1u) * 8;
    if (protocol_ == kIpProtoFragment) length = kFragmentHeaderBytes;
    if (protocol_ == kIpProtoAuthentication) length = (data_[1] + 2u) * 4;
    if (length > wire_bytes_) return Bad();
    if (length > captured_bytes_) return NotDecoded::kIpTruncated;
    const uint8_t next = data_[0];
    if (protocol_ == kIpProtoHopByHop && HasJumboOption(data_, length)) return NotDecoded::kIpv6Jumbogram;
    if (protocol_ == kIpProtoFragment) {
      if (had_fragment_) return Bad();
      had_fragment_ = true;
      fragment_field_ = LoadU16(data_ + 2);
      identification_ = LoadU32(data_ + 4);
      Advance(length);
      protocol_ = next;
      // RFC 6946: a fragment that is the whole datagram is no fragment.
      at_fragment_ = fragment_offset() != 0 || more_fragments();
      if (at_fragment_) return kDecoded;
      continue;
    }
    Advance(length);
    protocol_ = next;
  }
  return kDecoded;
}

NotDecoded ExtensionHeaders::WalkPastFragment() {
  at_fragment_ = false;
  return Walk();
}

}  // namespace vedette
