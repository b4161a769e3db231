// Files and folders as one continuous capture.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "sensor/capture/capture_list.h"
#include "sensor/capture/frame.h"
#include "sensor/capture/mapped_file.h"
#include "sensor/capture/packet_reader.h"

namespace vedette {

// Reads the files of a list one after another; one at a time is open and mapped, and little of it is in memory. Each
// worker has its own over the same list: all see the same frames with the same numbers and file indexes. A burst never
// spans two files. Damage ends a file, not the run.
class CaptureFiles final : public CaptureSource {
 public:
  explicit CaptureFiles(std::shared_ptr<const CaptureList> list);
  // Only the files [first, first + count); indexes stay those of the list.
  CaptureFiles(std::shared_ptr<const CaptureList> list, uint32_t first, uint32_t count);

  PollStatus Poll(std::span<const Frame>& frames) override;
  std::string_view FileName(uint32_t file) const override { return list_->files()[file].name; }
  CaptureCounters counters() const override;
  std::span<const CaptureDamage> damage() const override { return damage_; }

 private:
  void OpenNext();
  void NextWindow();
  void CloseFile();
  void ReportDamage(uint32_t file, uint64_t offset, std::string reason);

  const std::shared_ptr<const CaptureList> list_;
  uint32_t next_file_;
  const uint32_t end_file_;
  MappedFile mapped_;
  std::unique_ptr<PacketReader> reader_;
  uint64_t window_end_ = 0;
  uint64_t shortened_to_ = 0;  // with shorten_reason_: the file was cut while it was read
  std::string shorten_reason_;
  uint64_t finished_bytes_ = 0;  // sizes of the files before the open one
  CaptureCounters counters_;
  std::vector<CaptureDamage> damage_;
  std::array<Frame, kBurst> frames_;
};

}  // namespace vedette
