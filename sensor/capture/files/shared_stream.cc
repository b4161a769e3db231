#include "sensor/capture/files/shared_stream.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace vedette {
namespace {

// Read at once, as the file has it: more than a block of zstd.
constexpr size_t kInputBytes = size_t{256} << 10;

// Tells a compression from all others.
constexpr size_t kMagicBytes = 4;

}  // namespace

std::shared_ptr<SharedStream> SharedStream::Start(std::shared_ptr<const CaptureList> list, uint32_t first, uint32_t end,
                                                  size_t num_readers, std::string& error) {
  std::unique_ptr<StreamRing> ring = StreamRing::Make(num_readers, error);
  if (ring == nullptr) return nullptr;
  return std::shared_ptr<SharedStream>(new SharedStream(std::move(list), first, end, std::move(ring)));
}

SharedStream::SharedStream(std::shared_ptr<const CaptureList> list, uint32_t first, uint32_t end,
                           std::unique_ptr<StreamRing> ring)
    : list_(std::move(list)),
      first_file_(first),
      end_file_(end),
      ring_(std::move(ring)),
      input_(kInputBytes),
      file_(first),
      thread_([this] { Run(); }) {}

SharedStream::~SharedStream() {
  stop_.store(true);
  ring_->Close();
  thread_.join();
}

uint64_t SharedStream::InputBytes(uint32_t file) const {
  const uint32_t current = file_.load(std::memory_order_acquire);
  if (file > current) return 0;
  return file < current ? list_->file(file).bytes : input_bytes_.load(std::memory_order_relaxed);
}

void SharedStream::Run() {
  for (uint32_t index = first_file_; index < end_file_ && !stop_.load();) {
    const CaptureList::Next next = list_->WaitForFile(index);
    if (next == CaptureList::Next::kEnd) break;
    if (next == CaptureList::Next::kNotYet) continue;
    const CaptureList::File& file = list_->file(index);
    if (file.kind != CaptureList::Kind::kWhole) {
      input_bytes_.store(0, std::memory_order_relaxed);
      file_.store(index, std::memory_order_release);
      ring_->BeginFile(index);
      StreamEnd end = Pump(file);
      end.input_bytes = input_bytes_.load(std::memory_order_relaxed);
      ring_->EndFile(std::move(end));
    }
    file_.store(++index, std::memory_order_release);
  }
}

StreamEnd SharedStream::Pump(const CaptureList::File& file) {
  input_size_ = 0;
  source_ended_ = false;
  StreamEnd end;
  if (!file.error.empty()) return {.damage = file.error, .damage_offset = 0, .input_bytes = 0, .compressed = false};
  const std::unique_ptr<ByteSource> source = ByteSource::Open(file, end.damage);
  if (source == nullptr) return end;
  while (input_size_ < kMagicBytes && !source_ended_) {
    if (!Fill(*source, end)) return end;
  }
  const Compression compression = IdentifyCompression({input_.data(), input_size_});
  return compression == Compression::kNone ? Copy(*source) : Decompress(*source, compression);
}

bool SharedStream::Fill(ByteSource& source, StreamEnd& end) {
  while (!stop_.load(std::memory_order_relaxed)) {
    size_t count = 0;
    switch (source.Read(std::span(input_).subspan(input_size_), count)) {
      case ByteSource::Status::kBytes:
        input_size_ += count;
        input_bytes_.fetch_add(count, std::memory_order_relaxed);
        return true;
      case ByteSource::Status::kNothingYet:
        break;
      case ByteSource::Status::kEnd:
        source_ended_ = true;
        return true;
      case ByteSource::Status::kFailed:
        end.damage = source.error();
        end.damage_offset = input_bytes_.load(std::memory_order_relaxed);
        return false;
    }
  }
  return false;
}

bool SharedStream::Put(Bytes bytes) {
  while (!bytes.empty()) {
    const std::span<uint8_t> room = ring_->WaitForRoom();
    if (room.empty()) return false;
    const size_t count = std::min(room.size(), bytes.size());
    std::copy_n(bytes.begin(), count, room.begin());
    ring_->Commit(count);
    bytes = bytes.subspan(count);
  }
  return true;
}

StreamEnd SharedStream::Copy(ByteSource& source) {
  StreamEnd end;
  for (;;) {
    if (!Put({input_.data(), input_size_})) return end;
    input_size_ = 0;
    if (source_ended_ || !Fill(source, end)) return end;
  }
}

StreamEnd SharedStream::Decompress(ByteSource& source, Compression compression) {
  StreamEnd end;
  end.compressed = true;
  const std::unique_ptr<Decompressor> decompressor = Decompressor::Make(compression, end.damage);
  if (decompressor == nullptr) return end;
  uint64_t produced = 0;
  for (;;) {
    Bytes in(input_.data(), input_size_);
    bool room_was_filled = true;
    // Where the output was filled there may be more of it without any more input.
    while (!decompressor->damaged() && (!in.empty() || room_was_filled)) {
      const std::span<uint8_t> room = ring_->WaitForRoom();
      if (room.empty()) return end;
      const Decompressor::Step step = decompressor->Run(in, room);
      ring_->Commit(step.produced);
      in = in.subspan(step.consumed);
      produced += step.produced;
      room_was_filled = step.produced == room.size();
    }
    if (source_ended_) decompressor->Finish();
    if (decompressor->damaged()) {
      end.damage = fmt::format("{} (decompressed until then: {} bytes)", decompressor->damage_reason(), produced);
      end.damage_offset = decompressor->damage_offset();
      return end;
    }
    if (source_ended_) return end;
    input_size_ = 0;
    if (!Fill(source, end)) return end;
  }
}

}  // namespace vedette
