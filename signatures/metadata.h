// Texts of an indicator's other columns.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vedette {

// RFC 3339 date and time ("2026-11-23T10:00:00.5Z", "…+01:00"), as nanoseconds since 1970; 1970 to 2261. A leap second
// is read as the second before it.
std::optional<int64_t> ParseTimestamp(std::string_view text);

// A JSON array of strings (RFC 8259). nullopt: it is something else.
constexpr size_t kMaxArrayElements = 256;  // tags or recipients of one indicator
std::optional<std::vector<std::string>> ParseStringArray(std::string_view json);

}  // namespace vedette
