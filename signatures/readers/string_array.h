// JSON arrays of texts (RFC 8259), as the columns for tags and recipients have them.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vedette {

constexpr size_t kMaxArrayElements = 256;  // tags or recipients of one indicator
// nullopt: it is something else.
std::optional<std::vector<std::string>> ParseStringArray(std::string_view json);

}  // namespace vedette
