// An open file of alerts, and whether its path still leads to it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

namespace vedette {

class OutputFile {
 public:
  // Takes `descriptor` over, and closes it at the end unless it is standard output.
  explicit OutputFile(int descriptor) : descriptor_(descriptor) {}
  ~OutputFile();
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  // Adds to the file, which is made where there is none. A regular file is locked (flock) as long as it is open, and a
  // line without an end, as a process that was killed leaves it, is cut off: `cut_bytes`, 0 where there was none. What
  // is no regular file (a pipe) is never waited for: a write that would have to wait fails with EAGAIN. nullptr with an
  // error that names the file.
  static std::shared_ptr<OutputFile> Append(const std::string& path, uint64_t& cut_bytes, std::string& error);

  int descriptor() const { return descriptor_; }
  bool is_regular() const;
  uint64_t bytes() const;  // its length now; 0 where that is not known

  enum class Place : uint8_t {
    kAtPath,     // or no regular file: one that has no other place
    kElsewhere,  // renamed: the path leads to another file, or to none
    kRemoved,    // no name leads to it: what is in it is gone with the descriptor
  };
  Place Look(const std::string& path) const;

  // False with errno.
  bool Close();

 private:
  int descriptor_;
};

// "PATH: cannot be written: REASON; …", of errno.
std::string CannotWrite(const std::string& path);

}  // namespace vedette
