// The problems of rows, counted by their reason.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "signatures/indicator.h"

namespace vedette {

// The rows that share a reason.
struct ProblemKind {
  std::string reason;  // without what differs from row to row
  bool used = false;   // the rows are looked for all the same
  uint64_t rows = 0;
  IndicatorProblem first;  // an example
};

// What the rows of a reason have in common: without text in parentheses or quotation marks, a number in front
// as N.
std::string KindOf(std::string_view reason);

// Not thread safe.
class ProblemTally {
 public:
  static constexpr size_t kMaxKinds = 64;  // more are counted as one, so that no file fills the memory

  void Add(const IndicatorProblem& problem);
  uint64_t refused() const { return refused_; }
  uint64_t warned() const { return warned_; }
  // The most frequent first; those that are not used before those that are.
  std::vector<ProblemKind> ByCount() const;

 private:
  std::vector<ProblemKind> kinds_;
  std::unordered_map<std::string, size_t> places_;
  uint64_t refused_ = 0, warned_ = 0;
};

}  // namespace vedette
