// Whether a file was replaced, for who looks from time to time.
#pragma once

#include <cstdint>
#include <string>

namespace vedette {

// What tells one content of a path from another: which file it is, its size, and when content, owner or rights changed.
struct FileStamp {
  uint64_t device = 0, inode = 0, size = 0;  // all 0: there is no file
  int64_t modified_ns = 0, changed_ns = 0;
  friend bool operator==(const FileStamp&, const FileStamp&) = default;
};
FileStamp StampOf(const std::string& path);

// One thread. A file that changes is reported once it has stayed the same from one look to the next, so that one that
// is still being written is left alone.
class FileWatch {
 public:
  // What is there now is taken for known.
  explicit FileWatch(std::string path) : path_(std::move(path)), known_(StampOf(path_)), pending_(known_) {}

  enum class Seen : uint8_t { kNothing, kReplaced, kGone };
  // kGone once, when it was missing at two looks in a row.
  Seen Look();

 private:
  std::string path_;
  FileStamp known_;    // of the content last reported
  FileStamp pending_;  // at the last look
};

}  // namespace vedette
