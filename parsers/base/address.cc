#include "parsers/base/address.h"

#include <arpa/inet.h>

namespace vedette {
namespace {

// A prefix: the leading `bits` of these bytes, the others being zero.
struct Range {
  std::array<uint8_t, 4> bytes;
  unsigned bits;
};

// RFC 6890 with its registry's later entries; multicast and the class E block besides.
constexpr Range kSpecialV4[] = {
    {{0}, 8},              // "this network"
    {{10}, 8},             // private
    {{100, 64}, 10},       // shared, for carriers
    {{127}, 8},            // loopback
    {{169, 254}, 16},      // link-local
    {{172, 16}, 12},       // private
    {{192, 0, 0}, 24},     // protocol assignments
    {{192, 0, 2}, 24},     // documentation
    {{192, 168}, 16},      // private
    {{198, 18}, 15},       // benchmarks
    {{198, 51, 100}, 24},  // documentation
    {{203, 0, 113}, 24},   // documentation
    {{224}, 4},            // multicast
    {{240}, 4},            // reserved
};
constexpr Range kSpecialV6[] = {
    {{0x20, 0x01, 0x0d, 0xb8}, 32},  // documentation
    {{0x3f, 0xff}, 20},              // documentation
    {{0xfc}, 7},                     // unique local
    {{0xfe, 0x80}, 10},              // link-local
    {{0xff}, 8},                     // multicast
};

constexpr uint32_t BigEndian32(const uint8_t* bytes) {
  return static_cast<uint32_t>(bytes[0]) << 24 | static_cast<uint32_t>(bytes[1]) << 16 |
         static_cast<uint32_t>(bytes[2]) << 8 | bytes[3];
}

// `first`: the first four bytes of an address.
template <size_t N>
constexpr bool InAny(const Range (&ranges)[N], uint32_t first) {
  for (const Range& range : ranges) {
    if (((first ^ BigEndian32(range.bytes.data())) >> (32 - range.bits)) == 0) return true;
  }
  return false;
}

constexpr size_t kMaxTextBytes = INET6_ADDRSTRLEN;  // the longest text either form has, with its terminator

// Alerts hold a dozen addresses: inet_ntop, which goes through sprintf, took a fifth of an alert's time.

char* WriteV4(const uint8_t* bytes, char* out) {
  for (int i = 0; i < 4; ++i) {
    const unsigned byte = bytes[i];
    if (i != 0) *out++ = '.';
    if (byte >= 100) *out++ = static_cast<char>('0' + byte / 100);
    if (byte >= 10) *out++ = static_cast<char>('0' + byte / 10 % 10);
    *out++ = static_cast<char>('0' + byte % 10);
  }
  return out;
}

char* WriteGroup(unsigned group, char* out) {
  constexpr char kDigits[] = "0123456789abcdef";
  if (group >= 0x1000) *out++ = kDigits[group >> 12];
  if (group >= 0x100) *out++ = kDigits[group >> 8 & 15];
  if (group >= 0x10) *out++ = kDigits[group >> 4 & 15];
  *out++ = kDigits[group & 15];
  return out;
}

// RFC 5952: the longest run of zeros, of two groups at least and the first of several, becomes "::".
char* WriteV6(const uint8_t* bytes, char* out) {
  constexpr int kGroups = 8;
  unsigned groups[kGroups];
  for (int i = 0; i < kGroups; ++i) groups[i] = static_cast<unsigned>(bytes[2 * i]) << 8 | bytes[2 * i + 1];
  int begin = -1, length = 1;
  for (int i = 0; i < kGroups;) {
    int end = i;
    while (end < kGroups && groups[end] == 0) ++end;
    if (end - i > length) {
      begin = i;
      length = end - i;
    }
    i = end + 1;
  }
  const bool holds_v4 = begin == 0 && (length == 6 || (length == 5 && groups[5] == 0xffff));
  for (int i = 0; i < kGroups;) {
    if (i == begin) {
      *out++ = ':';
      i += length;
      if (i == kGroups) *out++ = ':';
      continue;
    }
    if (i != 0) *out++ = ':';
    if (i == 6 && holds_v4) return WriteV4(bytes + 12, out);
    out = WriteGroup(groups[i++], out);
  }
  return out;
}

}  // namespace

std::optional<IpAddress> IpAddress::Parse(std::string_view text) {
  char buffer[kMaxTextBytes];
  if (text.empty() || text.size() >= sizeof buffer) return std::nullopt;
  std::memcpy(buffer, text.data(), text.size());
  buffer[text.size()] = 0;
  uint8_t bytes[16];
  if (text.find(':') != std::string_view::npos) {
    if (inet_pton(AF_INET6, buffer, bytes) != 1) return std::nullopt;
    return V6(bytes);
  }
  if (inet_pton(AF_INET, buffer, bytes) != 1) return std::nullopt;
  return V4(bytes);
}

bool IpAddress::IsSpecial() const {
  if (is_v4()) return InAny(kSpecialV4, BigEndian32(bytes_.data() + 12));
  if (!is_v6()) return false;
  static constexpr uint8_t kMapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  static constexpr uint8_t kDiscard[8] = {0x01, 0x00};  // 100::/64, RFC 6666
  static constexpr uint8_t kUnspecified[15] = {};       // ::, and ::1 below
  return InAny(kSpecialV6, BigEndian32(bytes_.data())) || std::memcmp(bytes_.data(), kMapped, sizeof kMapped) == 0 ||
         std::memcmp(bytes_.data(), kDiscard, sizeof kDiscard) == 0 ||
         (std::memcmp(bytes_.data(), kUnspecified, sizeof kUnspecified) == 0 && bytes_[15] <= 1);
}

std::string IpAddress::ToString() const {
  char buffer[kMaxTextBytes];
  if (version_ == 0) return {};
  const char* const end = is_v4() ? WriteV4(bytes_.data() + 12, buffer) : WriteV6(bytes_.data(), buffer);
  return {buffer, static_cast<size_t>(end - buffer)};
}

}  // namespace vedette
