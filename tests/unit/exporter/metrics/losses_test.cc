#include "exporter/metrics/losses.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "exporter/metrics/families.h"

namespace vedette {
namespace {

using nlohmann::json;

// A sensor that lost something; `hits` is what foreign indicators add.
Figures AfterHits(double hits) {
  Figures figures;
  figures.Add(families::kPacketsReceived, 1000);
  figures.Add(families::kPacketsDropped, "kernel", 3);
  figures.Add(families::kPacketsDropped, "interface", 0);
  figures.Add(families::kPacketsNotDecoded, "fragment_timeout", 2);
  figures.Add(families::kPacketsNotDecoded, "ether_type_other", 9);  // ARP
  figures.Add(families::kPacketsNotDecoded, "fragment_held", 8);
  figures.Add(families::kPacketsTruncated, 1);
  figures.Add(families::kFlowsEnded, "table_full", 4);
  figures.Add(families::kTcpGapBytes, 1460);
  figures.Add(families::kParserGivenUp, "memory", 5);
  figures.Add(families::kAlerts, hits);
  figures.Add(families::kAlertsRepeated, hits);
  figures.Add(families::kAlertsDropped, "queue_full", hits);
  figures.Add(families::kAlertsDropped, "too_many_in_one_flow", hits);
  figures.Add(families::kHitsOverLimit, hits);
  figures.Add(families::kScanErrors, hits);
  figures.Add(families::kMatches, "cert-b", hits);
  figures.Add(families::kFeedAlerts, "cert-b", hits);
  figures.Add(families::kFeedDropped, "cert-b", hits);
  figures.Add(families::kAlertQueueDepth, hits);
  figures.Add(families::kPayloadSkipped, "depth_or_bypass", hits);
  figures.Add(families::kIndicators, 10 + hits);
  figures.Add(families::kIndicatorGeneration, 1 + hits);
  figures.Add(families::kIndicatorLoaded, 1795428000 + hits);
  return figures;
}

TEST(Losses, AreWhatTheSensorCouldNotSee) {
  EXPECT_EQ(json::parse(LossesOf(AfterHits(0))), (json{{"vedette_packets_dropped_total", {{"kernel", 3}}},
                                                       {"vedette_packets_not_decoded_total", {{"fragment_timeout", 2}}},
                                                       {"vedette_packets_truncated_total", 1},
                                                       {"vedette_flows_ended_early_total", {{"table_full", 4}}},
                                                       {"vedette_tcp_gap_bytes_total", 1460},
                                                       {"vedette_parsers_given_up_total", {{"memory", 5}}}}));
}

TEST(Losses, AStartHasNone) {
  Figures figures;
  figures.Add(families::kPacketsReceived, 1000);
  figures.Add(families::kPacketsDropped, "kernel", 0);
  figures.Add(families::kPacketsTruncated, 0);
  figures.Add(families::kTcpGapBytes, 0);
  EXPECT_EQ(LossesOf(figures), "{}");
}

// A partner who can send traffic must not learn from them whether a name is on another's list.
TEST(Losses, DoNotMoveWithHits) { EXPECT_EQ(LossesOf(AfterHits(0)), LossesOf(AfterHits(7))); }

}  // namespace
}  // namespace vedette
