#include "signatures/list_reader.h"

#include <algorithm>
#include <array>

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
  return text.find_first_not_of("0123456789.") == std::string_view::npos &&
         std::count(text.begin(), text.end(), '.') <= 1;
}
// "20.1.2.0 24" is not clear.
bool MayBePrefix(std::string_view value, std::string_view number) {
  unsigned length = 0;
  return value.ends_with(".0") && ParseNumber(number, 32, length) && length >= 16;
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
  const std::string_view first = TakeWord(rest);
  if (rest.empty()) {
    out.values.push_back(first);
  } else if (IsOneOf(kSinks, first)) {
    out.from_hosts_file = true;
    while (!rest.empty()) {
      const std::string_view name = TakeWord(rest);
      if (!IsOneOf(kOwnNames, name) && !IsOneOf(kSinks, name)) out.values.push_back(name);
    }
  } else if (IsScore(rest) && !MayBePrefix(first, rest)) {
    out.values.push_back(first);
    out.note = rest;
  } else if (first.find_first_of(":.") != std::string_view::npos && AreOwnNames(rest)) {
    // "255.255.255.255 broadcasthost", "fe80::1%lo0 localhost": of the machine itself, too.
  } else {
    out.values.push_back(line);  // whoever guesses its type says what is wrong with it
  }
}

}  // namespace vedette
