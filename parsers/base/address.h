// An IPv4 or IPv6 address as a value.
#pragma once

#include <emmintrin.h>

#include <array>
#include <bit>
#include <compare>
#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "parsers/base/bytes.h"

namespace vedette {

// Sixteen bytes in network order and the version. An IPv4 address stands in its mapped form (::ffff:a.b.c.d), so that
// both versions sort and hash alike; the version keeps an IPv6 packet that carries a mapped address apart from IPv4.
class IpAddress {
 public:
  IpAddress() = default;

  // `network_order`: 4 bytes.
  static IpAddress V4(const uint8_t* network_order) {
    int last;
    std::memcpy(&last, network_order, sizeof last);
    IpAddress address;
    // One store of all 16 bytes: a load of them that follows would wait for several smaller ones.
    address.bytes_ = std::bit_cast<std::array<uint8_t, 16>>(_mm_set_epi32(last, kMappedWord, 0, 0));
    address.version_ = 4;
    return address;
  }
  // `network_order`: 16 bytes.
  static IpAddress V6(const uint8_t* network_order) {
    IpAddress address;
    std::memcpy(address.bytes_.data(), network_order, 16);
    address.version_ = 6;
    return address;
  }
  // Dotted quad (four decimal numbers, no leading zeros) or RFC 4291 section 2.2 text; nothing around it, no zone.
  static std::optional<IpAddress> Parse(std::string_view text);

  // An IPv6 address of the mapped form as the IPv4 address in it (RFC 4291 section 2.5.5.2); any other as it is.
  IpAddress Unmapped() const {
    static constexpr std::array<uint8_t, 12> kPrefix = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    IpAddress out = *this;
    if (version_ == 6 && std::memcmp(bytes_.data(), kPrefix.data(), kPrefix.size()) == 0) out.version_ = 4;
    return out;
  }

  bool is_v4() const { return version_ == 4; }
  bool is_v6() const { return version_ == 6; }
  uint8_t version() const { return version_; }  // 4, 6, or 0 for "no address"
  // The mapped form: 16 bytes.
  const std::array<uint8_t, 16>& bytes() const { return bytes_; }
  // The address as on the wire: 4 or 16 bytes.
  Bytes wire() const { return is_v4() ? Bytes(bytes_).subspan(12) : Bytes(bytes_); }
  uint64_t high() const { return Word(0); }
  uint64_t low() const { return Word(8); }

  // Private, loopback, link-local, multicast, documentation, reserved: RFC 6890 and its IPv6 part. Such an address is
  // refused as an indicator and never looked up in a geolocation database.
  bool IsSpecial() const;

  // RFC 5952. An address with IPv4 in its last four bytes (::a.b.c.d, ::ffff:a.b.c.d) shows it as a dotted quad.
  std::string ToString() const;

  friend bool operator==(const IpAddress&, const IpAddress&) = default;
  friend auto operator<=>(const IpAddress&, const IpAddress&) = default;

 private:
  static constexpr int kMappedWord = static_cast<int>(0xffff0000);  // bytes 8 to 11: 00 00 ff ff

  uint64_t Word(size_t offset) const {
    uint64_t word;
    std::memcpy(&word, bytes_.data() + offset, 8);
    return word;
  }

  std::array<uint8_t, 16> bytes_{};
  uint8_t version_ = 0;
};

// A well mixed 64-bit hash; the same in every run.
inline uint64_t Mix64(uint64_t x) {
  x ^= x >> 32;
  x *= 0xd6e8feb86659fd93ull;
  x ^= x >> 32;
  x *= 0xd6e8feb86659fd93ull;
  x ^= x >> 32;
  return x;
}
inline uint64_t HashOf(const IpAddress& address) {
  return Mix64(address.low() * 0x9e3779b97f4a7c15ull ^ Mix64(address.high() + address.version()));
}

}  // namespace vedette

template <>
struct std::hash<vedette::IpAddress> {
  size_t operator()(const vedette::IpAddress& address) const noexcept { return vedette::HashOf(address); }
};
