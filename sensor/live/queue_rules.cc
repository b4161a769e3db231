#include "sensor/live/queue_rules.h"

#include <fmt/format.h>

#include <algorithm>

#include "sensor/config/duration.h"
#include "sensor/pipeline/queue_figures.h"

namespace vedette {

void QueueRules::TakeSample(const Figures& figures, Time now) {
  Sample sample{.time = now, .queues = {}};
  order_.clear();
  for (const Figure& figure : figures.all()) {
    if (figure.family == &families::kQueueReceived) {
      order_.push_back(figure.label_value);
      sample.queues[figure.label_value].packets = figure.value;
    } else if (figure.family == &families::kQueueCpu) {
      sample.queues[figure.label_value].cpu_seconds = figure.value;
    }
  }
  samples_.push_back(std::move(sample));
  while (samples_.size() > 2 && samples_[1].time <= now - kWindow) samples_.pop_front();
}

std::vector<QueueRules::Load> QueueRules::Loads() const {
  std::vector<Load> loads;
  if (samples_.size() < 2) return loads;
  const Sample &before = samples_.front(), &after = samples_.back();
  const double seconds = std::chrono::duration<double>(after.time - before.time).count();
  double all = 0;
  for (const std::string& queue : order_) {
    const auto now = after.queues.find(queue), then = before.queues.find(queue);
    if (now == after.queues.end() || then == before.queues.end()) continue;
    const double packets = std::max(now->second.packets - then->second.packets, 0.0);
    const double cpu_seconds = std::max(now->second.cpu_seconds - then->second.cpu_seconds, 0.0);
    loads.push_back({queue, packets, seconds > 0 ? 100 * cpu_seconds / seconds : 0});
    all += packets;
  }
  for (Load& load : loads) load.share_percent = all > 0 ? 100 * load.share_percent / all : 0;
  return loads;
}

std::optional<std::string> QueueRules::Imbalance(double limit_percent) const {
  if (limit_percent == 0 || samples_.empty() || samples_.back().time - samples_.front().time < kWindow)
    return std::nullopt;
  const std::vector<Load> loads = Loads();
  if (loads.size() < 2) return std::nullopt;
  const Load& most = *std::max_element(loads.begin(), loads.end(),
                                       [](const Load& a, const Load& b) { return a.share_percent < b.share_percent; });
  const double even = 100.0 / static_cast<double>(loads.size());
  const double excess = 100 * (most.share_percent - even) / (100 - even);
  if (excess <= limit_percent || most.busy_percent < kBusyPercent) return std::nullopt;
  return fmt::format(
      "queue {} of {} got {:.0f} % of the packets of the last {}, and its worker is busy {:.0f} % of the time; all "
      "packets between two addresses go to one queue. Exclude the largest flows with `capture: filter`; where one "
      "tunnel or proxy carries everything, capture where its ends differ",
      most.queue, loads.size(), most.share_percent, DurationText(kWindow), most.busy_percent);
}

}  // namespace vedette
