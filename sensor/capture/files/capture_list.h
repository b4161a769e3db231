// Which files a run reads: decided once before it starts or, for followed paths, in the order in which they
// arrive.
//
// Every worker reads all files and counts them by index, so the list must not depend on when a worker looks: its
// entries do not change, and new ones are appended. Any number of threads share it.
#pragma once

#include <sys/stat.h>

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "parsers/base/file.h"
#include "sensor/capture/files/capture_format.h"

namespace vedette {

class FileFollower;
class FolderFollower;

class CaptureList {
 public:
  // How it is read.
  enum class Kind : uint8_t {
    kWhole,       // mapped, by each worker
    kCompressed,  // as a stream, once for all workers; so are the others
    kPipe,
    kGrowing,  // for as long as nothing takes its place
  };
  // A file that is followed. The follower says when another file has taken its place.
  struct Growth {
    explicit Growth(int open_fd) : fd(open_fd) {}
    ~Growth();
    std::atomic<int> fd;  // taken by its reader; -1 afterwards
    std::atomic<bool> superseded{false};
  };
  // A file that arrived in a followed folder, held open until every reader has opened it: its writer may give it
  // another name meanwhile, or move it elsewhere. Any thread.
  class Unread {
   public:
    explicit Unread(FileDescriptor descriptor) : descriptor_(std::move(descriptor)) {}
    // A descriptor of the same file, the caller's; below 0 once `num_readers` have taken one, or after LetGo. Each
    // reader takes one.
    int Take(size_t num_readers);
    // No longer held: the next one opens its path.
    void LetGo();

   private:
    std::mutex mutex_;
    FileDescriptor descriptor_;
    size_t num_taken_ = 0;
  };
  struct File {
    std::string name;    // as the user gave it, or with the folder that the user gave before it; "-" for standard input
    std::string path;    // to open; the same as name
    uint64_t bytes = 0;  // size when the list was made; nothing beyond is read, except of a pipe or growing file
    uint64_t device = 0;  // with inode: the same file still?
    uint64_t inode = 0;
    Kind kind = Kind::kWhole;
    CaptureFormat format = CaptureFormat::kOther;  // of kWhole
    std::string error;                             // not empty: it cannot be read, and why
    int fd = -1;                                   // already open, owned by the list; -1: open `path`
    std::vector<uint8_t> head;                     // of kPipe: what has been read of it
    std::shared_ptr<Growth> growth;                // of kGrowing
    std::shared_ptr<Unread> unread;                // may be null

    // An open file, the caller's: what is held of it, otherwise its path. Below 0 with errno.
    int Open(size_t num_readers) const;

    // Empty: it is still the file in the list.
    std::string WhyAnother(const struct stat& now) const;
  };
  // Found in a folder, but not a capture.
  struct Skipped {
    std::string name;
    std::string reason;          // "text", "gzip-compressed; …"
    bool holds_packets = false;  // worth a warning: somebody may miss its content
  };
  struct Options {
    // Ends the wait for the first bytes of standard input. May be null.
    const std::atomic<bool>* stop = nullptr;
    // The last path is followed: a file as it grows or is replaced, a folder as captures arrive in it. The list then
    // has no end.
    bool follow = false;
    // Called, in any thread, with warnings about the followed path. May be empty.
    std::function<void(const std::string&)> warn;
  };

  // Resolves files, folders and "-" (standard input, at most once). A folder stands for every regular file below it
  // that is a capture, in name order: folder by folder, names as bytes, but runs of digits as numbers, so that trace2
  // comes before trace10 (tcpdump -C counts without leading zeros). Links to files are followed, links to folders only
  // if named. A file that is empty, or of which nothing can be decompressed, counts as a truncated capture if it is
  // named like one.
  //
  // Null, with `error` naming the path and what to do, if a named path does not exist, cannot be read or is not a
  // capture, or if a folder holds none. Unreadable files in a folder, and such empty ones, stay in the
  // list and are reported as damage when it is their turn.
  static std::shared_ptr<const CaptureList> Resolve(std::span<const std::string> paths, const Options& options,
                                                    std::string& error);

  ~CaptureList();
  CaptureList(const CaptureList&) = delete;
  CaptureList& operator=(const CaptureList&) = delete;

  // Of a list that has an end.
  const std::deque<File>& files() const { return files_; }
  // For any index below the number of files. The reference is valid as long as the list.
  const File& file(uint32_t index) const;
  enum class Next : uint8_t { kFile, kNotYet, kEnd };
  // Whether there is a file with this index. Waits for it for some 50 ms at most.
  Next WaitForFile(uint32_t index) const;
  bool follows() const { return follow_; }
  // Whether one of the files named or found (not standard input) is the one with this status.
  bool Holds(const struct stat& status) const;
  // Whether some file is not kWhole, or may not be.
  bool has_streams() const;

  const std::vector<Skipped>& skipped() const { return skipped_; }  // the first kMaxSkipped
  uint64_t num_skipped() const { return num_skipped_; }
  // Of all files, as they are on disk. 0: unknown, because there is a pipe or a followed path.
  uint64_t total_bytes() const { return total_known_ ? total_bytes_ : 0; }

  // A year of captures at one file a minute is half of it.
  static constexpr size_t kMaxFiles = 1'000'000;
  // Enough to recognise the kind of folder.
  static constexpr size_t kMaxSkipped = 1000;
  // Folders within folders. Links to folders are not followed, so this only guards the stack.
  static constexpr int kMaxDepth = 64;

 private:
  CaptureList();
  bool AddPath(const std::string& path, const Options& options, bool follow, std::string& error);
  bool AddFolder(const std::string& folder, int depth, std::string& error);
  bool AddFromFolder(const std::string& path, std::string& error);
  bool AddStandardInput(const Options& options, std::string& error);
  bool FollowFile(const std::string& path, const Options& options, std::string& error);
  bool FollowFolder(const std::string& path, const Options& options, std::string& error);
  bool Append(File file, std::string& error);
  void Skip(const std::string& name, OtherFormat why);

  mutable std::mutex mutex_;  // guards the container, while it may grow
  mutable std::condition_variable grown_;
  std::deque<File> files_;
  std::vector<Skipped> skipped_;
  uint64_t num_skipped_ = 0;
  uint64_t total_bytes_ = 0;
  bool total_known_ = true;
  bool follow_ = false;
  // The last members: they add to the others until they are destroyed.
  std::unique_ptr<FileFollower> file_follower_;
  std::unique_ptr<FolderFollower> folder_follower_;
};

// The order of names within a folder: bytes, but runs of digits as numbers. Names that differ only in leading zeros
// are in byte order.
bool NameBefore(std::string_view a, std::string_view b);

}  // namespace vedette
