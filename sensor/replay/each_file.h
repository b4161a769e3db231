// `replay --each`: every file of a list judged on its own, several at once, told in the order of the list.
//
// A file is a run of its own: its flows, fragments, clock and numbers begin with it and end with it, so that what is told
// of it is what a replay of this file alone tells. Each of the threads takes the next file, walks it with one worker, and
// has one ring of alerts for all of its files; the exporter merges by the files' places in the list. A thread that is
// ahead waits where its ring is full.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "exporter/alert/alert_queue.h"
#include "exporter/alert/doorbell.h"
#include "sensor/capture/files/capture_list.h"
#include "sensor/pipeline/lane.h"
#include "sensor/pipeline/matching_lane.h"
#include "sensor/pipeline/pipeline.h"
#include "sensor/pipeline/totals.h"
#include "signatures/set/indicator_set.h"

namespace vedette {

class EachFile {
 public:
  struct Options {
    std::shared_ptr<const CaptureList> captures;  // not followed
    std::shared_ptr<const IndicatorSet> set;
    std::string filter;  // as PacketFilter takes it, and it was tried
    WorkerOptions worker;
    MatchingOptions matching;
    uint32_t threads = 1;  // at most; one per file is enough
  };
  // `doorbell` outlives this.
  EachFile(Options options, Doorbell& doorbell);
  ~EachFile();
  EachFile(const EachFile&) = delete;
  EachFile& operator=(const EachFile&) = delete;

  // As of Pipeline. Once `stop` is set, no further file is begun.
  Totals Run(const std::atomic<bool>& stop, const std::function<void(const ProgressReport&)>& on_progress);
  Totals Snapshot() const;
  std::vector<AlertQueue*> alert_queues() const;

 private:
  struct Thread {
    std::unique_ptr<AlertQueue> alerts;
    std::shared_ptr<Lane> lane;  // of the file at hand; null between files
  };

  void Work(Thread& thread, const std::atomic<bool>& stop);
  // nullptr with an error: no memory.
  std::shared_ptr<Lane> LaneFor(uint32_t file, Thread& thread, std::string& error) const;
  void End(uint32_t file, Thread& thread, Totals totals);
  ProgressReport Progress() const;

  const Options options_;
  std::vector<Thread> threads_;
  std::atomic<uint32_t> next_{0};
  mutable std::mutex mutex_;          // of what follows, and of the threads' lanes
  std::map<uint32_t, Totals> early_;  // of files that ended before one in front of them
  uint32_t num_added_ = 0;            // files in sum_
  Totals sum_;
};

}  // namespace vedette
