#include "signatures/problem_tally.h"

#include <algorithm>

namespace vedette {

std::string KindOf(std::string_view reason) {
  std::string out;
  const size_t digits = std::min(reason.find_first_not_of("0123456789"), reason.size());
  if (digits > 0) {
    out = "N";
    reason.remove_prefix(digits);
  }
  const auto cut = [&](char open, char close, std::string_view instead) {
    const size_t begin = reason.find(open), end = reason.rfind(close);
    if (begin == std::string_view::npos || end == std::string_view::npos || end <= begin) return;
    std::string_view front = reason.substr(0, begin);
    while (front.ends_with(' ')) front.remove_suffix(1);
    out.append(front).append(instead);
    reason.remove_prefix(end + 1);
  };
  if (const size_t quoted = reason.find(" '"); quoted != std::string_view::npos && reason.ends_with('\'')) {
    reason = reason.substr(0, quoted);  // "it holds '{'"
    return out.append(reason).append(" …");
  }
  if (reason.find('"') < reason.find('(')) {
    cut('"', '"', " …");
  } else {
    cut('(', ')', "");
  }
  return out.append(reason);
}

void ProblemTally::Add(const IndicatorProblem& problem) {
  ++(problem.used ? warned_ : refused_);
  std::string kind = KindOf(problem.reason);
  auto at = places_.find(kind);
  if (at == places_.end()) {
    if (kinds_.size() >= kMaxKinds) kind = problem.used ? "used, with other remarks" : "other reasons";
    at = places_.try_emplace(kind, kinds_.size()).first;
    if (at->second == kinds_.size()) kinds_.push_back({std::move(kind), problem.used, 0, problem});
  }
  ++kinds_[at->second].rows;
}

std::vector<ProblemKind> ProblemTally::ByCount() const {
  std::vector<ProblemKind> out = kinds_;
  std::stable_sort(out.begin(), out.end(), [](const ProblemKind& a, const ProblemKind& b) {
    return a.used != b.used ? !a.used : a.rows > b.rows;
  });
  return out;
}

}  // namespace vedette
