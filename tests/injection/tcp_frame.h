// TCP segments as frames of a capture: parsed, and built on the pattern of another frame.
//
// Written only for the tests, and deliberately without the sensor's decoder: a test of the sensor must not share its
// mistakes. Only finding the IP header (sensor/decode/link.h) is shared.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "parsers/base/bytes.h"
#include "sensor/capture/frame.h"

namespace vedette::injection {

constexpr uint8_t kFin = 0x01, kSyn = 0x02, kRst = 0x04, kPsh = 0x08, kAck = 0x10;

// Where the parts of a frame are, in bytes from its start, and the content of its TCP header.
struct TcpFrame {
  uint32_t ip = 0, tcp = 0, payload = 0;  // offsets
  uint32_t payload_bytes = 0;             // as the IP header says
  uint32_t captured_payload_bytes = 0;    // the same where the frame is whole
  uint8_t version = 0;                    // of IP
  uint8_t flags = 0;
  uint16_t window = 0;  // as in the header, without its scale
  uint32_t sequence = 0, acknowledgment = 0;
  uint16_t source_port = 0, destination_port = 0;

  bool whole() const { return captured_payload_bytes == payload_bytes; }
  bool has(uint8_t flag) const { return (flags & flag) != 0; }
  // Sequence numbers that it takes up.
  uint32_t length() const { return payload_bytes + (has(kSyn) ? 1 : 0) + (has(kFin) ? 1 : 0); }
};

// False: not TCP over IPv4 or IPv6 in one piece (fragments, extension headers, a header that is cut off).
bool Parse(const Frame& frame, TcpFrame& out);

// Addresses and ports, the same for both directions.
std::string FlowKeyOf(const Frame& frame, const TcpFrame& tcp);

enum class Options : uint8_t {
  kNone,
  kKeep,          // those of the pattern
  kOldTimestamp,  // a timestamp far before that of the pattern (RFC 7323 section 5: the receiver drops the segment)
  kMd5,           // a signature that nobody agreed on (RFC 2385: the receiver drops the segment)
};

struct Segment {
  uint32_t sequence = 0, acknowledgment = 0;
  uint8_t flags = kAck;
  int32_t window = -1;  // -1: that of the pattern
  Bytes payload = {};
  Options options = Options::kNone;
  uint8_t ttl = 0;  // 0: that of the pattern
  bool wrong_checksum = false;
  uint32_t trailer_bytes = 0;  // zeros after the IP datagram
};

// A segment with the link header, addresses and ports of `pattern`, which was parsed as `parsed`; `reversed`: it
// goes the other way. Checksums are correct unless requested otherwise; Ethernet frames have at least 60 bytes.
std::vector<uint8_t> Build(const Frame& pattern, const TcpFrame& parsed, bool reversed, const Segment& segment);

// The frame's IP datagram in two fragments, each in its own frame: first the one with the headers. Empty if it
// is too short to be split or the frame is not complete.
std::vector<std::vector<uint8_t>> Fragmented(const Frame& frame, const TcpFrame& parsed, uint32_t identification);

// RFC 1071 over both, the first of an even number of bytes.
uint16_t InternetChecksum(Bytes first, Bytes second = {});
// Of the frame's TCP segment with its pseudo header: 0 where the one in the header is right.
uint16_t TcpChecksumError(const Frame& frame, const TcpFrame& parsed);

}  // namespace vedette::injection
