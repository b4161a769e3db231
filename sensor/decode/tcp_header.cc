#include "sensor/decode/tcp_header.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace vedette {
namespace {

constexpr size_t kFixedBytes = 20;

// The sum of 16-bit words as they lie in memory, in any order of their bytes (RFC 1071 section 2); an odd last byte is
// followed by zero.
uint64_t Sum(Bytes bytes) {
  uint64_t sum = 0;
  for (; bytes.size() >= 4; bytes = bytes.subspan(4)) {
    uint32_t words = 0;
    std::memcpy(&words, bytes.data(), 4);
    sum += words;
  }
  uint32_t rest = 0;
  if (!bytes.empty()) std::memcpy(&rest, bytes.data(), bytes.size());
  return sum + rest;
}

size_t HeaderBytes(const Packet& packet) { return (packet.tcp_header[12] >> 4) * size_t{4}; }

}  // namespace

Checksum ChecksumOf(const Packet& packet) {
  if (packet.truncated || packet.tcp_header == nullptr) return Checksum::kUnknown;
  const Bytes segment(packet.tcp_header, HeaderBytes(packet) + packet.payload.size());
  const auto length = static_cast<uint32_t>(segment.size());
  const std::array<uint8_t, 6> pseudo_header = {static_cast<uint8_t>(length >> 24),
                                                static_cast<uint8_t>(length >> 16),
                                                static_cast<uint8_t>(length >> 8),
                                                static_cast<uint8_t>(length),
                                                0,
                                                kIpProtoTcp};
  uint64_t sum = Sum(packet.source.wire()) + Sum(packet.destination.wire()) + Sum(pseudo_header) + Sum(segment);
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return sum == 0xffff ? Checksum::kRight : Checksum::kWrong;
}

std::optional<uint8_t> WindowScaleOf(const Packet& packet) {
  constexpr uint8_t kEnd = 0, kNoOperation = 1, kWindowScale = 3, kMaxShift = 14;
  if (packet.truncated || packet.tcp_header == nullptr) return std::nullopt;
  ByteReader options(Bytes(packet.tcp_header, HeaderBytes(packet)).subspan(kFixedBytes));
  uint8_t kind = 0, length = 0, shift = 0;
  while (options.ReadU8(kind) && kind != kEnd) {
    if (kind == kNoOperation) continue;
    if (!options.ReadU8(length) || length < 2) break;
    if (kind == kWindowScale && length == 3 && options.ReadU8(shift)) return std::min(shift, kMaxShift);
    if (!options.Skip(length - 2u)) break;
  }
  return uint8_t{0};
}

}  // namespace vedette
