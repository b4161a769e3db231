#include "sensor/pipeline/totals_figures.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "exporter/metrics/families.h"
#include "exporter/metrics/figures_json.h"
#include "exporter/metrics/losses.h"

namespace vedette {
namespace {

using nlohmann::json;

Figures FiguresOfTotals(const Totals& totals) {
  Figures figures;
  AppendFigures(totals, figures);
  return figures;
}

// A sensor that lost something; `hits` is what foreign indicators add.
Totals AfterHits(uint64_t hits) {
  Totals totals;
  totals.capture.dropped_by_kernel = 3;
  totals.decode.not_decoded[static_cast<size_t>(NotDecoded::kFragmentTimeout)] = 2;
  totals.decode.not_decoded[static_cast<size_t>(NotDecoded::kEtherTypeOther)] = 9;  // ARP
  totals.decode.not_decoded[static_cast<size_t>(NotDecoded::kFragmentHeld)] = 8;
  totals.decode.truncated = 1;
  totals.workers.flows_evicted = 4;
  totals.tcp.gap_bytes = 1500;
  totals.inspection.gap_bytes_scan_only = 40;
  totals.inspection.parser_limit_hit = 5;
  totals.inspection.payload_bytes_unscanned = hits;
  totals.payload = {hits, hits, hits, hits, hits, hits};
  totals.fields = totals.payload;
  totals.alerts = {hits, hits, hits, hits, hits, hits, hits, hits, hits};
  return totals;
}

TEST(TotalsFigures, LossesAreWhatTheSensorCouldNotSee) {
  EXPECT_EQ(json::parse(LossesOf(FiguresOfTotals(AfterHits(0)))),
            (json{{"vedette_packets_dropped_total", {{"kernel", 3}}},
                  {"vedette_packets_not_decoded_total", {{"fragment_timeout", 2}}},
                  {"vedette_packets_truncated_total", 1},
                  {"vedette_flows_ended_early_total", {{"table_full", 4}}},
                  {"vedette_tcp_gap_bytes_total", 1460},
                  {"vedette_parsers_given_up_total", {{"memory", 5}}}}));
}

// A partner who can send traffic must not learn from them whether a name is on another's list.
TEST(TotalsFigures, LossesDoNotMoveWithHits) {
  EXPECT_EQ(LossesOf(FiguresOfTotals(AfterHits(0))), LossesOf(FiguresOfTotals(AfterHits(7))));
}

TEST(TotalsFigures, ReceivedIsTheSumOfWhatBecameOfPackets) {
  Totals totals = AfterHits(0);
  totals.decode.decoded = 100;
  totals.decode.received = 119;
  totals.workers.frames = 119 + 30 + 4;
  totals.workers.excluded_by_filter = 10;
  totals.workers.excluded_by_time = 20;
  const Figures figures = FiguresOfTotals(totals);
  using namespace families;
  EXPECT_EQ(figures.Value(kPacketsWaiting), 4);
  EXPECT_EQ(figures.Value(kPacketsReceived), figures.Value(kPacketsDecoded) + figures.Sum(kPacketsNotDecoded) +
                                                 figures.Sum(kPacketsExcluded) + figures.Sum(kPacketsDropped) +
                                                 figures.Value(kPacketsWaiting));
}

TEST(TotalsFigures, PartsOfAFigureAddUp) {
  Totals totals;
  totals.tcp.held_bytes = 1000;
  totals.tcp.held_segments = 2;
  totals.tcp.detour_bytes = 10;
  totals.payload.scan_errors = 1;
  totals.fields.scan_errors = 2;
  const Figures figures = FiguresOfTotals(totals);
  EXPECT_EQ(figures.Value(families::kMemory, "reassembly"), 1010.0 + 2 * kSegmentOverheadBytes);
  EXPECT_EQ(figures.Value(families::kScanErrors), 3);
}

// Whoever looks for a name finds it once, in one place.
TEST(TotalsFigures, FiguresOfAFamilyStandTogether) {
  std::set<const FigureFamily*> seen;
  std::set<std::string> figures;
  const FigureFamily* last = nullptr;
  const Figures all = FiguresOfTotals(AfterHits(1));
  EXPECT_EQ(all.all().front().family, &families::kPacketsReceived);
  for (const Figure& figure : all.all()) {
    if (figure.family != last) {
      EXPECT_TRUE(seen.insert(figure.family).second) << figure.family->name;
    }
    last = figure.family;
    EXPECT_TRUE(figures.insert(std::string(figure.family->name) + ' ' + figure.label_value).second)
        << figure.family->name << ' ' << figure.label_value;
  }
}

TEST(TotalsFigures, LimitsInTheOrderInWhichTheyAreTold) {
  std::vector<std::string> names;
  ForEachLimit<CountedTotals>(Totals(), [&](const CounterLimit& limit, uint64_t) { names.emplace_back(limit.name); });
  EXPECT_EQ(names,
            (std::vector<std::string>{"flow_table", "flow_table", "direction_too_long", "reassembly", "second_readings",
                                      "parsers", "protocol_changes", "http_head_too_long", "http_too_many_values",
                                      "dtls_hello_limit", "payload_depth", "fragments"}));
}

// Of one capture that several workers walk, each counts what is excluded.
TEST(Totals, AddUpWhatEachCountsAlone) {
  Totals one;
  one.workers.excluded_by_filter = one.workers.flows = one.capture.frames = 5;
  one.workers.first_ns = 10;
  one.workers.last_ns = 20;
  Totals shared, own;
  for (int i = 0; i < 2; ++i) {
    Add(shared, one, Sharing::kSameCapture);
    Add(own, one, Sharing::kOwnPackets);
  }
  EXPECT_EQ(shared.workers.excluded_by_filter, 5u);
  EXPECT_EQ(shared.capture.frames, 5u);
  EXPECT_EQ(shared.workers.flows, 10u);
  EXPECT_EQ(own.workers.excluded_by_filter, 10u);
  EXPECT_EQ(own.capture.frames, 10u);
  EXPECT_EQ(own.workers.first_ns, 10u);
  EXPECT_EQ(own.workers.last_ns, 20u);
}

}  // namespace
}  // namespace vedette
