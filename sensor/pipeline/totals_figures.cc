#include "sensor/pipeline/totals_figures.h"

#include <algorithm>
#include <iterator>

#include "exporter/metrics/counter_figures.h"
#include "exporter/metrics/families.h"

namespace vedette {
namespace {

// The order in which a reader finds them, packets first. What is not among them follows.
constexpr const FigureFamily* kOrder[] = {&families::kPacketsReceived,
                                          &families::kPacketsDecoded,
                                          &families::kPacketsDecodedBy,
                                          &families::kPacketsNotDecoded,
                                          &families::kPacketsOfOtherType,
                                          &families::kPacketsOfUnknownLink,
                                          &families::kPacketsExcluded,
                                          &families::kPacketsDropped,
                                          &families::kPacketsTruncated,
                                          &families::kPacketTimesDoubted,
                                          &families::kBytesDecoded,
                                          &families::kDatagramsReassembled,
                                          &families::kFlows,
                                          &families::kFlowsNow,
                                          &families::kFlowsEnded,
                                          &families::kFlowsByProtocol,
                                          &families::kTunnelFlows,
                                          &families::kTcpFlowsJudged,
                                          &families::kTcp,
                                          &families::kTcpSetAside,
                                          &families::kPayloadAside,
                                          &families::kTcpGapBytes,
                                          &families::kScanGapBytes,
                                          &families::kTcpRepeatedBytes,
                                          &families::kParserGivenUp,
                                          &families::kMessageLimits,
                                          &families::kPayloadInspected,
                                          &families::kPayloadSkipped,
                                          &families::kObservables,
                                          &families::kScanErrors,
                                          &families::kHitsOverLimit,
                                          &families::kAlerts,
                                          &families::kAlertsRepeated,
                                          &families::kAlertsUnremembered,
                                          &families::kAlertsDropped,
                                          &families::kAlertHitsDropped,
                                          &families::kMemory,
                                          &families::kPacketDelay,
                                          &families::kWorkerCpu};

}  // namespace

void AppendFigures(const Totals& totals, Figures& out) {
  Figures counted;
  AppendCounters<CountedTotals>(totals, counted);
  const uint64_t excluded = totals.workers.excluded_by_filter + totals.workers.excluded_by_time;
  const uint64_t dropped = totals.capture.dropped_by_kernel + totals.capture.dropped_by_interface;
  counted.Add(families::kPacketsReceived, static_cast<double>(totals.decode.received + excluded + dropped));
  counted.Add(families::kTcpGapBytes,
              static_cast<double>(totals.tcp.gap_bytes - totals.inspection.gap_bytes_scan_only));
  const auto place = [](const Figure& figure) {
    return std::find(std::begin(kOrder), std::end(kOrder), figure.family);
  };
  std::vector<Figure> figures = counted.all();
  std::stable_sort(figures.begin(), figures.end(),
                   [&](const Figure& a, const Figure& b) { return place(a) < place(b); });
  for (Figure& figure : figures) out.Add(std::move(figure));
}

}  // namespace vedette
