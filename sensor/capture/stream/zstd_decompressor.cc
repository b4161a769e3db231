#include "sensor/capture/stream/zstd_decompressor.h"

#include <fmt/format.h>
#include <zstd.h>
#include <zstd_errors.h>

#include <algorithm>

#include "sensor/capture/stream/load_integer.h"

namespace vedette {
namespace {

constexpr uint32_t kMagicNumber = 0xfd2fb528;
constexpr uint32_t kSkippableMagic = 0x184d2a50;  // and the 15 above
constexpr uint32_t kSkippableMask = 0xfffffff0;
constexpr uint64_t kMagicBytes = 4;
constexpr uint64_t kBlockHeaderBytes = 3;
constexpr uint32_t kRawBlock = 0;
constexpr uint32_t kRunLengthBlock = 1;  // its size is that of the output; one byte comes

bool IsMagic(uint32_t magic) { return magic == kMagicNumber || (magic & kSkippableMask) == kSkippableMagic; }

// What follows the descriptor in a frame's header (RFC 8878, section 3.1.1.1): window, dictionary, content size.
bool IsSingleSegment(uint8_t descriptor) { return (descriptor & 0x20) != 0; }

uint64_t ContentSizeBytes(uint8_t descriptor) {
  constexpr uint64_t kContentSize[] = {0, 2, 4, 8};
  const uint8_t size_flag = descriptor >> 6;
  return size_flag == 0 && IsSingleSegment(descriptor) ? 1 : kContentSize[size_flag];
}

uint64_t HeaderRestBytes(uint8_t descriptor) {
  constexpr uint64_t kDictionary[] = {0, 1, 2, 4};
  return (IsSingleSegment(descriptor) ? 0 : 1) + kDictionary[descriptor & 3] + ContentSizeBytes(descriptor);
}

// How many bytes the frame holds; UINT64_MAX where it does not say.
uint64_t ContentSize(uint8_t descriptor, Bytes header_rest) {
  const Bytes field = header_rest.last(ContentSizeBytes(descriptor));
  if (field.empty()) return UINT64_MAX;
  uint64_t size = field.size() == 2 ? 256 : 0;
  for (size_t i = 0; i < field.size(); ++i) size += static_cast<uint64_t>(field[i]) << 8 * i;
  return size;
}

std::string Reason(size_t code) {
  switch (ZSTD_getErrorCode(code)) {
    case ZSTD_error_frameParameter_windowTooLarge:
      return fmt::format(
          "zstd: it needs a window of more than {} MiB; decompress it first: "
          "zstd -dc --long=31 FILE | vedette replay -",
          1 << (Decompressor::kMaxZstdWindowLog - 20));
    case ZSTD_error_dictionary_wrong:
      return "zstd: it needs a dictionary; decompress it first: zstd -dc -D DICTIONARY FILE | vedette replay -";
    default:
      return fmt::format("zstd: {}", ZSTD_getErrorName(code));
  }
}

}  // namespace

bool ZstdDecompressor::Recognises(Bytes head) { return head.size() >= 4 && IsMagic(LoadU32<false>(head.data())); }

std::unique_ptr<Decompressor> ZstdDecompressor::Make(std::string& error) {
  std::unique_ptr<ZstdDecompressor> made(new ZstdDecompressor);
  made->context_ = ZSTD_createDCtx();
  if (made->context_ != nullptr &&
      ZSTD_isError(ZSTD_DCtx_setParameter(made->context_, ZSTD_d_windowLogMax, kMaxZstdWindowLog)) == 0) {
    return made;
  }
  error = "no memory to decompress it (zstd)";
  return nullptr;
}

ZstdDecompressor::~ZstdDecompressor() { ZSTD_freeDCtx(context_); }

void ZstdDecompressor::Enter(Field field, uint64_t num_bytes) {
  field_ = field;
  left_ = num_bytes;
  num_small_ = 0;
  field_begin_ = position_;
}

bool ZstdDecompressor::Decode(Bytes in, std::span<uint8_t> out, Step& step) {
  ZSTD_inBuffer input{in.data(), in.size(), 0};
  ZSTD_outBuffer output{out.data(), out.size(), 0};
  const size_t status = ZSTD_decompressStream(context_, &output, &input);
  if (ZSTD_isError(status) != 0) {
    Damage(field_begin_, Reason(status));
    return false;
  }
  step.consumed += input.pos;
  step.produced += output.pos;
  position_ += input.pos;
  frame_bytes_ += output.pos;
  output_full_ = status != 0 && output.pos == output.size;
  return true;
}

bool ZstdDecompressor::Decode(Bytes field) {
  // Nothing is held back by now, and no such field makes output.
  Step step;
  const uint64_t position = position_;  // counted when it was gathered
  const bool decoded = Decode(field, {}, step);
  position_ = position;
  output_full_ = false;
  return decoded;
}

bool ZstdDecompressor::Gather(Bytes in, Step& step) {
  const size_t count = std::min<size_t>(left_, in.size() - step.consumed);
  std::copy_n(in.data() + step.consumed, count, small_.data() + num_small_);
  num_small_ += count;
  left_ -= count;
  step.consumed += count;
  position_ += count;
  return left_ == 0;
}

void ZstdDecompressor::OnMagic() {
  const uint32_t magic = LoadU32<false>(small_.data());
  if (!IsMagic(magic)) {
    Damage(field_begin_, "trailing bytes after the last zstd frame");
  } else if (magic != kMagicNumber) {
    Enter(Field::kSkipSize, 4);
  } else if (Decode({small_.data(), kMagicBytes})) {
    Enter(Field::kDescriptor, 1);
  }
}

void ZstdDecompressor::OnBlockHeader() {
  if (!Decode({small_.data(), kBlockHeaderBytes})) return;
  const uint32_t header =
      static_cast<uint32_t>(small_[0]) | static_cast<uint32_t>(small_[1]) << 8 | static_cast<uint32_t>(small_[2]) << 16;
  last_block_ = (header & 1) != 0;
  const uint32_t type = header >> 1 & 3;
  raw_block_ = type == kRawBlock;
  const uint32_t content = type == kRunLengthBlock ? 1 : header >> 3;
  if (content == 0) {
    OnBlockEnd();
  } else {
    Enter(Field::kBlock, content);
  }
}

void ZstdDecompressor::OnBlockEnd() {
  if (!last_block_) {
    Enter(Field::kBlockHeader, kBlockHeaderBytes);
  } else if ((descriptor_ & 4) != 0) {  // it has a checksum
    Enter(Field::kChecksum, 4);
  } else {
    Enter(Field::kMagic, kMagicBytes);
  }
}

void ZstdDecompressor::OnField() {
  const Bytes field(small_.data(), num_small_);
  switch (field_) {
    case Field::kMagic:
      OnMagic();
      break;
    case Field::kDescriptor:
      descriptor_ = field[0];
      if (Decode(field)) Enter(Field::kHeaderRest, HeaderRestBytes(field[0]));
      break;
    case Field::kHeaderRest:
      if (Decode(field)) Enter(Field::kBlockHeader, kBlockHeaderBytes);
      content_bytes_ = ContentSize(descriptor_, field);
      frame_bytes_ = 0;
      break;
    case Field::kBlockHeader:
      OnBlockHeader();
      break;
    case Field::kChecksum:
      if (Decode(field)) Enter(Field::kMagic, kMagicBytes);
      break;
    case Field::kSkipSize:
      Enter(Field::kSkip, LoadU32<false>(field.data()));
      break;
    case Field::kBlock:
    case Field::kSkip:
      break;
  }
}

Decompressor::Step ZstdDecompressor::Run(Bytes in, std::span<uint8_t> out) {
  Step step;
  while (!damaged()) {
    if (output_full_) {
      if (step.produced == out.size() || !Decode({}, out.subspan(step.produced), step) || output_full_) break;
    }
    if (field_ == Field::kBlock) {
      if (left_ == 0) {
        OnBlockEnd();
        continue;
      }
      uint64_t next = left_;
      if (raw_block_) {
        // libzstd refuses all that a call brings if the frame declares less.
        const uint64_t declared = content_bytes_ - std::min(frame_bytes_, content_bytes_);
        if (declared == 0) {
          Damage(field_begin_, "zstd: a block goes beyond the content size that its frame declares");
          break;
        }
        // The last byte of a block may show that the frame is wrong; the others come out before.
        next = std::min(left_ > 1 ? left_ - 1 : left_, declared);
      }
      const size_t count = std::min<size_t>(next, in.size() - step.consumed);
      if (count == 0) break;
      const size_t before = step.consumed;
      if (!Decode(in.subspan(before, count), out.subspan(step.produced), step)) break;
      left_ -= step.consumed - before;
    } else if (field_ == Field::kSkip) {
      const size_t count = std::min<size_t>(left_, in.size() - step.consumed);
      left_ -= count;
      step.consumed += count;
      position_ += count;
      if (left_ != 0) break;
      Enter(Field::kMagic, kMagicBytes);
    } else if (Gather(in, step)) {
      OnField();
    } else {
      break;
    }
  }
  return step;
}

void ZstdDecompressor::Finish() {
  if (damaged() || (field_ == Field::kMagic && num_small_ == 0)) return;
  Damage(field_begin_, "the file ends inside a zstd frame");
}

}  // namespace vedette
