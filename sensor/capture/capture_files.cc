#include "sensor/capture/capture_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "sensor/capture/pcap_file.h"
#include "sensor/capture/pcapng_file.h"

namespace vedette {
namespace {

// Mapped in and checked at once. Small enough to stay in the last-level cache together with its page tables and to keep
// little memory busy, large enough that the system calls are lost in the noise.
constexpr uint64_t kWindowBytes = uint64_t{4} << 20;

// Brought in beyond the window, for the record that begins in it and ends behind.
constexpr uint64_t kWindowOverlapBytes = uint64_t{64} << 10;

}  // namespace

CaptureFiles::CaptureFiles(std::shared_ptr<const CaptureList> list)
    : list_(std::move(list)), next_file_(0), end_file_(static_cast<uint32_t>(list_->files().size())) {
  counters_.total_input_bytes = list_->total_bytes();
}

CaptureFiles::CaptureFiles(std::shared_ptr<const CaptureList> list, uint32_t first, uint32_t count)
    : list_(std::move(list)),
      next_file_(std::min(first, static_cast<uint32_t>(list_->files().size()))),
      end_file_(std::min(next_file_ + count, static_cast<uint32_t>(list_->files().size()))) {
  for (uint32_t i = next_file_; i < end_file_; ++i) counters_.total_input_bytes += list_->files()[i].bytes;
}

PollStatus CaptureFiles::Poll(std::span<const Frame>& frames) {
  frames = {};
  for (;;) {
    if (!reader_) {
      if (next_file_ == end_file_) return PollStatus::kEnd;
      OpenNext();
      continue;
    }
    if (reader_->position() >= window_end_) NextWindow();
    const size_t count = reader_->Read(frames_, window_end_);
    if (count != 0) {
      frames = {frames_.data(), count};
      counters_.frames += count;
      for (const Frame& frame : frames) {
        counters_.captured_bytes += frame.captured_bytes;
        counters_.wire_bytes += frame.wire_bytes;
      }
      return PollStatus::kFrames;
    }
    if (reader_->done()) CloseFile();
  }
}

void CaptureFiles::OpenNext() {
  const uint32_t index = next_file_++;
  const CaptureList::File& file = list_->files()[index];
  std::string error = file.error;
  const bool open = error.empty() && (file.fd >= 0 ? mapped_.Map(file.fd, file.bytes, error)
                                                   : mapped_.Open(file.path, file.bytes, error));
  if (open && !mapped_.Is(file.device, file.inode)) error = "another file has taken its place since the run began";
  if (open && error.empty() && file.bytes == 0) error = "the file is empty: it has not even a file header";
  if (!error.empty()) {
    ReportDamage(index, 0, std::move(error));
    mapped_.Close();
    finished_bytes_ += file.bytes;
    return;
  }
  window_end_ = 0;
  shorten_reason_.clear();
  if (mapped_.bytes().size() < file.bytes) {
    shortened_to_ = mapped_.bytes().size();
    shorten_reason_ =
        fmt::format("the file was {} bytes long when the run began and is now {}", file.bytes, shortened_to_);
  }
  // Readers look at the file header at once.
  uint64_t usable = 0;
  if (!mapped_.Prepare(0, kWindowOverlapBytes, usable, error)) {
    ReportDamage(index, usable, std::move(error));
    mapped_.Close();
    finished_bytes_ += file.bytes;
    return;
  }
  if (file.format == CaptureFormat::kPcapng) {
    reader_ = std::make_unique<PcapngReader>(mapped_.bytes(), index);
  } else {
    reader_ = std::make_unique<PcapReader>(mapped_.bytes(), index);
  }
}

void CaptureFiles::NextWindow() {
  const uint64_t begin = reader_->position();
  window_end_ = begin + kWindowBytes;
  uint64_t usable = 0;
  std::string error;
  if (!mapped_.Prepare(begin, window_end_ + kWindowOverlapBytes, usable, error)) {
    reader_->Shorten(usable);
    shortened_to_ = usable;
    shorten_reason_ = std::move(error);
  }
}

void CaptureFiles::CloseFile() {
  const uint32_t index = next_file_ - 1;
  if (!shorten_reason_.empty()) {
    ReportDamage(index, shortened_to_, std::move(shorten_reason_));
  } else if (reader_->damaged()) {
    ReportDamage(index, reader_->position(), reader_->damage_reason());
  }
  reader_.reset();
  mapped_.Close();
  finished_bytes_ += list_->files()[index].bytes;
}

void CaptureFiles::ReportDamage(uint32_t file, uint64_t offset, std::string reason) {
  damage_.push_back({.file = list_->files()[file].name, .offset = offset, .reason = std::move(reason)});
}

CaptureCounters CaptureFiles::counters() const {
  CaptureCounters counters = counters_;
  counters.input_bytes_read = finished_bytes_ + (reader_ ? reader_->position() : 0);
  return counters;
}

}  // namespace vedette
