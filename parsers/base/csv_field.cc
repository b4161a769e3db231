#include "parsers/base/csv_field.h"

namespace vedette {

void AppendCsvField(std::string_view field, std::string& out) {
  const bool has_edge = !field.empty() && (field.front() == ' ' || field.back() == ' ');
  if (!has_edge && field.find_first_of(",;\t\"'\r\n") == std::string_view::npos) {
    out += field;
    return;
  }
  out += '"';
  for (const char c : field) {
    if (c == '"') out += '"';
    out += c;
  }
  out += '"';
}

}  // namespace vedette
