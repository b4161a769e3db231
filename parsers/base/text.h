// Text as contract 2 writes it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace vedette {

// Appends `value` so that it is valid UTF-8 on one line: bytes that are not UTF-8 as \xhh, a tab as \t, a newline as
// \n, a backslash as \\; other control characters as \xhh.
void AppendEscaped(std::string_view value, std::string& out);
std::string Escaped(std::string_view value);
// For a terminal, on one line: nothing in it moves the cursor, changes a colour or reverses the direction of
// writing. Like Escaped, but a backslash stays, so that text that was escaped before does not change; and U+0080 to
// U+009F and the marks of bidirectional text are also written as \xhh.
std::string ForTerminal(std::string_view text);

// ASCII letters lowered; other bytes as they are.
std::string LowerAscii(std::string_view text);
constexpr char LowerAscii(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }
// Whether `text` is `lower` when its ASCII letters are lowered; `lower` is in lower case.
constexpr bool EqualsLower(std::string_view text, std::string_view lower) {
  if (text.size() != lower.size()) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    if (LowerAscii(text[i]) != lower[i]) return false;
  }
  return true;
}

// A host name in its normal form: lower case, without the trailing dot, IDN as A-labels (IDNA 2008, RFC 5891, through
// libidn2; a label that is not UTF-8 or not convertible stays as it is). "." and "" become ".".
// At most kMaxHostBytes of input are examined; longer input is not a host name and is only lowered.
std::string NormaliseHost(std::string_view host);
constexpr size_t kMaxHostBytes = 1024;

// Length of the well-formed UTF-8 sequence at the front (Unicode 15, table 3-7), or 0.
size_t Utf8Length(std::string_view s);

// Lower-case hex.
std::string ToHex(std::string_view bytes);

}  // namespace vedette
