#include "exporter/render/match_tally.h"

#include <algorithm>

namespace vedette {

void MatchTally::AddGeneration(IndicatorCatalogue indicators) {
  const size_t size = indicators.size;
  generations_.push_back({std::move(indicators), std::vector<uint64_t>(size, 0)});
}

void MatchTally::ForgetBefore(uint64_t generation) {
  while (generations_.size() > 1 && generations_.front().indicators.generation < generation) {
    Fold(generations_.front(), kMaxKept, earlier_);
    generations_.erase(generations_.begin());
  }
}

bool MatchTally::Accept(const Event& event) {
  ++alerts_;
  const auto generation = std::find_if(generations_.rbegin(), generations_.rend(), [&](const Generation& candidate) {
    return candidate.indicators.generation == 0 || candidate.indicators.generation == event.alert->generation;
  });
  if (generation == generations_.rend()) return true;  // counted as unresolved
  for (const IndicatorRecord& hit : event.hits) {
    if (hit.index >= generation->counts.size()) continue;
    ++generation->counts[hit.index];
    const auto at = by_source_.find(hit.source);
    if (at == by_source_.end()) {
      by_source_.emplace(hit.source, 1);
    } else {
      ++at->second;
    }
  }
  return true;
}

void MatchTally::Fold(const Generation& generation, size_t limit, std::map<Key, uint64_t>& out) {
  for (uint32_t i = 0; i < generation.counts.size(); ++i) {
    if (generation.counts[i] == 0) continue;
    const IndicatorRecord record = generation.indicators.at(i);
    Key key{std::string(NameOf(record.type)), std::string(record.value), std::string(record.source),
            std::string(record.id)};
    const auto at = out.find(key);
    if (at != out.end()) {
      at->second += generation.counts[i];
    } else if (out.size() < limit) {
      out.emplace(std::move(key), generation.counts[i]);
    }
  }
}

std::vector<MatchTally::Entry> MatchTally::ByIndicator() const {
  std::map<Key, uint64_t> sums = earlier_;
  for (const Generation& generation : generations_) Fold(generation, SIZE_MAX, sums);
  std::vector<Entry> out;
  out.reserve(sums.size());
  for (auto& [key, alerts] : sums) out.push_back({key, alerts});
  std::stable_sort(out.begin(), out.end(), [](const Entry& a, const Entry& b) { return a.alerts > b.alerts; });
  return out;
}

}  // namespace vedette
