#include "signatures/readers/list_reader.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>

#include "parsers/base/network.h"
#include "signatures/value.h"
#include "signatures/value_parts.h"

namespace vedette {
namespace {

// Where hosts files send the names that they block.
constexpr std::array<std::string_view, 4> kSinks = {"0.0.0.0", "127.0.0.1", "::", "::1"};

// What every hosts file holds for the machine itself.
constexpr std::array<std::string_view, 10> kOwnNames = {
    "localhost",    "localhost.localdomain", "local",           "broadcasthost", "ip6-localhost",
    "ip6-loopback", "ip6-localnet",          "ip6-mcastprefix", "ip6-allnodes",  "ip6-allrouters"};

bool IsBlank(char c) { return c == ' ' || c == '\t'; }
bool IsComment(char c) { return c == '#' || c == ';'; }
// "10", "0.75": a score; not an address.
bool IsScore(std::string_view text) {
  return text.find_first_not_of("0123456789.") == std::string_view::npos && IsDigit(text.front()) &&
         IsDigit(text.back()) && std::count(text.begin(), text.end(), '.') <= 1;
}
// "20.1.2.0 24" and "20.1.2.128 25" are not clear: nothing of the address lies behind that many bits.
bool MayBePrefix(std::string_view value, std::string_view number) {
  unsigned length = 0;
  if (!ParseNumber(number, 127, length) || length < kMinPrefixV4) return false;
  // Of most scores, without a look at the address.
  if (length <= 24 && !value.ends_with(".0") && value.find(':') == std::string_view::npos) return false;
  const std::optional<IpAddress> address = ParseAddress(value);
  if (!address || (address->is_v4() ? length >= 32 : length < kMinPrefixV6)) return false;
  return (value.ends_with(".0") && length >= 16) || MaskAddress(*address, length) == *address;
}
// "20.1.2.0/ 24", "20.1.2.3: 443", "20.1.2.3, 443".
bool LacksItsEnd(std::string_view value) {
  return std::string_view("/:-,;#").find(value.back()) != std::string_view::npos &&
         ParseAddress(value.substr(0, value.size() - 1)).has_value();
}
// Also as "0", "0:0:0:0:0:0:0:1" and "::ffff:0.0.0.0".
bool IsSink(std::string_view word) {
  if (std::find(kSinks.begin(), kSinks.end(), word) != kSinks.end() || word == "0") return true;
  if (word.front() != '0' && word.front() != ':') return false;
  const std::optional<IpAddress> address = ParseAddress(word);
  if (!address) return false;
  const std::string plain = address->ToString();
  return std::find(kSinks.begin(), kSinks.end(), plain) != kSinks.end();
}
// What stands behind "evil.example;" or "20.1.2.3#" and a blank: a comment, unless it may be a second value or a
// number.
bool IsCommentBehind(char mark, std::string_view rest) {
  if (mark == '#') return true;
  const std::string_view word = rest.substr(0, rest.find_first_of(" \t"));
  return !IsDigit(word.front()) && word.find_first_of(".:/") == std::string_view::npos;
}
// A name or an address, in which no mark of a comment can stand.
bool CanHoldNoMark(std::string_view value) {
  if (value.find_first_of(",|\"") != std::string_view::npos) return false;
  const size_t slash = value.find('/');
  return slash == std::string_view::npos || ParseAddress(value.substr(0, slash)).has_value();
}

template <size_t N>
bool IsOneOf(const std::array<std::string_view, N>& texts, std::string_view text) {
  return std::find(texts.begin(), texts.end(), text) != texts.end();
}

// Cuts the first word off.
std::string_view TakeWord(std::string_view& text) {
  const size_t end = std::min(text.find_first_of(" \t"), text.size());
  const std::string_view word = text.substr(0, end);
  text = Trimmed(text.substr(end));
  return word;
}

bool AreOwnNames(std::string_view words) {
  while (!words.empty()) {
    if (!IsOneOf(kOwnNames, TakeWord(words))) return false;
  }
  return true;
}

}  // namespace

void ReadListLine(std::string_view line, ListLine& out) {
  out.from_hosts_file = false;
  out.values.clear();
  out.note = {};
  line = WithoutUnseen(line);
  if (line.empty() || IsComment(line.front())) return;
  for (size_t i = 1; i < line.size(); ++i) {
    if (!IsComment(line[i]) || !IsBlank(line[i - 1])) continue;
    out.note = line.substr(i);
    while (!out.note.empty() && (IsComment(out.note.front()) || IsBlank(out.note.front()))) out.note.remove_prefix(1);
    line = Trimmed(line.substr(0, i));
    break;
  }
  std::string_view rest = line;
  std::string_view first = TakeWord(rest);
  // "20.1.2.0/24; SBL1"
  if (!rest.empty() && first.size() > 1 && IsComment(first.back()) && IsCommentBehind(first.back(), rest) &&
      CanHoldNoMark(first.substr(0, first.size() - 1))) {
    while (first.size() > 1 && IsComment(first.back())) first.remove_suffix(1);
    out.note = line.substr(static_cast<size_t>(rest.data() - line.data()));
    rest = {};
  }
  if (rest.empty()) {
    out.values.push_back(first);
  } else if (IsSink(first) && (first != "0" || (rest.find('.') != std::string_view::npos && !IsScore(rest)))) {
    out.from_hosts_file = true;
    rest = rest.substr(0, rest.find('#'));  // hosts(5)
    while (!rest.empty()) {
      const std::string_view name = TakeWord(rest);
      if (!name.empty() && !IsOneOf(kOwnNames, name) && !IsOneOf(kSinks, name)) out.values.push_back(name);
    }
  } else if (IsScore(rest) && !MayBePrefix(first, rest) && !LacksItsEnd(first)) {
    out.values.push_back(first);
    out.note = rest;
  } else if (first.find_first_of(":.") != std::string_view::npos && AreOwnNames(rest)) {
    // "255.255.255.255 broadcasthost", "fe80::1%lo0 localhost": of the machine itself, too.
  } else {
    out.values.push_back(line);  // whoever guesses its type says what is wrong with it
  }
}

}  // namespace vedette
