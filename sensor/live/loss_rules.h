// What was lost before the sensor, interface by interface: a mirror port that drops half of the traffic delivers the
// other half without a word.
#pragma once

#include <chrono>
#include <deque>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "exporter/metrics/figures.h"
#include "parsers/base/counter.h"
#include "sensor/flow/loss_counters.h"

namespace vedette {

namespace families {

inline constexpr FigureFamily kInterfaceSeen = {
    "vedette_interface_acknowledged_seen_bytes_total", FigureKind::kCounter,
    "bytes of an interface's TCP streams whose receiver was heard, and that were seen", "interface"};
inline constexpr FigureFamily kInterfaceUnseen = {
    "vedette_interface_acknowledged_unseen_bytes_total", FigureKind::kCounter,
    "bytes of an interface's TCP streams that their receiver acknowledged and that did not come in their turn",
    "interface"};
inline constexpr FigureFamily kInterfaceLate = {"vedette_interface_acknowledged_late_bytes_total", FigureKind::kCounter,
                                                "of the unseen bytes: came after all", "interface"};
inline constexpr FigureFamily kInterfaceStreams = {"vedette_interface_streams_with_loss_total", FigureKind::kCounter,
                                                   "directions of TCP flows with unseen bytes", "interface"};
inline constexpr FigureFamily kLossBefore = {"vedette_loss_before_percent", FigureKind::kGauge,
                                             "estimated loss before the sensor, of TCP's bytes of five minutes",
                                             "interface"};

}  // namespace families

// `interfaces`: names by number. Those beyond what LossCounters tells apart are added to the last.
void AppendInterfaceLosses(const LossCounters& counters, std::span<const std::string> interfaces, Figures& out);

// One thread.
class LossRules {
 public:
  using Time = std::chrono::steady_clock::time_point;
  static constexpr std::chrono::seconds kWindow{300};
  // Fewer streams, or bytes, say nothing of an interface: a few forged acknowledgments would do.
  static constexpr double kMinStreams = 20, kMinBytes = 1 << 20;

  struct Loss {
    std::string interface;
    double percent = 0;  // of what TCP receivers acknowledged; what the sensor dropped itself is taken out
    double bytes = 0;    // seen and unseen
    double streams = 0;  // with unseen bytes
  };

  // Once a second: figures of a running sensor.
  void TakeSample(const Figures& figures, Time now);
  // Within the window, in the order of the interfaces.
  std::vector<Loss> Losses() const;
  // What to tell the operator where an interface lost more than that; nothing for a limit of 0.
  std::optional<std::string> Finding(double limit_percent) const;

 private:
  struct Counts {
    double seen = 0, unseen = 0, late = 0, streams = 0;
  };
  struct Sample {
    Time time;
    double received = 0, dropped = 0;  // packets, by the sensor itself
    std::map<std::string, Counts> interfaces;
  };

  std::vector<std::string> order_;
  std::deque<Sample> samples_;
};

}  // namespace vedette
