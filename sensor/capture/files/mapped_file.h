// A file's bytes, mapped read-only.
//
// The danger of a mapping: the kernel ends a process with SIGBUS if it touches mapped bytes that the file no longer
// has (somebody truncated it meanwhile) or that the disk cannot deliver. So readers call Prepare window
// by window: it has the kernel load the window and reports both cases as an error. What remains is a file that is
// truncated while one window is being read, a matter of a millisecond. A file that only grows is no danger.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <string>

#include "parsers/base/bytes.h"
#include "parsers/base/file.h"

namespace vedette {

class MappedFile {
 public:
  MappedFile() = default;
  ~MappedFile() { Close(); }
  MappedFile(MappedFile&& other) noexcept { *this = static_cast<MappedFile&&>(other); }
  MappedFile& operator=(MappedFile&& other) noexcept;

  // Maps at most `max_bytes` of a regular file: a run with a fixed input does not see what is appended later. `file`
  // is open, and this object's from now on.
  // False, with the reason in `error` (without the path). An empty file maps to no bytes.
  bool Take(FileDescriptor file, uint64_t max_bytes, std::string& error);
  // The same for a file that the caller keeps and must keep open.
  bool Map(int fd, uint64_t max_bytes, std::string& error);
  void Close();

  Bytes bytes() const { return {data_, size_}; }
  // Whether some of it was not in memory.
  bool from_disk() const { return from_disk_; }
  // As it was when it was mapped.
  const struct stat& status() const { return status_; }

  // Loads bytes [begin, end), limited to what is mapped, and releases what lies before `begin`. Where the disk had to be
  // waited for, the kernel is asked to read ahead of the following calls. False if they are
  // not there: `size` is then how many bytes from the start can still be used, and `error` says why.
  bool Prepare(uint64_t begin, uint64_t end, uint64_t& size, std::string& error);

 private:
  const uint8_t* data_ = nullptr;
  size_t size_ = 0;
  struct stat status_ {};
  void AskAhead(uint64_t end);

  uint64_t ahead_ = 0;      // bytes from the start that were asked for ahead
  bool from_disk_ = false;  // some window was
  uint64_t dropped_ = 0;    // bytes from the start that were released
  int fd_ = -1;
  FileDescriptor own_;  // the same, where it is not the caller's
};

// Why a path cannot be read as a file: "it is a FIFO; …". Empty for a regular file. `mode` is stat's st_mode.
std::string WhyNotRegular(uint32_t mode);

}  // namespace vedette
