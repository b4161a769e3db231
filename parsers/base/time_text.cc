#include "parsers/base/time_text.h"

#include <chrono>

namespace vedette {
namespace {

constexpr uint64_t kNsPerSecond = 1'000'000'000;
constexpr int64_t kSecondsPerDay = 86'400;

struct Civil {
  int64_t year;
  unsigned month, day, hour, minute, second;
};

// Days since 1970-01-01 to a date of the proleptic Gregorian calendar, by 400-year eras that begin in March.
Civil CivilOf(int64_t seconds) {
  int64_t days = seconds / kSecondsPerDay;
  int64_t rest = seconds % kSecondsPerDay;
  if (rest < 0) {
    rest += kSecondsPerDay;
    --days;
  }
  days += 719'468;  // from 0000-03-01
  const int64_t era = (days >= 0 ? days : days - 146'096) / 146'097;
  const auto day_of_era = static_cast<unsigned>(days - era * 146'097);
  const unsigned year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
  const unsigned day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const unsigned month_from_march = (5 * day_of_year + 2) / 153;
  Civil civil{};
  civil.day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
  civil.month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;
  civil.year = static_cast<int64_t>(year_of_era) + era * 400 + (civil.month <= 2 ? 1 : 0);
  civil.hour = static_cast<unsigned>(rest / 3600);
  civil.minute = static_cast<unsigned>(rest / 60 % 60);
  civil.second = static_cast<unsigned>(rest % 60);
  return civil;
}

// `number` with leading zeros.
void AppendDigits(uint64_t number, size_t digits, std::string& out) {
  const size_t begin = out.size();
  out.append(digits, '0');
  for (size_t i = digits; i > 0 && number > 0; --i, number /= 10) {
    out[begin + i - 1] = static_cast<char>('0' + number % 10);
  }
}

// Years 0 to 9999: what 64-bit nanoseconds hold is well inside.
std::string DateTime(int64_t seconds, char separator) {
  const Civil c = CivilOf(seconds);
  std::string out;
  AppendDigits(static_cast<uint64_t>(c.year), 4, out);
  out += '-';
  AppendDigits(c.month, 2, out);
  out += '-';
  AppendDigits(c.day, 2, out);
  out += separator;
  AppendDigits(c.hour, 2, out);
  out += ':';
  AppendDigits(c.minute, 2, out);
  out += ':';
  AppendDigits(c.second, 2, out);
  return out;
}

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
  bool NextIsDigit() const { return !text_.empty() && text_.front() >= '0' && text_.front() <= '9'; }

 private:
  std::string_view text_;
};

// Behind the seconds; leaves the text alone where there is no fraction.
bool TakeFraction(TextReader& in, int64_t& fraction_ns) {
  fraction_ns = 0;
  if (!in.Take('.')) return true;
  if (!in.NextIsDigit()) return false;
  for (int64_t unit = 100'000'000; in.NextIsDigit(); unit /= 10) {
    int digit = 0;
    if (!in.TakeNumber(1, digit)) return false;
    fraction_ns += digit * unit;
  }
  return true;
}

// "Z", "+01:00".
bool TakeOffset(TextReader& in, int& offset_minutes) {
  offset_minutes = 0;
  if (in.Take('Z') || in.Take('z')) return true;
  char sign = 0;
  int hours = 0, minutes = 0;
  if (!in.TakeAny(sign) || (sign != '+' && sign != '-') || !in.TakeNumber(2, hours) || !in.Take(':') ||
      !in.TakeNumber(2, minutes) || hours > 23 || minutes > 59) {
    return false;
  }
  offset_minutes = (hours * 60 + minutes) * (sign == '-' ? -1 : 1);
  return true;
}

}  // namespace

std::string_view EveTime::Format(uint64_t ns) {
  const uint64_t second = ns / kNsPerSecond;
  if (second != second_) {
    text_ = DateTime(static_cast<int64_t>(second), 'T') + ".000000+0000";
    second_ = second;
  }
  auto micros = static_cast<unsigned>(ns % kNsPerSecond / 1000);
  const size_t dot = text_.size() - 12;  // ".000000+0000"
  for (size_t i = 6; i > 0; --i, micros /= 10) text_[dot + i] = static_cast<char>('0' + micros % 10);
  return text_;
}

std::string Rfc3339(int64_t ns) {
  const auto per_second = static_cast<int64_t>(kNsPerSecond);
  int64_t seconds = ns / per_second;
  int64_t fraction = ns % per_second;
  if (fraction < 0) {
    fraction += per_second;
    --seconds;
  }
  std::string text = DateTime(seconds, 'T');
  if (fraction != 0) {
    text += '.';
    AppendDigits(static_cast<uint64_t>(fraction), 9, text);
    while (text.back() == '0') text.pop_back();
  }
  return text + 'Z';
}

std::string TableTime(uint64_t ns) { return DateTime(static_cast<int64_t>(ns / kNsPerSecond), ' '); }

std::string DateText(uint64_t seconds) {
  constexpr uint64_t kYear10000 = 253'402'300'800;
  if (seconds >= kYear10000) return {};
  return DateTime(static_cast<int64_t>(seconds), ' ').substr(0, 10);
}

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
  if (!TakeFraction(in, fraction_ns)) return std::nullopt;
  // 9999-12-31T23:59:59 of programs that write no zone: in none of them it is a bound.
  const bool is_no_bound = year > kLastYear || year < 1969;
  if (in.empty() && is_no_bound && date.ok() && hour <= 23 && minute <= 59 && second <= 60)
    return year < 1969 ? kEarliestTimestamp : kLatestTimestamp;
  int offset_minutes = 0;
  if (!TakeOffset(in, offset_minutes)) return std::nullopt;
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

}  // namespace vedette
