#include "signatures/indicator_type.h"

#include <algorithm>

namespace vedette {
namespace {

// Each row at its type's place; no name and no number twice.
consteval bool IsConsistent() {
  for (size_t i = 0; i < kIndicatorTypes; ++i) {
    const IndicatorTypeTraits& row = kIndicatorTypeTable[i];
    if (static_cast<size_t>(row.type) != i || row.number == 0 || row.name.empty()) return false;
    for (size_t other = 0; other < i; ++other) {
      if (kIndicatorTypeTable[other].number == row.number || kIndicatorTypeTable[other].name == row.name) return false;
    }
  }
  return true;
}
static_assert(IsConsistent());

// The space of the one type whose values are whole texts of that kind, of which it may have several.
constexpr auto kTextSpaces = [] {
  std::array<std::optional<KeySpace>, kObservableKinds> spaces;
  for (const IndicatorTypeTraits& type : kIndicatorTypeTable) {
    for (const ObservableTraits& kind : kObservableTable) {
      const bool whole = kind.lookup == ExactLookup::kWholeText || kind.lookup == ExactLookup::kUrl;
      if (whole && type.places.Has(kind.kind)) spaces[static_cast<size_t>(kind.kind)] = type.space;
    }
  }
  return spaces;
}();

}  // namespace

std::optional<IndicatorType> IndicatorTypeOf(std::string_view name) {
  const auto* const row = std::find_if(kIndicatorTypeTable.begin(), kIndicatorTypeTable.end(),
                                       [&](const IndicatorTypeTraits& traits) { return traits.name == name; });
  if (row == kIndicatorTypeTable.end()) return std::nullopt;
  return row->type;
}

std::optional<KeySpace> TextSpaceOf(ObservableKind kind) { return kTextSpaces[static_cast<size_t>(kind)]; }

}  // namespace vedette
