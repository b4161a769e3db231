// A partner: who it is, what it may know, what it looks after, and what became of its alerts.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "exporter/policy/clearance.h"

namespace vedette {

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
