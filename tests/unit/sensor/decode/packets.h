// Hand-made packets, as the bytes on the wire. Checksums are left 0.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "parsers/base/address.h"
#include "sensor/decode/decoder.h"
#include "sensor/decode/link.h"

namespace vedette::testing {

inline std::string Be16(unsigned value) { return {static_cast<char>(value >> 8), static_cast<char>(value)}; }
inline std::string Be32(uint32_t value) { return Be16(value >> 16) + Be16(value & 0xffff); }
inline std::string Zeros(size_t count) { return std::string(count, '\0'); }
inline std::string WireAddress(std::string_view text) { return std::string(AsText(IpAddress::Parse(text)->wire())); }

struct Ipv4 {
  std::string source = "192.0.2.1", destination = "198.51.100.2";
  uint8_t protocol = kIpProtoTcp;
  uint16_t identification = 0;
  uint32_t fragment_offset = 0;  // bytes
  bool more_fragments = false;
  std::string options{};  // a multiple of four bytes
  int total_length = -1;  // as it is where negative
  int header_words = -1;

  std::string operator()(const std::string& payload) const {
    const size_t header_bytes = 20 + options.size();
    const auto words = header_words < 0 ? header_bytes / 4 : static_cast<size_t>(header_words);
    const size_t total = total_length < 0 ? header_bytes + payload.size() : static_cast<size_t>(total_length);
    return std::string{static_cast<char>(0x40 | words), '\0'} + Be16(static_cast<unsigned>(total)) +
           Be16(identification) + Be16((more_fragments ? 0x2000u : 0u) | fragment_offset / 8) + '\x40' +
           static_cast<char>(protocol) + Zeros(2) + WireAddress(source) + WireAddress(destination) + options + payload;
  }
};

struct Ipv6 {
  std::string source = "2001:db8::1", destination = "2001:db8:0:1::2";
  uint8_t next_header = kIpProtoTcp;
  int payload_length = -1;

  std::string operator()(const std::string& payload) const {
    const size_t length = payload_length < 0 ? payload.size() : static_cast<size_t>(payload_length);
    return "\x60" + Zeros(3) + Be16(static_cast<unsigned>(length)) + static_cast<char>(next_header) + '\x40' +
           WireAddress(source) + WireAddress(destination) + payload;
  }
};

// Hop-by-hop, routing, destination options: `units` times eight bytes behind the first eight.
inline std::string Extension(uint8_t next_header, uint8_t units = 0) {
  return std::string{static_cast<char>(next_header), static_cast<char>(units)} + "\x01" + '\x04' +
         Zeros(4 + units * 8u);
}
inline std::string FragmentHeader(uint8_t next_header, uint32_t offset, bool more, uint32_t identification) {
  return std::string{static_cast<char>(next_header), '\0'} + Be16(offset | (more ? 1u : 0u)) + Be32(identification);
}

struct Tcp {
  uint16_t source_port = 40000, destination_port = 80;
  uint32_t sequence = 1000, acknowledgment = 2000;
  uint8_t flags = kTcpAck | kTcpPsh;
  int header_words = 5;

  std::string operator()(const std::string& payload) const {
    return Be16(source_port) + Be16(destination_port) + Be32(sequence) + Be32(acknowledgment) +
           static_cast<char>(header_words << 4) + static_cast<char>(flags) + Zeros(6) +
           (header_words > 5 ? Zeros(static_cast<size_t>(header_words - 5) * 4) : "") + payload;
  }
};

struct Udp {
  uint16_t source_port = 5000, destination_port = 53;
  int length = -1;

  std::string operator()(const std::string& payload) const {
    const size_t said = length < 0 ? 8 + payload.size() : static_cast<size_t>(length);
    return Be16(source_port) + Be16(destination_port) + Be16(static_cast<unsigned>(said)) + Zeros(2) + payload;
  }
};

// type, code, checksum, rest of header
inline std::string Icmp(uint8_t type, uint8_t code, const std::string& body) {
  return std::string{static_cast<char>(type), static_cast<char>(code)} + Zeros(6) + body;
}

inline std::string Ethernet(uint16_t type, const std::string& payload) { return Zeros(12) + Be16(type) + payload; }
inline std::string Vlan(uint16_t id, uint16_t type, const std::string& payload) {
  return Be16(0xe000u | id) + Be16(type) + payload;
}

// A frame that owns its bytes, in an allocation of exact size, so that a sanitizer sees any read outside.
class OwnedFrame {
 public:
  explicit OwnedFrame(const std::string& bytes, uint16_t link_type = kLinkEthernet, uint64_t time_ns = 0,
                      uint32_t wire_bytes = 0)
      : bytes_(bytes.begin(), bytes.end()) {
    frame_.data = bytes_.data();
    frame_.captured_bytes = static_cast<uint32_t>(bytes_.size());
    frame_.wire_bytes = wire_bytes == 0 ? frame_.captured_bytes : wire_bytes;
    frame_.link_type = link_type;
    frame_.time_ns = time_ns;
  }
  const Frame& operator*() const { return frame_; }

 private:
  std::vector<uint8_t> bytes_;
  Frame frame_;
};

}  // namespace vedette::testing
