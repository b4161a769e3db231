#include "parsers/base/counter.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace vedette {
namespace {

constexpr FigureFamily kEchoes = {"test_echoes_total", FigureKind::kCounter, "echoes", ""};
constexpr FigureFamily kWays = {"test_ways_total", FigureKind::kCounter, "ways", "way"};
constexpr FigureFamily kHeld = {"test_held_bytes", FigureKind::kGauge, "held", ""};
constexpr FigureFamily kAge = {"test_age_seconds", FigureKind::kGauge, "age", ""};

struct Inner {
  uint64_t first = UINT64_MAX, last = 0;

  static constexpr auto Counters() {
    return CounterTable(Count(&Inner::first, "time of the first").Sum(CounterSum::kLeast),
                        Count(&Inner::last, "time of the last").Sum(CounterSum::kMost));
  }
};

struct EchoCounters {
  uint64_t echoes = 0;
  uint64_t excluded = 0;
  uint64_t cut = 0;
  double seconds = 0;
  std::array<uint64_t, 2> by_way{};
  Inner inner;

  static constexpr auto Counters() {
    return CounterTable(
        Count(&EchoCounters::echoes, kEchoes),
        Count(&EchoCounters::excluded, "echoes left out").Sum(CounterSum::kAddUnlessShared),
        Count(&EchoCounters::cut, kWays, "cut", "echoes too long").IsLimit({"echo_too_long", "echoes too long"}),
        Count(&EchoCounters::seconds, "spent"),
        CountEach(&EchoCounters::by_way, kWays, [](size_t i) { return std::string_view(i == 0 ? "in" : "out"); })
            .IsLimit({"ways", "", true}, 1),
        CountAll(&EchoCounters::inner));
  }
};

struct Forgotten {
  uint64_t a = 0, b = 0;
  static constexpr auto Counters() { return CounterTable(Count(&Forgotten::a, "a")); }
};
struct TwiceOne {
  uint64_t a = 0, b = 0;
  static constexpr auto Counters() { return CounterTable(Count(&TwiceOne::a, "a"), Count(&TwiceOne::a, "b")); }
};

TEST(Counter, AMemberWithoutARowIsNoticed) {
  static_assert(counter_internal::IsComplete<EchoCounters>());
  static_assert(!counter_internal::IsComplete<Forgotten>());
  static_assert(!counter_internal::IsComplete<TwiceOne>());
}

TEST(Counter, AddsAsEachRowSays) {
  const EchoCounters a = {1, 5, 2, 0.5, {1, 2}, {10, 20}}, b = {2, 5, 0, 0.25, {3, 4}, {5, 15}};
  EchoCounters sum;
  for (const EchoCounters& part : {a, b}) AddCounters(sum, part);
  EXPECT_EQ(sum.echoes, 3u);
  EXPECT_EQ(sum.excluded, 10u);
  EXPECT_EQ(sum.seconds, 0.75);
  EXPECT_EQ(sum.by_way, (std::array<uint64_t, 2>{4, 6}));
  EXPECT_EQ(sum.inner.first, 5u);
  EXPECT_EQ(sum.inner.last, 20u);
  EchoCounters shared;
  for (const EchoCounters& part : {a, b}) AddCounters(shared, part, true);
  EXPECT_EQ(shared.echoes, 3u) << "each has its share";
  EXPECT_EQ(shared.excluded, 5u) << "each sees all";
}

TEST(Counter, LimitsAreFound) {
  EchoCounters counters;
  counters.cut = 3;
  counters.by_way = {7, 8};
  std::vector<std::string> seen;
  ForEachLimit(counters, [&](const CounterLimit& limit, uint64_t count) {
    seen.push_back(std::string(limit.name) + (limit.of_memory ? "!" : "") + '=' + std::to_string(count));
  });
  EXPECT_EQ(seen, (std::vector<std::string>{"echo_too_long=3", "ways!=8"}));
}

struct ToldCounters {
  uint64_t late = 0, quiet = 0, early = 0, other = 0;
  static constexpr auto Counters() {
    using C = ToldCounters;
    return CounterTable(Count(&C::late, "late").Told("at the wrong time"), Count(&C::quiet, "told nowhere"),
                        Count(&C::other, "other").Told("otherwise"),
                        Count(&C::early, "early").Told("at the wrong time"));
  }
};

TEST(Counter, RowsWithOneTextAreToldAsOne) {
  std::vector<std::string> told;
  ForEachTold(ToldCounters{.late = 1, .quiet = 2, .early = 4, .other = 8}, [&](std::string_view text, uint64_t count) {
    told.push_back(std::string(text) + '=' + std::to_string(count));
  });
  EXPECT_EQ(told, (std::vector<std::string>{"at the wrong time=5", "otherwise=8"}));
}

TEST(Counter, TheUnitStandsAtTheEndOfTheName) {
  EXPECT_EQ(UnitOf(kEchoes), FigureUnit::kNumber);
  EXPECT_EQ(UnitOf(kHeld), FigureUnit::kBytes);
  EXPECT_EQ(UnitOf(kAge), FigureUnit::kSeconds);
}

}  // namespace
}  // namespace vedette
