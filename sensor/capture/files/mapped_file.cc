#include "sensor/capture/files/mapped_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "parsers/base/errno_text.h"

namespace vedette {
namespace {

constexpr uint64_t kPageBytes = 4096;

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
  own_ = std::move(other.own_);
  return *this;
}

void MappedFile::Close() {
  if (data_ != nullptr) munmap(const_cast<uint8_t*>(data_), size_);
  own_ = FileDescriptor();
  data_ = nullptr;
  size_ = 0;
  dropped_ = 0;
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
  if (madvise(base + first, end - first, MADV_POPULATE_READ) == 0) return true;
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
