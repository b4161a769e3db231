#include "sensor/config/sections.h"

#include <utility>

namespace vedette {

const Keys<Config>& ConfigKeys() {
  static const Keys<Config> kKeys = [] {
    Keys<Config> keys;
    const auto append = [&keys](Keys<Config> more) {
      for (Key<Config>& key : more) keys.push_back(std::move(key));
    };
    append({SensorSection(), CaptureSection()});
    append(InputKeys());
    append({OutputSection(), LimitsSection(), MetricsSection(), HardeningSection()});
    append(ServiceKeys());
    append({AlarmsSection(), CanarySection(), MutesSection(), FeedSection()});
    return keys;
  }();
  return kKeys;
}

}  // namespace vedette
