// Counters: declared once, beside the member that is counted. Nothing here depends on anything.
//
// A struct of counters is plain members, which are counted with `++`, and one table that says of each what it is:
//
//   struct EchoCounters {
//     uint64_t echoes = 0;
//     uint64_t echoes_cut = 0;
//     std::array<uint64_t, 2> by_way{};
//
//     static constexpr auto Counters() {
//       return CounterTable(Count(&EchoCounters::echoes, families::kEchoes),
//                           Count(&EchoCounters::echoes_cut, families::kEchoLimits, "too_long", "echoes cut")
//                               .IsLimit({"echo_too_long", "echoes too long"}),
//                           CountEach(&EchoCounters::by_way, families::kEchoWays, [](size_t i) { return kWays[i]; }));
//     }
//   };
//
// Whoever adds such structs up (AddCounters), shows them (exporter/metrics/counter_figures.h), looks for limits that
// were hit (ForEachLimit) or prints them at the end of a run (ForEachTold) goes over the table. A member without a row,
// or with two, does not compile.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <tuple>
#include <type_traits>

namespace vedette {

enum class FigureKind : uint8_t {
  kCounter,    // only grows, from the start of the process
  kGauge,      // as it is now
  kHistogram,  // counts by upper bound
};

// What all figures that share a name have in common. Families are told apart by address: each is one object.
struct FigureFamily {
  std::string_view name;  // as Prometheus wants it, its unit at the end: https://prometheus.io/docs/practices/naming/
  FigureKind kind;
  std::string_view help;
  std::string_view label;  // what tells figures of the name apart; "" where there is one only
  // Whether partners are told of it in heartbeats, as something that the sensor could not see. Never true for what an
  // indicator has an influence on: see exporter/metrics/losses.h.
  bool is_loss = false;
  std::span<const std::string_view> no_loss = {};  // label values that are none
};

enum class FigureUnit : uint8_t { kNumber, kBytes, kSeconds };
constexpr FigureUnit UnitOf(const FigureFamily& family) {
  if (family.name.find("_bytes") != std::string_view::npos) return FigureUnit::kBytes;
  return family.name.find("_seconds") != std::string_view::npos ? FigureUnit::kSeconds : FigureUnit::kNumber;
}

// A bound that kept something from being looked at. Both texts are for what the end of a run tells; `text` may be empty.
struct CounterLimit {
  std::string_view name;   // in the summary's JSON: "reassembly"
  std::string_view text;   // in the summary for people: "no room: TCP reassembly"
  bool of_memory = false;  // what is given up there depends on what else a worker holds
};

// How the counts of several workers become one.
enum class CounterSum : uint8_t {
  kAdd,
  kAddUnlessShared,  // workers that walk the same capture all count the same: one of them is the sum
  kLeast,
  kMost,
};

struct CounterInfo {
  const FigureFamily* family = nullptr;  // nullptr: not shown by itself
  std::string_view label;                // of the family's label
  std::string_view help;
  CounterSum sum = CounterSum::kAdd;
  uint64_t weight = 1;         // of one in the figure
  CounterLimit limit = {};     // the name is empty: none
  size_t limit_at = 0;         // in an array: the element that counts it
  std::string_view told = {};  // in the part's own summary for people; empty: not there
};

struct NoNames {};

// `Value`: uint64_t, double, std::array of uint64_t, another struct with a table, or a class with Add(const Value&) and,
// where it counts limits, ForEachLimit(visit). Also std::optional<double>, for what is only shown: not known now.
// `Names`: label values of an array's elements, or of what Value::ForEach(names, visit) visits.
template <class Owner, class Value, class Names = NoNames>
struct CounterRow {
  Value Owner::*member;
  CounterInfo info;
  Names names = {};

  constexpr CounterRow IsLimit(CounterLimit limit, size_t at = 0) const {
    CounterRow row = *this;
    row.info.limit = limit;
    row.info.limit_at = at;
    return row;
  }
  constexpr CounterRow Sum(CounterSum sum) const {
    CounterRow row = *this;
    row.info.sum = sum;
    return row;
  }
  constexpr CounterRow Weight(uint64_t weight) const {
    CounterRow row = *this;
    row.info.weight = weight;
    return row;
  }
  // Rows with the same text are told as one, their sum.
  constexpr CounterRow Told(std::string_view text) const {
    CounterRow row = *this;
    row.info.told = text;
    return row;
  }
};

// The only counter of its family.
template <class Owner, class Value>
constexpr CounterRow<Owner, Value> Count(Value Owner::*member, const FigureFamily& family) {
  return {member, {.family = &family, .label = {}, .help = family.help}};
}
// One of several.
template <class Owner, class Value>
constexpr CounterRow<Owner, Value> Count(Value Owner::*member, const FigureFamily& family, std::string_view label,
                                         std::string_view help) {
  return {member, {.family = &family, .label = label, .help = help}};
}
// Not shown by itself: figures are made of it, or tests and decisions.
template <class Owner, class Value>
constexpr CounterRow<Owner, Value> Count(Value Owner::*member, std::string_view help) {
  return {member, {.family = nullptr, .label = {}, .help = help}};
}
// A struct with a table of its own.
template <class Owner, class Value>
constexpr CounterRow<Owner, Value> CountAll(Value Owner::*member) {
  return {member, {}};
}
// Several counters, each with the label value that `names` gives for its place; "": it is not shown.
template <class Owner, class Value, class Names>
constexpr CounterRow<Owner, Value, Names> CountEach(Value Owner::*member, const FigureFamily& family, Names names) {
  return {member, {.family = &family, .label = {}, .help = family.help}, names};
}

template <class... Row>
struct CounterTable {
  explicit constexpr CounterTable(Row... row) : rows(row...) {}
  std::tuple<Row...> rows;

  // Calls visit(row) for each.
  template <class Visit>
  constexpr void ForEach(Visit visit) const {
    std::apply([&](const auto&... row) { (visit(row), ...); }, rows);
  }
};

template <class T>
concept Counted = requires {
  T::Counters();
};

namespace counter_internal {

template <class T>
struct IsArray : std::false_type {};
template <size_t N>
struct IsArray<std::array<uint64_t, N>> : std::true_type {};

template <class Owner, class A, class NamesA, class B, class NamesB>
constexpr bool SameMember(const CounterRow<Owner, A, NamesA>& a, const CounterRow<Owner, B, NamesB>& b) {
  if constexpr (std::is_same_v<A, B>) {
    return a.member == b.member;
  } else {
    return false;
  }
}

// Every member of the struct has one row: their sizes add up, and none is there twice.
template <Counted T>
constexpr bool IsComplete() {
  size_t bytes = 0, rows = 0, same = 0;
  constexpr auto kTable = T::Counters();
  kTable.ForEach([&]<class Owner, class Value, class Names>(const CounterRow<Owner, Value, Names>& row) {
    static_assert(std::is_same_v<Owner, T>);
    bytes += sizeof(Value);
    ++rows;
    kTable.ForEach([&](const auto& other) { same += SameMember(row, other) ? 1 : 0; });
  });
  return bytes == sizeof(T) && rows == same;
}

template <class Value>
constexpr void AddNumber(Value& sum, Value part, CounterSum how, bool shared) {
  switch (how) {
    case CounterSum::kAdd:
      sum += part;
      break;
    case CounterSum::kAddUnlessShared:
      sum = shared ? std::max(sum, part) : sum + part;
      break;
    case CounterSum::kLeast:
      sum = std::min(sum, part);
      break;
    case CounterSum::kMost:
      sum = std::max(sum, part);
      break;
  }
}

}  // namespace counter_internal

// Adds one worker's counters to the sum of others. `shared`: all workers walk the same capture, each with its share of
// the packets.
template <Counted T>
constexpr void AddCounters(T& sum, const T& part, bool shared = false) {
  static_assert(counter_internal::IsComplete<T>(), "each member of the struct needs one row in its Counters()");
  T::Counters().ForEach([&]<class Value, class Names>(const CounterRow<T, Value, Names>& row) {
    Value& total = sum.*row.member;
    const Value& more = part.*row.member;
    if constexpr (Counted<Value>) {
      AddCounters(total, more, shared);
    } else if constexpr (std::is_arithmetic_v<Value>) {
      counter_internal::AddNumber(total, more, row.info.sum, shared);
    } else if constexpr (counter_internal::IsArray<Value>::value) {
      for (size_t i = 0; i < more.size(); ++i) counter_internal::AddNumber(total[i], more[i], row.info.sum, shared);
    } else {
      total.Add(more);
    }
  });
}

// Calls visit(limit, count) for every bound, also those that were not hit.
template <Counted T, class Visit>
constexpr void ForEachLimit(const T& counters, Visit visit) {
  T::Counters().ForEach([&]<class Value, class Names>(const CounterRow<T, Value, Names>& row) {
    const Value& value = counters.*row.member;
    if constexpr (Counted<Value>) {
      ForEachLimit(value, visit);
    } else if constexpr (std::is_arithmetic_v<Value>) {
      if (!row.info.limit.name.empty()) visit(row.info.limit, static_cast<uint64_t>(value));
    } else if constexpr (counter_internal::IsArray<Value>::value) {
      if (!row.info.limit.name.empty()) visit(row.info.limit, value[row.info.limit_at]);
    } else if constexpr (requires { value.ForEachLimit(visit); }) {
      value.ForEachLimit(visit);
    }
  });
}

// Calls visit(text, count) for every text of a row's Told, in the order of the table, also where nothing was counted.
template <Counted T, class Visit>
constexpr void ForEachTold(const T& counters, Visit visit) {
  static_assert(counter_internal::IsComplete<T>(), "each member of the struct needs one row in its Counters()");
  constexpr auto kTable = T::Counters();
  size_t at = 0;
  kTable.ForEach([&]<class Value, class Names>(const CounterRow<T, Value, Names>& row) {
    const size_t own = at++;
    if constexpr (std::is_same_v<Value, uint64_t>) {
      if (row.info.told.empty()) return;
      uint64_t sum = 0;
      size_t other_at = 0, first = own;
      kTable.ForEach([&]<class OtherValue, class OtherNames>(const CounterRow<T, OtherValue, OtherNames>& other) {
        if constexpr (std::is_same_v<OtherValue, uint64_t>) {
          if (other.info.told == row.info.told) {
            sum += counters.*other.member;
            first = std::min(first, other_at);
          }
        }
        ++other_at;
      });
      if (first == own) visit(row.info.told, sum);
    }
  });
}

}  // namespace vedette
