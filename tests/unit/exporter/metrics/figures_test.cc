#include "exporter/metrics/figures.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <regex>
#include <set>
#include <sstream>

#include "exporter/metrics/counter_figures.h"
#include "exporter/metrics/figures_json.h"

namespace vedette {
namespace {

constexpr FigureFamily kFlows = {"vedette_flows_total", FigureKind::kCounter, "flows", ""};
constexpr FigureFamily kPacketsDropped = {"vedette_packets_dropped_total", FigureKind::kCounter, "packets", "cause"};
constexpr FigureFamily kAlerts = {"vedette_alerts_total", FigureKind::kCounter, "alerts", ""};
constexpr FigureFamily kWorkerCpu = {"vedette_worker_cpu_seconds_total", FigureKind::kCounter, "seconds", ""};
constexpr FigureFamily kDelay = {"vedette_delay_seconds", FigureKind::kHistogram, "delay", ""};

std::string TextOf(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

TEST(Figures, AreFoundByFamilyAndLabel) {
  Figures figures;
  figures.Add(kFlows, 7);
  figures.Add(kPacketsDropped, "kernel", 3);
  figures.Add(kPacketsDropped, "interface", 4);
  EXPECT_EQ(figures.Value(kFlows), 7);
  EXPECT_EQ(figures.Value(kPacketsDropped, "kernel"), 3);
  EXPECT_EQ(figures.Value(kPacketsDropped, "other"), 0);
  EXPECT_EQ(figures.Sum(kPacketsDropped), 7);
  EXPECT_EQ(figures.Sum(kAlerts), 0);
}

TEST(Figures, AsJson) {
  Figures figures;
  figures.Add(kFlows, 9007199254740991.0);
  figures.Add(kPacketsDropped, "kernel", 3);
  figures.Add(kPacketsDropped, "a \"b\"\xff", 0);
  figures.Add(kWorkerCpu, 0.5);
  EXPECT_EQ(JsonOf(figures),
            "{\"vedette_flows_total\":9007199254740991,\"vedette_packets_dropped_total\":{\"kernel\":3,\"a "
            "\\\"b\\\"\xef\xbf\xbd\":0},"
            "\"vedette_worker_cpu_seconds_total\":0.5}");
  EXPECT_EQ(JsonOf(figures, true),
            "{\"vedette_flows_total\":9007199254740991,\"vedette_packets_dropped_total\":{\"kernel\":3},"
            "\"vedette_worker_cpu_seconds_total\":0.5}");
}

TEST(Histogram, CountsByUpperBound) {
  HistogramCounts histogram;
  EXPECT_EQ(histogram.Quantile(0.5), 0);
  for (int i = 0; i < 98; ++i) histogram.Record(0.0003);
  histogram.Record(0.001);  // a bound is part of its bucket
  histogram.Record(100);
  EXPECT_EQ(histogram.count, 100u);
  EXPECT_EQ(histogram.counts[2], 98u);
  EXPECT_EQ(histogram.counts[3], 1u);
  EXPECT_EQ(histogram.counts.back(), 1u);
  EXPECT_EQ(histogram.Quantile(0.5), 0.0005);
  EXPECT_EQ(histogram.Quantile(0.99), 0.001);
  EXPECT_EQ(histogram.Quantile(1), 10);
  EXPECT_NEAR(histogram.sum_seconds, 98 * 0.0003 + 0.001 + 100, 1e-9);
}

TEST(Figures, IncreaseAddsToWhatIsThere) {
  Figures figures;
  figures.Increase(kPacketsDropped, "kernel", 3);
  figures.Increase(kPacketsDropped, "interface", 1);
  figures.Increase(kPacketsDropped, "kernel", 4);
  EXPECT_EQ(figures.all().size(), 2u);
  EXPECT_EQ(figures.Value(kPacketsDropped, "kernel"), 7);
}

struct SomeCounters {
  uint64_t flows = 0;
  uint64_t held = 0;
  uint64_t pieces = 0;
  std::array<uint64_t, 3> dropped{};
  HistogramCounts delay;
  uint64_t hidden = 0;

  static constexpr auto Counters() {
    using C = SomeCounters;
    return CounterTable(Count(&C::flows, kFlows), Count(&C::held, kPacketsDropped, "held", "bytes held"),
                        Count(&C::pieces, kPacketsDropped, "held", "pieces held").Weight(10),
                        CountEach(&C::dropped, kPacketsDropped,
                                  [](size_t i) {
                                    return std::string_view(i == 0 ? "" : i == 1 ? "one" : "two");
                                  }),
                        Count(&C::delay, kDelay), Count(&C::hidden, "shown nowhere"));
  }
};

TEST(Figures, OfCounters) {
  Figures figures;
  SomeCounters counters = {.flows = 1, .held = 2, .pieces = 3, .dropped = {4, 5, 0}, .delay = {}, .hidden = 6};
  AppendCounters(counters, figures);
  EXPECT_EQ(JsonOf(figures),
            R"({"vedette_flows_total":1,"vedette_packets_dropped_total":{"held":32,"one":5,"two":0}})");
  counters.delay.Record(1);
  Figures again;
  AppendCounters(counters, again);
  EXPECT_EQ(again.all().size(), 5u);
}

struct PartCounters {
  uint64_t dropped = 0;
  std::optional<double> age;
  uint64_t held = 0;

  static constexpr auto Counters() {
    using C = PartCounters;
    return CounterTable(Count(&C::dropped, kPacketsDropped), Count(&C::age, kFlows),
                        Count(&C::held, kPacketsDropped, "held", "has a label of its own"));
  }
};

// Of several parts that count alike, each by its name.
TEST(Figures, OfCountersWithAnOwner) {
  Figures figures;
  AppendCounters(PartCounters{.dropped = 1, .age = {}, .held = 2}, figures, "a");
  AppendCounters(PartCounters{.dropped = 4, .age = {}, .held = 8}, figures, "b");
  EXPECT_EQ(JsonOf(figures), R"({"vedette_packets_dropped_total":{"a":1,"held":10,"b":4}})") << "no age is known";
  AppendCounters(PartCounters{.dropped = 0, .age = 7, .held = 0}, figures);
  EXPECT_EQ(figures.Value(kFlows), 7);
}

// "counter `cause`" by name: families as headers declare them, and as the page lists them.
using FamilyTexts = std::map<std::string, std::string>;

FamilyTexts DeclaredFamilies() {
  const std::regex declared(
      "\"(vedette_[a-z_]+)\",\\s*FigureKind::k(\\w)(\\w+),\\s*(?:\"[^\"]*\"\\s*)+,\\s*\"([a-z_]*)\"");
  FamilyTexts families;
  for (const char* folder : {"parsers", "signatures", "exporter", "sensor"}) {
    const auto root = std::filesystem::path(VEDETTE_SOURCE_DIR) / folder;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
      if (entry.path().extension() != ".h") continue;
      const std::string text = TextOf(entry.path().string());
      for (std::sregex_iterator at(text.begin(), text.end(), declared), end; at != end; ++at) {
        const std::string kind = std::string(1, static_cast<char>(std::tolower((*at)[2].str()[0]))) + (*at)[3].str();
        const std::string label = (*at)[4].str().empty() ? "" : " `" + (*at)[4].str() + '`';
        EXPECT_TRUE(families.emplace((*at)[1], kind + label).second) << (*at)[1] << " is declared twice";
        EXPECT_EQ(kind == "counter", (*at)[1].str().ends_with("_total")) << (*at)[1];
      }
    }
  }
  return families;
}

// What is declared is documented, and the other way round; names end as Prometheus wants them.
TEST(Families, StandInTheDocumentation) {
  const std::string page = TextOf(std::string(VEDETTE_SOURCE_DIR) + "/docs/metrics.md");
  const std::regex row("\n\\| `(vedette_[a-z_]+)` \\| (\\w+) \\| (`[a-z_]+`)? *\\| [^|\n]+\\|");
  FamilyTexts documented;
  for (std::sregex_iterator at(page.begin(), page.end(), row), end; at != end; ++at) {
    documented[(*at)[1]] = (*at)[2].str() + ((*at)[3].matched ? ' ' + (*at)[3].str() : "");
  }
  const FamilyTexts declared = DeclaredFamilies();
  EXPECT_GT(declared.size(), 60u);
  EXPECT_EQ(declared, documented);
}

}  // namespace
}  // namespace vedette
