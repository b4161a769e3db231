#include "exporter/policy/partners.h"

#include <utility>

namespace vedette {

Partner& Partners::Add(PartnerConfig config) {
  constituencies_.reset();
  all_.push_back(std::make_unique<Partner>(next_id_++, std::move(config)));
  return *all_.back();
}

void Partners::Remove(const Partner& partner) {
  constituencies_.reset();
  std::erase_if(all_, [&](const std::unique_ptr<Partner>& one) { return one.get() == &partner; });
}

Partner* Partners::Find(std::string_view name) const {
  for (const std::unique_ptr<Partner>& partner : all_) {
    if (partner->config.name == name) return partner.get();
  }
  return nullptr;
}

ConstituencyTable& Partners::constituencies() {
  if (!constituencies_) {
    std::vector<ConstituencyTable::Claimant> claimants;
    for (const std::unique_ptr<Partner>& partner : all_) {
      claimants.push_back({partner->id, &partner->config.clearance});
    }
    constituencies_.emplace(claimants, geo_);
  }
  return *constituencies_;
}

}  // namespace vedette
