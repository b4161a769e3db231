#include "sensor/pipeline/totals_figures.h"

#include <algorithm>
#include <iterator>
#include <numeric>

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
                                          &families::kPacketsWaiting,
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
                                          &families::kAcknowledgedBytes,
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

uint64_t PacketsReceived(const CountedTotals& totals) { return totals.workers.frames + PacketsDropped(totals); }

uint64_t PacketsNotDecoded(const CountedTotals& totals) {
  const NotDecodedCounts& reasons = totals.decode.not_decoded;
  return std::accumulate(reasons.begin(), reasons.end(), uint64_t{0});
}

uint64_t PacketsExcluded(const CountedTotals& totals) {
  return totals.workers.excluded_by_filter + totals.workers.excluded_by_time;
}

uint64_t PacketsDropped(const CountedTotals& totals) {
  return totals.capture.dropped_by_kernel + totals.capture.dropped_by_interface;
}

int64_t PacketsWaiting(const CountedTotals& totals) {
  const uint64_t judged = totals.decode.decoded + PacketsNotDecoded(totals) + PacketsExcluded(totals);
  return static_cast<int64_t>(totals.workers.frames - judged);
}

void AppendFigures(const Totals& totals, Figures& out) {
  Figures counted;
  AppendCounters<CountedTotals>(totals, counted);
  counted.Add(families::kPacketsReceived, static_cast<double>(PacketsReceived(totals)));
  counted.Add(families::kPacketsWaiting, static_cast<double>(PacketsWaiting(totals)));
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
