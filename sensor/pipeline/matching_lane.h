// Lanes that match and alert: those of a live sensor and of a replay.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "exporter/alert/doorbell.h"
#include "sensor/pipeline/lane.h"
#include "sensor/pipeline/match_consumer.h"
#include "signatures/set/indicator_set.h"

namespace vedette {

struct MatchingOptions {
  uint64_t generation = 0;      // of the set; see MatchKit
  bool wait_when_full = false;  // see MatchConsumer, as the next
  size_t keep_flows = 0;
  bool tell_ends = false;        // a sink takes the ends of flows
  FlowKeeper* keeper = nullptr;  // of this lane; outlives it
};

// Gives the lane a kit for `set`, a ring that rings `doorbell` (which outlives the lane), and a consumer that matches.
// Returns the consumer, which the lane owns; nullptr: no memory for the kit.
MatchConsumer* MakeMatching(LaneSetup& lane, const std::shared_ptr<const IndicatorSet>& set, Doorbell& doorbell,
                            const MatchingOptions& options);

}  // namespace vedette
