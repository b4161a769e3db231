#include "sensor/capture/files/byte_source.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <thread>

#include "parsers/base/errno_text.h"

namespace vedette {
namespace {

constexpr int kWaitMs = 50;

// What a regular file had when the list was made.
class FileBytes final : public ByteSource {
 public:
  FileBytes(int fd, bool owned, uint64_t size) : fd_(fd), owned_(owned), size_(size) {
    posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
  }
  ~FileBytes() override {
    if (owned_) close(fd_);
  }
  Status Read(std::span<uint8_t> room, size_t& num_bytes) override {
    if (position_ == size_) return Status::kEnd;
    const size_t count = std::min<uint64_t>(room.size(), size_ - position_);
    const ssize_t num_read = pread(fd_, room.data(), count, static_cast<off_t>(position_));
    if (num_read < 0 && errno == EINTR) return Status::kNothingYet;
    if (num_read < 0) {
      error_ = fmt::format("reading at offset {} failed: {}", position_, ErrnoText(errno));
      return Status::kFailed;
    }
    if (num_read == 0) {
      error_ = fmt::format("the file was {} bytes long when the run began and is now {}", size_, position_);
      return Status::kFailed;
    }
    num_bytes = static_cast<size_t>(num_read);
    position_ += num_bytes;
    return Status::kBytes;
  }

 private:
  const int fd_;
  const bool owned_;
  const uint64_t size_;
  uint64_t position_ = 0;
};

// A pipe, of which the list has read the first bytes.
class PipeBytes final : public ByteSource {
 public:
  PipeBytes(int fd, Bytes head) : fd_(fd), head_(head) {}
  Status Read(std::span<uint8_t> room, size_t& num_bytes) override {
    if (!head_.empty()) {
      num_bytes = std::min(room.size(), head_.size());
      std::copy_n(head_.begin(), num_bytes, room.begin());
      head_ = head_.subspan(num_bytes);
      return Status::kBytes;
    }
    pollfd waiting{.fd = fd_, .events = POLLIN, .revents = 0};
    if (poll(&waiting, 1, kWaitMs) <= 0) return Status::kNothingYet;
    const ssize_t num_read = read(fd_, room.data(), room.size());
    if (num_read < 0 && (errno == EINTR || errno == EAGAIN)) return Status::kNothingYet;
    if (num_read < 0) {
      error_ = ErrnoText(errno);
      return Status::kFailed;
    }
    num_bytes = static_cast<size_t>(num_read);
    return num_bytes == 0 ? Status::kEnd : Status::kBytes;
  }

 private:
  const int fd_;
  Bytes head_;
};

// A file that somebody writes to. Ends when the list says that another has taken its place.
class GrowingBytes final : public ByteSource {
 public:
  explicit GrowingBytes(CaptureList::Growth& growth) : fd_(growth.fd.exchange(-1)), superseded_(growth.superseded) {}
  ~GrowingBytes() override {
    if (fd_ >= 0) close(fd_);
  }
  Status Read(std::span<uint8_t> room, size_t& num_bytes) override {
    // Looked at before the bytes: what was written until then is read.
    const bool over = superseded_.load(std::memory_order_acquire);
    const ssize_t num_read = pread(fd_, room.data(), room.size(), static_cast<off_t>(position_));
    if (num_read < 0 && errno != EINTR) {
      error_ = fmt::format("reading at offset {} failed: {}", position_, ErrnoText(errno));
      return Status::kFailed;
    }
    if (num_read > 0) {
      num_bytes = static_cast<size_t>(num_read);
      position_ += num_bytes;
      return Status::kBytes;
    }
    if (over) return Status::kEnd;
    std::this_thread::sleep_for(std::chrono::milliseconds(kWaitMs));
    return Status::kNothingYet;
  }

 private:
  const int fd_;
  const std::atomic<bool>& superseded_;
  uint64_t position_ = 0;
};

}  // namespace

std::unique_ptr<ByteSource> ByteSource::Open(const CaptureList::File& file, std::string& error) {
  if (file.kind == CaptureList::Kind::kPipe) return std::make_unique<PipeBytes>(file.fd, Bytes(file.head));
  if (file.kind == CaptureList::Kind::kGrowing) return std::make_unique<GrowingBytes>(*file.growth);
  int fd = file.fd;
  if (fd < 0) fd = file.Open(1);
  struct stat status {};
  if (fd < 0 || fstat(fd, &status) != 0) {
    error = ErrnoText(errno);
  } else {
    error = file.WhyAnother(status);
  }
  if (error.empty()) return std::make_unique<FileBytes>(fd, file.fd < 0, file.bytes);
  if (fd >= 0 && file.fd < 0) close(fd);
  return nullptr;
}

}  // namespace vedette
