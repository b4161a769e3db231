// What a partner may know.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "exporter/policy/constituency.h"
#include "signatures/indicator.h"

namespace vedette {

// A hit goes to a partner where all of this holds:
//   1. the indicator's originator is on the partner's list ("*" stands for all);
//   2. its TLP is at most `max_tlp`; without TLP it is AMBER+STRICT, and its source has to be on `unmarked_sources` as
//      well (contract 6);
//   3. where the indicator names recipients, the partner is one of them;
//   4. where the indicator is bound to a sharing group, the group is on `sharing_groups`.
struct Clearance {
  std::string partner;
  std::vector<std::string> originators;
  Tlp max_tlp = Tlp::kAmber;  // AMBER+STRICT stays within the organisation that received it (TLP 2.0)
  std::vector<std::string> unmarked_sources;
  std::vector<std::string> sharing_groups;

  // Of what it may know, a partner can be sent all, or only what concerns its constituency (constituency_table.h).
  Constituency constituency;
  bool only_constituency = false;

  bool Permits(const IndicatorRecord& record) const;
};

}  // namespace vedette
