// Polls a file for replacement.
#pragma once

#include <cstdint>
#include <string>

namespace vedette {

// What identifies the content of a path: which file it is, its size, and when content, owner or permissions changed.
struct FileStamp {
  uint64_t device = 0, inode = 0, size = 0;  // all 0: there is no file
  int64_t modified_ns = 0, changed_ns = 0;
  friend bool operator==(const FileStamp&, const FileStamp&) = default;
};
FileStamp StampOf(const std::string& path);

// One thread. A changed file is reported once it is the same in two consecutive checks, so that one that
// is still being written is left alone.
class FileWatch {
 public:
  // Takes what is there now as known.
  explicit FileWatch(std::string path) : path_(std::move(path)), known_(StampOf(path_)), pending_(known_) {}

  enum class Seen : uint8_t { kNothing, kReplaced, kGone };
  // kGone once, when it was missing in two consecutive checks.
  Seen Look();

 private:
  std::string path_;
  FileStamp known_;    // of the content last reported
  FileStamp pending_;  // at the last check
};

}  // namespace vedette
