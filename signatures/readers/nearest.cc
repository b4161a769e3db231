#include "signatures/readers/nearest.h"

#include "parsers/base/text.h"
#include "signatures/readers/url_signs.h"
#include "signatures/value_parts.h"

namespace vedette {
namespace {

constexpr size_t kMaxWords = 24;  // that are looked at; a row of a table has its value within them
constexpr std::string_view kBetween = " \t,;|\"<>";
constexpr std::string_view kAround = "()[]{}'`!=+~*^$";

bool IsUsableAddress(std::string_view text) {
  const std::optional<IpAddress> address = ParseAddress(text);
  return address && !address->IsSpecial();
}

// "20.1.2.3", "20.1.2.0/24", "20.1.2.3:80".
bool IsAddressValue(std::string_view text) {
  if (IsUsableAddress(text)) return true;
  const size_t slash = text.find('/');
  if (slash != std::string_view::npos) {
    unsigned length = 0;
    return IsUsableAddress(text.substr(0, slash)) && ParseNumber(text.substr(slash + 1), 128, length);
  }
  std::string_view host, port;
  unsigned number = 0;
  return SplitPort(text, host, port) && IsUsableAddress(host) && ParseNumber(port, 65535, number);
}

bool IsNameValue(std::string_view text, LastLabels& last_labels) {
  const std::string host = LowerAscii(text.substr(0, text.find('/')));
  if (host.find('.') == std::string::npos || host.front() == '.' || host.find("..") != std::string::npos) return false;
  for (const char c : host) {
    if (!((c >= 'a' && c <= 'z') || IsDigit(c) || c == '-' || c == '_' || c == '.')) return false;
  }
  const LastLabel last = last_labels.Of(host);
  return last == LastLabel::kTopLevel || last == LastLabel::kSpecialUse;
}

std::string_view Without(std::string_view text, std::string_view bytes) {
  const size_t begin = text.find_first_not_of(bytes);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(bytes) + 1 - begin);
}

// Of a word without separators.
std::string_view ValueIn(std::string_view word, LastLabels& last_labels) {
  if (const size_t colon = word.find("://"); colon != std::string_view::npos) {
    const size_t begin = BeginOfScheme(word, colon);
    std::string_view url = word.substr(begin, SecondUrl(word.substr(begin), colon - begin));
    while (!url.empty() && (url.back() == ')' || url.back() == ']' || url.back() == '\'' || url.back() == '`'))
      url.remove_suffix(1);
    const std::string_view host = url.substr(std::min(url.size(), colon - begin + 3));
    return colon == begin || host.empty() || host.front() == '/' ? std::string_view() : url;
  }
  word = word.substr(0, word.find('#'));
  // "domain:evil.example", "ip=20.1.2.3".
  for (std::string_view rest = word;;) {
    rest = Without(rest, kAround);
    while (!rest.empty() && (rest.back() == '.' || rest.back() == ':' || rest.back() == '-')) rest.remove_suffix(1);
    if (rest.starts_with('.')) rest.remove_prefix(1);
    if (rest.empty()) return {};
    if (IsAddressValue(rest) || IsNameValue(rest, last_labels)) return rest;
    const size_t label = rest.find_first_of(":=");
    if (label == std::string_view::npos) return {};
    rest.remove_prefix(label + 1);
  }
}

}  // namespace

std::string NearestIn(std::string_view text, LastLabels& last_labels) {
  if (text.starts_with('!') || text.starts_with("@@")) return {};  // a comment, or an exception
  for (size_t words = 0; words < kMaxWords; ++words) {
    text.remove_prefix(std::min(text.find_first_not_of(kBetween), text.size()));
    if (text.empty()) break;
    const std::string_view word = text.substr(0, text.find_first_of(kBetween));
    if (const std::string_view value = ValueIn(word, last_labels); !value.empty()) return std::string(value);
    text.remove_prefix(word.size());
  }
  return {};
}

}  // namespace vedette
