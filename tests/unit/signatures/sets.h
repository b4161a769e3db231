// Small indicator sets, and what they find, for tests.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "signatures/set/indicator_set.h"

namespace vedette {

inline Indicator MakeIndicator(IndicatorType type, std::string value, std::string id = {}) {
  Indicator out;
  out.type = type;
  out.value = std::move(value);
  out.id = std::move(id);
  out.file = "test.csv";
  return out;
}

// Why a row is refused; "" where it is taken.
inline std::string ReasonAgainst(const Indicator& indicator) {
  IndicatorSetBuilder builder;
  std::string reason;
  return builder.TryAdd(indicator, reason) ? std::string() : reason;
}

// A set with its scratch and a batch to fill.
class TestSet {
 public:
  explicit TestSet(const std::vector<Indicator>& indicators) {
    IndicatorSetBuilder builder;
    for (const Indicator& indicator : indicators) builder.Add(indicator);
    set = builder.Compile(report);
    if (set == nullptr || !set->PrepareScratch(scratch)) ADD_FAILURE() << "no set";
  }

  // What the batch hits, as "observable:id" in order; the batch is cleared.
  std::vector<std::string> Find() {
    std::vector<Hit> hits;
    set->Find(batch, scratch, hits);
    std::vector<std::string> out;
    for (const Hit& hit : hits) {
      out.push_back(std::to_string(hit.observable) + ':' + std::string(set->at(hit.indicator).id));
    }
    batch.Clear();
    return out;
  }
  std::vector<std::string> FindText(ObservableKind kind, std::string_view text,
                                    Direction direction = Direction::kToServer) {
    batch.AddText(kind, direction, text);
    return Find();
  }
  std::vector<std::string> FindAddress(ObservableKind kind, std::string_view address, uint16_t port = 0,
                                       Direction direction = Direction::kToServer) {
    batch.AddAddress(kind, direction, IpAddress::Parse(address).value(), port);
    return Find();
  }

  CompileReport report;
  std::shared_ptr<const IndicatorSet> set;
  MatchScratch scratch;
  ObservableBatch batch;
};

}  // namespace vedette
