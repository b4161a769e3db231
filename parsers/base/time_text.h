// Times as text, always UTC, and read from text.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

namespace vedette {

// EVE's form: 2026-11-23T10:00:00.000000+0000. Remembers the last second: alerts come in order of time.
class EveTime {
 public:
  // `ns` since 1970; microseconds below are cut off. The view holds until the next call.
  std::string_view Format(uint64_t ns);

 private:
  uint64_t second_ = UINT64_MAX;
  std::string text_;
};

// RFC 3339: 2026-11-23T10:00:00Z, with a fraction only where there is one. Also before 1970.
std::string Rfc3339(int64_t ns);
// 2026-11-23 10:00:00
std::string TableTime(uint64_t ns);
// 2026-11-23; empty beyond the year 9999.
std::string DateText(uint64_t seconds);

// RFC 3339 date and time ("2026-11-23T10:00:00.5Z", "…+01:00"), as nanoseconds since 1970; 1970 to 2261. A leap second
// is read as the second before it.
std::optional<int64_t> ParseTimestamp(std::string_view text);

// The same for what bounds a time: those who mean always or never write 0001-01-01T00:00:00Z or 9999-12-31T23:59:59Z.
// Before 1970 it is kEarliestTimestamp, after 2261 kLatestTimestamp, and then a date alone will do.
constexpr int64_t kEarliestTimestamp = std::numeric_limits<int64_t>::min();
constexpr int64_t kLatestTimestamp = std::numeric_limits<int64_t>::max();
std::optional<int64_t> ParseBound(std::string_view text);

}  // namespace vedette
