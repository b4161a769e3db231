#include "signatures/readers/metadata.h"

#include <chrono>
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
  // Exactly `digits` decimal digits.
  bool TakeNumber(size_t digits, int& out) {
    out = 0;
    for (size_t i = 0; i < digits; ++i) {
      char c = 0;
      if (!TakeAny(c) || c < '0' || c > '9') return false;
      out = out * 10 + (c - '0');
    }
    return true;
  }
  void SkipBlanks() {
    while (!text_.empty() &&
           (text_.front() == ' ' || text_.front() == '\t' || text_.front() == '\n' || text_.front() == '\r')) {
      text_.remove_prefix(1);
    }
  }
  bool NextIsDigit() const { return !text_.empty() && text_.front() >= '0' && text_.front() <= '9'; }

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

std::optional<int64_t> ParseBound(std::string_view text) {
  constexpr int kLastYear = 2261;  // that is kept whole
  TextReader in(text);
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
  char separator = 0;
  if (!in.TakeNumber(4, year) || !in.Take('-') || !in.TakeNumber(2, month) || !in.Take('-') || !in.TakeNumber(2, day)) {
    return std::nullopt;
  }
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  // "9999-12-31" stands for no end, whatever time of that day is meant.
  if (in.empty() && date.ok() && year > kLastYear) return kLatestTimestamp;
  if (!in.TakeAny(separator) || !in.TakeNumber(2, hour) || !in.Take(':') || !in.TakeNumber(2, minute) ||
      !in.Take(':') || !in.TakeNumber(2, second)) {
    return std::nullopt;
  }
  if (separator != 'T' && separator != 't' && separator != ' ') return std::nullopt;
  int64_t fraction_ns = 0;
  if (in.Take('.')) {
    if (!in.NextIsDigit()) return std::nullopt;
    for (int64_t unit = 100'000'000; in.NextIsDigit(); unit /= 10) {
      int digit = 0;
      if (!in.TakeNumber(1, digit)) return std::nullopt;
      fraction_ns += digit * unit;
    }
  }
  // 9999-12-31T23:59:59 of programs that write no zone: in none of them it is a bound.
  const bool is_no_bound = year > kLastYear || year < 1969;
  if (in.empty() && is_no_bound && date.ok() && hour <= 23 && minute <= 59 && second <= 60)
    return year < 1969 ? kEarliestTimestamp : kLatestTimestamp;
  int offset_minutes = 0;
  if (!in.Take('Z') && !in.Take('z')) {
    char sign = 0;
    int hours = 0, minutes = 0;
    if (!in.TakeAny(sign) || (sign != '+' && sign != '-') || !in.TakeNumber(2, hours) || !in.Take(':') ||
        !in.TakeNumber(2, minutes) || hours > 23 || minutes > 59) {
      return std::nullopt;
    }
    offset_minutes = (hours * 60 + minutes) * (sign == '-' ? -1 : 1);
  }
  if (!in.empty() || !date.ok() || hour > 23 || minute > 59 || second > 60) return std::nullopt;
  if (year > kLastYear) return kLatestTimestamp;
  if (year < 1970) return kEarliestTimestamp;
  if (second == 60) second = 59;
  const int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  const int64_t seconds = ((days * 24 + hour) * 60 + minute - offset_minutes) * 60 + second;
  return seconds * 1'000'000'000 + fraction_ns;
}

std::optional<int64_t> ParseTimestamp(std::string_view text) {
  const std::optional<int64_t> time = ParseBound(text);
  return time == kEarliestTimestamp || time == kLatestTimestamp ? std::nullopt : time;
}

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
