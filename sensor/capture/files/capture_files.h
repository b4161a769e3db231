// Files and folders as one continuous capture.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "sensor/capture/files/capture_list.h"
#include "sensor/capture/files/mapped_file.h"
#include "sensor/capture/files/packet_reader.h"
#include "sensor/capture/files/shared_stream.h"
#include "sensor/capture/frame.h"

namespace vedette {

// Reads the files of a list one after another; only one at a time is open, and little of it is in memory. Each worker
// has its own reader over the same list: all see the same frames with the same numbers and file indexes. A burst never
// spans two files. Damage ends a file, not the run.
//
// Whole files are mapped by each worker for itself. Streams (compressed files, pipes, growing files) are read once, by
// a SharedStream, and all workers walk what it hands out; the others wait for the slowest when they are a ring ahead.
class CaptureFiles final : public CaptureSource {
 public:
  // Readers of the whole list, one per worker. Empty, with `error`, if there is no memory.
  static std::vector<std::unique_ptr<CaptureSource>> ForWorkers(std::shared_ptr<const CaptureList> list,
                                                                size_t num_workers, std::string& error);

  // For a single reader. Its Poll waits for decompressed bytes, at most a second, and then returns kWorking: only pipes
  // and growing files give kWaiting.
  explicit CaptureFiles(std::shared_ptr<const CaptureList> list);
  // Only the files [first, first + count); indexes stay those of the list.
  CaptureFiles(std::shared_ptr<const CaptureList> list, uint32_t first, uint32_t count);
  // One file, as it would be read alone: its index in frames is 0.
  static std::unique_ptr<CaptureSource> OfOne(std::shared_ptr<const CaptureList> list, uint32_t file);
  ~CaptureFiles() override;

  PollStatus Poll(std::span<const Frame>& frames) override;
  std::string_view FileName(uint32_t file) const override { return list_->file(first_index_ + file).name; }
  CaptureCounters counters() const override;
  std::span<const CaptureDamage> damage() const override { return damage_; }

 private:
  enum class State : uint8_t {
    kClosed,   // between files
    kMapped,   // a whole file
    kHead,     // of a stream, whose first bytes have not come
    kStream,   // with a reader
    kDraining  // of a stream, after damage: to its end
  };

  CaptureFiles(std::shared_ptr<const CaptureList> list, std::shared_ptr<SharedStream> stream, size_t reader,
               size_t num_readers);
  PollStatus PollOnce(std::span<const Frame>& frames);
  PollStatus Read(std::span<const Frame>& frames);
  bool HasStreams() const;

  void OpenNext();
  bool OpenMapped();
  bool Map(const CaptureList::File& file, std::string& error);
  void NextWindow();
  void CloseMapped();

  // False: not yet.
  bool OpenStream();
  bool NextView();
  bool CloseStream();

  void ReportDamage(uint64_t offset, std::string reason, bool decompressed = false);

  const std::shared_ptr<const CaptureList> list_;
  std::shared_ptr<SharedStream> stream_;  // nullptr: none is in the list
  const size_t stream_reader_ = 0;
  const size_t num_readers_ = 1;  // of the list
  const bool alone_;
  uint32_t first_index_ = 0;  // of the list: what frames call 0
  uint32_t next_file_ = 0;
  uint32_t end_file_ = UINT32_MAX;

  State state_ = State::kClosed;
  const CaptureList::File* file_ = nullptr;
  MappedFile mapped_;
  std::unique_ptr<PacketReader> reader_;
  uint64_t window_end_ = 0;    // of a mapped file
  uint64_t shortened_to_ = 0;  // with shorten_reason_: the file was truncated during reading
  std::string shorten_reason_;
  uint64_t view_end_ = 0;  // of a stream
  bool view_used_up_ = false;
  uint64_t released_ = 0;
  std::string head_damage_;  // the stream is no capture

  uint64_t finished_bytes_ = 0;  // sizes of the files before the open one
  CaptureCounters counters_;
  std::vector<CaptureDamage> damage_;
  std::array<Frame, kBurst> frames_;
};

}  // namespace vedette
