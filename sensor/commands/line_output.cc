#include "sensor/commands/line_output.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace vedette {

LineOutput::~LineOutput() {
  if (descriptor_ > STDERR_FILENO) close(descriptor_);
}

bool LineOutput::Open(const std::string& path, std::string& error) {
  path_ = path == "-" ? "standard output" : path;
  descriptor_ = path == "-" ? STDOUT_FILENO : open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
  if (descriptor_ >= 0) return true;
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
