// What every partner is told in heartbeats: what the sensor could not see.
//
// All partners are told the same, and each can send traffic past the sensor. A figure that moves when somebody's
// indicator is hit would tell each of them whether a name is on another's list. So only what is counted before anything
// is compared with an indicator goes out: no alerts, hits, or alerts dropped, and nothing of the set itself
// (generation, digest, age). FigureFamily::is_loss says so, beside the counter.
#pragma once

#include <string>

#include "exporter/metrics/figures.h"

namespace vedette {

// A JSON object on one line, as FeedPublisher::SetLossCounters takes it; what was not lost is left out: `{}` where
// nothing was.
std::string LossesOf(const Figures& figures);

}  // namespace vedette
