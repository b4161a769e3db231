#include "sensor/check/check.h"

#include "sensor/check/parts.h"

namespace vedette {

CheckReport CheckConfiguration(const std::string& path) {
  CheckReport report;
  Config config;
  std::string errors;
  const bool readable = LoadConfig(path, config, errors);
  for (size_t begin = 0; !readable && begin <= errors.size();) {
    const size_t end = std::min(errors.find('\n', begin), errors.size());
    report.Error("file", errors.substr(begin, end - begin));
    begin = end + 1;
  }
  // Of a file that could not be read nothing is known.
  if (config.path.empty()) return report;
  if (readable) report.Ok("file", path + " is a configuration");
  if (!config.has_feed && config.output.empty())
    report.Error("file", path + ": neither `feed` nor `output` is set; alerts would go nowhere");
  // What could be read is checked, whatever else is wrong.
  CheckCapture(config, report);
  const std::shared_ptr<const IndicatorSet> set = CheckIndicators(config, report);
  if (set != nullptr) CheckNames(config, *set, report);
  CheckGeo(config, report);
  CheckFiles(config, report);
  CheckFeed(config, set.get(), report);
  CheckMetrics(config, report);
  return report;
}

}  // namespace vedette
