// The capture of a running sensor: its interfaces, opened with rights, and the lanes that run on them without.
//
//   eth0 queue 0 ─┐                          eth0 queue 1 ─┐
//   eth1 queue 0 ─┴► lane 0 ─► alert ring    eth1 queue 1 ─┴► lane 1 ─► alert ring    …
//
// AF_PACKET gives as many queues of each interface as there are lanes, libpcap one.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "exporter/alert/doorbell.h"
#include "sensor/capture/injecting_source.h"
#include "sensor/capture/live/frame_sender.h"
#include "sensor/capture/live/live_source.h"
#include "sensor/capture/live/live_sources.h"
#include "sensor/config/config.h"
#include "sensor/keep/packet_keep.h"
#include "sensor/live/interface_keeper.h"
#include "sensor/pipeline/matching_lane.h"
#include "sensor/pipeline/pipeline.h"
#include "signatures/set/indicator_set.h"

namespace vedette {

class LiveLanes {
 public:
  // Opens every interface of `capture`; nullptr with an error where one cannot be. `wire`: also for sending on it.
  static std::unique_ptr<LiveLanes> Open(const CaptureConfig& capture, bool wire, std::string& error);
  LiveLanes(const LiveLanes&) = delete;
  LiveLanes& operator=(const LiveLanes&) = delete;

  // Makes the lanes, which match with `set` as generation 1 and ring `doorbell`; it and what `on_end` uses outlive
  // them. `on_end` is called in a lane's thread when that lane has ended. `keep`: what keeps packets of flows with alerts; may
  // be null. Once only; false with an error.
  bool Make(const LimitsConfig& limits, const std::shared_ptr<const IndicatorSet>& set, Doorbell& doorbell,
            const MatchingOptions& matching, PacketKeep* keep, const std::function<void()>& on_end, std::string& error);
  // After Make.
  Pipeline& pipeline() { return *pipeline_; }

  // What an alert says of its packet's interface. Any thread.
  std::string_view NameOf(uint32_t file) const { return names_[file]; }
  // "eth0, eth1".
  std::string Names() const;
  // Where a frame of the sensor's own enters: one for each lane, after Make.
  const std::vector<InjectingSource*>& injecting() const { return injecting_; }
  // For whoever keeps them captured; after Make.
  std::vector<InterfaceKeeper::Interface> interfaces() const { return interfaces_; }
  // One for each interface, where `wire` was asked for.
  std::vector<FrameSender*> wires() const;
  // For the log: "eth0 (af_packet), any (libpcap); 2 workers, on CPUs 0, 1".
  std::string Description() const;
  // What libpcap warned of when it opened them.
  const std::vector<std::string>& warnings() const { return warnings_; }

 private:
  LiveLanes() = default;
  std::vector<LiveSources::Part> PartsOf(std::vector<std::unique_ptr<LiveSource>> sources);
  bool OpenInterface(const CaptureConfig& capture, uint32_t file, bool wire, uint32_t seed, std::string& error);

  std::vector<std::string> names_;
  std::vector<std::string> described_;  // by interface
  std::vector<int> cpus_;               // by lane; -1: wherever
  std::vector<std::string> warnings_;
  std::vector<std::vector<std::unique_ptr<LiveSource>>> queues_;  // by lane, then interface; until Make
  std::vector<std::unique_ptr<FrameSender>> wires_;
  std::vector<InterfaceKeeper::Interface> interfaces_;
  std::vector<InjectingSource*> injecting_;  // the lanes'
  std::unique_ptr<Pipeline> pipeline_;
};

}  // namespace vedette
