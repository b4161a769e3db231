#include "exporter/policy/clearance.h"

#include <algorithm>

namespace vedette {
namespace {

bool Lists(const std::vector<std::string>& list, std::string_view name) {
  return std::any_of(list.begin(), list.end(), [&](const std::string& entry) { return entry == "*" || entry == name; });
}

}  // namespace

bool Clearance::Permits(const IndicatorRecord& record) const {
  if (!Lists(originators, record.originator)) return false;
  if (record.tlp == Tlp::kNone && !Lists(unmarked_sources, record.source)) return false;
  if ((record.tlp == Tlp::kNone ? Tlp::kAmberStrict : record.tlp) > max_tlp) return false;
  if (!record.sharing_group.empty() && !Lists(sharing_groups, record.sharing_group)) return false;
  return record.recipients.empty() || std::find(record.recipients.begin(), record.recipients.end(),
                                                std::string_view(partner)) != record.recipients.end();
}

}  // namespace vedette
