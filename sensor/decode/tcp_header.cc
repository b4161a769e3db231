#include "sensor/decode/tcp_header.h"

#include <algorithm>

namespace vedette {
namespace {

constexpr size_t kFixedBytes = 20;

// The sum of 16-bit words (RFC 1071); an odd last byte is the high one.
uint64_t Sum(Bytes bytes) {
  uint64_t sum = 0;
  size_t i = 0;
  for (; i + 1 < bytes.size(); i += 2) sum += static_cast<uint64_t>(bytes[i]) << 8 | bytes[i + 1];
  if (i < bytes.size()) sum += static_cast<uint64_t>(bytes[i]) << 8;
  return sum;
}

size_t HeaderBytes(const Packet& packet) { return (packet.tcp_header[12] >> 4) * size_t{4}; }

}  // namespace

Checksum ChecksumOf(const Packet& packet) {
  if (packet.truncated || packet.tcp_header == nullptr) return Checksum::kUnknown;
  const Bytes segment(packet.tcp_header, HeaderBytes(packet) + packet.payload.size());
  uint64_t sum = Sum(packet.source.wire()) + Sum(packet.destination.wire()) + kIpProtoTcp + segment.size();
  sum += Sum(segment);
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
