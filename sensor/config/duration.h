// Durations as people write them: "90s", "5m", "24h", "7d".
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace vedette {

// A whole number and its unit (s, m, h, d); at most ten years. nullopt for anything else.
std::optional<std::chrono::seconds> ParseDuration(std::string_view text);

// The shortest exact form: 86400 s is "1d", 90 s is "90s".
std::string DurationText(std::chrono::seconds duration);

}  // namespace vedette
