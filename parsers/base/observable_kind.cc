#include "parsers/base/observable_kind.h"

#include <algorithm>

namespace vedette {
namespace {

// Each row at its kind's place; no name and no number twice.
consteval bool IsConsistent() {
  for (size_t i = 0; i < kObservableKinds; ++i) {
    const ObservableTraits& row = kObservableTable[i];
    if (static_cast<size_t>(row.kind) != i || row.number == 0 || row.name.empty()) return false;
    if (row.eve.name.empty() != (row.eve.shape == EveShape::kNone)) return false;
    if (IsContext(row.kind) && (row.lookup != ExactLookup::kNone || row.patterns != PatternField::kNone)) return false;
    for (size_t other = 0; other < i; ++other) {
      if (kObservableTable[other].number == row.number || kObservableTable[other].name == row.name) return false;
    }
  }
  return true;
}
static_assert(IsConsistent());

}  // namespace

std::optional<ObservableKind> ObservableKindOf(std::string_view name) {
  const auto* const row = std::find_if(kObservableTable.begin(), kObservableTable.end(),
                                       [&](const ObservableTraits& traits) { return traits.name == name; });
  if (row == kObservableTable.end() || IsContext(row->kind)) return std::nullopt;
  return row->kind;
}

}  // namespace vedette
