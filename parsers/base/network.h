// A block of addresses: "192.0.2.0/24", "2001:db8::/32", or one address.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "parsers/base/address.h"

namespace vedette {

class Network {
 public:
  // nullopt for anything else, and where bits are set behind the prefix: such a text has a mistake on one of its sides.
  static std::optional<Network> Parse(std::string_view text);

  bool Contains(const IpAddress& address) const;
  std::string ToString() const;  // with its prefix length, always

 private:
  IpAddress base_;
  unsigned prefix_ = 0;  // bits, 0-32 or 0-128
};

}  // namespace vedette
