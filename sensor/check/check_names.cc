// Names that a configuration refers to and that no indicator has: what is misspelt there does nothing, in silence.
#include <fmt/format.h>

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sensor/check/parts.h"
#include "signatures/value.h"

namespace vedette {
namespace {

constexpr size_t kNamesShown = 5;
constexpr std::string_view kAll = "*";

struct Names {
  std::set<std::string, std::less<>> originators, sources;
};

std::string ListOf(const std::set<std::string, std::less<>>& names) {
  std::string text;
  size_t shown = 0;
  for (const std::string& name : names) {
    if (++shown > kNamesShown) break;
    text += (text.empty() ? "" : ", ") + name;
  }
  if (names.size() > kNamesShown) text += fmt::format(" and {} more", names.size() - kNamesShown);
  return text.empty() ? "none" : text;
}

// One pass over the indicators finds which mutes have something to hide.
class MuteNames {
 public:
  explicit MuteNames(const std::vector<Mute>& mutes) : mutes_(mutes), known_(mutes.size()), hides_(mutes.size()) {
    for (size_t i = 0; i < mutes.size(); ++i) {
      if (mutes[i].value.empty()) {
        by_id_[mutes[i].indicator].push_back(i);
        continue;
      }
      for (size_t number = 0; number < static_cast<size_t>(IndicatorType::kCount); ++number) {
        auto type = static_cast<IndicatorType>(number);
        std::string normal, reason;
        if (NormaliseValue(type, mutes[i].value, normal, reason)) by_value_[std::move(normal)].emplace_back(type, i);
      }
    }
  }
  void See(const IndicatorRecord& record) {
    if (const auto at = by_id_.find(record.id); at != by_id_.end()) {
      for (const size_t mute : at->second) Mark(mute, record);
    }
    if (by_value_.empty()) return;
    if (const auto at = by_value_.find(record.value); at != by_value_.end()) {
      for (const auto& [type, mute] : at->second) {
        if (type == record.type) Mark(mute, record);
      }
    }
  }
  void Report(const Names& names, CheckReport& report) const {
    for (size_t i = 0; i < mutes_.size(); ++i) {
      const Mute& mute = mutes_[i];
      if (hides_[i]) continue;
      if (known_[i]) {
        report.Warn("mutes",
                    fmt::format("the mute of {} hides nothing: no such indicator is of source `{}`; sources: {}",
                                Describe(mute), mute.source, ListOf(names.sources)));
      } else {
        report.Warn("mutes", fmt::format("the mute of {} hides nothing: no indicator in use has this {}",
                                         Describe(mute), mute.value.empty() ? "id" : "value"));
      }
    }
  }

 private:
  void Mark(size_t mute, const IndicatorRecord& record) {
    known_[mute] = true;
    if (mutes_[mute].source.empty() || mutes_[mute].source == record.source) hides_[mute] = true;
  }

  const std::vector<Mute>& mutes_;
  std::map<std::string, std::vector<size_t>, std::less<>> by_id_;
  std::map<std::string, std::vector<std::pair<IndicatorType, size_t>>, std::less<>> by_value_;
  std::vector<bool> known_, hides_;
};

void CheckClearances(const Config& config, const Names& names, CheckReport& report) {
  for (const Clearance& clearance : config.clearances) {
    for (const std::string& name : clearance.originators) {
      if (name == kAll || names.originators.contains(name)) continue;
      report.Warn("feed",
                  fmt::format("partner {}: `{}` in `originators` is the originator of no indicator in use; theirs "
                              "are: {}",
                              clearance.partner, name, ListOf(names.originators)));
    }
  }
  if (config.clearances.empty()) return;
  for (const std::string& name : config.clearances[0].unmarked_sources) {
    if (name == kAll || names.sources.contains(name)) continue;
    report.Warn("feed", fmt::format("`{}` in `unmarked_sources` is the source of no indicator in use; theirs are: {}",
                                    name, ListOf(names.sources)));
  }
}

}  // namespace

void CheckNames(const Config& config, const IndicatorSet& set, CheckReport& report) {
  Names names;
  MuteNames mutes(config.mutes);
  for (uint32_t index = 0; index < set.size(); ++index) {
    const IndicatorRecord record = set.at(index);
    if (!names.originators.contains(record.originator)) names.originators.emplace(record.originator);
    if (!names.sources.contains(record.source)) names.sources.emplace(record.source);
    mutes.See(record);
  }
  names.originators.erase("");
  names.sources.erase("");
  mutes.Report(names, report);
  CheckClearances(config, names, report);
}

}  // namespace vedette
