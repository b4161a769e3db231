// Writing comma-separated values (RFC 4180). Reading them: signatures/readers/csv.h, which takes what is written here
// with any of its separators; csv_test.cc there holds the two together.
#pragma once

#include <string>
#include <string_view>

namespace vedette {

// Appends one field: in quotation marks, its own doubled, where it could else be read as something else (a separator, a
// line end, a quotation mark; a blank at one of its ends, which programs drop).
void AppendCsvField(std::string_view field, std::string& out);

}  // namespace vedette
