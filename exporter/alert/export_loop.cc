#include "exporter/alert/export_loop.h"

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

namespace vedette {
namespace {

constexpr auto kShortPause = std::chrono::microseconds(500);  // half of the feed's batch delay
constexpr auto kLongPause = std::chrono::milliseconds(50);    // without alerts, sinks are called some times a second
constexpr int kShortPauses = 8;                               // after the last alert: its batch leaves meanwhile
constexpr int kAlertsBetweenPolls = 64;                       // one batch of the feed

}  // namespace

ExportLoop::ExportLoop(Doorbell& doorbell, std::vector<AlertQueue*> queues, EventMaker& events,
                       std::vector<AlertSink*> sinks, bool ordered, std::atomic<bool>& stop_early,
                       std::function<void(std::string_view)> on_error)
    : doorbell_(doorbell),
      queues_(std::move(queues)),
      events_(events),
      sinks_(std::move(sinks)),
      broken_(sinks_.size(), false),
      ordered_(ordered),
      stop_early_(stop_early),
      on_error_(std::move(on_error)) {}

bool ExportLoop::Waiting() const {
  return std::any_of(queues_.begin(), queues_.end(), [](const AlertQueue* queue) { return queue->Front() != nullptr; });
}

void ExportLoop::Deliver(Alert& alert) {
  const Event* const event = events_.Decide(alert);
  if (event == nullptr) return;
  if (event->kind == EventKind::kAlert) ++summary_.alerts;
  bool delivered = true;
  for (size_t i = 0; i < sinks_.size(); ++i) {
    if (!sinks_[i]->takes().Has(event->kind)) continue;
    if (broken_[i]) {
      sinks_[i]->Miss();
    } else if (!sinks_[i]->Accept(*event)) {
      broken_[i] = true;
      summary_.errors.push_back(sinks_[i]->error());
      if (on_error_) on_error_(sinks_[i]->error());
      if (ordered_) stop_early_.store(true);
    }
    delivered &= !broken_[i];
  }
  if (!delivered) ++summary_.failed;
}

void ExportLoop::Post(std::function<void()> task) {
  Task posted{std::move(task), {}};
  for (const AlertQueue* queue : queues_) posted.after.push_back(queue->pushed());
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    tasks_.push_back(std::move(posted));
    any_tasks_.store(true, std::memory_order_release);
  }
  doorbell_.Ring();
}

void ExportLoop::RunTasks(bool all) {
  while (any_tasks_.load(std::memory_order_acquire)) {
    std::function<void()> run;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      const Task& first = tasks_.front();
      for (size_t i = 0; i < queues_.size() && !all; ++i) {
        if (queues_[i]->popped() < first.after[i]) return;
      }
      run = std::move(tasks_.front().run);
      tasks_.erase(tasks_.begin());
      any_tasks_.store(!tasks_.empty(), std::memory_order_release);
    }
    run();
  }
}

ExportSummary ExportLoop::Run() {
  AlertMerger merger(queues_);
  AlertTurns turns(queues_);
  int pauses = 0;
  for (;;) {
    bool any = false;
    for (int i = 0; i < kAlertsBetweenPolls; ++i) {
      std::unique_ptr<QueuedAlert> next = ordered_ ? merger.Next() : turns.Next();
      if (next == nullptr) break;
      any = true;
      Deliver(next->alert);
      AlertQueue::GiveBack(std::move(next));
    }
    RunTasks(false);
    for (AlertSink* sink : sinks_) sink->Idle();
    if (any) {
      pauses = 0;
      continue;
    }
    if (merger.Finished()) break;
    // An alert that waits for another worker's watermark rings no more.
    if (Waiting() || ++pauses <= kShortPauses) {
      std::this_thread::sleep_for(kShortPause);
    } else {
      doorbell_.WaitFor(kLongPause);
    }
  }
  RunTasks(true);
  for (size_t i = 0; i < sinks_.size(); ++i) {
    if (!sinks_[i]->Close() && !broken_[i]) summary_.errors.push_back(sinks_[i]->error());
  }
  return summary_;
}

}  // namespace vedette
