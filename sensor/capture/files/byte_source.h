// The source of a stream's bytes: a file, a pipe, or a growing file.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "sensor/capture/files/capture_list.h"

namespace vedette {

// One thread reads.
class ByteSource {
 public:
  enum class Status : uint8_t {
    kBytes,
    kNothingYet,  // after a wait of some 50 ms
    kEnd,
    kFailed,  // error() says why
  };
  virtual ~ByteSource() = default;
  ByteSource(const ByteSource&) = delete;
  ByteSource& operator=(const ByteSource&) = delete;

  // Fills part of `room`, which is not empty, and returns how much.
  virtual Status Read(std::span<uint8_t> room, size_t& num_bytes) = 0;
  const std::string& error() const { return error_; }

  // For a file of a list that is read as a stream. nullptr with `error`.
  static std::unique_ptr<ByteSource> Open(const CaptureList::File& file, std::string& error);

 protected:
  ByteSource() = default;
  std::string error_;
};

}  // namespace vedette
