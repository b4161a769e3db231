// Packet times as text, always UTC.
#pragma once

#include <cstdint>
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

}  // namespace vedette
