#include "sensor/capture/files/mapped_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <utility>

#include "parsers/base/errno_text.h"

namespace vedette {
namespace {

constexpr uint64_t kPageBytes = 4096;

// A window that took longer came from the disk and not from memory: what follows is asked for ahead, in portions, so that
// the disk works meanwhile. A window in memory takes 0.1 ms.
constexpr auto kFromDisk = std::chrono::microseconds(700);
constexpr uint64_t kAheadBytes = uint64_t{8} << 20;
constexpr uint64_t kPortionBytes = uint64_t{2} << 20;

}  // namespace

std::string WhyNotRegular(uint32_t mode) {
  if (S_ISREG(mode)) return {};
  if (S_ISFIFO(mode))
    return "it is a pipe (FIFO), which can be read only once; give it as standard input: replay - < PIPE";
  if (S_ISDIR(mode)) return "it is a directory";
  if (S_ISSOCK(mode)) return "it is a socket, not a capture file";
  if (S_ISCHR(mode) || S_ISBLK(mode)) return "it is a device, not a capture file";
  return "it is not a regular file";
}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  if (this == &other) return *this;
  Close();
  data_ = std::exchange(other.data_, nullptr);
  size_ = std::exchange(other.size_, 0);
  status_ = other.status_;
  dropped_ = std::exchange(other.dropped_, 0);
  fd_ = std::exchange(other.fd_, -1);
  ahead_ = std::exchange(other.ahead_, 0);
  from_disk_ = std::exchange(other.from_disk_, false);
  own_ = std::move(other.own_);
  return *this;
}

void MappedFile::Close() {
  if (data_ != nullptr) munmap(const_cast<uint8_t*>(data_), size_);
  own_ = FileDescriptor();
  data_ = nullptr;
  size_ = 0;
  dropped_ = 0;
  ahead_ = 0;
  from_disk_ = false;
  fd_ = -1;
}

bool MappedFile::Take(FileDescriptor file, uint64_t max_bytes, std::string& error) {
  if (!Map(file.get(), max_bytes, error)) return false;
  own_ = std::move(file);
  return true;
}

bool MappedFile::Map(int fd, uint64_t max_bytes, std::string& error) {
  Close();
  struct stat status {};
  if (fstat(fd, &status) != 0) {
    error = ErrnoText(errno);
    return false;
  }
  error = WhyNotRegular(status.st_mode);
  if (!error.empty()) return false;
  const uint64_t size = std::min(static_cast<uint64_t>(status.st_size), max_bytes);
  if (size != 0) {
    void* const mapped = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (mapped == MAP_FAILED) {
      error = fmt::format("cannot map {} bytes: {}", size, ErrnoText(errno));
      return false;
    }
    data_ = static_cast<const uint8_t*>(mapped);
    size_ = size;
    madvise(mapped, size, MADV_SEQUENTIAL);
  }
  fd_ = fd;
  status_ = status;
  return true;
}

void MappedFile::AskAhead(uint64_t end) {
  const uint64_t from = std::max(ahead_, end), to = std::min<uint64_t>(end + kAheadBytes, size_);
  if (to < from + kPortionBytes && to != size_) return;
  if (to > from) posix_fadvise(fd_, static_cast<off_t>(from), static_cast<off_t>(to - from), POSIX_FADV_WILLNEED);
  ahead_ = std::max(to, from);
}

bool MappedFile::Prepare(uint64_t begin, uint64_t end, uint64_t& size, std::string& error) {
  end = std::min<uint64_t>(end, size_);
  begin = std::min(begin, end);
  uint8_t* const base = const_cast<uint8_t*>(data_);
  const uint64_t first = begin / kPageBytes * kPageBytes;
  if (first > dropped_) {
    madvise(base + dropped_, first - dropped_, MADV_DONTNEED);
    dropped_ = first;
  }
  if (first == end) return true;
  struct stat status {};
  if (fstat(fd_, &status) == 0 && static_cast<uint64_t>(status.st_size) < end) {
    size = static_cast<uint64_t>(status.st_size);
    error = fmt::format("the file was {} bytes long and shrank to {} while it was read", size_, size);
    return false;
  }
  if (from_disk_) AskAhead(end);
  const auto before = std::chrono::steady_clock::now();
  const bool loaded = madvise(base + first, end - first, MADV_POPULATE_READ) == 0;
  from_disk_ = loaded && (from_disk_ || std::chrono::steady_clock::now() - before > kFromDisk);
  if (loaded) return true;
  const int populate_errno = errno;
  // EINVAL: kernels before 5.14, where only the comparison of sizes is left. The others say nothing about the file.
  if (populate_errno == EINVAL || populate_errno == EAGAIN || populate_errno == ENOMEM || populate_errno == EINTR) {
    return true;
  }
  size = begin;
  error = fmt::format("reading at offset {} failed: {}", begin,
                      populate_errno == EFAULT ? ErrnoText(EIO) : ErrnoText(populate_errno));
  return false;
}

}  // namespace vedette
