// Replaces the indicators of a running sensor.
//
//   read and compile aside ─► self-test ─► exporter learns the generation ─► each worker takes its kit between two
//   bursts
//        └ any failure: the old set stays, counted and said                     └ all have: the old generation is
//        forgotten and freed
//
// Packets wait for nothing of this: a worker exchanges two pointers, and looks the addresses of its running flows up
// again at their next packet.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "exporter/alert/export_loop.h"
#include "exporter/metrics/figures.h"
#include "sensor/live/log.h"
#include "sensor/pipeline/match_kit.h"

namespace vedette {

// A file that a set was made of.
struct IndicatorFile {
  std::string path;
  std::string unused;  // why it gave no indicator; empty: it gave some
  uint64_t rows = 0;   // that can be used
};

// A set ready for use, and what is told about it.
struct IndicatorLoad {
  std::shared_ptr<const IndicatorSet> set;  // nullptr: `error` says why
  ObservableMask wanted;
  std::string error;
  std::vector<IndicatorFile> files;
  std::vector<std::string> changed_settings;  // of the configuration, that hold from the next start on
  uint64_t indicators = 0;                    // that were read; the set's own canary is not among them
  uint64_t unusable = 0;                      // rows
  int64_t newest_file = 0;  // when the newest of the files read was last changed, seconds since 1970; 0: not known
  uint64_t memory_bytes = 0;
};

class Reloader : public FigureSource {
 public:
  // The sensor's other parts, which outlive the reloader. `add` and `forget` are called in the exporter thread.
  struct Parts {
    std::function<IndicatorLoad()> load;  // called in the reloader's thread
    ExportLoop* exporter = nullptr;
    std::vector<KitExchange*> workers;
    std::function<void(std::shared_ptr<const IndicatorSet>, uint64_t generation)> add;
    std::function<void(uint64_t generation)> forget;  // all before it
    Log* log = nullptr;
  };
  // `first`: what the workers use now, as generation 1.
  Reloader(Parts parts, const IndicatorLoad& first);
  // Waits for a reload that runs, however long its compile takes; see Stop.
  ~Reloader();
  Reloader(const Reloader&) = delete;
  Reloader& operator=(const Reloader&) = delete;

  struct Outcome {
    uint64_t number = 0;  // of the reload, from 1 on; 0: none yet
    bool running = false;
    bool succeeded = false;
    std::string error;
    uint64_t generation = 1, indicators = 0, unusable = 0;
    std::string digest;
    double seconds = 0;  // until every worker used it
    // What is in use may not be all that was meant, a sentence each: files that are not used or gave far fewer rows
    // than before, settings that need a restart. Of number 0: at the start.
    std::vector<std::string> warnings;
    std::vector<std::string> notes;  // what may well be meant: files that are gone
  };
  static constexpr size_t kFilesTold = 20;  // of a kind; a folder of more is another kind of folder

  // Any thread. Returns the number of the reload that this request starts, or joins where one waits already.
  uint64_t Request();
  // Any thread: no reload begins any more, and one that runs ends as soon as it can. A compile cannot be broken off:
  // false where one still runs after `limit`, and then Parts still has to outlive the thread.
  bool Stop(std::chrono::milliseconds limit);
  // Any thread: the last one, or the one that runs.
  Outcome last() const;
  void AppendFigures(Figures& out) const override;

 private:
  void Work();
  void ReloadOnce(Outcome outcome);
  std::vector<std::string> FilesGone(const IndicatorLoad& load) const;
  std::vector<std::string> WarningsOf(const IndicatorLoad& load, uint64_t indicators_before) const;
  // A file that gave indicators to the set in use, is still there, and gives none now: it was broken on its way.
  bool Gave(const std::string& path) const;  // a file, or what is in a folder, before
  bool LostAFile(const IndicatorLoad& load, std::string& error) const;
  bool HandOver(const IndicatorLoad& load, uint64_t generation, std::string& error);
  bool Stopping() const;
  // False, with an error, where the sensor ends before.
  bool WaitUntil(const std::function<bool()>& done, std::string& error) const;

  const Parts parts_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  bool ended_ = false;  // the thread has nothing left to do
  std::condition_variable ended_now_;
  uint64_t requested_ = 0;
  Outcome last_;
  uint64_t succeeded_ = 0, failed_ = 0;
  bool failing_ = false;  // the last one that ended did not succeed
  // Files that gave indicators to the set in use, with their rows; the reloader's thread alone.
  std::map<std::string, uint64_t> giving_;
  int64_t loaded_at_, newest_file_;
  uint64_t memory_bytes_;
  std::thread thread_;
};

}  // namespace vedette
