#include "parsers/address.h"

#include <arpa/inet.h>

namespace vedette {
namespace {

struct Range {
  const char* prefix;
  int bits;
};

// RFC 6890 with its registry's later entries; multicast and the class E block besides.
constexpr Range kSpecialV4[] = {
    {"0.0.0.0", 8},       {"10.0.0.0", 8},     {"100.64.0.0", 10}, {"127.0.0.0", 8},    {"169.254.0.0", 16},
    {"172.16.0.0", 12},   {"192.0.0.0", 24},   {"192.0.2.0", 24},  {"192.168.0.0", 16}, {"198.18.0.0", 15},
    {"198.51.100.0", 24}, {"203.0.113.0", 24}, {"224.0.0.0", 4},   {"240.0.0.0", 4},
};
constexpr Range kSpecialV6[] = {
    {"::", 128},    {"::1", 128},  {"100::", 64},  {"2001:db8::", 32},
    {"3fff::", 20}, {"fc00::", 7}, {"fe80::", 10}, {"ff00::", 8},
};

bool HasPrefix(const uint8_t* address, const uint8_t* prefix, int bits) {
  const int whole = bits / 8;
  if (std::memcmp(address, prefix, static_cast<size_t>(whole)) != 0) return false;
  if (bits % 8 == 0) return true;
  const auto mask = static_cast<uint8_t>(0xff << (8 - bits % 8));
  return (address[whole] & mask) == (prefix[whole] & mask);
}

template <size_t N>
bool InAny(const Range (&ranges)[N], int family, const uint8_t* address) {
  for (const Range& range : ranges) {
    uint8_t prefix[16];
    if (inet_pton(family, range.prefix, prefix) == 1 && HasPrefix(address, prefix, range.bits)) return true;
  }
  return false;
}

constexpr size_t kMaxTextBytes = INET6_ADDRSTRLEN;  // the longest text either form has, with its terminator

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
  if (is_v4()) return InAny(kSpecialV4, AF_INET, bytes_.data() + 12);
  static constexpr uint8_t kMapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  if (is_v6() && std::memcmp(bytes_.data(), kMapped, sizeof kMapped) == 0) return true;
  return is_v6() && InAny(kSpecialV6, AF_INET6, bytes_.data());
}

std::string IpAddress::ToString() const {
  char buffer[kMaxTextBytes];
  if (version_ == 0) return {};
  const void* source = is_v4() ? bytes_.data() + 12 : bytes_.data();
  return inet_ntop(is_v4() ? AF_INET : AF_INET6, source, buffer, sizeof buffer);
}

}  // namespace vedette
