#include "parsers/base/output_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "parsers/base/errno_text.h"
#include "parsers/base/file.h"

namespace vedette {
namespace {

// A file with more than that behind its last newline is no file of alerts; they take a few kilobytes.
constexpr uint64_t kLongestLineBytes = uint64_t{1} << 20;

// How many bytes stand behind the last newline of the file. False with `error`.
bool UnfinishedLine(const std::string& path, uint64_t file_bytes, uint64_t& line_bytes, std::string& error) {
  line_bytes = 0;
  if (file_bytes == 0) return true;
  std::string tail(std::min(file_bytes, kLongestLineBytes), '\0');
  const FileDescriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  const bool is_read =
      file.is_open() && ReadUpToAt(file.get(), tail.data(), tail.size(), file_bytes - tail.size()) == tail.size();
  if (!is_read) {
    error = path + ": cannot be read, to see whether its last line is whole: " + ErrnoText();
    return false;
  }
  const size_t newline = tail.rfind('\n');
  line_bytes = newline == std::string::npos ? tail.size() : tail.size() - newline - 1;
  if (newline != std::string::npos || file_bytes <= kLongestLineBytes) return true;
  error = fmt::format("{}: no newline in its last {} bytes, so it is no file of alerts; name another, or move it away",
                      path, kLongestLineBytes);
  return false;
}

}  // namespace

std::string CannotWrite(const std::string& path) {
  return path + ": cannot be written: " + ErrnoText() + "; name a file in a folder that exists and is yours";
}

OutputFile::~OutputFile() { Close(); }

std::shared_ptr<OutputFile> OutputFile::Append(const std::string& path, uint64_t& cut_bytes, std::string& error) {
  cut_bytes = 0;
  // Else whoever opens a pipe waits for its reader, and whoever writes to it too.
  const int descriptor = open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK, 0640);
  struct stat status {};
  if (descriptor < 0 && errno == ENXIO && stat(path.c_str(), &status) == 0 && S_ISFIFO(status.st_mode)) {
    error = path + ": is a pipe that nobody reads; start its reader first, or name a file";
    return nullptr;
  }
  if (descriptor < 0 || fstat(descriptor, &status) != 0) {
    error = CannotWrite(path);
    if (descriptor >= 0) close(descriptor);
    return nullptr;
  }
  auto file = std::make_shared<OutputFile>(descriptor);
  if (!S_ISREG(status.st_mode)) return file;
  // What looks like an unfinished line may be one that another sensor is about to finish.
  if (flock(descriptor, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    error = path + ": another sensor is writing it; end that one, or name another file";
    return nullptr;
  }
  // Its length now that nobody else writes: that one may have finished its line meanwhile.
  if (fstat(descriptor, &status) != 0) {
    error = CannotWrite(path);
    return nullptr;
  }
  const auto file_bytes = static_cast<uint64_t>(status.st_size);
  if (!UnfinishedLine(path, file_bytes, cut_bytes, error)) return nullptr;
  if (cut_bytes != 0 && ftruncate(descriptor, static_cast<off_t>(file_bytes - cut_bytes)) != 0) {
    error = path + ": its unfinished last line cannot be cut off: " + ErrnoText();
    return nullptr;
  }
  return file;
}

bool OutputFile::is_regular() const {
  struct stat status {};
  return fstat(descriptor_, &status) == 0 && S_ISREG(status.st_mode);
}

uint64_t OutputFile::bytes() const {
  struct stat status {};
  return fstat(descriptor_, &status) == 0 ? static_cast<uint64_t>(status.st_size) : 0;
}

OutputFile::Place OutputFile::Look(const std::string& path) const {
  struct stat own {};
  struct stat there {};
  if (fstat(descriptor_, &own) != 0 || !S_ISREG(own.st_mode)) return Place::kAtPath;
  if (own.st_nlink == 0) return Place::kRemoved;
  // A path that cannot be looked at for another reason is taken for the same one.
  if (stat(path.c_str(), &there) != 0) return errno == ENOENT ? Place::kElsewhere : Place::kAtPath;
  return own.st_dev == there.st_dev && own.st_ino == there.st_ino ? Place::kAtPath : Place::kElsewhere;
}

bool OutputFile::Close() {
  const int descriptor = std::exchange(descriptor_, -1);
  return descriptor < 0 || descriptor == STDOUT_FILENO || close(descriptor) == 0;
}

}  // namespace vedette
