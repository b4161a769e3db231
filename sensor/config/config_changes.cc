#include "sensor/config/config_changes.h"

#include "sensor/config/sections.h"

namespace vedette {

std::vector<std::string> ChangedSettings(const Config& before, const Config& now) {
  std::vector<std::string> changed;
  CompareKeys(ConfigKeys(), before, now, "", changed);
  for (std::string& path : changed) path = '`' + path + '`';
  return changed;
}

}  // namespace vedette
