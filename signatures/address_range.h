// Ranges of addresses, netmasks and wildcard masks as address blocks.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "parsers/base/address.h"

namespace vedette {

// The fewest blocks ("20.1.2.0/24") that cover `first` to `last`, at most `limit` of them. Empty where the two are of
// different versions, or `last` comes before `first`.
std::vector<std::string> BlocksOf(const IpAddress& first, const IpAddress& last, size_t limit);

// The prefix length that a netmask (255.255.255.0) or a wildcard mask (0.0.0.255) stands for; nullopt where it is none,
// or one of no or all bits.
std::optional<unsigned> PrefixOfMask(const IpAddress& mask);

// 255.255.255.255, as a netmask: one address.
bool IsOneAddress(const IpAddress& mask);

// "020.1.2.3": four numbers, one of them with a leading zero.
bool HasLeadingZero(std::string_view text);

// "20.1.2.0 -20.1.2.255" and "20.1.2.0–20.1.2.255" with a plain hyphen and no blank around it.
std::string WithPlainHyphen(std::string_view text);

}  // namespace vedette
