// What a file is, by its first bytes and through its compression.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "sensor/capture/files/capture_format.h"
#include "sensor/capture/files/decompressor.h"

namespace vedette {

// Looked at of a compressed file: the largest block of zstd, from which nothing comes before it is whole, and room for
// what stands before.
constexpr size_t kCompressedHeadBytes = size_t{192} << 10;

struct CaptureHead {
  Compression compression = Compression::kNone;
  CaptureFormat format = CaptureFormat::kOther;
  // Nothing, or too little, can be decompressed from the head. What the file is shows when it is read.
  bool unknown = false;
  OtherFormat other;  // where the format is kOther
};

// `whole`: there is no more of the file than its head.
CaptureHead JudgeHead(Bytes head, bool whole);

// Reads the first bytes of a pipe until they tell what it is: some as they come, kCompressedHeadBytes at most. Waits as
// long as it takes, or until `stop` (may be null) turns true. False with `error`.
bool ReadPipeHead(int pipe, const std::atomic<bool>* stop, std::vector<uint8_t>& head, CaptureHead& verdict,
                  std::string& error);

}  // namespace vedette
