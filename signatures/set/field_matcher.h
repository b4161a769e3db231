// Literals and regular expressions in fields: host names, URIs, user agents and other small texts.
//
// Each class of fields has a database of its own (host-name literals slow URIs down, and the other way round), which
// holds literals and expressions alike. Small fields in which only literals are looked for are joined and scanned
// together; a match counts where it lies within one field. A field in which an expression is looked for is scanned by
// itself, so that ^, $, \b and . mean the field.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "parsers/base/observable.h"
#include "signatures/patterns/pattern_database.h"
#include "signatures/patterns/pattern_owners.h"
#include "signatures/set/indicator_set.h"

namespace vedette {

class FieldMatcher {
 public:
  static ObservableMask Places();  // every field it can look in
  // Those whose values are in lower case already: an expression is looked for without regard to case there.
  static ObservableMask LowerCasePlaces();

  struct Pattern {
    std::string bytes;      // of a literal: lower case
    uint32_t row = 0;       // the first row that has it
    ObservableMask places;  // fields in which some row looks
    // An expression instead, as ForHyperscan() writes it: as it stands, and without regard to case.
    std::string regex = {}, caseless_regex = {};
    uint64_t order = 0;  // see PatternOwners, as the next
    std::vector<PatternOwner> owners = {};
  };
  struct Built {
    std::unique_ptr<const FieldMatcher> matcher;  // nullptr: see PatternDatabase::Built
    std::vector<PatternDatabase::Refused> refused;
    bool from_cache = false;  // all of it
    std::string error;
  };
  static Built Compile(const std::vector<Pattern>& patterns, DatabaseCache& cache);

  struct Field {
    uint32_t end;  // in the joined text
    uint32_t observable;
  };
  struct Match {
    uint32_t entry, observable;
    uint64_t end;
  };
  // What a worker keeps for one matcher.
  struct Scratch {
    PatternScratch patterns;
    std::string joined;
    std::vector<Field> fields;
    std::vector<Match> matches;       // of one scan
    std::vector<uint64_t> last_seen;  // of each entry, the field it was found in last, as `fields_seen` numbers them
    uint64_t fields_seen = 0;
    std::vector<uint32_t> used;  // see PatternOwners
  };
  [[nodiscard]] bool PrepareScratch(Scratch& scratch) const;

  struct Found {
    uint32_t observable;
    uint32_t row;       // the first that has the pattern
    uint32_t audience;  // those of its rows that count, or PatternOwners::kAll
  };
  // Appends each pattern once for each observable that holds it. Of each field an audience gets at most
  // kMaxHitsPerScan, those that end first.
  void Find(std::span<const Observable> observables, Scratch& scratch, MatchCounters& counters,
            std::vector<Found>& found) const;

  size_t memory_bytes() const;

 private:
  class Call;

  enum Class : uint8_t { kHosts, kUris, kOthers, kClasses };
  static Class ClassOf(ObservableKind kind);

  struct Entry {
    uint32_t length;  // of a literal; 0: an expression
    uint32_t row;
    ObservableMask places;
  };
  struct Part {
    ObservableMask places;   // of all its entries
    ObservableMask singles;  // of its expressions
    std::vector<Entry> entries;
    PatternOwners owners;                             // of the entries
    std::unique_ptr<const PatternDatabase> database;  // null: no entries
  };
  std::array<Part, kClasses> parts_;
};

}  // namespace vedette
