#include "exporter/metrics/losses.h"

#include <algorithm>
#include <iterator>
#include <string_view>

#include "exporter/metrics/families.h"
#include "exporter/metrics/figures_json.h"

namespace vedette {

namespace {

// Reasons of packets not decoded: ARP and the like, and fragments that still wait.
constexpr std::string_view kNoLoss[] = {"ether_type_other", "fragment_held"};

}  // namespace

std::string LossesOf(const Figures& figures) {
  const FigureFamily* const kTold[] = {&families::kPacketsDropped,   &families::kPacketsNotDecoded,
                                       &families::kPacketsTruncated, &families::kFlowsEnded,
                                       &families::kTcpGapBytes,      &families::kParserGivenUp};
  Figures told;
  for (const Figure& figure : figures.all()) {
    if (std::find(std::begin(kTold), std::end(kTold), figure.family) == std::end(kTold)) continue;
    const bool no_loss = figure.family == &families::kPacketsNotDecoded &&
                         std::find(std::begin(kNoLoss), std::end(kNoLoss), figure.label_value) != std::end(kNoLoss);
    if (!no_loss && figure.value != 0) told.Add(*figure.family, figure.label_value, figure.value);
  }
  return JsonOf(told, true);
}

}  // namespace vedette
