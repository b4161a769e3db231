// What the workers counted, as figures.
#pragma once

#include "exporter/metrics/figures.h"
#include "sensor/pipeline/pipeline.h"

namespace vedette {

// What is made of several counters. One equation holds of every list of figures:
//   kPacketsReceived = kPacketsDecoded + sum of kPacketsNotDecoded + sum of kPacketsExcluded + sum of kPacketsDropped
//                      + kPacketsWaiting
// Its left side is counted by itself, before anything is known of a packet, so kPacketsWaiting says whether a packet was
// lost sight of: it is 0 for a replay at its end, and for a live sensor whenever no packet is on its way.
namespace families {

inline constexpr FigureFamily kPacketsReceived = {"vedette_packets_received_total", FigureKind::kCounter,
                                                  "packets that reached the sensor, dropped ones included", ""};
inline constexpr FigureFamily kPacketsWaiting = {"vedette_packets_waiting", FigureKind::kGauge,
                                                 "packets that the workers have and have not judged yet", ""};
inline constexpr FigureFamily kTcpGapBytes = {"vedette_tcp_gap_bytes_total", FigureKind::kCounter,
                                              "bytes missing in gaps of TCP streams that are parsed", "", true};

}  // namespace families

uint64_t PacketsReceived(const CountedTotals& totals);
uint64_t PacketsNotDecoded(const CountedTotals& totals);
uint64_t PacketsExcluded(const CountedTotals& totals);
uint64_t PacketsDropped(const CountedTotals& totals);
// What the equation leaves. Of an interrupted replay: packets that one worker read and theirs did not reach.
int64_t PacketsWaiting(const CountedTotals& totals);

// Everything about packets, flows, observables, matching and the workers' memory.
void AppendFigures(const Totals& totals, Figures& out);

}  // namespace vedette
