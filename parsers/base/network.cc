#include "parsers/base/network.h"

#include <charconv>

namespace vedette {
namespace {

// Whether the first `bits` of both are the same.
bool SamePrefix(Bytes a, Bytes b, unsigned bits) {
  const size_t whole = bits / 8;
  for (size_t i = 0; i < whole; ++i) {
    if (a[i] != b[i]) return false;
  }
  if (bits % 8 == 0) return true;
  const unsigned shift = 8 - bits % 8;
  return static_cast<unsigned>(a[whole]) >> shift == static_cast<unsigned>(b[whole]) >> shift;
}

// Whether all bits from `bits` on are 0.
bool EndsInZeros(Bytes bytes, unsigned bits) {
  for (size_t i = bits; i < bytes.size() * 8; ++i) {
    if ((static_cast<unsigned>(bytes[i / 8]) >> (7 - i % 8) & 1U) != 0) return false;
  }
  return true;
}

}  // namespace

std::optional<Network> Network::Parse(std::string_view text) {
  const size_t slash = text.find('/');
  const std::optional<IpAddress> base = IpAddress::Parse(text.substr(0, slash));
  if (!base) return std::nullopt;
  Network network;
  network.base_ = *base;
  const unsigned longest = static_cast<unsigned>(base->wire().size()) * 8;
  network.prefix_ = longest;
  if (slash != std::string_view::npos) {
    const std::string_view digits = text.substr(slash + 1);
    const auto [end, status] = std::from_chars(digits.data(), digits.data() + digits.size(), network.prefix_);
    if (status != std::errc() || end != digits.data() + digits.size() || network.prefix_ > longest) return std::nullopt;
  }
  if (!EndsInZeros(base->wire(), network.prefix_)) return std::nullopt;
  return network;
}

bool Network::Contains(const IpAddress& address) const {
  return address.version() == base_.version() && SamePrefix(address.wire(), base_.wire(), prefix_);
}

std::string Network::ToString() const { return base_.ToString() + "/" + std::to_string(prefix_); }

}  // namespace vedette
