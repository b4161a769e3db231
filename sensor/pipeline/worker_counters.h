// What a worker counts of packets and flows.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "parsers/base/counter.h"
#include "parsers/base/observable.h"

namespace vedette {

namespace families {

inline constexpr FigureFamily kPacketsExcluded = {"vedette_packets_excluded_total", FigureKind::kCounter,
                                                  "packets that a filter or a time window leaves out", "by"};
inline constexpr FigureFamily kPacketTimesDoubted = {
    "vedette_packet_times_doubted_total", FigureKind::kCounter,
    "packets whose time the ones around them contradict; no flow was ended by it", ""};
inline constexpr FigureFamily kBytesDecoded = {"vedette_bytes_decoded_total", FigureKind::kCounter,
                                               "bytes on the wire of decoded packets", ""};
inline constexpr FigureFamily kFlows = {"vedette_flows_total", FigureKind::kCounter, "flows seen", ""};
inline constexpr FigureFamily kFlowsNow = {"vedette_flows", FigureKind::kGauge, "flows in the table now", ""};
inline constexpr FigureFamily kFlowsEnded = {"vedette_flows_ended_early_total", FigureKind::kCounter,
                                             "flows ended before their time, by cause", "cause", true};
inline constexpr FigureFamily kTcpFlowsJudged = {"vedette_tcp_flows_judged_total", FigureKind::kCounter,
                                                 "TCP flows by the directions seen until their sixteenth packet",
                                                 "seen"};
inline constexpr FigureFamily kObservables = {"vedette_observables_total", FigureKind::kCounter, "observables by name",
                                              "name"};

}  // namespace families

// Where each packet ends that a worker was given, exactly once, in the same unit, frames:
//   frames == DecodeCounters::received (of all workers of a replay) + excluded_by_filter + excluded_by_time
// once none is on its way.
struct WorkerCounters {
  uint64_t frames = 0;  // counted before anything is known of them
  uint64_t excluded_by_filter = 0;
  uint64_t fragments_excluded_by_filter = 0;
  uint64_t excluded_by_time = 0;
  uint64_t flows = 0;
  uint64_t stamps_disbelieved = 0;
  uint64_t flows_evicted = 0;
  uint64_t flows_crowded_out = 0;
  uint64_t flows_peak = 0;
  uint64_t flows_now = 0;
  uint64_t flows_timed_out = 0;
  uint64_t tcp_both_ways = 0;  // TCP flows that had packets of both ends when their 16th packet came …
  uint64_t tcp_one_way = 0;    // … and those that had not
  uint64_t bytes = 0;
  uint64_t first_ns = UINT64_MAX, last_ns = 0;
  std::array<uint64_t, kObservableKinds> observables{};

  static constexpr auto Counters() {
    using namespace families;
    using C = WorkerCounters;
    constexpr auto kShared = CounterSum::kAddUnlessShared;  // each worker judges every packet of the capture
    return CounterTable(
        Count(&C::frames, "frames that were handed to the worker, of other workers' shares too").Sum(kShared),
        Count(&C::excluded_by_filter, kPacketsExcluded, "filter", "the BPF filter").Sum(kShared),
        Count(&C::fragments_excluded_by_filter, "of those: later fragments, by a filter that looks at ports")
            .Sum(kShared),
        Count(&C::excluded_by_time, kPacketsExcluded, "time", "--since and --until").Sum(kShared),
        Count(&C::stamps_disbelieved, kPacketTimesDoubted).Sum(kShared),  // see CaptureClock
        Count(&C::bytes, kBytesDecoded), Count(&C::flows, kFlows), Count(&C::flows_now, kFlowsNow),
        Count(&C::flows_evicted, kFlowsEnded, "table_full", "there were as many flows as may be")
            .IsLimit({"flow_table", "flows given up (table full)", true}),
        Count(&C::flows_crowded_out, kFlowsEnded, "table_crowded", "too many at one place of the flow table")
            .IsLimit({"flow_table", "flows given up (table crowded)", true}),
        Count(&C::flows_peak, "most flows at once"),
        Count(&C::flows_timed_out, "flows that ended because they were idle"),
        Count(&C::tcp_both_ways, kTcpFlowsJudged, "both_ways", "packets of both ends"),
        Count(&C::tcp_one_way, kTcpFlowsJudged, "one_way", "packets of one end only"),
        Count(&C::first_ns, "time of the first packet").Sum(CounterSum::kLeast),
        Count(&C::last_ns, "time of the last packet").Sum(CounterSum::kMost),
        CountEach(&C::observables, kObservables, [](size_t i) {
          return i < static_cast<size_t>(kFirstContext) ? NameOf(static_cast<ObservableKind>(i)) : std::string_view();
        }));
  }
};

}  // namespace vedette
