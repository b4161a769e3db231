// Blocks of addresses: "192.0.2.0/24", "2001:db8::/32", or one address; and the parts of such texts, for whoever says
// more precisely what is wrong with one.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "parsers/base/address.h"

namespace vedette {

// Bits of its addresses: 32 or 128.
inline unsigned WidthOf(const IpAddress& address) { return address.is_v4() ? 32 : 128; }

// `address` with all bits behind the first `length` cleared; length at most WidthOf(address).
IpAddress MaskAddress(const IpAddress& address, unsigned length);

// What stands behind the slash of such an address: a number up to its width.
std::optional<unsigned> ParsePrefixLength(std::string_view digits, const IpAddress& address);

class Network {
 public:
  // nullopt for anything else, and where bits are set behind the prefix: such a text has a mistake on one of its sides.
  static std::optional<Network> Parse(std::string_view text);

  bool Contains(const IpAddress& address) const {
    return address.version() == base_.version() && MaskAddress(address, prefix_) == base_;
  }
  const IpAddress& base() const { return base_; }
  unsigned prefix_bits() const { return prefix_; }
  std::string ToString() const;  // with its prefix length, always

 private:
  IpAddress base_;
  unsigned prefix_ = 0;  // bits, 0-32 or 0-128
};

}  // namespace vedette
