#include "sensor/capture/files/capture_files.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "parsers/base/errno_text.h"
#include "parsers/base/file.h"
#include "sensor/capture/files/pcap_file.h"
#include "sensor/capture/files/pcapng_file.h"

namespace vedette {
namespace {

// Mapped in and checked at once. Small enough to stay in the second-level cache together with its page tables, large
// enough that the system calls are lost in the noise (docs/performance.md).
constexpr uint64_t kWindowBytes = uint64_t{1} << 20;

// Brought in beyond the window, for the record that begins in it and ends behind.
constexpr uint64_t kWindowOverlapBytes = uint64_t{64} << 10;

// A stream's bytes are given back in portions, so that workers seldom meet at its lock.
constexpr uint64_t kReleaseBytes = StreamRing::kPieceBytes;

// Beyond the end of any stream.
constexpr uint64_t kBehindAll = uint64_t{1} << 62;

// Windows, views of a stream and files that one Poll goes through without a packet: some 64 MiB, which a slow disk
// reads in half a second.
constexpr int kStepsPerPoll = 64;

// How often a reader of its own waits for a decompressor, 50 ms at most each time, before its Poll returns.
constexpr int kWaitsPerPoll = 20;

// Of the next file, where files come from a disk: it is read while the end of this one is looked at.
constexpr off_t kNextFileBytes = off_t{4} << 20;

void AskFor(const CaptureList::File& file) {
  const FileDescriptor opened(file.fd >= 0 ? -1
                                           : open(file.path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  const int fd = file.fd >= 0 ? file.fd : opened.get();
  if (fd >= 0) posix_fadvise(fd, 0, kNextFileBytes, POSIX_FADV_WILLNEED);
}

std::unique_ptr<PacketReader> MakeReader(CaptureFormat format, Bytes bytes, uint32_t index, bool last) {
  if (format == CaptureFormat::kPcapng) return std::make_unique<PcapngReader>(bytes, index, last);
  return std::make_unique<PcapReader>(bytes, index, last);
}

}  // namespace

std::vector<std::unique_ptr<CaptureSource>> CaptureFiles::ForWorkers(std::shared_ptr<const CaptureList> list,
                                                                     size_t num_workers, std::string& error) {
  std::vector<std::unique_ptr<CaptureSource>> sources;
  std::shared_ptr<SharedStream> stream;
  if (list->has_streams()) {
    stream = SharedStream::Start(list, 0, UINT32_MAX, num_workers, error);
    if (stream == nullptr) return sources;
  }
  for (size_t i = 0; i < num_workers; ++i)
    sources.push_back(std::unique_ptr<CaptureFiles>(new CaptureFiles(list, stream, i, num_workers)));
  return sources;
}

CaptureFiles::CaptureFiles(std::shared_ptr<const CaptureList> list, std::shared_ptr<SharedStream> stream, size_t reader,
                           size_t num_readers)
    : list_(std::move(list)),
      stream_(std::move(stream)),
      stream_reader_(reader),
      num_readers_(num_readers),
      alone_(false) {
  counters_.total_input_bytes = list_->total_bytes();
}

CaptureFiles::CaptureFiles(std::shared_ptr<const CaptureList> list) : CaptureFiles(std::move(list), 0, UINT32_MAX) {}

CaptureFiles::CaptureFiles(std::shared_ptr<const CaptureList> list, uint32_t first, uint32_t count)
    : list_(std::move(list)),
      alone_(true),
      next_file_(first),
      end_file_(count > UINT32_MAX - first ? UINT32_MAX : first + count) {
  // Without memory for the ring, the streams are reported as damage.
  std::string error;
  if (HasStreams()) stream_ = SharedStream::Start(list_, first, end_file_, 1, error);
  if (list_->follows()) return;
  for (size_t i = first; i < std::min<size_t>(end_file_, list_->files().size()); ++i)
    counters_.total_input_bytes += list_->files()[i].bytes;
}

std::unique_ptr<CaptureSource> CaptureFiles::OfOne(std::shared_ptr<const CaptureList> list, uint32_t file) {
  auto source = std::make_unique<CaptureFiles>(std::move(list), file, 1);
  source->first_index_ = file;
  return source;
}

// Among its own files.
bool CaptureFiles::HasStreams() const {
  if (list_->follows()) return true;
  const std::deque<CaptureList::File>& files = list_->files();
  for (size_t i = next_file_; i < std::min<size_t>(end_file_, files.size()); ++i) {
    if (files[i].kind != CaptureList::Kind::kWhole) return true;
  }
  return false;
}

CaptureFiles::~CaptureFiles() {
  if (stream_ != nullptr) stream_->ring().Detach(stream_reader_);
}

PollStatus CaptureFiles::Poll(std::span<const Frame>& frames) {
  for (int waits = 0; waits < kWaitsPerPoll; ++waits) {
    const PollStatus status = PollOnce(frames);
    const bool decompresses = state_ != State::kClosed && file_->kind == CaptureList::Kind::kCompressed;
    if (status != PollStatus::kWaiting || !alone_ || !decompresses) return status;
  }
  return PollStatus::kWorking;
}

PollStatus CaptureFiles::PollOnce(std::span<const Frame>& frames) {
  frames = {};
  for (int steps = 0; steps < kStepsPerPoll; ++steps) {
    switch (state_) {
      case State::kClosed:
        if (next_file_ == end_file_) return PollStatus::kEnd;
        switch (list_->WaitForFile(next_file_)) {
          case CaptureList::Next::kEnd:
            return PollStatus::kEnd;
          case CaptureList::Next::kNotYet:
            return PollStatus::kWaiting;
          case CaptureList::Next::kFile:
            OpenNext();
        }
        continue;
      case State::kMapped:
        if (reader_->position() >= window_end_) NextWindow();
        if (Read(frames) == PollStatus::kFrames) return PollStatus::kFrames;
        if (reader_->done()) CloseMapped();
        continue;
      case State::kHead:
        if (!OpenStream()) return PollStatus::kWaiting;
        continue;
      case State::kStream:
        if (!NextView()) return PollStatus::kWaiting;
        if (Read(frames) == PollStatus::kFrames) return PollStatus::kFrames;
        view_used_up_ = true;
        if (reader_->done()) state_ = State::kDraining;
        continue;
      case State::kDraining:
        if (!CloseStream()) return PollStatus::kWaiting;
        continue;
    }
  }
  return PollStatus::kWorking;
}

PollStatus CaptureFiles::Read(std::span<const Frame>& frames) {
  const size_t count = reader_->Read(frames_, window_end_);
  if (count == 0) return PollStatus::kWaiting;
  frames = {frames_.data(), count};
  counters_.frames += count;
  for (const Frame& frame : frames) {
    counters_.captured_bytes += frame.captured_bytes;
    counters_.wire_bytes += frame.wire_bytes;
  }
  return PollStatus::kFrames;
}

void CaptureFiles::OpenNext() {
  file_ = &list_->file(next_file_++);
  if (file_->kind == CaptureList::Kind::kWhole) {
    if (OpenMapped()) {
      state_ = State::kMapped;
    } else {
      mapped_.Close();
      finished_bytes_ += file_->bytes;
    }
  } else if (stream_ == nullptr) {
    ReportDamage(0, "no memory to read it as a stream");
  } else {
    state_ = State::kHead;
    head_damage_.clear();
  }
}

bool CaptureFiles::Map(const CaptureList::File& file, std::string& error) {
  if (file.fd >= 0) return mapped_.Map(file.fd, file.bytes, error);
  FileDescriptor opened(file.Open(num_readers_));
  if (opened.is_open()) return mapped_.Take(std::move(opened), file.bytes, error);
  error = ErrnoText(errno);
  return false;
}

bool CaptureFiles::OpenMapped() {
  const CaptureList::File& file = *file_;
  std::string error = file.error;
  const bool open = error.empty() && Map(file, error);
  if (open) error = file.WhyAnother(mapped_.status());
  if (open && error.empty() && file.bytes == 0) error = "the file is empty: it has not even a file header";
  if (!error.empty()) {
    ReportDamage(0, std::move(error));
    return false;
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
    ReportDamage(usable, std::move(error));
    return false;
  }
  reader_ = MakeReader(file.format, mapped_.bytes(), next_file_ - 1 - first_index_, true);
  return true;
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
  const bool last_window = window_end_ >= mapped_.bytes().size();
  if (last_window && mapped_.from_disk() && stream_reader_ == 0 && !list_->follows() && next_file_ < end_file_ &&
      next_file_ < list_->files().size())
    AskFor(list_->file(next_file_));
}

void CaptureFiles::CloseMapped() {
  if (!shorten_reason_.empty()) {
    ReportDamage(shortened_to_, std::move(shorten_reason_));
  } else if (reader_->damaged()) {
    ReportDamage(reader_->position(), reader_->damage_reason());
  }
  reader_.reset();
  mapped_.Close();
  finished_bytes_ += file_->bytes;
  state_ = State::kClosed;
}

bool CaptureFiles::OpenStream() {
  const uint32_t index = next_file_ - 1;
  StreamRing::View view;
  if (stream_->ring().Look(stream_reader_, index, 0, kPcapngSectionHeaderBytes, view) == StreamRing::Status::kWaiting)
    return false;
  const Bytes head = view.bytes.first(std::min(view.bytes.size(), kFormatHeadBytes));
  const CaptureFormat format = IdentifyCapture(head);
  if (format == CaptureFormat::kEmpty) {
    head_damage_ = "it holds nothing, not even a file header";
  } else if (format == CaptureFormat::kOther) {
    head_damage_ = fmt::format("not a pcap or pcapng capture: {}", DescribeOther(head).description);
  }
  if (!head_damage_.empty()) {
    state_ = State::kDraining;
    return true;
  }
  reader_ = MakeReader(format, view.bytes, index - first_index_, view.last);
  view_end_ = view.bytes.size();
  view_used_up_ = false;
  released_ = 0;
  window_end_ = UINT64_MAX;
  state_ = State::kStream;
  return true;
}

bool CaptureFiles::NextView() {
  const uint32_t index = next_file_ - 1;
  const uint64_t position = reader_->position();
  if (!view_used_up_) {
    if (position < released_ + kReleaseBytes) return true;
    stream_->ring().Release(stream_reader_, index, position);
    released_ = position;
    return true;
  }
  StreamRing::View view;
  if (stream_->ring().Look(stream_reader_, index, position, reader_->wanted(), view) == StreamRing::Status::kWaiting)
    return false;
  reader_->SetWindow(view.bytes, view.offset, view.last);
  view_end_ = view.offset + view.bytes.size();
  view_used_up_ = false;
  released_ = position;
  return true;
}

bool CaptureFiles::CloseStream() {
  const uint32_t index = next_file_ - 1;
  StreamRing::View view;
  if (stream_->ring().Look(stream_reader_, index, kBehindAll, kBehindAll, view) == StreamRing::Status::kWaiting)
    return false;
  const StreamEnd end = stream_->ring().Leave(stream_reader_, index);
  // Where the stream broke off, that is the damage, and not the packet that is cut by it.
  const bool cut = reader_ == nullptr || (reader_->damaged() && reader_->wanted() > view_end_);
  if (reader_ != nullptr && reader_->damaged() && (!cut || end.damage.empty())) {
    ReportDamage(reader_->position(), reader_->damage_reason(), end.compressed);
  } else if (!head_damage_.empty() && end.damage.empty()) {
    ReportDamage(0, head_damage_, end.compressed);
  }
  if (!end.damage.empty()) ReportDamage(end.damage_offset, end.damage);
  reader_.reset();
  finished_bytes_ += end.input_bytes;
  state_ = State::kClosed;
  return true;
}

void CaptureFiles::ReportDamage(uint64_t offset, std::string reason, bool decompressed) {
  damage_.push_back({.file = file_->name, .offset = offset, .decompressed = decompressed, .reason = std::move(reason)});
}

CaptureCounters CaptureFiles::counters() const {
  CaptureCounters counters = counters_;
  counters.input_bytes_read = finished_bytes_;
  if (state_ == State::kMapped) {
    counters.input_bytes_read += reader_->position();
  } else if (state_ != State::kClosed) {
    counters.input_bytes_read += stream_->InputBytes(next_file_ - 1);
  }
  return counters;
}

}  // namespace vedette
