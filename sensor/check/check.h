// Everything that stands between a configuration and a running sensor, not only the first problem.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace vedette {

enum class CheckLevel : uint8_t {
  kOk,
  kWarning,  // it runs, but perhaps not as expected
  kError,    // it does not run, or does and sees nothing of an interface
};

struct CheckItem {
  CheckLevel level;
  std::string part;  // of the configuration: "feed"
  std::string text;  // the finding, and what to do
};

class CheckReport {
 public:
  void Ok(std::string part, std::string text) { Add(CheckLevel::kOk, std::move(part), std::move(text)); }
  void Warn(std::string part, std::string text) { Add(CheckLevel::kWarning, std::move(part), std::move(text)); }
  void Error(std::string part, std::string text) { Add(CheckLevel::kError, std::move(part), std::move(text)); }

  const std::vector<CheckItem>& items() const { return items_; }
  size_t Count(CheckLevel level) const {
    return static_cast<size_t>(
        std::count_if(items_.begin(), items_.end(), [&](const CheckItem& item) { return item.level == level; }));
  }

 private:
  void Add(CheckLevel level, std::string part, std::string text) {
    items_.push_back({level, std::move(part), std::move(text)});
  }
  std::vector<CheckItem> items_;
};

// Reads everything that the configuration at `path` names, binds its addresses for a moment, and changes nothing. If a
// sensor already runs with it, what that sensor holds is no error. As root it also tests what the sensor's user may do.
CheckReport CheckConfiguration(const std::string& path);

}  // namespace vedette
