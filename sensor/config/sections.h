// The sections of the configuration file: a table of keys each, one file per section.
#pragma once

#include "sensor/config/config.h"
#include "sensor/config/key.h"

namespace vedette {

// The top level: every key of the file, in the order of the example.
const Keys<Config>& ConfigKeys();

Key<Config> SensorSection();
Key<Config> CaptureSection();
Keys<Config> InputKeys();  // indicators, cache, geo
Key<Config> OutputSection();
Key<Config> LimitsSection();
Key<Config> MetricsSection();
Key<Config> HardeningSection();
Keys<Config> ServiceKeys();  // state, control, control_group
Key<Config> AlarmsSection();
Key<Config> CanarySection();
Key<Config> MutesSection();
Key<Config> FeedSection();

// `partners` of the feed; a key of that section.
Key<Config> PartnersKey();

}  // namespace vedette
