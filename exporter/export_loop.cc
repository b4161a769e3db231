#include "exporter/export_loop.h"

#include <chrono>
#include <thread>

namespace vedette {
namespace {

constexpr auto kIdlePause = std::chrono::microseconds(500);  // half of the feed's batch delay
constexpr int kAlertsBetweenPolls = 64;                      // one batch of the feed

}  // namespace

ExportLoop::ExportLoop(std::vector<AlertQueue*> queues, std::vector<AlertSink*> sinks, bool ordered,
                       std::atomic<bool>& stop_early)
    : queues_(std::move(queues)),
      sinks_(std::move(sinks)),
      broken_(sinks_.size(), false),
      ordered_(ordered),
      stop_early_(stop_early) {}

void ExportLoop::Deliver(const Alert& alert) {
  ++summary_.alerts;
  bool delivered = true;
  for (size_t i = 0; i < sinks_.size(); ++i) {
    if (!broken_[i] && !sinks_[i]->Accept(alert)) {
      broken_[i] = true;
      summary_.errors.push_back(sinks_[i]->error());
      stop_early_.store(true);
    }
    delivered &= !broken_[i];
  }
  if (!delivered) ++summary_.failed;
}

ExportSummary ExportLoop::Run() {
  AlertMerger merger(queues_);
  for (;;) {
    bool any = false;
    for (int i = 0; i < kAlertsBetweenPolls; ++i) {
      std::unique_ptr<QueuedAlert> next;
      if (ordered_) {
        next = merger.Next();
      } else {
        for (AlertQueue* queue : queues_) {
          if (queue->Front() != nullptr) {
            next = queue->Pop();
            break;
          }
        }
      }
      if (next == nullptr) break;
      any = true;
      Deliver(next->alert);
    }
    for (AlertSink* sink : sinks_) sink->Idle();
    if (any) continue;
    if (merger.Finished()) break;
    std::this_thread::sleep_for(kIdlePause);
  }
  for (size_t i = 0; i < sinks_.size(); ++i) {
    if (!sinks_[i]->Close() && !broken_[i]) summary_.errors.push_back(sinks_[i]->error());
  }
  return summary_;
}

}  // namespace vedette
