// Names that a configuration refers to and that no indicator has: what is misspelt there does nothing, in silence.
#include <fmt/format.h>

#include <cstdint>
#include <set>
#include <string>
#include <string_view>

#include "exporter/policy/mutes/mute_names.h"
#include "sensor/check/parts.h"

namespace vedette {
namespace {

constexpr std::string_view kAll = "*";

struct Names {
  std::set<std::string, std::less<>> originators, sources;
};

void CheckClearances(const Config& config, const Names& names, CheckReport& report) {
  for (const PartnerConfig& partner : config.feed.partners) {
    for (const std::string& name : partner.clearance.originators) {
      if (name == kAll || names.originators.contains(name)) continue;
      report.Warn(
          "feed",
          fmt::format(
              "partner {}: no indicator in use has the originator `{}`, which is in `originators`; existing ones: {}",
              partner.name, name, ListOfNames(names.originators)));
    }
  }
  if (config.feed.partners.empty()) return;
  for (const std::string& name : config.feed.partners[0].clearance.unmarked_sources) {
    if (name == kAll || names.sources.contains(name)) continue;
    report.Warn(
        "feed",
        fmt::format("no indicator in use has the source `{}`, which is in `unmarked_sources`; existing ones: {}", name,
                    ListOfNames(names.sources)));
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
  for (const std::string& remark : mutes.Remarks()) report.Warn("mutes", remark);
  CheckClearances(config, names, report);
}

}  // namespace vedette
