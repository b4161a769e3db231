// Compressed bytes in, bytes out: gzip (RFC 1952) and Zstandard (RFC 8878). Bytes only, no files: the fuzz target runs
// this.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "parsers/base/bytes.h"

namespace vedette {

enum class Compression : uint8_t { kNone, kGzip, kZstd };

// Told by the first 4 bytes.
Compression IdentifyCompression(Bytes head);
// "gzip", "zstd".
const char* NameOf(Compression compression);

// One thread uses a decompressor.
//
// Every byte that can be recovered is returned, up to the exact position of damage: all of deflate's symbols and all
// of zstd's blocks before a faulty one. Members (gzip) and frames (zstd) may follow each other.
//
// Memory is bounded by kMaxZstdWindowLog, whatever a file declares. The output is not: the caller gives it as much
// room as there is, and may stop at any time.
class Decompressor {
 public:
  virtual ~Decompressor() = default;
  Decompressor(const Decompressor&) = delete;
  Decompressor& operator=(const Decompressor&) = delete;

  struct Step {
    size_t consumed = 0;  // of the input
    size_t produced = 0;  // into the output
  };
  // Continues until the input is used up, the output is full, or damage. The bytes produced before damage are valid. If
  // the output is full, more may follow without any more input.
  virtual Step Run(Bytes in, std::span<uint8_t> out) = 0;
  // The input has ended. Damage if it ends inside a member or frame.
  virtual void Finish() = 0;

  bool damaged() const { return !damage_reason_.empty(); }
  const std::string& damage_reason() const { return damage_reason_; }
  // In the compressed input. gzip: after the last byte that was examined; zstd: where the faulty block begins.
  uint64_t damage_offset() const { return damage_offset_; }

  // nullptr for kNone, and with `error` if there is no memory.
  static std::unique_ptr<Decompressor> Make(Compression compression, std::string& error);

  // 128 MiB of history, the most that `zstd` itself decompresses without a further option (--long=27). A frame that
  // declares more is refused.
  static constexpr int kMaxZstdWindowLog = 27;

 protected:
  Decompressor() = default;
  void Damage(uint64_t offset, std::string reason) {
    damage_offset_ = offset;
    damage_reason_ = std::move(reason);
  }

 private:
  uint64_t damage_offset_ = 0;
  std::string damage_reason_;
};

}  // namespace vedette
