// What a running sensor does about itself: canaries, alarms, and the operator's mutes.
#pragma once

#include <functional>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "exporter/alert/export_loop.h"
#include "exporter/feed/feed_sink.h"
#include "exporter/feed/publisher.h"
#include "exporter/metrics/figures.h"
#include "exporter/output/canary_watch.h"
#include "exporter/policy/mutes/mute_list.h"
#include "exporter/policy/mutes/mute_store.h"
#include "sensor/capture/injecting_source.h"
#include "sensor/capture/live/frame_sender.h"
#include "sensor/config/config.h"
#include "sensor/hardening/processes/command_runner.h"
#include "sensor/live/alarms.h"
#include "sensor/live/canary_runner.h"
#include "sensor/live/control.h"
#include "sensor/live/housekeeping.h"
#include "sensor/live/log.h"
#include "sensor/live/mute_control.h"

namespace vedette {

// The exporter's filters, in the order in which alerts go through them: a canary can never be muted.
struct LiveFilters {
  CanaryWatch canaries;
  MuteFilter mutes;
  IndicatorCatalogue in_use;

  std::vector<AlertFilter*> all() { return {&canaries, &mutes}; }
  void AddGeneration(const IndicatorCatalogue& indicators) {
    canaries.AddGeneration(indicators);
    mutes.AddGeneration(indicators);
    in_use = indicators;
  }
  void ForgetBefore(uint64_t generation) {
    canaries.ForgetBefore(generation);
    mutes.ForgetBefore(generation);
  }
};

class SelfWatch : public FigureSource {
 public:
  // The sensor's other parts, which outlive this.
  struct Parts {
    const Config* config = nullptr;
    LiveFilters* filters = nullptr;
    ExportLoop* exporter = nullptr;
    std::vector<InjectingSource*> sources;
    std::vector<FrameSender*> wires;   // empty: canaries are injected at the sources
    CommandRunner* command = nullptr;  // may be null, as the next two
    const FeedPublisher* publisher = nullptr;
    const FeedSink* feed = nullptr;
    KeyPair canary_keys;
    Log* log = nullptr;
  };
  // nullptr with an error: the file of mutes cannot be used. From here on canaries are sent.
  static std::unique_ptr<SelfWatch> Start(Parts parts, std::string& error);

  void AddTo(ControlServer& control);
  // `figures` are what alarms are judged by.
  void AddTo(Housekeeping& housekeeping, std::function<Figures()> figures);
  // `alarms`, `canary` and `mutes`, and what of them changes `state` and `problems`.
  void AddTo(nlohmann::json& status) const;
  void AppendFigures(Figures& out) const override;
  // No canary is sent, or missed, from here on.
  void StopCanaries() { canary_->Stop(); }

 private:
  SelfWatch(Parts parts, std::unique_ptr<MuteStore> mutes);
  void UseMutes();
  std::vector<std::string> RemarksOn(const Mute& mute) const;
  void ExpireMutes();
  nlohmann::json CanaryOutcome() const;

  const Parts parts_;
  const std::unique_ptr<MuteStore> mutes_;
  MuteControl mute_control_;
  Alarms alarms_;
  std::unique_ptr<CanaryRunner> canary_;
};

// Adds the canary's view to the feed's partners, with new keys; before the feed is opened.
void AddCanaryView(Config& config, KeyPair& keys);

}  // namespace vedette
