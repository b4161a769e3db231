// Reading a regular expression: PCRE's syntax as far as one pass over the bytes can answer it.
//
// What is left out (back-references, look-around, atomic groups and others) is refused with what to do instead. The
// dialect is described in signatures/indicators.md.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "signatures/patterns/regex.h"

namespace vedette {

// `caseless`: as if it began with (?i). nullopt, with `reason`, where it cannot be read.
std::optional<Regex> ParseRegex(std::string_view text, bool caseless, std::string& reason);

}  // namespace vedette
