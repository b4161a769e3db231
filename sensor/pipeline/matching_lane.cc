#include "sensor/pipeline/matching_lane.h"

#include <utility>

namespace vedette {

MatchConsumer* MakeMatching(LaneSetup& lane, const std::shared_ptr<const IndicatorSet>& set, Doorbell& doorbell,
                            const MatchingOptions& options) {
  lane.kit = MatchKit::Make(set, options.generation, EmittedFor(set->wanted()));
  if (lane.kit == nullptr) return nullptr;
  lane.alerts = std::make_unique<AlertQueue>(doorbell);
  auto consumer = std::make_unique<MatchConsumer>(*lane.alerts, options.wait_when_full, options.keep_flows);
  if (options.tell_ends) consumer->TellEnds();
  consumer->KeepWith(options.keeper);
  lane.options.keeper = options.keeper;
  MatchConsumer* const matching = consumer.get();
  lane.consumer = std::move(consumer);
  return matching;
}

}  // namespace vedette
