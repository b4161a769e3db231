#include "sensor/commands/line_output.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace vedette {
namespace {

bool IsRegular(int descriptor) {
  struct stat about {};
  return fstat(descriptor, &about) == 0 && S_ISREG(about.st_mode);
}

// False too for what is no plain file, or cannot be read.
bool EndsWithinALine(const std::string& path) {
  struct stat about {};
  if (stat(path.c_str(), &about) != 0 || !S_ISREG(about.st_mode) || about.st_size == 0) return false;
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return false;
  char last = '\n';
  const bool read = pread(descriptor, &last, 1, about.st_size - 1) == 1;
  close(descriptor);
  return read && last != '\n';
}

}  // namespace

LineOutput::~LineOutput() {
  if (descriptor_ > STDERR_FILENO) close(descriptor_);
}

bool LineOutput::Open(const std::string& path, std::string& error, Start start) {
  path_ = path == "-" ? "standard output" : path;
  const int how = start == Start::kAppend ? O_APPEND : O_TRUNC;
  descriptor_ = path == "-" ? STDOUT_FILENO : open(path.c_str(), O_WRONLY | O_CREAT | how | O_CLOEXEC, 0640);
  if (descriptor_ >= 0 && path != "-" && start == Start::kAppend && IsRegular(descriptor_) &&
      flock(descriptor_, LOCK_EX | LOCK_NB) != 0) {
    error = path + ": another process is appending to it; name another file";
    return false;
  }
  if (descriptor_ >= 0) {
    ended_a_line_ = path != "-" && start == Start::kAppend && EndsWithinALine(path);
    if (ended_a_line_) buffer_ = "\n";
    return true;
  }
  error = path + ": cannot be written: " + std::strerror(errno) + "; name a file in a folder that exists and is yours";
  return false;
}

bool LineOutput::Flush() {
  std::string_view rest = buffer_;
  while (!rest.empty() && reason_ == 0) {
    const ssize_t n = write(descriptor_, rest.data(), rest.size());
    if (n >= 0) {
      rest.remove_prefix(static_cast<size_t>(n));
    } else if (errno != EINTR) {
      reason_ = errno;
    }
  }
  buffer_.clear();
  return reason_ == 0;
}

bool LineOutput::Close(std::string& error) {
  Flush();
  if (descriptor_ > STDERR_FILENO && close(descriptor_) != 0 && reason_ == 0) reason_ = errno;
  descriptor_ = -1;
  if (reason_ == 0) return true;
  error = path_ + ": cannot be written: " + std::strerror(reason_) +
          (reason_ == EPIPE ? "; its reader has gone" : "; free some space, or name another file with --out");
  return false;
}

}  // namespace vedette
