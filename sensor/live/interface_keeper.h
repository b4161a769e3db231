// Keeps the interfaces of a running sensor captured: notices when one goes down, away, is renamed or comes back, and
// opens it again.
//
//   kernel ──changes──► keeper's thread ──socket, ring──► slot ──► lane        off the packet path: a lane exchanges a
//   (LinkWatch)              │                                                 pointer, and other interfaces go on
//                            └──► log, figures, status; the alarms read the figures
//
// The name in the configuration counts. An interface that is made anew under that name has another number, and is
// opened: where the source can be bound to it (libpcap's) in place, else with new sources. One that is there and down
// is opened as well, so that nothing is missed once it is up. One that keeps its number and gets another name is still
// captured, until another has the name; it is said, because a restart would not find it.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "exporter/metrics/figures.h"
#include "sensor/capture/live/frame_sender.h"
#include "sensor/capture/live/interface_record.h"
#include "sensor/capture/live/link_watch.h"
#include "sensor/capture/live/live_source.h"
#include "sensor/capture/live/source_slot.h"
#include "sensor/live/log.h"

namespace vedette {

class InterfaceKeeper : public FigureSource {
 public:
  struct Interface {
    std::string name;
    std::vector<std::shared_ptr<SourceSlot>> slots = {};  // one for each lane
    std::vector<LiveSource*> sources = {};  // what the lanes begin with, in that order; empty: not opened yet
    FrameSender* wire = nullptr;            // may be null
  };
  struct Parts {
    std::vector<Interface> interfaces;  // as in the configuration
    // New sources of the interface at that place in the list, one for each lane; empty with an error. May be empty: no
    // source can be made any more.
    std::function<std::vector<std::unique_ptr<LiveSource>>(size_t interface, std::string& error)> open;
    Log* log = nullptr;
  };
  // Looks at all of them once, so that whoever asks knows how they are, and starts its thread. nullptr with an error.
  static std::unique_ptr<InterfaceKeeper> Start(Parts parts, std::string& error);
  ~InterfaceKeeper() override;

  // Any thread.
  void AppendFigures(Figures& out) const override;
  // `interfaces`: how each is and was.
  void AddTo(nlohmann::json& status) const;

  // Between two looks at interfaces of which the kernel told nothing.
  static constexpr auto kLookInterval = std::chrono::seconds(1);
  // A new source is handed over once the old one has given what was in its ring: the kernel hands a block over after
  // 20 ms, and a busy machine later.
  static constexpr auto kSettle = std::chrono::milliseconds(100);
  // Between attempts to open one that cannot be opened.
  static constexpr auto kOpenAgain = std::chrono::seconds(2);

 private:
  using Clock = std::chrono::steady_clock;
  struct Kept {
    Kept(size_t number, Interface interface, InterfaceRecord::Now now)
        : place(number), given(std::move(interface)), record(now) {}
    const size_t place;
    Interface given;
    InterfaceRecord record;
    std::string other_name;                           // of one that was renamed
    std::string problem;                              // why it cannot be opened
    std::vector<std::unique_ptr<LiveSource>> opened;  // not handed over yet
    Clock::time_point hand_over_at{}, open_again_at{};
  };
  InterfaceKeeper(Parts parts, std::unique_ptr<LinkWatch> watch);
  void Work();
  void Look();
  void Take(const LinkWatch::Change& change);
  void Assess(Kept& kept);
  bool Attach(Kept& kept, const Link& link);
  void HandOver();
  void Set(Kept& kept, InterfaceState state, std::string other_name = {});
  void Say(const Kept& kept, const std::optional<InterfaceRecord::Outage>& ended);

  const Parts parts_;
  const std::unique_ptr<LinkWatch> watch_;
  std::atomic<bool> stopping_{false};
  mutable std::mutex mutex_;  // of what the records, other names and problems are; the rest is the thread's
  std::deque<Kept> kept_;
  std::thread thread_;
};

}  // namespace vedette
