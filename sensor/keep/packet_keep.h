// `capture: keep` as a whole: a keeper for each lane, the sink that asks for flows, and the thread that writes.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "exporter/metrics/figures.h"
#include "sensor/keep/flow_keeper.h"
#include "sensor/keep/keep_sink.h"
#include "sensor/keep/kept_files.h"

namespace vedette {

class PacketKeep : public FigureSource {
 public:
  // nullptr with an error: the folder cannot be used. Starts the thread that writes.
  static std::unique_ptr<PacketKeep> Open(KeptFiles::Options files, const FlowKeeper::Options& flows,
                                          std::string& error);
  ~PacketKeep() override;
  PacketKeep(const PacketKeep&) = delete;
  PacketKeep& operator=(const PacketKeep&) = delete;

  // Before anything runs: the keeper of one more lane, owned here. nullptr with an error: no memory.
  FlowKeeper* AddLane(std::string& error);
  // First among the sinks.
  KeepSink& sink() { return sink_; }

  // The lanes and the exporter have ended, none of them again: what was asked for and still stands in the rings is
  // written, and the files are closed.
  void Finish();

  void AppendFigures(Figures& out) const override;
  // For the end of a run.
  std::string Summary() const;

 private:
  PacketKeep(std::unique_ptr<KeptFiles> files, const FlowKeeper::Options& flows);
  void Run();
  bool WriteSome(KeptFiles::Time now);
  void TellBarrier();

  const FlowKeeper::Options flows_;
  const std::unique_ptr<KeptFiles> files_;
  std::vector<std::unique_ptr<FlowKeeper>> keepers_;
  KeepSink sink_;
  std::vector<uint64_t> barriers_;     // the writer's: by lane, the last that came
  std::atomic<bool> complete_{false};  // nothing more comes into the queues
  std::mutex mutex_;                   // of keepers_, which grows before the lanes run
  std::thread writer_;
};

}  // namespace vedette
