// The exporter thread: merges what the workers found and hands it to the sinks, in one order for any number of workers.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "exporter/alert/alert_queue.h"
#include "exporter/alert/alert_sink.h"

namespace vedette {

struct ExportSummary {
  uint64_t alerts = 0;              // that were told
  uint64_t failed = 0;              // not delivered by some sink
  std::vector<std::string> errors;  // one sentence a failed sink
};

class ExportLoop {
 public:
  // `doorbell`: the one that the queues ring. `ordered`: wait for the watermarks of all workers (replay); else one of
  // each queue in turn, as they arrive (live). Queues and sinks outlive the loop. `stop_early` is set for the workers to
  // see, in replay: when a sink failed. A live sensor goes on without it. `on_error` is told at once why one failed.
  // `events`: what makes events of alerts for the sinks; outlives the loop, too.
  ExportLoop(Doorbell& doorbell, std::vector<AlertQueue*> queues, EventMaker& events, std::vector<AlertSink*> sinks,
             bool ordered, std::atomic<bool>& stop_early, std::function<void(std::string_view)> on_error = {});

  // Runs until every queue is closed and empty, then closes the sinks.
  ExportSummary Run();

  // Any thread: `task` is called in the exporter thread, between alerts, after those that had been queued by now. Tasks
  // keep their order. One that is still waiting when Run ends is called then.
  void Post(std::function<void()> task);

 private:
  // What another thread asked for, and how far each queue has to be before.
  struct Task {
    std::function<void()> run;
    std::vector<size_t> after;
  };
  void Deliver(Alert& alert);
  void RunTasks(bool all);
  bool Waiting() const;

  Doorbell& doorbell_;
  std::vector<AlertQueue*> queues_;
  EventMaker& events_;
  std::vector<AlertSink*> sinks_;
  std::vector<bool> broken_;
  bool ordered_;
  std::atomic<bool>& stop_early_;
  std::function<void(std::string_view)> on_error_;
  ExportSummary summary_;
  std::atomic<bool> any_tasks_{false};
  std::mutex mutex_;  // of tasks_
  std::vector<Task> tasks_;
};

}  // namespace vedette
