// The way of an alert from the workers to what each reader is shown. The order of its steps stands here and in
// alert_policy.cc, and nowhere else: `run`, `replay` and the tests go through it.
//
//   Decide, once           1  canary        the sensor's test of itself goes its own way; nothing else of its packet goes any
//                          2  mutes         what the operator muted is taken out, before anything is chosen by it
//                          3  hits, roles   resolved, best first; who is suspect and who affected
//   Show, for each reader  4  clearance     hit by hit; without one that is permitted there is no view
//                          5  told before   a value that it heard of in this flow is nothing new
//                          6  context       what of the message its own indicators look in
//                          7  constituency  whether it concerns the reader, and what is said of that
//                          8  memory        the flows that it was shown alerts of, whose ends are for it, too
//   a renderer             9                the view as text; the best hit that is left leads
//
// Incidents and limits will stand at 8, since both count what a view shows; pseudonyms and coarser places after them,
// since an incident is counted by the true addresses.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "exporter/metrics/families.h"
#include "exporter/policy/canary_watch.h"
#include "exporter/policy/mutes/mute_list.h"
#include "exporter/policy/partners.h"
#include "exporter/policy/view.h"
#include "parsers/base/counter.h"

namespace vedette {

struct PolicyCounters {
  // Alerts of a generation that is no longer known, or with an index outside it: none of their hits can be shown.
  uint64_t unresolved = 0;

  static constexpr auto Counters() {
    return CounterTable(Count(&PolicyCounters::unresolved, families::kAlertsDropped, "unknown_generation",
                              "of indicators that are no longer known"));
  }
};

// Exporter thread, but for the one that sets it up before.
class AlertPolicy : public EventMaker {
 public:
  // All outlive the policy; each but `sensor` may be left out.
  struct Parts {
    SensorIdentity sensor = {};
    std::function<std::string_view(uint32_t)> file_name = {};  // of Alert::file: a capture, or an interface
    GeoLookup* geo = nullptr;
    Partners* partners = nullptr;     // whose constituencies say whom an alert concerns
    CanaryWatch* canaries = nullptr;  // live
    MuteFilter* mutes = nullptr;      // live
  };
  AlertPolicy(IndicatorCatalogue indicators, Parts parts);
  AlertPolicy(const AlertPolicy&) = delete;
  AlertPolicy& operator=(const AlertPolicy&) = delete;

  // Where the packets of an alert's flow are carved to, by flow id; the operator is told. Empty: nowhere.
  void NameCaptures(std::function<std::string(uint64_t)> capture_of) { capture_of_ = std::move(capture_of); }

  // Steps 1 to 3.
  const Event* Decide(Alert& alert) override;
  // Steps 4 to 8. `view` is whole only with kShown.
  ViewOutcome Show(const Event& event, Reader& reader, View& view);

  // As of Catalogues.
  void AddGeneration(IndicatorCatalogue indicators) { catalogues_.Add(std::move(indicators)); }
  void ForgetBefore(uint64_t generation) { catalogues_.ForgetBefore(generation); }
  const Catalogues& catalogues() const { return catalogues_; }
  const SensorIdentity& sensor() const { return parts_.sensor; }
  const PolicyCounters& counters() const { return counters_; }

 private:
  void Resolve(const Alert& alert);
  static bool WasTold(const Event& event, const Reader& reader);
  static ObservableMask ContextFor(Reader& reader, const IndicatorCatalogue& catalogue);
  ViewOutcome Concern(const Event& event, const Reader& reader, View& view);
  static void Remember(const View& view, Reader& reader);
  ViewOutcome ShowEnd(const Event& event, Reader& reader, View& view);
  void ShowSighting(const Event& event, const Reader& reader, View& view) const;

  Parts parts_;
  std::function<std::string(uint64_t)> capture_of_;
  Catalogues catalogues_;
  Event event_;
  PolicyCounters counters_;
};

}  // namespace vedette
