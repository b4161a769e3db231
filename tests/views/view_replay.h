// What each partner's view shows of some packets, as the feed would publish it; and the check that a view depends on
// nothing that it may not show: replayed with all rows and with only those that it may see, its bytes are the same.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "exporter/alert/alert_queue.h"
#include "exporter/policy/alert_policy.h"
#include "exporter/policy/clearance.h"
#include "exporter/render/renderer.h"
#include "sensor/capture/frame.h"
#include "sensor/pipeline/match_consumer.h"
#include "signatures/set/indicator_set.h"

namespace vedette::views {

// Rows to look for, from first to last: a reload puts each in the place of the one before.
using Generations = std::vector<std::vector<Indicator>>;

struct ReplayOptions {
  bool live = false;            // what finds no room in the queue is dropped
  size_t pop_every_bursts = 1;  // how often the exporter comes
  size_t room = AlertQueue::kRoom;
  MatchLimits limits;
  size_t burst = 32;      // frames
  bool ends = false;      // views tell of the ends of flows, too …
  size_t max_flows = 25;  // … of so many at a time
};

// Called with each burst in order; twice the same on each call.
using Bursts = std::function<void(const std::function<void(std::span<const Frame>)>&)>;

struct Replayed {
  std::vector<std::string> views;  // by clearance: all lines
  uint64_t alerts = 0;
  uint64_t ends = 0;  // of flows, that views showed
  uint64_t flows_over_limit = 0;
  // What met a limit, over all generations.
  AlertCounters counters;
  MatchCounters matching;
  uint64_t refused = 0;
  std::string losses;  // as heartbeats tell them
  std::vector<std::shared_ptr<const IndicatorSet>> sets;
};

// The generations take turns after the same number of bursts; `num_bursts`: how many there are, where there is more
// than one generation.
Replayed Replay(const Bursts& bursts, const Generations& generations, const std::vector<Clearance>& clearances,
                const ReplayOptions& options, size_t num_bursts = 0);

struct Difference {
  size_t bytes = 0;      // compared
  size_t differing = 0;  // bytes of views that are not the same
  std::string example;   // the first line that differs, both ways
};

// Replays with all rows, and for each clearance with only the rows that it permits. `all`, where given, receives what
// the replay with all rows gave.
Difference CompareViews(const Bursts& bursts, Generations generations, const std::vector<Clearance>& clearances,
                        const ReplayOptions& options, size_t num_bursts = 0, Replayed* all = nullptr);

// ---- random owners

// Gives a row an originator, a TLP, a sharing group, recipients, a source and what else says how it ranks. Some rows
// share an id with others of their originator.
void AssignOwner(Indicator& row, std::mt19937_64& random);
// Partners for rows of AssignOwner: some see much, some next to nothing.
std::vector<Clearance> SomeClearances(std::mt19937_64& random, size_t count);

}  // namespace vedette::views
