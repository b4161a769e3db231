#include "signatures/readers/formats.h"

#include <array>

namespace vedette {
namespace {

template <IndicatorFormat... F>
constexpr std::array<FormatEntry, sizeof...(F)> EntriesOf(const std::tuple<F...>*) {
  return {FormatEntry{F::kName, &F::Probe, &F::Read}...};
}

constexpr auto kEntries = EntriesOf(static_cast<const IndicatorFormats*>(nullptr));

}  // namespace

std::span<const FormatEntry> AllFormats() { return kEntries; }

const FormatEntry& FormatOf(std::string_view head) {
  const FormatEntry* best = &kEntries.back();
  Certainty surest = Certainty::kNo;
  for (const FormatEntry& entry : kEntries) {
    const Certainty certainty = entry.probe(head);
    if (certainty <= surest) continue;
    surest = certainty;
    best = &entry;
  }
  return *best;
}

}  // namespace vedette
