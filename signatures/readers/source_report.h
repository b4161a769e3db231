// What came of one file of indicators.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "signatures/problem_tally.h"

namespace vedette {

struct SourceReport {
  std::string path;
  std::string format;  // "csv", "zeek intel", or "list of domain", "list of ip": what was guessed, for the user to see
  uint64_t rows = 0;   // rows that hold something
  uint64_t unusable = 0;              // of them: refused
  uint64_t warned = 0;                // of them: used, and something may be wrong with them
  std::vector<ProblemKind> problems;  // the refused and the warned by reason, most frequent first; of reading alone
  bool passed_over = false;           // of a folder: not read, for `unused` says what it is
  bool missed = false;                // passed over, although it may hold lists that no other report is of
  std::string error;                  // not empty: the file could not be read at all; names it and says what to do
  std::string unused;  // not empty: why no row of it is used, although that is no error; without the file's name
};

}  // namespace vedette
