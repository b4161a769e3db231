// What tells that a text with "://" is not one whole URL.
#pragma once

#include <string_view>

namespace vedette {

// Of "scheme://…": bytes before the colon; 0: there is none.
size_t SchemeBytes(std::string_view text);
// Where the scheme before the "://" at `colon` begins.
size_t BeginOfScheme(std::string_view text, size_t colon);

// Where a second URL begins, behind a separator or without any; npos: there is none. Not one in a query or a path
// ("?u=http://…", "/http://…"). `first`: of the first "://".
size_t SecondUrl(std::string_view text, size_t first);

// What is looked for in few URLs, found in one pass.
struct InUrl {
  bool angle = false, backslash = false, separator = false;  // < >, a backslash, a comma or semicolon
  bool mark = false;                                         // of those that IsCut looks for
  explicit InUrl(std::string_view text) : mark(text.ends_with("...")) {
    for (const char c : text) {
      angle |= c == '<' || c == '>';
      backslash |= c == '\\';
      separator |= c == ',' || c == ';';
      mark |= c == '[' || c == '(' || c == '<' || c == '&' || c == '\xe2';
    }
  }
};

// Whether it was shortened for display: "…", "[...]", "[truncated]".
bool IsCut(std::string_view text);

// Whether what follows the last comma or semicolon may be a column: a word, an address, a name.
bool MayEndInColumn(std::string_view text);

// ",2026-11-30" is a column.
bool HoldsADateBehindAComma(std::string_view text);

}  // namespace vedette
