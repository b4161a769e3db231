// Literals in fields: host names, URIs, user agents and other small texts.
//
// Each class of fields has a database of its own (host-name literals slow URIs down, and the other way round). The
// small fields of a batch are joined and scanned together; a match counts where it lies within one field.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "parsers/observable.h"
#include "signatures/indicator_set.h"
#include "signatures/literal_database.h"

namespace vedette {

class FieldMatcher {
 public:
  static ObservableMask Places();  // every field it can look in

  struct Pattern {
    std::string bytes;      // lower case
    uint32_t row = 0;       // the first row that has it
    ObservableMask places;  // fields in which some row looks
  };
  // nullptr: see LiteralDatabase.
  static std::unique_ptr<const FieldMatcher> Compile(const std::vector<Pattern>& patterns, std::string& error);

  struct Field {
    uint32_t end;  // in the joined text
    uint32_t observable;
  };
  // What a worker keeps for one matcher.
  struct Scratch {
    LiteralScratch literals;
    std::string joined;
    std::vector<Field> fields;
  };
  [[nodiscard]] bool PrepareScratch(Scratch& scratch) const;

  struct Found {
    uint32_t observable;
    uint32_t row;  // the first that has the literal
  };
  // Appends each literal once for each observable that holds it, unless a scan goes over kMaxHitsPerScan.
  void Find(std::span<const Observable> observables, Scratch& scratch, MatchCounters& counters,
            std::vector<Found>& found) const;

  size_t memory_bytes() const;

 private:
  class Call;

  enum Class : uint8_t { kHosts, kUris, kOthers, kClasses };
  static Class ClassOf(ObservableKind kind);

  struct Literal {
    uint32_t length;
    uint32_t row;
    ObservableMask places;
  };
  struct Part {
    ObservableMask places;  // of all its literals
    std::vector<Literal> literals;
    std::unique_ptr<const LiteralDatabase> database;  // null: no literals
  };
  std::array<Part, kClasses> parts_;
};

}  // namespace vedette
