// One event as one reader sees it. Renderers see nothing else of an event: what is not here cannot be shown.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "exporter/alert/event.h"
#include "exporter/geo/geo.h"
#include "exporter/policy/constituency_table.h"

namespace vedette {

struct SensorIdentity {
  std::string name;  // of the sensor, as its operator calls it
  std::string version;
  bool replay = true;                // a capture, not an interface
  std::vector<IpAddress> resolvers;  // see DecideRoles
};

// Made by AlertPolicy::Show; what it refers to holds until the next event is decided or anything is looked up for it.
struct View {
  EventKind kind = EventKind::kAlert;
  const SensorIdentity* sensor = nullptr;
  // What traffic showed. Pseudonyms and coarser places will be a changed copy of it.
  const Sighting* seen = nullptr;
  ObservableMask context;                    // what of its message may be shown
  std::string_view file;                     // the capture's name, or the interface's
  std::vector<const IndicatorRecord*> hits;  // those that it may see, best first; none of a flow's end
  const Roles* roles = nullptr;
  GeoLookup* geo = nullptr;  // may be null

  // What is said of responsibility; one of the two at most.
  const Responsibility* responsible = nullptr;  // of all partners, for the operator
  const Claim* own_claim = nullptr;             // of the partner whose view it is
  const ConstituencyTable* constituencies = nullptr;

  // The operator's alone.
  bool for_partner = false;            // else all of these
  std::string capture;                 // where the flow is carved to; may be empty
  std::string_view indicators_digest;  // of the whole set: a partner could try which rows give it
  uint64_t generation = 0;

  // Of EventKind::kClosed: what this reader was shown of the flow before.
  uint64_t alerts = 0;
  std::string first_alert_id;

  const IndicatorRecord& best() const { return *hits.front(); }
  const GeoRecord& PlaceOf(const IpAddress& address) const;
};

// Of two views of one event: whether every format shows the same of both.
bool ShowsTheSame(const View& a, const View& b);

// What may be shown to whom. Empty: everything.
using HitFilter = std::function<bool(const IndicatorRecord&)>;

// Whom views are made for, and what it was shown before. One for each output of the operator's, for the canary, for
// each partner. Exporter thread.
struct Reader {
  // Sees everything.
  static Reader Operator() { return {}; }
  // A partner's hits are those that its clearance permits; what it refers to outlives the reader. The canary's listener
  // is one, too, and takes nothing else.
  static Reader Of(PartnerId id, const Clearance& clearance);

  EventKinds takes = EventKind::kAlert;
  HitFilter permits = {};
  std::optional<PartnerId> partner = {};  // none: the operator
  bool only_constituency = false;         // only where it is responsible for who is affected or who is suspect

  // What a message may show to this partner, and the generation that this was found for.
  ObservableMask context = {};
  std::optional<uint64_t> context_of = {};

  // Of a reader that takes the ends of flows: those that it was shown alerts of. `max_flows` at most; of those beyond
  // it, no end is shown (`flows_over_limit`). What it holds depends on its own view alone.
  struct ShownFlow {
    uint64_t alerts = 0;
    std::string first_alert_id;
  };
  size_t max_flows = 100'000;  // some 150 bytes each
  // Keys of the audiences that it may see, of all generations: the end of a flow is for audiences.
  std::unordered_set<uint64_t> audiences = {};
  std::unordered_map<uint64_t, ShownFlow> flows = {};
  uint64_t flows_over_limit = 0;
};

enum class ViewOutcome : uint8_t {
  kShown,
  kNotTaken,    // an event of a kind that is not for this reader
  kNotCleared,  // no hit that it may see
  kToldBefore,  // it was told of that value in this flow, by another of its hits: new ones are nothing new to it
  kUnheard,     // the end of a flow of which it was shown nothing
  // With `only_constituency`:
  kOutsideConstituency,  // others are responsible, or nobody is
  kUndecided,            // no database knows where the addresses are, and that could have made it responsible
  kNoRole,               // nobody is affected and nobody suspect, so there is nobody to be responsible for
};

}  // namespace vedette
