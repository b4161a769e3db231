// An indicator file, read from a text.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "signatures/readers/read_indicators.h"
#include "signatures/set/indicator_set.h"

namespace vedette {

using Texts = std::vector<std::string>;

struct Read {
  explicit Read(std::string_view text, std::string_view path = "folder/feed.csv") {
    ReadIndicatorText(path, text, builder, source);
    set = builder.Compile(report);
  }
  // "type value" of every row, in order.
  std::vector<std::string> Rows() const {
    std::vector<std::string> out;
    for (uint32_t i = 0; i < set->size(); ++i) {
      const IndicatorRecord row = set->at(i);
      out.push_back(std::string(NameOf(row.type)) + ' ' + std::string(row.value));
    }
    return out;
  }
  // "line: reason" of every problem.
  std::vector<std::string> Problems() const {
    std::vector<std::string> out;
    for (const IndicatorProblem& problem : report.problems) {
      out.push_back(std::to_string(problem.line) + ": " + problem.reason);
    }
    return out;
  }

  IndicatorSetBuilder builder;
  SourceReport source;
  CompileReport report;
  std::shared_ptr<const IndicatorSet> set;
};
}  // namespace vedette
