// What a command says on standard error: on one line, whatever is in the names and feeds that it speaks of.
#pragma once

#include <fmt/format.h>

#include <cstdio>
#include <string>
#include <string_view>
#include <utility>

#include "parsers/base/text.h"
#include "sensor/live/service/journal.h"

namespace vedette {

// Text for a person, who may have closed standard error or filled the disk that it goes to: what cannot be said there
// must not end the run (fmt::print would throw).
template <typename... Values>
void Say(fmt::format_string<Values...> format, Values&&... values) {
  const std::string text = fmt::format(format, std::forward<Values>(values)...);
  static_cast<void>(std::fwrite(text.data(), 1, text.size(), stderr));
}

// In systemd's journal with their priority, which a line that is only said has by default.
inline void Complain(std::string_view what) {
  Say("{}vedette: {}\n", StandardErrorIsJournal() ? kJournalError : "", ForTerminal(what));
}
inline void Warn(std::string_view what) {
  Say("{}warning: {}\n", StandardErrorIsJournal() ? kJournalWarning : "", ForTerminal(what));
}
// Of several lines, such as a configuration's errors.
inline void ComplainInLines(std::string_view what) {
  const size_t end = what.find('\n');
  Complain(what.substr(0, end));
  if (end == std::string_view::npos) return;
  for (what.remove_prefix(end + 1);; what.remove_prefix(what.find('\n') + 1)) {
    Say("{}{}\n", StandardErrorIsJournal() ? kJournalError : "", ForTerminal(what.substr(0, what.find('\n'))));
    if (what.find('\n') == std::string_view::npos) return;
  }
}

}  // namespace vedette
