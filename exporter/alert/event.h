// What the exporter tells: made once of what a worker handed over, and shown to each reader as a view of its own
// (exporter/policy/view.h).
#pragma once

#include <cstdint>
#include <vector>

#include "exporter/alert/alert.h"
#include "exporter/alert/catalogue.h"
#include "exporter/alert/roles.h"

namespace vedette {

// Everything that was found out about it, whoever may see what of it. Holds during the call that it is handed to.
struct Event {
  EventKind kind = EventKind::kAlert;
  const Alert* alert = nullptr;                   // place, flow, evidence and message; without the hits that were muted
  const IndicatorCatalogue* catalogue = nullptr;  // what its indexes mean; nullptr where nobody knows any more
  std::vector<IndicatorRecord> hits;              // best first; what each says of itself holds as long as the catalogue
  Roles roles;                                    // where there are hits
};

// What makes events, in the exporter's thread.
class EventMaker {
 public:
  virtual ~EventMaker() = default;
  // Takes out of the alert what nobody is told. nullptr: that was all, and was counted. Holds until the next call, and
  // as long as the alert.
  virtual const Event* Decide(Alert& alert) = 0;
};

}  // namespace vedette
