// What a command says on standard error: on one line, whatever is in the names and feeds that it speaks of.
#pragma once

#include <fmt/format.h>

#include <cstdio>
#include <string_view>

#include "parsers/text.h"

namespace vedette {

inline void Complain(std::string_view what) { fmt::print(stderr, "vedette: {}\n", ForTerminal(what)); }
inline void Warn(std::string_view what) { fmt::print(stderr, "warning: {}\n", ForTerminal(what)); }
// Of several lines, such as a configuration's errors.
inline void ComplainInLines(std::string_view what) {
  const size_t end = what.find('\n');
  Complain(what.substr(0, end));
  if (end == std::string_view::npos) return;
  for (what.remove_prefix(end + 1);; what.remove_prefix(what.find('\n') + 1)) {
    fmt::print(stderr, "{}\n", ForTerminal(what.substr(0, what.find('\n'))));
    if (what.find('\n') == std::string_view::npos) return;
  }
}

}  // namespace vedette
