// What a regular expression may cost and has to say, so that it can be looked for; and how values write one.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "signatures/patterns/regex.h"

namespace vedette {

// Bounds of one expression, because compiling one can take longer than ten thousand others.
constexpr size_t kMaxRegexBytes = 2048;     // as written
constexpr size_t kMaxRegexPositions = 512;  // bytes with bounded repetitions written out: up to half a millisecond each
constexpr unsigned kMaxRegexDepth = 50;     // groups in groups
constexpr size_t kMinRegexBytes = 3;        // of the shortest match, as for contents
constexpr double kMinRegexBits = 16;        // what has to be fixed at least: three letters in either case
constexpr size_t kMinRegexLiteral = 3;      // for payload: given bytes in a row
constexpr size_t kMaxRegexRun = 7;          // equal bytes in a row; with 8, long runs slow the whole scan down

// Whether it is within the bounds and says enough to be looked for. False, with `reason`.
[[nodiscard]] bool IsUsable(const Regex& regex, std::string& reason);

// Whether streams can be searched for it, cut anywhere, and without slowing everything else down. False, with `reason`.
[[nodiscard]] bool FitsPayload(const Regex& regex, std::string& reason);

// The expression in a value: /expression/flags becomes (?flags)expression, anything else stays. False, with `reason`:
// a flag that cannot be honoured.
[[nodiscard]] bool WithoutSlashes(std::string_view value, std::string& expression, std::string& reason);

}  // namespace vedette
