// Those who may be told, while they are told: added and removed while the sensor runs.
#pragma once

#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "exporter/geo/geo.h"
#include "exporter/policy/constituency_table.h"
#include "exporter/policy/partner.h"

namespace vedette {

// Exporter thread, or the one thread before it begins.
class Partners {
 public:
  // `geo` outlives this; see ConstituencyTable.
  explicit Partners(GeoLookup* geo) : geo_(geo) {}
  Partners(const Partners&) = delete;
  Partners& operator=(const Partners&) = delete;

  // From the next alert on. No other has its name. Holds until it is removed.
  Partner& Add(PartnerConfig config);
  void Remove(const Partner& partner);
  // nullptr where none has the name.
  Partner* Find(std::string_view name) const;
  // In the order in which they were added.
  const std::vector<std::unique_ptr<Partner>>& all() const { return all_; }

  // Of those that are there now. Made anew at the first call after a change: what it said before holds no more.
  ConstituencyTable& constituencies();

 private:
  GeoLookup* geo_;
  PartnerId next_id_ = 0;
  std::vector<std::unique_ptr<Partner>> all_;
  std::optional<ConstituencyTable> constituencies_;
};

}  // namespace vedette
