// Exact look-ups of a batch: addresses, names, URLs, fingerprints.
//
// One hash index for each space of keys. A batch is probed in groups: hash and prefetch the filter, test the filter and
// prefetch the slot, compare the key. Immutable once built; any number of threads may look up.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "parsers/observable.h"
#include "signatures/hash_index.h"
#include "signatures/indicator_rows.h"
#include "signatures/prefix_table.h"

namespace vedette {

// Values that are compared with each other share a space.
enum class KeySpace : uint8_t {
  kHost,         // domain and hostname
  kAddress,      // ip
  kAddressPort,  // ip:port
  kUrl,
  kUri,
  kUserAgent,
  kJa3,
  kJa3s,
  kJa4,
  kCertSha1,
  kCertSha256,
  kPrefix,   // cidr: looked up in the prefix table
  kContent,  // looked up by scanning
  kRegex,    // the same
  kCount     // of types that nothing looks up
};
constexpr size_t kKeySpaces = static_cast<size_t>(KeySpace::kCount);
KeySpace KeySpaceOf(IndicatorType type);

class ExactTable {
 public:
  // An alert lists every indicator of its value: one value must not bring thousands.
  static constexpr size_t kMaxRowsPerKey = 256;

  struct BuildResult {
    uint64_t duplicates = 0;
    std::vector<uint32_t> contents, regexes;  // the first row of each
  };
  // Links the rows that share a key (Row::next, ascending), drops what is there twice (the rows move up) and indexes
  // the first row of each key. A row beyond kMaxRowsPerKey is told to `refuse` before it is dropped.
  BuildResult Build(IndicatorRows& rows, const std::function<void(uint32_t row)>& refuse);

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

  const HashIndex& index(KeySpace space) const { return indexes_[static_cast<size_t>(space)]; }
  bool LooksIn(KeySpace space, ObservableKind kind) const { return places_[static_cast<size_t>(space)].Has(kind); }

  std::array<HashIndex, kKeySpaces> indexes_;
  std::array<ObservableMask, kKeySpaces> places_;  // where any row of the space looks
  PrefixTable prefixes_;
};

}  // namespace vedette
