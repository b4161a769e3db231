// The capture of a running sensor: its interfaces, opened with rights, and the lanes that run on them without.
//
//   eth0 queue 0 ─┐                          eth0 queue 1 ─┐
//   eth1 queue 0 ─┴► lane 0 ─► alert ring    eth1 queue 1 ─┴► lane 1 ─► alert ring    …
//
// AF_PACKET gives as many queues of each interface as there are lanes, libpcap one.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "exporter/alert/doorbell.h"
#include "sensor/capture/injecting_source.h"
#include "sensor/capture/live/frame_sender.h"
#include "sensor/capture/live/interface_problem.h"
#include "sensor/capture/live/live_source.h"
#include "sensor/capture/live/live_sources.h"
#include "sensor/capture/live/packet/packet_queues.h"
#include "sensor/config/config.h"
#include "sensor/hardening/processes/socket_opener.h"
#include "sensor/keep/packet_keep.h"
#include "sensor/live/interface_keeper.h"
#include "sensor/pipeline/matching_lane.h"
#include "sensor/pipeline/pipeline.h"
#include "signatures/set/indicator_set.h"

namespace vedette {

class LiveLanes {
 public:
  // Opens every interface of `capture`; nullptr with an error where one cannot be. `wire`: also for sending on it.
  // `opener` has the same interfaces in the same order, and outlives this; null: none can be opened later, and one that
  // is not there or down is an error.
  static std::unique_ptr<LiveLanes> Open(const CaptureConfig& capture, bool wire, SocketOpener* opener,
                                         std::string& error);
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
  // Whether OpenAgain can be called.
  bool can_open_again() const { return opener_ != nullptr; }
  // New sources of an interface that came or came back, one for each lane, by AF_PACKET whatever opened it first; empty
  // with the reason. Needs no right. One thread at a time; waits for the opener, a second at most for each lane.
  std::vector<std::unique_ptr<LiveSource>> OpenAgain(uint32_t file, OpenFailure& failure);
  // For whoever keeps them captured; after Make.
  std::vector<InterfaceKeeper::Interface> interfaces() const { return interfaces_; }
  // One for each interface, where `wire` was asked for.
  std::vector<FrameSender*> wires() const;
  // For the log: "eth0 (af_packet), any (libpcap); 2 workers, on CPUs 0, 1".
  std::string Description() const;
  // What libpcap warned of when it opened them.
  const std::vector<std::string>& warnings() const { return warnings_; }

 private:
  LiveLanes(const CaptureConfig& capture, bool wire, SocketOpener* opener)
      : capture_(capture), wire_(wire), opener_(opener) {}
  std::vector<LiveSources::Part> PartsOf(std::vector<std::unique_ptr<LiveSource>> sources);
  bool OpenInterface(uint32_t file, OpenFailure& failure);
  bool IgnoreOutgoing(uint32_t file);
  PacketQueueOptions PacketOptions(uint32_t file);

  const CaptureConfig capture_;
  const bool wire_;
  SocketOpener* const opener_;
  const uint32_t fanout_seed_ = static_cast<uint32_t>(FlowHashSeed::Random().both);
  std::vector<std::optional<bool>> outgoing_ignored_;  // by interface, once it was opened
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
