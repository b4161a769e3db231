#include "signatures/readers/url_signs.h"

#include <algorithm>

#include "parsers/base/text.h"
#include "signatures/value_parts.h"

namespace vedette {
namespace {

constexpr bool IsSchemeByte(char c) {
  const char lower = LowerAscii(c);
  return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.';
}

bool IsWord(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    const char lower = LowerAscii(c);
    return (lower >= 'a' && lower <= 'z') || c == '_' || c == '-';
  });
}

}  // namespace

size_t SchemeBytes(std::string_view text) {
  const size_t end = text.find("://");
  if (end == std::string_view::npos) return 0;
  return std::all_of(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(end), IsSchemeByte) ? end : 0;
}

size_t BeginOfScheme(std::string_view text, size_t colon) {
  size_t begin = colon;
  while (begin > 0 && IsSchemeByte(text[begin - 1])) --begin;
  return begin;
}

size_t SecondUrl(std::string_view text, size_t first) {
  for (size_t at = text.find("://", first + 3); at != std::string_view::npos; at = text.find("://", at + 3)) {
    size_t begin = at;
    while (begin > first + 3 && IsSchemeByte(text[begin - 1]) && text[begin - 1] != '.') --begin;
    const std::string scheme = LowerAscii(text.substr(begin, at - begin));
    const char before = text[begin - 1];
    if (before == ',' || before == ';') return begin;
    for (const std::string_view known : {"https", "http", "hxxps", "hxxp"}) {
      if (scheme.size() > known.size() && scheme.ends_with(known)) return at - known.size();
    }
  }
  return std::string_view::npos;
}

bool IsCut(std::string_view text) {
  for (const std::string_view mark :
       {"\xe2\x80\xa6", "[...]", "(...)", "<...>", "&hellip;", "[truncated]", "(truncated)", "[snip]", "<snip>"}) {
    if (text.find(mark) != std::string_view::npos) return true;
  }
  return text.ends_with("...");
}

bool MayEndInColumn(std::string_view text) {
  const size_t at = text.find_last_of(",;");
  if (at == std::string_view::npos) return false;
  const std::string_view last = text.substr(at + 1);
  return IsWord(last) || ParseAddress(last);
}

bool HoldsADateBehindAComma(std::string_view text) {
  for (size_t at = text.find_first_of(",;"); at != std::string_view::npos; at = text.find_first_of(",;", at + 1)) {
    const std::string_view date = text.substr(at + 1, 10);
    if (date.size() == 10 && AllOf(date.substr(0, 4), IsDigit) && date[4] == '-' && AllOf(date.substr(5, 2), IsDigit) &&
        date[7] == '-' && AllOf(date.substr(8), IsDigit)) {
      return true;
    }
  }
  return false;
}

}  // namespace vedette
