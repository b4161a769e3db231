#include "exporter/metrics/figures.h"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>
#include <sstream>

#include "exporter/metrics/families.h"
#include "exporter/metrics/figures_json.h"

namespace vedette {
namespace {

std::string TextOf(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

TEST(Figures, AreFoundByFamilyAndLabel) {
  Figures figures;
  figures.Add(families::kFlows, 7);
  figures.Add(families::kPacketsDropped, "kernel", 3);
  figures.Add(families::kPacketsDropped, "interface", 4);
  EXPECT_EQ(figures.Value(families::kFlows), 7);
  EXPECT_EQ(figures.Value(families::kPacketsDropped, "kernel"), 3);
  EXPECT_EQ(figures.Value(families::kPacketsDropped, "other"), 0);
  EXPECT_EQ(figures.Sum(families::kPacketsDropped), 7);
  EXPECT_EQ(figures.Sum(families::kAlerts), 0);
}

TEST(Figures, AsJson) {
  Figures figures;
  figures.Add(families::kFlows, 9007199254740991.0);
  figures.Add(families::kPacketsDropped, "kernel", 3);
  figures.Add(families::kPacketsDropped, "a \"b\"\xff", 0);
  figures.Add(families::kWorkerCpu, 0.5);
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

// What is declared is documented, and the other way round; names end as Prometheus wants them.
TEST(Families, StandInTheDocumentation) {
  const std::string declared = TextOf(std::string(VEDETTE_SOURCE_DIR) + "/exporter/metrics/families.h");
  const std::string page = TextOf(std::string(VEDETTE_SOURCE_DIR) + "/docs/metrics.md");
  const auto names_of = [](const std::string& text, const std::regex& expression) {
    std::set<std::string> names;
    for (std::sregex_iterator at(text.begin(), text.end(), expression), end; at != end; ++at) names.insert((*at)[1]);
    return names;
  };
  const std::set<std::string> in_code = names_of(declared, std::regex("\"(vedette_[a-z_]+)\""));
  EXPECT_GT(in_code.size(), 40u);
  EXPECT_EQ(in_code, names_of(page, std::regex("\\n\\| `(vedette_[a-z_]+)`")));
  const std::regex counter("\"(vedette_[a-z_]+)\",\\s*FigureKind::kCounter");
  for (std::sregex_iterator at(declared.begin(), declared.end(), counter), end; at != end; ++at) {
    EXPECT_TRUE((*at)[1].str().ends_with("_total")) << (*at)[1];
  }
}

}  // namespace
}  // namespace vedette
