// Zstandard (RFC 8878), through libzstd.
#pragma once

#include <array>
#include <memory>
#include <string>

#include "sensor/capture/stream/decompressor.h"

struct ZSTD_DCtx_s;

namespace vedette {

// ZSTD_decompressStream forgets what it has written in a call that ends with an error: given several blocks at once, it
// loses the good ones before a faulty one. So each call gets one field of the format, whose lengths are read here:
//
//   frame       magic 4 | descriptor 1 | window 0-1 | dictionary 0-4 | content size 0-8 | blocks | checksum 0 or 4
//   block       last 1 bit, type 2 bits, size 21 bits | content
//   skippable   magic 4 (184d2a50 to 184d2a5f) | size 4 | content
class ZstdDecompressor final : public Decompressor {
 public:
  static bool Recognises(Bytes head);
  static std::unique_ptr<Decompressor> Make(std::string& error);
  ~ZstdDecompressor() override;

  Step Run(Bytes in, std::span<uint8_t> out) override;
  void Finish() override;

 private:
  enum class Field : uint8_t {
    kMagic,
    kDescriptor,
    kHeaderRest,
    kBlockHeader,
    kBlock,
    kChecksum,
    kSkipSize,
    kSkip,
  };

  ZstdDecompressor() = default;
  void Enter(Field field, uint64_t num_bytes);
  // Gathers a field that is not content. False: not complete yet.
  bool Gather(Bytes in, Step& step);
  // A gathered field is complete: what comes next.
  void OnField();
  void OnMagic();
  void OnBlockHeader();
  void OnBlockEnd();
  // Passes input to libzstd; counts what it consumes and produces. False after damage.
  bool Decode(Bytes in, std::span<uint8_t> out, Step& step);
  bool Decode(Bytes field);

  ZSTD_DCtx_s* context_ = nullptr;
  Field field_ = Field::kMagic;
  uint64_t left_ = 4;                // bytes of the field that have not arrived yet
  std::array<uint8_t, 16> small_{};  // a field that is not content
  size_t num_small_ = 0;
  uint8_t descriptor_ = 0;      // of the frame
  uint64_t content_bytes_ = 0;  // that it declares; UINT64_MAX: none
  uint64_t frame_bytes_ = 0;    // of it that were handed out
  bool last_block_ = false;
  bool raw_block_ = false;
  bool output_full_ = false;  // libzstd may hold more of the block
  uint64_t position_ = 0;     // in the compressed input
  uint64_t field_begin_ = 0;
};

}  // namespace vedette
