#include "parsers/base/network.h"

#include <array>
#include <charconv>

namespace vedette {
IpAddress MaskAddress(const IpAddress& address, unsigned length) {
  std::array<uint8_t, 16> bytes = address.bytes();
  const unsigned kept = address.is_v4() ? length + 96 : length;
  for (unsigned i = 0; i < 16; ++i) {
    const unsigned from = i * 8;
    if (from >= kept) {
      bytes[i] = 0;
    } else if (from + 8 > kept) {
      bytes[i] = static_cast<uint8_t>(bytes[i] & 0xff << (8 - (kept - from)));
    }
  }
  return address.is_v4() ? IpAddress::V4(bytes.data() + 12) : IpAddress::V6(bytes.data());
}

std::optional<unsigned> ParsePrefixLength(std::string_view digits, const IpAddress& address) {
  unsigned length = 0;
  const auto [end, status] = std::from_chars(digits.data(), digits.data() + digits.size(), length);
  if (status != std::errc() || end != digits.data() + digits.size() || length > WidthOf(address)) return std::nullopt;
  return length;
}

std::optional<Network> Network::Parse(std::string_view text) {
  const size_t slash = text.find('/');
  const std::optional<IpAddress> base = IpAddress::Parse(text.substr(0, slash));
  if (!base) return std::nullopt;
  const std::optional<unsigned> prefix =
      slash == std::string_view::npos ? WidthOf(*base) : ParsePrefixLength(text.substr(slash + 1), *base);
  if (!prefix || MaskAddress(*base, *prefix) != *base) return std::nullopt;
  Network network;
  network.base_ = *base;
  network.prefix_ = *prefix;
  return network;
}

std::string Network::ToString() const { return base_.ToString() + "/" + std::to_string(prefix_); }

}  // namespace vedette
