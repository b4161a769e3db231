#include "exporter/policy/mutes/mute_names.h"

#include <fmt/format.h>

#include <utility>

#include "signatures/value.h"

namespace vedette {
namespace {

constexpr size_t kNamesShown = 5;

}  // namespace

std::string ListOfNames(const NameSet& names) {
  std::string text;
  size_t shown = 0;
  for (const std::string& name : names) {
    if (++shown > kNamesShown) break;
    text += (text.empty() ? "" : ", ") + name;
  }
  if (names.size() > kNamesShown) text += fmt::format(" and {} more", names.size() - kNamesShown);
  return text.empty() ? "none" : text;
}

MuteNames::MuteNames(const std::vector<Mute>& mutes) : mutes_(mutes), known_(mutes.size()), hides_(mutes.size()) {
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

void MuteNames::See(const IndicatorRecord& record) {
  if (!record.source.empty() && !sources_.contains(record.source)) sources_.emplace(record.source);
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

void MuteNames::Mark(size_t mute, const IndicatorRecord& record) {
  known_[mute] = true;
  if (mutes_[mute].source.empty() || mutes_[mute].source == record.source) hides_[mute] = true;
}

std::vector<std::string> MuteNames::Remarks() const {
  std::vector<std::string> out;
  for (size_t i = 0; i < mutes_.size(); ++i) {
    const Mute& mute = mutes_[i];
    if (hides_[i]) continue;
    out.push_back(
        known_[i] ? fmt::format("the mute of {} hides nothing: source `{}` has no such indicator; sources that do: {}",
                                Describe(mute), mute.source, ListOfNames(sources_))
                  : fmt::format("the mute of {} hides nothing: no indicator in use has this {}", Describe(mute),
                                mute.value.empty() ? "id" : "value"));
  }
  return out;
}

}  // namespace vedette
