// From observables to alerts: looks a burst up in the indicator set and queues what was hit.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "exporter/alert/alert_queue.h"
#include "sensor/keep/flow_keeper.h"
#include "sensor/pipeline/burst_consumer.h"
#include "sensor/pipeline/flow_map.h"
#include "sensor/pipeline/told_values.h"
#include "signatures/set/indicator_set.h"

namespace vedette {

// What one audience may take; a test reaches lower ones sooner.
struct MatchLimits {
  // A crafted flow must not fill the memory: more distinct values than that in one flow are counted only.
  size_t alerts_per_flow = 4096;
  // Nor must many of them: how many distinct values a worker remembers over all flows, some 48 bytes each. Beyond it
  // alerts are raised all the same, and a flow that repeats itself raises them again.
  size_t remembered = size_t{1} << 20;
};

// Limits count by audience (signatures/indicator.h): an alert holds the hits of those audiences that are within theirs
// and have not heard of its value in its flow yet. What one audience is told depends on its own rows alone, and one
// that is new after a reload hears of running flows.
class MatchConsumer : public BurstConsumer {
 public:
  // A DNS message with thousands of listed answers raises as many alerts, each with its neighbours; what an alert shows
  // of a message is less than that: as many answers, and the first value of each other kind. Whatever else parsers emit
  // because somebody has asked for it takes no place of those.
  static constexpr size_t kMaxMessageValues = 256;

  // `wait_when_full`: replay; else what finds no room in the queue is dropped. `keep_flows`: how many of the flows with
  // alerts are kept for matched_flows(), those that alerted first.
  MatchConsumer(AlertQueue& queue, bool wait_when_full, size_t keep_flows = 0, MatchLimits limits = {});

  // Before a worker has it: tells the exporter of the end of each flow with alerts, too (EventKind::kClosed).
  void TellEnds() { tell_ends_ = true; }
  // Before a worker has it: the same worker's keeper hears of flows with alerts. It outlives the consumer.
  void KeepWith(FlowKeeper* keeper) { keeper_ = keeper; }
  // Before a worker has it: index of the capture that its frames call 0. Alerts are in the order of these.
  void set_first_file(uint32_t file) { first_file_ = file; }

  void Use(MatchKit& kit) override;
  void OnBurst(const ObservableBatch& batch, std::span<const EmissionContext> contexts,
               std::span<const EndedFlow> ended_flows) override;
  void OnProgress(uint32_t file, uint64_t packet) override;
  bool wants_ends() const override { return tell_ends_; }
  bool HasRaised(uint64_t flow_id) const override { return raised_.Has(flow_id); }

  AlertCounters alert_counters() const override;
  // Flows with alerts that are over, in no order.
  const std::vector<EndedFlow>& matched_flows() const { return matched_flows_; }

 private:
  // What one audience was told of one flow. At least one value.
  struct Told {
    uint64_t audience = 0;
    size_t* remembered = nullptr;  // of the audience, in remembered_
    ToldValues values;
  };
  struct Raised {
    std::vector<Told> told;  // by audience, ascending
    bool counted = false, kept = false;
    uint64_t keep_key = 0;  // not 0: the keeper expects a request for it

    void Reset() {
      told.clear();
      counted = kept = false;
      keep_key = 0;
    }
  };
  // What becomes of an audience's hits on a value.
  enum class Verdict : uint8_t { kTell, kToldBefore, kOverFlowLimit, kNoRoom };
  // Of one audience, by its number in the set.
  struct Judged {
    uint64_t finding = 0;  // the verdict is about this one
    Verdict verdict = Verdict::kTell;
    size_t* remembered = nullptr;  // of the audience; not known yet
  };

  // All hits on one observable.
  void OnFinding(const ObservableBatch& batch, std::span<const EmissionContext> contexts, std::span<const Hit> hits);
  void Expect(Raised& flow, const EmissionContext& context);
  Verdict Judge(Raised& flow, uint64_t identity, uint32_t indicator);
  static std::vector<Told>::iterator PlaceOf(Raised& flow, uint64_t audience);
  void Remember(Raised& flow, uint64_t identity);
  void Forget(const Raised& flow);
  // Queues an alert of tell_ and told_.
  void Raise(const ObservableBatch& batch, const Observable& observable, uint32_t index,
             const EmissionContext& context);
  // The end of a flow, to those audiences that heard of it.
  void TellEnd(const EndedFlow& flow);
  // What the flow of a hit has shown so far.
  Raised& FlowOf(const EmissionContext& context, uint32_t first_hit);

  MatchKit* kit_ = nullptr;
  AlertQueue& queue_;
  bool wait_when_full_;
  bool tell_ends_ = false;
  MatchLimits limits_;
  std::vector<Hit> hits_;
  // Of the finding at hand.
  uint64_t finding_ = 0;
  std::vector<Judged> judged_;         // by number of the audience
  std::vector<uint64_t> audiences_;    // keys of those that are told …
  std::vector<uint32_t> numbers_;      // … and their numbers
  std::vector<uint32_t> tell_, told_;  // indicators

  FlowMap<Raised> raised_;
  // The flow of the last finding: most have several in a row.
  uint64_t last_id_ = 0;
  Raised* last_ = nullptr;
  std::unordered_map<uint64_t, size_t> remembered_;  // identities of all flows, by audience; see Use
  size_t num_told_ = 0, told_bytes_ = 0;             // sets of identities of all flows, and what they allocated
  size_t keep_flows_;                                // more that may be kept
  FlowKeeper* keeper_ = nullptr;
  uint32_t first_file_ = 0;
  std::vector<EndedFlow> matched_flows_;
  AlertPosition position_;
  uint32_t ordinal_ = 0;
  AlertCounters counters_;
};

}  // namespace vedette
