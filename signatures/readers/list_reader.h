// Lists of indicators: one value a line, comments, hosts files, scores.
#pragma once

#include <string_view>
#include <vector>

namespace vedette {

// What a line holds. The views lie in the line.
struct ListLine {
  bool from_hosts_file = false;          // "0.0.0.0 bad.example": the values are exact names
  std::vector<std::string_view> values;  // none: a blank line or a comment
  std::string_view note;                 // what follows the value: a comment, or a score
};

// `line` without its end. A comment begins with # or ; at the front of a line or behind a blank, because both may stand
// in a URL. `out` is reused between lines.
void ReadListLine(std::string_view line, ListLine& out);

}  // namespace vedette
