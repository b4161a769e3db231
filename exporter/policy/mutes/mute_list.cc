#include "exporter/policy/mutes/mute_list.h"

#include <algorithm>

#include "signatures/value.h"

namespace vedette {

MuteList::MuteList(std::vector<Entry> entries) {
  for (Entry& entry : entries) {
    const auto index = static_cast<uint32_t>(rules_.size());
    Mute& mute = entry.mute;
    if (mute.value.empty()) {
      by_id_[mute.indicator].push_back(index);
    } else {
      for (size_t i = 0; i < static_cast<size_t>(IndicatorType::kCount); ++i) {
        auto type = static_cast<IndicatorType>(i);
        std::string normal, reason;
        if (!NormaliseValue(type, mute.value, normal, reason)) continue;
        std::vector<uint32_t>& rules = by_value_[{type, std::move(normal)}];
        if (rules.empty() || rules.back() != index) rules.push_back(index);
      }
    }
    rules_.push_back({.source = std::move(mute.source),
                      .network = mute.network.empty() ? std::nullopt : Network::Parse(mute.network),
                      .until_ns = mute.until_ns,
                      .counts = std::move(entry.counts)});
  }
}

bool MuteList::Applies(const Rule& rule, const IndicatorRecord& record, const Alert& alert) const {
  if (!rule.source.empty() && rule.source != record.source) return false;
  if (static_cast<int64_t>(std::min<uint64_t>(alert.time_ns, INT64_MAX)) >= rule.until_ns) return false;
  return !rule.network || rule.network->Contains(alert.flow.client) || rule.network->Contains(alert.flow.server) ||
         (alert.address.version() != 0 && rule.network->Contains(alert.address));
}

MuteCounts* MuteList::Find(const IndicatorRecord& record, const Alert& alert) const {
  const auto first = [&](const std::vector<uint32_t>& rules) -> MuteCounts* {
    for (const uint32_t index : rules) {
      if (Applies(rules_[index], record, alert)) return rules_[index].counts.get();
    }
    return nullptr;
  };
  if (const auto at = by_id_.find(record.id); at != by_id_.end()) {
    if (MuteCounts* const counts = first(at->second)) return counts;
  }
  if (by_value_.empty()) return nullptr;
  const auto at = by_value_.find({record.type, std::string(record.value)});
  return at == by_value_.end() ? nullptr : first(at->second);
}

bool MuteFilter::Admit(Alert& alert, const IndicatorCatalogue* catalogue) const {
  // The sensor's test of itself is no finding that an operator could be tired of.
  if (alert.event == EventKind::kCanary || list_ == nullptr || list_->empty()) return true;
  if (catalogue == nullptr) return true;  // counted as unresolved
  // Nobody heard of a hit that was muted.
  std::erase_if(alert.told, [&](uint32_t index) {
    return index < catalogue->size && list_->Find(catalogue->at(index), alert) != nullptr;
  });
  MuteCounts* last = nullptr;
  std::erase_if(alert.indicators, [&](uint32_t index) {
    if (index >= catalogue->size) return false;
    MuteCounts* const counts = list_->Find(catalogue->at(index), alert);
    if (counts == nullptr) return false;
    counts->hits.fetch_add(1, std::memory_order_relaxed);
    counts->last_ns.store(static_cast<int64_t>(alert.time_ns), std::memory_order_relaxed);
    last = counts;
    return true;
  });
  if (!alert.indicators.empty()) return true;
  if (last != nullptr) last->alerts.fetch_add(1, std::memory_order_relaxed);
  return false;
}

}  // namespace vedette
