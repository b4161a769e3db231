#include "sensor/config/duration.h"

#include <array>
#include <charconv>
#include <cstdint>

namespace vedette {
namespace {

struct Unit {
  char letter;
  int64_t seconds;
};
constexpr std::array<Unit, 4> kUnits = {{{'d', 86'400}, {'h', 3'600}, {'m', 60}, {'s', 1}}};
constexpr int64_t kMaxSeconds = int64_t{10} * 366 * 86'400;

}  // namespace

std::optional<std::chrono::seconds> ParseDuration(std::string_view text) {
  int64_t count = 0;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (status != std::errc() || count < 0 || end + 1 != text.data() + text.size()) return std::nullopt;
  for (const Unit& unit : kUnits) {
    if (*end != unit.letter) continue;
    if (count > kMaxSeconds / unit.seconds) return std::nullopt;
    return std::chrono::seconds(count * unit.seconds);
  }
  return std::nullopt;
}

std::string DurationText(std::chrono::seconds duration) {
  const int64_t seconds = duration.count();
  for (const Unit& unit : kUnits) {
    if (seconds != 0 && seconds % unit.seconds == 0) return std::to_string(seconds / unit.seconds) + unit.letter;
  }
  return std::to_string(seconds) + "s";
}

}  // namespace vedette
