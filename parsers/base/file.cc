#include "parsers/base/file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>

namespace vedette {
namespace {

// `step(done)` moves some bytes from `done` on: how many, 0 at the end, below 0 with errno. Until `size` are done.
template <class Step>
std::optional<size_t> Repeat(size_t size, Step step) {
  size_t done = 0;
  while (done < size) {
    const ssize_t moved = step(done);
    if (moved < 0 && errno == EINTR) continue;
    if (moved < 0) return std::nullopt;
    if (moved == 0) break;
    done += static_cast<size_t>(moved);
  }
  return done;
}

}  // namespace

FileDescriptor::~FileDescriptor() {
  const int kept = errno;
  Close();
  errno = kept;
}

FileDescriptor& FileDescriptor::operator=(FileDescriptor&& other) noexcept {
  if (this != &other) {
    Close();
    descriptor_ = other.Release();
  }
  return *this;
}

bool FileDescriptor::Close() {
  const int descriptor = Release();
  return descriptor < 0 || close(descriptor) == 0;
}

bool WriteAll(int descriptor, std::string_view bytes) {
  return Repeat(bytes.size(), [&](size_t done) {
           return write(descriptor, bytes.data() + done, bytes.size() - done);
         }) == bytes.size();
}

bool WriteAllAt(int descriptor, std::string_view bytes, uint64_t offset) {
  return Repeat(bytes.size(), [&](size_t done) {
           return pwrite(descriptor, bytes.data() + done, bytes.size() - done, static_cast<off_t>(offset + done));
         }) == bytes.size();
}

std::optional<size_t> ReadUpTo(int descriptor, char* to, size_t size) {
  return Repeat(size, [&](size_t done) { return read(descriptor, to + done, size - done); });
}

std::optional<size_t> ReadUpToAt(int descriptor, char* to, size_t size, uint64_t offset) {
  return Repeat(
      size, [&](size_t done) { return pread(descriptor, to + done, size - done, static_cast<off_t>(offset + done)); });
}

bool SyncFolderOf(const std::string& path) {
  const std::string folder = std::filesystem::path(path).parent_path().string();
  const FileDescriptor descriptor(open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!descriptor.is_open()) return errno == EACCES;
  return fsync(descriptor.get()) == 0 || errno == EINVAL;
}

bool ReplaceFile(const std::string& path, std::string_view text, const Replacement& how) {
  const std::string next = path + std::string(how.suffix);
  FileDescriptor file(open(next.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, how.mode));
  if (!file.is_open()) return false;
  const bool written = WriteAll(file.get(), text) && (!how.to_disk || fsync(file.get()) == 0) && file.Close() &&
                       std::rename(next.c_str(), path.c_str()) == 0;
  if (!written) {
    const int reason = errno;
    unlink(next.c_str());
    errno = reason;
  }
  return written;
}

}  // namespace vedette
