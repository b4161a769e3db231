// Which files a run reads: settled once, before it starts.
//
// Every worker reads all files and counts them by index, so the list must not depend on when a worker looks. It is
// immutable, and any number of threads share it.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "sensor/capture/capture_format.h"

namespace vedette {

class CaptureList {
 public:
  struct File {
    std::string name;    // as the user gave it, or with the folder that the user gave before it; "-" for standard input
    std::string path;    // to open; the same as name
    uint64_t bytes = 0;  // what it had when the list was made; nothing beyond is read
    uint64_t device = 0;  // with inode: the same file still?
    uint64_t inode = 0;
    CaptureFormat format = CaptureFormat::kOther;
    std::string error;  // not empty: it cannot be read, and why
    int fd = -1;        // open already, and the list's; -1: open `path`
  };
  // Found in a folder, and no capture.
  struct Skipped {
    std::string name;
    std::string reason;          // "text", "gzip-compressed; …"
    bool holds_packets = false;  // worth a warning: somebody may miss what is in it
  };
  struct Options {
    // Ends the wait for more of standard input; what came until then is used. May be null.
    const std::atomic<bool>* stop = nullptr;
    // Where standard input is kept meanwhile, if it is a pipe: every worker has to read it, at its own pace.
    // Empty: the environment's TMPDIR, else /var/tmp.
    std::string spool_folder;
  };

  // Resolves files, folders and "-" (standard input, at most once). A folder stands for every regular file below it
  // that is a capture, in name order: folder by folder, names as bytes, but runs of digits as numbers, so that trace2
  // comes before trace10 (tcpdump -C counts without leading zeros). Links to files are followed, links to folders only
  // where named. A file without content is a capture that was cut short where it is named like one.
  //
  // Null, with `error` naming the path and what to do, where a path named does not exist, cannot be read or is no
  // capture, or where a folder holds none. A file in a folder that cannot be read, and such an empty one, stay in the
  // list and are reported as damage when it is their turn.
  static std::shared_ptr<const CaptureList> Resolve(std::span<const std::string> paths, const Options& options,
                                                    std::string& error);

  ~CaptureList();
  CaptureList(const CaptureList&) = delete;
  CaptureList& operator=(const CaptureList&) = delete;

  const std::vector<File>& files() const { return files_; }
  const std::vector<Skipped>& skipped() const { return skipped_; }  // the first kMaxSkipped
  uint64_t num_skipped() const { return num_skipped_; }
  uint64_t total_bytes() const { return total_bytes_; }

  // A year of captures at one file a minute is half of it.
  static constexpr size_t kMaxFiles = 1'000'000;
  // Enough to see what kind of folder it is.
  static constexpr size_t kMaxSkipped = 1000;
  // Folders within folders. Links to folders are not followed, so this only guards the stack.
  static constexpr int kMaxDepth = 64;

 private:
  CaptureList() = default;
  bool AddPath(const std::string& path, const Options& options, std::string& error);
  bool AddFolder(const std::string& folder, int depth, std::string& error);
  bool AddFromFolder(const std::string& path, std::string& error);
  bool AddStandardInput(const Options& options, std::string& error);
  bool Append(File file, std::string& error);
  void Skip(const std::string& name, OtherFormat why);

  std::vector<File> files_;
  std::vector<Skipped> skipped_;
  uint64_t num_skipped_ = 0;
  uint64_t total_bytes_ = 0;
};

// The order of names within a folder: bytes, but runs of digits as numbers. Names that differ only in leading zeros
// are in byte order.
bool NameBefore(std::string_view a, std::string_view b);

}  // namespace vedette
