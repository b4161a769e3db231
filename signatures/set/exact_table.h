// Exact look-ups of a batch: addresses, names, URLs, fingerprints.
//
// One hash index for each space of keys. A batch is probed in groups: hash and prefetch the filter, test the filter and
// prefetch the slot, compare the key. Immutable once built; any number of threads may look up.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "parsers/base/hash_index.h"
#include "parsers/base/observable.h"
#include "signatures/indicator_rows.h"
#include "signatures/indicator_type.h"
#include "signatures/prefix_table.h"

namespace vedette {

class ExactTable {
 public:
  // An alert lists every indicator of its value: one value must not bring thousands. Of one audience, so that no row
  // takes the place of one that others may see.
  static constexpr size_t kMaxRowsPerKey = 256;
  // What counts by audience has a budget for each: one originator must not have as many as it likes.
  static constexpr size_t kMaxAudiencesPerOriginator = 1024;

  struct BuildResult {
    uint64_t duplicates = 0;
    std::vector<uint32_t> contents, regexes;  // the first row of each
  };
  // Makes the strictest mark of an indicator hold for all its rows, finds the audiences, links the rows that share a
  // key (Row::next, ascending), drops what is there twice (the rows move up) and indexes the first row of each key. A
  // row that is beyond a limit, or whose type nothing looks up, is told to `refuse` with the reason before it is
  // dropped.
  using Refuse = std::function<void(uint32_t row, std::string reason)>;
  BuildResult Build(IndicatorRows& rows, const Refuse& refuse);

  struct Found {
    uint32_t observable;
    uint32_t row;  // the first of its key; the others follow by Row::next
    bool whole;    // false: the key is a domain above the host name
  };
  // Appends the keys that each observable has, in no particular order. Type, direction and places of the rows are left
  // for the caller to check.
  void Find(const IndicatorRows& rows, std::span<const Observable> observables, std::vector<Found>& found) const;

  size_t memory_bytes() const;

 private:
  class Prober;
  class Builder;

  const HashIndex& index(KeySpace space) const { return indexes_[static_cast<size_t>(space)]; }
  bool LooksIn(KeySpace space, ObservableKind kind) const { return places_[static_cast<size_t>(space)].Has(kind); }

  std::array<HashIndex, kKeySpaces> indexes_;
  std::array<ObservableMask, kKeySpaces> places_;  // where any row of the space looks
  PrefixTable prefixes_;
};

}  // namespace vedette
