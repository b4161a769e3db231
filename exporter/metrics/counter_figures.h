// Figures of a struct of counters, as its table declares them (parsers/base/counter.h).
#pragma once

#include <optional>
#include <string_view>
#include <type_traits>

#include "exporter/metrics/figures.h"
#include "exporter/metrics/histogram.h"
#include "parsers/base/counter.h"

namespace vedette {

// Several counters of one family and label are one figure, their sum. A histogram that counted nothing, and an optional
// value that is not there, are left out. `owner`: whose counters these are (a partner, a database), where there are
// several; it becomes the label value of rows that have none.
template <Counted T>
void AppendCounters(const T& counters, Figures& out, std::string_view owner = {}) {
  static_assert(counter_internal::IsComplete<T>(), "each member of the struct needs one row in its Counters()");
  T::Counters().ForEach([&]<class Value, class Names>(const CounterRow<T, Value, Names>& row) {
    const Value& value = counters.*row.member;
    const CounterInfo& info = row.info;
    if constexpr (Counted<Value>) {
      AppendCounters(value, out, owner);
    } else if (info.family != nullptr) {
      const auto add = [&](std::string_view label, auto count) {
        out.Increase(*info.family, label, static_cast<double>(count) * static_cast<double>(info.weight));
      };
      if constexpr (std::is_same_v<Value, HistogramCounts>) {
        if (value.count != 0) out.Add(*info.family, value);
      } else if constexpr (std::is_arithmetic_v<Value>) {
        add(info.label.empty() ? owner : info.label, value);
      } else if constexpr (std::is_same_v<Value, std::optional<double>>) {
        if (value) add(info.label.empty() ? owner : info.label, *value);
      } else if constexpr (counter_internal::IsArray<Value>::value) {
        for (size_t i = 0; i < value.size(); ++i) {
          if (const std::string_view name = row.names(i); !name.empty()) add(name, value[i]);
        }
      } else {
        value.ForEach(row.names, add);
      }
    }
  });
}

}  // namespace vedette
