// A partner: who it is, what it may know, what it looks after, and what became of its alerts.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "exporter/policy/clearance.h"
#include "parsers/base/counter.h"

namespace vedette {

namespace families {

inline constexpr FigureFamily kFeedAlerts = {"vedette_feed_alerts_total", FigureKind::kCounter,
                                             "alerts for a partner, those dropped and unheard included", "partner"};
inline constexpr FigureFamily kFeedOutside = {
    "vedette_feed_alerts_outside_constituency_total", FigureKind::kCounter,
    "alerts withheld by `scope: constituency`: they do not concern the partner's", "partner"};
inline constexpr FigureFamily kFeedUndecided = {
    "vedette_feed_alerts_undecided_total", FigureKind::kCounter,
    "alerts withheld by `scope: constituency`: no database knows where the addresses are", "partner"};
inline constexpr FigureFamily kFeedNoRole = {"vedette_feed_alerts_without_role_total", FigureKind::kCounter,
                                             "alerts withheld by `scope: constituency`: nobody is affected or suspect",
                                             "partner"};

}  // namespace families

// Of one partner for as long as it is one; never given again, so that nothing of a former partner is taken for
// another's, not even under the same name.
using PartnerId = uint64_t;

// As somebody describes it.
struct PartnerConfig {
  std::string name;          // [a-z0-9-]{1,64}; its view is named after it
  std::string public_key;    // Z85, or the path of a .pub file
  Clearance clearance = {};  // and constituency
};

// What became of the alerts that a partner was cleared for.
struct PartnerCounters {
  uint64_t published = 0;
  // Withheld by `scope: constituency`:
  uint64_t outside_constituency = 0;  // others are responsible, or nobody is
  uint64_t undecided = 0;             // no database knows where the addresses are
  uint64_t no_role = 0;               // nobody is affected and nobody suspect

  static constexpr auto Counters() {
    using namespace families;
    using C = PartnerCounters;
    return CounterTable(Count(&C::published, kFeedAlerts),
                        Count(&C::outside_constituency, kFeedOutside).Told("outside its constituency"),
                        Count(&C::undecided, kFeedUndecided).Told("constituency undecided"),
                        Count(&C::no_role, kFeedNoRole).Told("nobody affected or suspect"));
  }
};

// Owned by Partners, at one place until it is removed. Exporter thread.
struct Partner {
  Partner(PartnerId own_id, PartnerConfig own_config) : id(own_id), config(std::move(own_config)) {}
  Partner(const Partner&) = delete;
  Partner& operator=(const Partner&) = delete;

  const PartnerId id;
  const PartnerConfig config;
  PartnerCounters counters;
};

}  // namespace vedette
