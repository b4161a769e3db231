// When something is wrong enough to tell somebody: decided from successive lists of figures and nothing else.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "exporter/metrics/figures.h"
#include "sensor/config/config.h"
#include "sensor/live/loss_rules.h"
#include "sensor/live/queue_rules.h"

namespace vedette {

struct Alarm {
  std::string name = {};  // no_packets, …; of one partner or interface: partner_silent.NAME, interface_down.NAME
  bool critical = false;  // the sensor does not do its work; else it does it less well
  std::string text = {};  // what is wrong, and what to do
  int64_t since = 0;      // seconds since 1970
};

struct AlarmChange {
  Alarm alarm = {};
  bool raised = false;
};

// One thread. The same figures at the same times give the same alarms.
class AlarmRules {
 public:
  struct Now {
    std::chrono::steady_clock::time_point steady;  // by which times between figures are measured
    int64_t unix_seconds;                          // by which files are dated
  };
  // `start`: silence before the first packet counts from here. `carried`: raised by an earlier run, and not cleared; they
  // are raised until it is known that they no longer hold.
  AlarmRules(const AlarmsConfig& config, Now start, const std::vector<Alarm>& carried = {});

  // To be called once a second. What was raised, or cleared, by these figures.
  std::vector<AlarmChange> Evaluate(const Figures& figures, Now now);
  std::vector<Alarm> Active() const;  // by name
  std::vector<QueueRules::Load> Queues() const { return queues_.Loads(); }
  std::vector<LossRules::Loss> Losses() const { return losses_.Losses(); }
  std::vector<std::string> Names() const;  // of all that were judged so far, raised or not

  static constexpr std::chrono::seconds kDropWindow{60};
  static constexpr std::chrono::seconds kOneWayWindow{300};
  // Too few flows say nothing: a download from a server whose answers take another way is one.
  static constexpr double kMinJudgedFlows = 20;
  // By when each part of a sensor that started has figures: what has none by then is no longer configured.
  static constexpr std::chrono::seconds kCarried{5};

 private:
  using Time = std::chrono::steady_clock::time_point;
  struct Sample {
    Time time;
    double packets = 0, packets_dropped = 0;
    double alerts = 0, alerts_dropped = 0;  // dropped ones among the alerts; without what `output` could not take
    double feed_alerts = 0, feed_alerts_dropped = 0;  // of all partners
    double flows = 0, flows_one_way = 0;
  };
  struct State {
    bool raised = false;
    Time good_since{};  // while raised: since when the condition has not held
    bool good = false;
    bool carried = false;  // raised by an earlier run; this one has not found it so yet
    Alarm alarm;
  };
  // What holds of a condition: nothing where it is not met, else the text.
  using Finding = std::optional<std::string>;

  void TakeSample(const Figures& figures, Time now);
  const Sample& Before(Time now, std::chrono::seconds window) const;
  void Judge(const std::string& name, bool critical, std::chrono::seconds clear_after, const Finding& finding, Now now,
             std::vector<AlarmChange>& changes);
  // One alarm for each label value of the family, a partner or an interface: `prefix` and its name.
  void JudgeEach(std::string_view prefix, const FigureFamily& family, const Figures& figures, Now now,
                 std::vector<AlarmChange>& changes, const std::function<Finding(const Figure&)>& finding_of,
                 const std::function<bool(const Figure&)>& critical = {});
  // What an earlier run found, while this one has not judged it.
  Finding Carried(const std::string& name) const;
  // This run's figures tell whether it holds.
  void Known(const std::string& name);
  void KnowByFigures(const Figures& figures);
  Finding InterfaceDown(const Figure& figure) const;
  Finding HelperEnded(const Figure& figure) const;
  Finding NoPackets(const Figures& figures, Time now);
  Finding Drops(Time now) const;
  Finding OneWay(Time now) const;
  Finding ReloadFailed(const Figures& figures) const;
  Finding OutputFailed(const Figures& figures) const;
  Finding StaleIndicators(const Figures& figures, int64_t unix_seconds) const;
  Finding CanaryMissed(const Figures& figures) const;

  const AlarmsConfig config_;
  std::map<std::string, State> states_;
  std::deque<Sample> samples_;
  QueueRules queues_;
  LossRules losses_;
  // No packets: the sensor's own canaries do not count.
  double packets_ = 0, canaries_ = 0, canaries_awaited_ = 0;
  Time last_packet_, last_canary_, last_look_;
  const Time start_;
};

}  // namespace vedette
