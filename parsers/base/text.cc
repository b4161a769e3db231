#include "parsers/base/text.h"

#include <idn2.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>

namespace vedette {
namespace {

constexpr char kHexDigits[] = "0123456789abcdef";

void AppendHexEscape(char c, std::string& out) {
  const auto byte = static_cast<uint8_t>(c);
  out += {'\\', 'x', kHexDigits[byte >> 4], kHexDigits[byte & 15]};
}

}  // namespace

size_t Utf8Length(std::string_view s) {
  const auto at = [&](size_t i) { return i < s.size() ? static_cast<uint8_t>(s[i]) : uint8_t{0}; };
  const auto tail = [&](size_t i) { return (at(i) & 0xc0) == 0x80; };
  const uint8_t a = at(0), b = at(1);
  if (a < 0x80) return 1;
  if (a >= 0xc2 && a <= 0xdf) return tail(1) ? 2 : 0;
  if (a >= 0xe0 && a <= 0xef) {
    const bool second = a == 0xe0 ? b >= 0xa0 && b <= 0xbf : a == 0xed ? b >= 0x80 && b <= 0x9f : tail(1);
    return second && tail(2) ? 3 : 0;
  }
  if (a >= 0xf0 && a <= 0xf4) {
    const bool second = a == 0xf0 ? b >= 0x90 && b <= 0xbf : a == 0xf4 ? b >= 0x80 && b <= 0x8f : tail(1);
    return second && tail(2) && tail(3) ? 4 : 0;
  }
  return 0;
}

void AppendEscaped(std::string_view value, std::string& out) {
  while (!value.empty()) {
    const char c = value.front();
    const size_t length = Utf8Length(value);
    if (c == '\t') {
      out += "\\t";
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\\') {
      out += "\\\\";
    } else if (length == 0 || static_cast<uint8_t>(c) < 0x20 || c == 0x7f) {
      AppendHexEscape(c, out);
    } else {
      out.append(value.substr(0, length));
    }
    value.remove_prefix(std::max<size_t>(length, 1));
  }
}

std::string Escaped(std::string_view value) {
  std::string out;
  out.reserve(value.size());
  AppendEscaped(value, out);
  return out;
}

std::string ForTerminal(std::string_view text) {
  // U+061C, U+200E, U+200F, U+202A to U+202E, U+2066 to U+2069 (Unicode standard annex 9).
  const auto turns = [](std::string_view sequence) {
    if (sequence == "\u061c") return true;
    if (sequence.size() != 3 || !sequence.starts_with("\xe2")) return false;
    const auto last = static_cast<uint8_t>(sequence[2]);
    return (sequence[1] == '\x80' && (last == 0x8e || last == 0x8f || (last >= 0xaa && last <= 0xae))) ||
           (sequence[1] == '\x81' && last >= 0xa6 && last <= 0xa9);
  };
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const std::string_view sequence = text.substr(0, std::max<size_t>(Utf8Length(text), 1));
    const bool control = sequence.size() == 2 && sequence[0] == '\xc2' && static_cast<uint8_t>(sequence[1]) < 0xa0;
    if (control || turns(sequence)) {
      for (const char c : sequence) AppendHexEscape(c, out);
    } else if (sequence == "\\") {
      out += '\\';
    } else {
      AppendEscaped(sequence, out);
    }
    text.remove_prefix(sequence.size());
  }
  return out;
}

std::string LowerAscii(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = LowerAscii(c);
  return out;
}

std::string NormaliseHost(std::string_view host) {
  std::string lowered = LowerAscii(host);
  while (!lowered.empty() && lowered.back() == '.') lowered.pop_back();
  if (lowered.empty()) return ".";
  const bool ascii = std::all_of(lowered.begin(), lowered.end(), [](char c) { return static_cast<uint8_t>(c) < 0x80; });
  if (ascii || lowered.size() > kMaxHostBytes || lowered.find('\0') != std::string::npos) return lowered;
  char* converted = nullptr;
  if (idn2_to_ascii_8z(lowered.c_str(), &converted, IDN2_NONTRANSITIONAL | IDN2_NFC_INPUT) != IDN2_OK) return lowered;
  std::string out = LowerAscii(converted);
  idn2_free(converted);
  return out;
}

std::string ToHex(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size() * 2);
  for (char c : bytes) {
    out += kHexDigits[static_cast<uint8_t>(c) >> 4];
    out += kHexDigits[static_cast<uint8_t>(c) & 15];
  }
  return out;
}

}  // namespace vedette
