// Many literals compiled into one Hyperscan database. Nothing else in the project sees Hyperscan.
//
// Case is ignored. A database is immutable and may be scanned by any number of threads, each with its own scratch; the
// scratch serves every database that it was prepared for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "parsers/bytes.h"

struct hs_database;
struct hs_scratch;

namespace vedette {

class LiteralScratch {
 public:
  LiteralScratch() = default;

 private:
  friend class LiteralDatabase;
  struct Free {
    void operator()(hs_scratch* scratch) const;
  };
  std::unique_ptr<hs_scratch, Free> scratch_;
};

class LiteralDatabase {
 public:
  struct Literal {
    std::string_view bytes;  // not empty
    bool every = false;      // report every place, not only the first
  };
  // Literal i is reported as i. nullptr, with `error`: Hyperscan does not run on this machine, or has no memory.
  static std::unique_ptr<const LiteralDatabase> Compile(std::span<const Literal> literals, std::string& error);

  [[nodiscard]] bool PrepareScratch(LiteralScratch& scratch) const;  // false: out of memory

  // Called with the literal's number, 0, the offset behind its last byte, 0 and the context; returns 0 to go on.
  // Matches come in ascending order of their ends.
  using OnMatch = int (*)(unsigned literal, unsigned long long unused_from, unsigned long long to,
                          unsigned unused_flags, void* context);
  // False: Hyperscan reported an error, and what it would have found is unknown.
  [[nodiscard]] bool Scan(Bytes data, LiteralScratch& scratch, OnMatch on_match, void* context) const;

  size_t memory_bytes() const { return memory_bytes_; }

 private:
  LiteralDatabase() = default;
  struct Free {
    void operator()(hs_database* database) const;
  };
  std::unique_ptr<hs_database, Free> database_;
  size_t memory_bytes_ = 0;
};

}  // namespace vedette
