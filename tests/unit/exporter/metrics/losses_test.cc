#include "exporter/metrics/losses.h"

#include <gtest/gtest.h>

namespace vedette {
namespace {

constexpr FigureFamily kDropped = {"dropped_total", FigureKind::kCounter, "lost", "cause", true};
constexpr FigureFamily kCut = {"cut_total", FigureKind::kCounter, "lost", "", true};
constexpr std::string_view kNoLoss[] = {"arp", "held"};
constexpr FigureFamily kNotDecoded = {"not_decoded_total", FigureKind::kCounter, "lost", "reason", true, kNoLoss};
constexpr FigureFamily kReceived = {"received_total", FigureKind::kCounter, "no loss", ""};

// What the sensor's own families say stands in tests/unit/sensor/pipeline/totals_figures_test.cc.
TEST(Losses, AreFamiliesThatSaySo) {
  Figures figures;
  figures.Add(kReceived, 1000);
  figures.Add(kDropped, "kernel", 3);
  figures.Add(kDropped, "interface", 0);
  figures.Add(kNotDecoded, "fragment_timeout", 2);
  figures.Add(kNotDecoded, "arp", 9);
  figures.Add(kNotDecoded, "held", 8);
  figures.Add(kCut, 1);
  EXPECT_EQ(LossesOf(figures),
            R"({"dropped_total":{"kernel":3},"not_decoded_total":{"fragment_timeout":2},"cut_total":1})");
}

TEST(Losses, AStartHasNone) {
  Figures figures;
  figures.Add(kReceived, 1000);
  figures.Add(kDropped, "kernel", 0);
  figures.Add(kCut, 0);
  EXPECT_EQ(LossesOf(figures), "{}");
}

}  // namespace
}  // namespace vedette
