// What a file is, by its first bytes and through its compression.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "sensor/capture/files/capture_format.h"
#include "sensor/capture/stream/decompressor.h"

namespace vedette {

// How much of a compressed file is examined: the largest zstd block, which gives nothing until it is complete, and room
// for what precedes it.
constexpr size_t kCompressedHeadBytes = size_t{192} << 10;

struct CaptureHead {
  Compression compression = Compression::kNone;
  CaptureFormat format = CaptureFormat::kOther;
  // Nothing, or too little, can be decompressed from the head. Reading will show what the file is.
  bool unknown = false;
  OtherFormat other;  // where the format is kOther
};

// `whole`: the head is the whole file.
CaptureHead JudgeHead(Bytes head, bool whole);

// Reads the first bytes of a pipe until they tell what it is: some as they come, kCompressedHeadBytes at most. Waits as
// long as it takes, or until `stop` (may be null) turns true. False with `error`.
bool ReadPipeHead(int pipe, const std::atomic<bool>* stop, std::vector<uint8_t>& head, CaptureHead& verdict,
                  std::string& error);

}  // namespace vedette
