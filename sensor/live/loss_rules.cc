#include "sensor/live/loss_rules.h"

#include <fmt/format.h>

#include <algorithm>

#include "sensor/config/duration.h"
#include "sensor/pipeline/totals_figures.h"

namespace vedette {

void AppendInterfaceLosses(const LossCounters& counters, std::span<const std::string> interfaces, Figures& out) {
  using namespace families;
  const auto add = [&](const FigureFamily& family, const LossCounters::Each& each) {
    const size_t count = std::min(interfaces.size(), each.size());
    for (size_t i = 0; i < count; ++i) out.Add(family, interfaces[i], static_cast<double>(each[i]));
  };
  add(kInterfaceSeen, counters.seen);
  add(kInterfaceUnseen, counters.unseen);
  add(kInterfaceLate, counters.late);
  add(kInterfaceStreams, counters.streams_with_loss);
}

void LossRules::TakeSample(const Figures& figures, Time now) {
  using namespace families;
  Sample sample{.time = now,
                .received = figures.Value(kPacketsReceived),
                .dropped = figures.Sum(kPacketsDropped),
                .interfaces = {}};
  order_.clear();
  for (const Figure& figure : figures.all()) {
    if (figure.family == &kInterfaceSeen) {
      order_.push_back(figure.label_value);
      sample.interfaces[figure.label_value].seen = figure.value;
    } else if (figure.family == &kInterfaceUnseen) {
      sample.interfaces[figure.label_value].unseen = figure.value;
    } else if (figure.family == &kInterfaceLate) {
      sample.interfaces[figure.label_value].late = figure.value;
    } else if (figure.family == &kInterfaceStreams) {
      sample.interfaces[figure.label_value].streams = figure.value;
    }
  }
  samples_.push_back(std::move(sample));
  while (samples_.size() > 2 && samples_[1].time <= now - kWindow) samples_.pop_front();
}

std::vector<LossRules::Loss> LossRules::Losses() const {
  std::vector<Loss> losses;
  if (samples_.size() < 2) return losses;
  const Sample &before = samples_.front(), &after = samples_.back();
  const double received = after.received - before.received;
  const double dropped = received > 0 ? std::clamp((after.dropped - before.dropped) / received, 0.0, 1.0) : 0;
  for (const std::string& interface : order_) {
    const auto now = after.interfaces.find(interface), then = before.interfaces.find(interface);
    if (now == after.interfaces.end() || then == before.interfaces.end()) continue;
    const Counts &a = then->second, &b = now->second;
    const double unseen = std::max((b.unseen - a.unseen) - (b.late - a.late), 0.0);
    const double all = (b.seen - a.seen) + (b.unseen - a.unseen);
    const double share = all > 0 ? unseen / all : 0;
    // The sensor's own drops leave the same holes: what reached it is what the loss before left.
    const double own = share <= dropped || dropped >= 1 ? 0 : 1 - (1 - share) / (1 - dropped);
    losses.push_back({interface, 100 * own, all, b.streams - a.streams});
  }
  return losses;
}

std::optional<std::string> LossRules::Finding(double limit_percent) const {
  if (limit_percent == 0) return std::nullopt;
  std::string worst;
  for (const Loss& loss : Losses()) {
    if (loss.percent <= limit_percent || loss.streams < kMinStreams || loss.bytes < kMinBytes) continue;
    worst += fmt::format("{}{}: {:.1f} % ({:.0f} streams)", worst.empty() ? "" : ", ", loss.interface, loss.percent,
                         loss.streams);
  }
  if (worst.empty()) return std::nullopt;
  return fmt::format(
      "of the bytes that TCP receivers acknowledged in the last {}, so much never reached the sensor, on {}; the "
      "mirror "
      "port, the tap or the network card loses packets: mirror less, or onto a faster port, and look at `ethtool -S` "
      "of "
      "the interface and at the switch's counters of dropped packets",
      DurationText(kWindow), worst);
}

}  // namespace vedette
