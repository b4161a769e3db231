#include "sensor/pipeline/pipeline.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "sensor/pipeline/run_threads.h"

namespace vedette {

Pipeline::Pipeline(std::vector<LaneSetup> setups, Sharing sharing) : sharing_(sharing) {
  const auto count = static_cast<uint32_t>(setups.size());
  for (LaneSetup& setup : setups) {
    const auto index = static_cast<uint32_t>(lanes_.size());
    if (sharing == Sharing::kSameCapture) setup.options.decoder.share = {index, count};
    lanes_.push_back(std::make_unique<Lane>(std::move(setup), sharing));
  }
}

Pipeline::~Pipeline() = default;

std::vector<AlertQueue*> Pipeline::alert_queues() const {
  std::vector<AlertQueue*> queues;
  for (const std::unique_ptr<Lane>& lane : lanes_) {
    if (lane->alerts() != nullptr) queues.push_back(lane->alerts());
  }
  return queues;
}

std::vector<KitExchange*> Pipeline::exchanges() const {
  std::vector<KitExchange*> exchanges;
  for (const std::unique_ptr<Lane>& lane : lanes_) exchanges.push_back(&lane->exchange());
  return exchanges;
}

std::vector<Totals> Pipeline::Snapshots() const {
  std::vector<Totals> parts;
  for (const std::unique_ptr<Lane>& lane : lanes_) parts.push_back(lane->Snapshot());
  return parts;
}

Totals Pipeline::Snapshot() const { return SumOf(Snapshots()); }

Totals Pipeline::SumOf(std::vector<Totals> parts) const {
  Totals totals;
  for (Totals& part : parts) {
    Add(totals, part, sharing_);
    // Each source of the same capture has the same damage.
    if (sharing_ == Sharing::kOwnPackets || totals.damage.empty()) {
      std::move(part.damage.begin(), part.damage.end(), std::back_inserter(totals.damage));
    }
  }
  return totals;
}

ProgressReport Pipeline::Progress() const {
  ProgressReport report;
  report.capture.input_bytes_read = UINT64_MAX;
  for (const std::unique_ptr<Lane>& lane : lanes_) {
    const Lane::Progress progress = lane->progress();
    report.capture.input_bytes_read = std::min(report.capture.input_bytes_read, progress.input_bytes);
    report.capture.total_input_bytes = std::max(report.capture.total_input_bytes, progress.total_bytes);
    report.packets += progress.packets;
  }
  return report;
}

Totals Pipeline::Run(const std::atomic<bool>& stop, const std::function<void(const ProgressReport&)>& on_progress) {
  const double seconds = RunThreads(
      lanes_.size(), [&](size_t i) { lanes_[i]->Run(stop); },
      [&] {
        if (on_progress) on_progress(Progress());
      });
  Totals totals = Snapshot();
  totals.seconds = seconds;
  totals.interrupted = stop.load();
  return totals;
}

}  // namespace vedette
