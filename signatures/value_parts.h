// Pieces of values, shared by those who read them (value.cc) and those who guess what they are (guess.cc).
#pragma once

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>

#include "parsers/base/address.h"
#include "parsers/base/text.h"

namespace vedette {

inline bool IsDigit(char c) { return c >= '0' && c <= '9'; }
inline bool IsHexDigit(char c) { return IsDigit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }
inline bool AllOf(std::string_view text, bool (*test)(char)) { return std::all_of(text.begin(), text.end(), test); }

inline bool ParseNumber(std::string_view text, unsigned max, unsigned& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc() && end == text.data() + text.size() && out <= max;
}

// "::ffff:a.b.c.d" names an IPv4 address.
inline std::optional<IpAddress> ParseAddress(std::string_view text) {
  const std::optional<IpAddress> address = IpAddress::Parse(text);
  return address ? std::optional(address->Unmapped()) : std::nullopt;
}

// "name:80", "1.2.3.4:80" or "[2001:db8::1]:80".
inline bool SplitPort(std::string_view text, std::string_view& host, std::string_view& port) {
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return false;
  host = text.substr(0, colon);
  port = text.substr(colon + 1);
  if (host.size() > 1 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
    return host.find(':') != std::string_view::npos;
  }
  return host.find(':') == std::string_view::npos;
}

// FoxIO's format: t13d1516h2_8daaf6152771_b186095e22b6.
inline bool IsJa4(std::string_view text) {
  const auto lower_hex = [](char c) { return IsDigit(c) || (c >= 'a' && c <= 'f'); };
  return text.size() == 36 && (text[0] == 't' || text[0] == 'q' || text[0] == 'd') &&
         (text[3] == 'd' || text[3] == 'i') && AllOf(text.substr(4, 4), IsDigit) && text[10] == '_' &&
         text[23] == '_' && AllOf(text.substr(11, 12), lower_hex) && AllOf(text.substr(24), lower_hex);
}

// Length of an invisible character (U+00A0, U+00AD, U+200B to U+200F, U+2028 to U+202F, U+2060 to U+206F, U+3000,
// U+FEFF) at the front of `text`, or 0. Copying a value from a web page or a document brings them along.
inline size_t InvisibleLength(std::string_view text) {
  const auto byte = [&](size_t i) { return i < text.size() ? static_cast<uint8_t>(text[i]) : 0; };
  if (byte(0) == 0xc2) return byte(1) == 0xa0 || byte(1) == 0xad ? 2 : 0;
  if (byte(0) == 0xe2) {
    const bool in_80 =
        byte(1) == 0x80 && ((byte(2) >= 0x8b && byte(2) <= 0x8f) || (byte(2) >= 0xa8 && byte(2) <= 0xaf));
    return in_80 || (byte(1) == 0x81 && byte(2) >= 0xa0 && byte(2) <= 0xaf) ? 3 : 0;
  }
  if (byte(0) == 0xe3) return byte(1) == 0x80 && byte(2) == 0x80 ? 3 : 0;
  return byte(0) == 0xef && byte(1) == 0xbb && byte(2) == 0xbf ? 3 : 0;
}

inline bool HoldsInvisible(std::string_view text) {
  for (size_t i = 0; i < text.size(); ++i) {
    if (static_cast<uint8_t>(text[i]) >= 0xc2 && InvisibleLength(text.substr(i)) > 0) return true;
  }
  return false;
}

// Without blanks, control bytes and invisible characters at both ends.
inline std::string_view WithoutUnseen(std::string_view text) {
  const auto is_control = [](char c) { return static_cast<uint8_t>(c) <= 0x20 || c == 0x7f; };
  for (;;) {
    const size_t invisible = InvisibleLength(text);
    const size_t length = invisible > 0 ? invisible : !text.empty() && is_control(text.front()) ? 1 : 0;
    if (length == 0) break;
    text.remove_prefix(length);
  }
  while (!text.empty()) {
    if (is_control(text.back())) {
      text.remove_suffix(1);
    } else if (text.size() >= 3 && InvisibleLength(text.substr(text.size() - 3)) == 3) {
      text.remove_suffix(3);
    } else if (text.size() >= 2 && InvisibleLength(text.substr(text.size() - 2)) == 2) {
      text.remove_suffix(2);
    } else {
      break;
    }
  }
  return text;
}

}  // namespace vedette
