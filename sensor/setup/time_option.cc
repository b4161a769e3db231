#include "sensor/setup/time_option.h"

#include <algorithm>
#include <charconv>

#include "parsers/base/time_text.h"

namespace vedette {
namespace {

constexpr uint64_t kNsPerSecond = 1'000'000'000;
constexpr size_t kFractionDigits = 9;
constexpr uint64_t kMaxSeconds = (uint64_t{1} << 63) / kNsPerSecond - 1;  // in 2262
constexpr size_t kDateBytes = 10;                                         // 2026-11-23

bool IsNumber(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// RFC 3339's form of what people omit from it.
std::string Completed(std::string_view text) {
  const std::string date(text.substr(0, kDateBytes));
  if (text.size() <= kDateBytes) return date + "T00:00:00Z";
  const std::string_view rest = text.substr(kDateBytes + 1);
  const size_t zone_at = std::min(rest.find_first_of("Zz+-"), rest.size());
  std::string clock(rest.substr(0, zone_at)), zone(rest.substr(zone_at));
  if (clock.size() == 5) clock += ":00";
  if (zone.empty()) zone = "Z";
  if (zone.size() == 5) zone.insert(3, ":");
  return date + text[kDateBytes] + clock + zone;
}

std::optional<uint64_t> ParseSeconds(std::string_view text, std::string& reason) {
  const size_t dot = std::min(text.find('.'), text.size());
  const std::string_view whole = text.substr(0, dot), fraction = text.substr(std::min(dot + 1, text.size()));
  std::string date(whole);
  if (date.size() == 4 && whole < "2100") date += "0101";
  if (date.size() == 8) date.insert(6, "-").insert(4, "-");
  if (dot == text.size() && date.size() == kDateBytes && ParseTimestamp(Completed(date))) {
    reason =
        "could be a date or seconds since 1970; write " + date + ", or " + std::string(text) + ".0 for the seconds";
    return std::nullopt;
  }
  uint64_t seconds = 0;
  if (std::from_chars(whole.data(), whole.data() + whole.size(), seconds).ec != std::errc() || seconds > kMaxSeconds) {
    reason = "more seconds than there are until 2262; milliseconds or less since 1970 have to be divided";
    return std::nullopt;
  }
  uint64_t nanoseconds = 0;
  for (size_t i = 0; i < kFractionDigits; ++i)
    nanoseconds = nanoseconds * 10 + (i < fraction.size() ? static_cast<uint64_t>(fraction[i] - '0') : 0);
  return seconds * kNsPerSecond + nanoseconds;
}

}  // namespace

std::optional<uint64_t> ParseTime(std::string_view text, std::string& reason) {
  const size_t dot = std::min(text.find('.'), text.size());
  if (IsNumber(text.substr(0, dot)) && (dot == text.size() || IsNumber(text.substr(dot + 1))))
    return ParseSeconds(text, reason);
  const std::optional<int64_t> time = ParseTimestamp(Completed(text));
  if (time && *time >= 0) return static_cast<uint64_t>(*time);
  reason =
      "no date and time from 1970 to 2261; write 2026-11-23T10:00:00Z, 2026-11-23T10:00, 2026-11-23, or seconds since "
      "1970";
  return std::nullopt;
}

}  // namespace vedette
