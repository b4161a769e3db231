// Integers out of bytes at any address.
#pragma once

#include <cstdint>
#include <cstring>

namespace vedette {

// In the byte order of this machine, or in the other: a capture file has that of the machine that wrote it.
template <bool kSwapped>
inline uint16_t LoadU16(const uint8_t* at) {
  uint16_t value;
  std::memcpy(&value, at, sizeof value);
  return kSwapped ? __builtin_bswap16(value) : value;
}
template <bool kSwapped>
inline uint32_t LoadU32(const uint8_t* at) {
  uint32_t value;
  std::memcpy(&value, at, sizeof value);
  return kSwapped ? __builtin_bswap32(value) : value;
}
template <bool kSwapped>
inline uint64_t LoadU64(const uint8_t* at) {
  uint64_t value;
  std::memcpy(&value, at, sizeof value);
  return kSwapped ? __builtin_bswap64(value) : value;
}

}  // namespace vedette
