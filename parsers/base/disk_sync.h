// Syncs files to disk (fdatasync) within a set time, in its own thread: writers never wait for a disk.
#pragma once

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "parsers/base/output_file.h"

namespace vedette {

class DiskSync {
 public:
  // What is written is on disk `interval` later, plus the time that the disk takes. `path`: of the files; their folder
  // is synced with the first bytes of each.
  DiskSync(std::string path, std::chrono::milliseconds interval);
  // Syncs the rest.
  ~DiskSync();
  DiskSync(const DiskSync&) = delete;
  DiskSync& operator=(const DiskSync&) = delete;

  // One thread. Something was written to the file; it may be closed by its owner as soon as the call is over.
  void Written(const std::shared_ptr<OutputFile>& file);
  // Any thread. Why the last attempt failed; empty if it did not.
  std::string problem() const;

 private:
  struct Entry {
    std::shared_ptr<OutputFile> file;
    bool is_new;  // its name may not be on disk yet
  };
  void Work();
  std::string Sync(const Entry& entry) const;

  const std::string path_;
  const std::chrono::milliseconds interval_;
  std::weak_ptr<OutputFile> named_;  // the writer's: the last one whose folder was asked for
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<Entry> waiting_;  // files with bytes that may not be on disk: one, or a few after rotations
  bool ending_ = false;
  std::string problem_;
  std::thread thread_;
};

}  // namespace vedette
