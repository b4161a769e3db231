#include "sensor/capture/stream/stream_ring.h"

#include <fmt/format.h>
#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <utility>

#include "parsers/base/errno_text.h"

namespace vedette {
namespace {

// How long a request to stop may go unseen.
constexpr std::chrono::milliseconds kWait{50};

// Two views of the same memory, one behind the other.
uint8_t* MapTwice(uint64_t size) {
  void* const whole = mmap(nullptr, 2 * size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (whole == MAP_FAILED) return nullptr;
  auto* const first = static_cast<uint8_t*>(whole);
  // Of size 0, mremap makes another mapping of shared pages.
  if (mmap(first, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED ||
      mremap(first, 0, size, MREMAP_MAYMOVE | MREMAP_FIXED, first + size) == MAP_FAILED) {
    const int reason = errno;
    munmap(whole, 2 * size);
    errno = reason;
    return nullptr;
  }
  return first;
}

}  // namespace

std::unique_ptr<StreamRing> StreamRing::Make(size_t num_readers, std::string& error) {
  uint8_t* const memory = MapTwice(kRingBytes);
  if (memory == nullptr) {
    error = fmt::format("no memory for a ring of {} MiB: {}", kRingBytes >> 20, ErrnoText());
    return nullptr;
  }
  return std::unique_ptr<StreamRing>(new StreamRing(num_readers, memory));
}

StreamRing::StreamRing(size_t num_readers, uint8_t* memory)
    : memory_(memory), passed_(num_readers, 0), num_attached_(num_readers) {}

StreamRing::~StreamRing() { munmap(memory_, 2 * kRingBytes); }

uint64_t StreamRing::Room() const {
  const uint64_t slowest = *std::min_element(passed_.begin(), passed_.end());
  const uint64_t held = slowest < head_ ? head_ - slowest : 0;
  const uint64_t limit = num_waiting_ != 0 ? kRingBytes : kLeadBytes;
  return held < limit ? std::min(limit - held, kPieceBytes) : 0;
}

void StreamRing::BeginFile(uint32_t file) {
  const std::lock_guard<std::mutex> lock(mutex_);
  writing_ = file;
  File& begun = files_[file];
  begun.begin = begun.end = head_;
  begun.readers_left = num_attached_;
  bytes_.notify_all();
}

std::span<uint8_t> StreamRing::WaitForRoom() {
  std::unique_lock<std::mutex> lock(mutex_);
  writer_waits_ = true;
  room_.wait(lock, [&] { return closed_ || Room() != 0; });
  writer_waits_ = false;
  if (closed_) return {};
  return {memory_ + head_ % kRingBytes, Room()};
}

void StreamRing::Commit(size_t num_bytes) {
  const std::lock_guard<std::mutex> lock(mutex_);
  head_ += num_bytes;
  files_[writing_].end = head_;
  if (num_waiting_ != 0) bytes_.notify_all();
}

void StreamRing::EndFile(StreamEnd end) {
  const std::lock_guard<std::mutex> lock(mutex_);
  File& file = files_[writing_];
  file.ended = true;
  file.how = std::move(end);
  bytes_.notify_all();
}

void StreamRing::Close() {
  const std::lock_guard<std::mutex> lock(mutex_);
  closed_ = true;
  room_.notify_all();
  bytes_.notify_all();
}

void StreamRing::Advance(size_t reader, const File& file, uint64_t to) {
  to = std::min(to, file.end);
  if (to <= passed_[reader]) return;
  passed_[reader] = to;
  if (writer_waits_) room_.notify_one();
}

StreamRing::Status StreamRing::Look(size_t reader, uint32_t number, uint64_t position, uint64_t wanted, View& view) {
  std::unique_lock<std::mutex> lock(mutex_);
  const auto there = [&] {
    const auto found = files_.find(number);
    if (found == files_.end()) return false;
    const File& file = found->second;
    Advance(reader, file, file.begin + position);
    return file.ended || file.end >= file.begin + wanted;
  };
  bool ready = there();
  if (!ready && !closed_) {
    ++num_waiting_;
    if (writer_waits_) room_.notify_one();
    bytes_.wait_for(lock, kWait, [&] { return (ready = there()) || closed_; });
    --num_waiting_;
  }
  if (!ready) return Status::kWaiting;
  const File& file = files_[number];
  const uint64_t from = std::max(passed_[reader], file.begin);
  view.bytes = {memory_ + from % kRingBytes, file.end - from};
  view.offset = from - file.begin;
  view.last = file.ended;
  return Status::kReady;
}

void StreamRing::Release(size_t reader, uint32_t number, uint64_t position) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const File& file = files_[number];
  Advance(reader, file, file.begin + position);
}

StreamEnd StreamRing::Leave(size_t reader, uint32_t number) {
  const std::lock_guard<std::mutex> lock(mutex_);
  File& file = files_[number];
  Advance(reader, file, file.end);
  StreamEnd how = file.how;
  if (--file.readers_left == 0) files_.erase(number);
  return how;
}

void StreamRing::Detach(size_t reader) {
  const std::lock_guard<std::mutex> lock(mutex_);
  passed_[reader] = UINT64_MAX;
  --num_attached_;
  if (writer_waits_) room_.notify_one();
}

}  // namespace vedette
