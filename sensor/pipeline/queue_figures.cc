#include "sensor/pipeline/queue_figures.h"

#include <string>

#include "sensor/pipeline/totals_figures.h"

namespace vedette {

void AppendQueueFigures(std::span<const Totals> lanes, Figures& out) {
  using namespace families;
  const auto add = [&](const FigureFamily& family, auto value_of) {
    for (size_t i = 0; i < lanes.size(); ++i) out.Add(family, std::to_string(i), value_of(lanes[i]));
  };
  add(kQueueReceived, [](const Totals& lane) { return static_cast<double>(PacketsReceived(lane)); });
  add(kQueueDecoded, [](const Totals& lane) { return static_cast<double>(lane.decode.decoded); });
  add(kQueueNotDecoded, [](const Totals& lane) { return static_cast<double>(PacketsNotDecoded(lane)); });
  add(kQueueExcluded, [](const Totals& lane) { return static_cast<double>(PacketsExcluded(lane)); });
  add(kQueueDropped, [](const Totals& lane) { return static_cast<double>(PacketsDropped(lane)); });
  add(kQueueWaiting, [](const Totals& lane) { return static_cast<double>(PacketsWaiting(lane)); });
  add(kQueueBytes, [](const Totals& lane) { return static_cast<double>(lane.workers.bytes); });
  add(kQueueCpu, [](const Totals& lane) { return lane.worker_cpu_seconds; });
}

}  // namespace vedette
