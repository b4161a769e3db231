// What became of each queue's packets, as figures: the same equation as of all packets (totals_figures.h), queue by
// queue.
#pragma once

#include <span>

#include "exporter/metrics/figures.h"
#include "sensor/pipeline/totals.h"

namespace vedette {

// Of each queue, in the figures of one moment:
//   kQueueReceived = kQueueDecoded + kQueueNotDecoded + kQueueExcluded + kQueueDropped + kQueueWaiting
namespace families {

inline constexpr FigureFamily kQueueReceived = {"vedette_queue_packets_received_total", FigureKind::kCounter,
                                                "packets that reached a queue, dropped ones included", "queue"};
inline constexpr FigureFamily kQueueDecoded = {"vedette_queue_packets_decoded_total", FigureKind::kCounter,
                                               "packets of a queue whose content was handed on to flows", "queue"};
inline constexpr FigureFamily kQueueNotDecoded = {"vedette_queue_packets_not_decoded_total", FigureKind::kCounter,
                                                  "packets of a queue that end before the flow layer", "queue"};
inline constexpr FigureFamily kQueueExcluded = {"vedette_queue_packets_excluded_total", FigureKind::kCounter,
                                                "packets of a queue that a filter or a time window leaves out",
                                                "queue"};
inline constexpr FigureFamily kQueueDropped = {"vedette_queue_packets_dropped_total", FigureKind::kCounter,
                                               "packets of a queue lost before they were looked at", "queue"};
inline constexpr FigureFamily kQueueWaiting = {"vedette_queue_packets_waiting", FigureKind::kGauge,
                                               "packets of a queue that its worker has and has not judged yet",
                                               "queue"};
inline constexpr FigureFamily kQueueBytes = {"vedette_queue_bytes_decoded_total", FigureKind::kCounter,
                                             "bytes on the wire of a queue's decoded packets", "queue"};
inline constexpr FigureFamily kQueueCpu = {"vedette_queue_cpu_seconds_total", FigureKind::kCounter,
                                           "CPU time of a queue's worker", "queue"};

}  // namespace families

// `lanes`: what each lane counted; queue k of every interface is lane k's.
void AppendQueueFigures(std::span<const Totals> lanes, Figures& out);

}  // namespace vedette
