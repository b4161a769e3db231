// The parts of a check. Each adds at least one line to the report for each item that it checked.
#pragma once

#include <memory>

#include "sensor/check/check.h"
#include "sensor/config/config.h"
#include "signatures/set/indicator_set.h"

namespace vedette {

void CheckCapture(const Config& config, CheckReport& report);
// The compiled indicators; nullptr if there are none.
std::shared_ptr<const IndicatorSet> CheckIndicators(const Config& config, CheckReport& report);
// What the configuration names and no indicator has.
void CheckNames(const Config& config, const IndicatorSet& set, CheckReport& report);
void CheckGeo(const Config& config, CheckReport& report);
// State, output, control socket, alarm command, mutes, and the rights of the sensor's user to all of it.
void CheckFiles(const Config& config, CheckReport& report);
// Keys, addresses, and what each partner could be sent. `set` may be null.
void CheckFeed(const Config& config, const IndicatorSet* set, CheckReport& report);
void CheckMetrics(const Config& config, CheckReport& report);

}  // namespace vedette
