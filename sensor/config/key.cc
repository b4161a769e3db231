#include "sensor/config/key.h"

#include <fmt/format.h>

#include "sensor/config/duration.h"

namespace vedette {

std::string TextForm(const std::string& value) { return value.empty() ? "\"\"" : value; }
std::string NumberForm(uint64_t value) { return std::to_string(value); }
std::string FlagForm(bool value) { return value ? "true" : "false"; }
std::string PercentForm(double value) { return value == 0 ? "off" : fmt::format("{}", value); }
std::string DurationForm(std::chrono::seconds value) { return value.count() == 0 ? "off" : DurationText(value); }

std::string NumberType(uint64_t low, uint64_t high) {
  if (high == UINT64_MAX) return low == 0 ? "a whole number" : fmt::format("a whole number, {} or more", low);
  return fmt::format("a whole number from {} to {}", low, high);
}

std::string DurationType(std::chrono::seconds low, std::chrono::seconds high, bool may_be_off) {
  return fmt::format("a time from {} to {}{}", DurationText(low), DurationText(high), may_be_off ? ", or off" : "");
}

}  // namespace vedette
