// What arrives while a run follows: the file that replaces a followed one, and captures in a followed folder.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include "sensor/capture/files/capture_list.h"

namespace vedette {

// Appends to the list. Called in the follower's thread.
using AppendFile = std::function<void(CaptureList::File)>;
using WarnOf = std::function<void(const std::string&)>;

// Follows a path like `tail -F`: checks several times a second whether another file has taken its place (recreated,
// moved there, or the same file truncated), and then appends that one. What was written to the old one is read
// first.
class FileFollower {
 public:
  // `first`: the file that the list begins with, whose Growth it is.
  FileFollower(CaptureList::File first, AppendFile append);
  ~FileFollower();

  // The file at this path, opened. Its growth is empty if there is none, or it is not a regular file.
  static CaptureList::File Open(const std::string& path, std::string& error);

 private:
  void Run();
  bool Replaced();

  CaptureList::File current_;
  uint64_t largest_ = 0;  // size of the current file at the last check
  AppendFile append_;
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

// Follows a folder and those below it, through inotify. A capture is taken when nobody writes to it any more.
//
// A lease (fcntl(2), F_SETLEASE) shows that nobody writes: the kernel grants it only then. It grants none
// for files of other users (without CAP_LEASE) and on some file systems. There, a file is taken once it was closed
// after writing or moved in, or has not changed for kQuietSeconds.
class FolderFollower {
 public:
  static constexpr size_t kMaxWatches = 4096;  // half of what a kernel grants a user by default
  static constexpr int kQuietSeconds = 10;     // longer than capture programs buffer packets
  // Files that were taken and not yet read which are held open, so that they are read whatever happens to their names;
  // of more, the oldest must still be there under the name that they had.
  static constexpr size_t kMaxUnread = 256;

  // Watches from now on; `error` if that is impossible. Captures that already exist are taken once they are complete.
  static std::unique_ptr<FolderFollower> Start(const std::string& folder, AppendFile append, WarnOf warn,
                                               std::string& error);
  ~FolderFollower();

 private:
  struct Candidate {
    bool closed = false;            // after writing, or moved in
    int64_t complete_since_ns = 0;  // 0: somebody writes to it. Taken a while later: some name a file when it is done
    uint64_t bytes = 0;             // with modified_ns: as it was at the last look
    int64_t modified_ns = -1;
    int64_t unchanged_since_ns = 0;
  };
  // What has been taken of a file, to recognise it under another name.
  struct Taken {
    uint64_t head_digest = 0;
    size_t head_bytes = 0;
    uint64_t bytes = 0;
  };
  struct InNameOrder {
    bool operator()(const std::string& a, const std::string& b) const { return NameBefore(a, b); }
  };

  FolderFollower(int inotify, AppendFile append, WarnOf warn);
  void Run();
  void ReadEvents();
  bool AddFolder(const std::string& folder, int depth);
  void LookAtCandidates();
  // True: it is no longer a candidate, because it was taken or must not be.
  bool Look(const std::string& path, Candidate& candidate);
  bool TakenBefore(const std::string& path, const CaptureList::File& file, int fd);
  void Append(CaptureList::File file, const std::string& path, FileDescriptor descriptor);

  const int inotify_;
  AppendFile append_;
  WarnOf warn_;
  std::unordered_map<int, std::string> folders_;  // by watch
  std::map<std::string, Candidate, InNameOrder> candidates_;
  std::map<std::pair<uint64_t, uint64_t>, Taken> taken_;  // by device and inode
  std::deque<std::shared_ptr<CaptureList::Unread>> unread_;
  std::string root_;
  bool told_of_watches_ = false;
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

}  // namespace vedette
