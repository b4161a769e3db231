// Many literals and regular expressions compiled into one Hyperscan database. Nothing else in the project sees
// Hyperscan.
//
// A database is immutable and may be scanned by any number of threads, each with its own scratch; the scratch serves
// every database that it was prepared for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "parsers/base/bytes.h"
#include "signatures/patterns/database_cache.h"

struct hs_database;
struct hs_scratch;

namespace vedette {

class PatternScratch {
 public:
  PatternScratch() = default;

 private:
  friend class PatternDatabase;
  struct Free {
    void operator()(hs_scratch* scratch) const;
  };
  std::unique_ptr<hs_scratch, Free> scratch_;
  std::vector<uint8_t> copy_;  // of input that ends near the end of a page
};

class PatternDatabase {
 public:
  struct Pattern {
    std::string expression;  // as Literal() or Regex::ForHyperscan() writes it
    bool caseless = false;
    bool every = false;  // report every place, not only the first
    bool regex = false;  // may be refused without the others
  };
  // The expression of these bytes; not empty. Case counts unless Pattern::caseless is set.
  static std::string Literal(std::string_view bytes);

  struct Refused {
    uint32_t pattern;
    std::string reason;
  };
  struct Built {
    std::unique_ptr<const PatternDatabase> database;  // nullptr: see `error`, or all were refused
    std::vector<Refused> refused;                     // regular expressions that Hyperscan does not take, in order
    bool from_cache = false;
    std::string error;  // Hyperscan does not run on this machine, or has no memory
  };
  // Pattern i is reported as i. A database of the same patterns that `cache` has is taken from there; a new one is
  // kept there.
  static Built Compile(const std::vector<Pattern>& patterns, DatabaseCache& cache);

  [[nodiscard]] bool PrepareScratch(PatternScratch& scratch) const;  // false: out of memory

  // Called with the pattern's number, 0, the offset behind its last byte, 0 and the context; returns 0 to go on.
  // Matches come in ascending order of their ends.
  using OnMatch = int (*)(unsigned pattern, unsigned long long unused_from, unsigned long long to,
                          unsigned unused_flags, void* context);
  // False: Hyperscan reported an error, and what it would have found is unknown.
  [[nodiscard]] bool Scan(Bytes data, PatternScratch& scratch, OnMatch on_match, void* context) const;

  size_t memory_bytes() const { return memory_bytes_; }

 private:
  static Bytes AwayFromPageEnd(Bytes data, PatternScratch& scratch);
  class Compiler;

  explicit PatternDatabase(hs_database* database);
  struct Free {
    void operator()(hs_database* database) const;
  };
  std::unique_ptr<hs_database, Free> database_;
  size_t memory_bytes_ = 0;
};

}  // namespace vedette
