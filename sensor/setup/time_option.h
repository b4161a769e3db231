// The times that people write on the command line.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace vedette {

// Nanoseconds since 1970 of: a date and time as in RFC 3339 ("2026-11-23T10:00:00Z", with fraction or offset), without
// seconds or zone too (UTC then), with a blank for the T; a date (its first instant); seconds since 1970, with a
// fraction or without. nullopt, with `reason` and what to write instead, for what is none, does not fit, or could be
// two things.
std::optional<uint64_t> ParseTime(std::string_view text, std::string& reason);

}  // namespace vedette
