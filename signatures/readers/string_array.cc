#include "signatures/readers/string_array.h"

#include <cstdint>
#include <utility>

#include "parsers/base/text.h"

namespace vedette {
namespace {

// Reads from the front of a text; every step fails at the end.
class TextReader {
 public:
  explicit TextReader(std::string_view text) : text_(text) {}

  bool empty() const { return text_.empty(); }
  bool Take(char c) {
    if (text_.empty() || text_.front() != c) return false;
    text_.remove_prefix(1);
    return true;
  }
  bool TakeAny(char& c) {
    if (text_.empty()) return false;
    c = text_.front();
    text_.remove_prefix(1);
    return true;
  }
  void SkipBlanks() {
    while (!text_.empty() &&
           (text_.front() == ' ' || text_.front() == '\t' || text_.front() == '\n' || text_.front() == '\r')) {
      text_.remove_prefix(1);
    }
  }

 private:
  std::string_view text_;
};

bool TakeHex4(TextReader& in, uint32_t& out) {
  out = 0;
  for (int i = 0; i < 4; ++i) {
    char c = 0;
    if (!in.TakeAny(c)) return false;
    c = LowerAscii(c);
    const bool digit = c >= '0' && c <= '9';
    if (!digit && (c < 'a' || c > 'f')) return false;
    out = out << 4 | static_cast<uint32_t>(digit ? c - '0' : c - 'a' + 10);
  }
  return true;
}

void AppendUtf8(uint32_t code, std::string& out) {
  const auto tail = [&](unsigned shift) { out += static_cast<char>(0x80 | (code >> shift & 0x3f)); };
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xc0 | code >> 6);
    tail(0);
  } else if (code < 0x10000) {
    out += static_cast<char>(0xe0 | code >> 12);
    tail(6);
    tail(0);
  } else {
    out += static_cast<char>(0xf0 | code >> 18);
    tail(12);
    tail(6);
    tail(0);
  }
}

// Behind "\u".
bool TakeCodePoint(TextReader& in, std::string& out) {
  uint32_t code = 0;
  if (!TakeHex4(in, code) || (code >= 0xdc00 && code < 0xe000)) return false;
  if (code >= 0xd800 && code < 0xdc00) {
    uint32_t low = 0;
    if (!in.Take('\\') || !in.Take('u') || !TakeHex4(in, low) || low < 0xdc00 || low >= 0xe000) return false;
    code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
  }
  AppendUtf8(code, out);
  return true;
}

// Behind the opening quotation mark.
bool TakeString(TextReader& in, std::string& out) {
  static constexpr std::pair<char, char> kEscapes[] = {{'"', '"'},  {'\\', '\\'}, {'/', '/'},  {'b', '\b'},
                                                       {'f', '\f'}, {'n', '\n'},  {'r', '\r'}, {'t', '\t'}};
  for (char c = 0; in.TakeAny(c);) {
    if (c == '"') return true;
    if (static_cast<uint8_t>(c) < 0x20) return false;
    if (c != '\\') {
      out += c;
      continue;
    }
    if (!in.TakeAny(c)) return false;
    if (c == 'u') {
      if (!TakeCodePoint(in, out)) return false;
      continue;
    }
    bool known = false;
    for (const auto& [escape, meaning] : kEscapes) {
      if (escape != c) continue;
      out += meaning;
      known = true;
    }
    if (!known) return false;
  }
  return false;
}

}  // namespace

std::optional<std::vector<std::string>> ParseStringArray(std::string_view json) {
  TextReader in(json);
  std::vector<std::string> out;
  in.SkipBlanks();
  if (!in.Take('[')) return std::nullopt;
  in.SkipBlanks();
  if (!in.Take(']')) {
    for (;;) {
      in.SkipBlanks();
      if (out.size() == kMaxArrayElements || !in.Take('"') || !TakeString(in, out.emplace_back())) return std::nullopt;
      in.SkipBlanks();
      if (in.Take(']')) break;
      if (!in.Take(',')) return std::nullopt;
    }
  }
  in.SkipBlanks();
  if (!in.empty()) return std::nullopt;
  return out;
}

}  // namespace vedette
