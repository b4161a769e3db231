// What the workers counted, as figures.
#pragma once

#include "exporter/metrics/figures.h"
#include "sensor/pipeline/pipeline.h"

namespace vedette {

// What is made of several counters. One equation holds for a replay at its end, and for a live sensor whenever no packet
// is on its way:
//   kPacketsReceived = kPacketsDecoded + sum of kPacketsNotDecoded + sum of kPacketsExcluded + sum of kPacketsDropped
namespace families {

inline constexpr FigureFamily kPacketsReceived = {"vedette_packets_received_total", FigureKind::kCounter,
                                                  "packets that reached the sensor, dropped ones included", ""};
inline constexpr FigureFamily kTcpGapBytes = {"vedette_tcp_gap_bytes_total", FigureKind::kCounter,
                                              "bytes missing in gaps of TCP streams that are parsed", "", true};

}  // namespace families

// Everything about packets, flows, observables, matching and the workers' memory.
void AppendFigures(const Totals& totals, Figures& out);

}  // namespace vedette
