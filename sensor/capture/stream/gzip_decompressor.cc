#include "sensor/capture/stream/gzip_decompressor.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <climits>

namespace vedette {
namespace {

constexpr uint8_t kMagic[] = {0x1f, 0x8b};
constexpr uint8_t kDeflate = 8;

// windowBits of inflateInit2: the largest window, and 16 for a gzip header and trailer instead of zlib's.
constexpr int kGzipWindowBits = 15 + 16;

}  // namespace

bool GzipDecompressor::Recognises(Bytes head) {
  return head.size() >= 3 && head[0] == kMagic[0] && head[1] == kMagic[1] && head[2] == kDeflate;
}

std::unique_ptr<Decompressor> GzipDecompressor::Make(std::string& error) {
  std::unique_ptr<GzipDecompressor> made(new GzipDecompressor);
  if (inflateInit2(made->zlib_.get(), kGzipWindowBits) == Z_OK) return made;
  error = "no memory to decompress it (zlib)";
  return nullptr;
}

GzipDecompressor::GzipDecompressor() : zlib_(std::make_unique<z_stream>()) {}

GzipDecompressor::~GzipDecompressor() { inflateEnd(zlib_.get()); }

bool GzipDecompressor::Between(uint8_t byte) {
  if (byte == 0) {
    state_ = State::kPadding;  // as tapes and block devices leave it, and as gzip accepts it
    return true;
  }
  if (state_ == State::kPadding || byte != kMagic[0]) {
    Damage(position_, "trailing bytes after the last gzip member");
    return true;
  }
  inflateReset(zlib_.get());
  state_ = State::kInMember;
  return false;
}

Decompressor::Step GzipDecompressor::Run(Bytes in, std::span<uint8_t> out) {
  Step step;
  while (!damaged()) {
    if (state_ != State::kInMember) {
      if (step.consumed == in.size()) break;
      if (!Between(in[step.consumed]) || damaged()) continue;
      ++step.consumed;
      ++position_;
      continue;
    }
    const size_t given = std::min<size_t>(in.size() - step.consumed, UINT_MAX);
    const size_t room = std::min<size_t>(out.size() - step.produced, UINT_MAX);
    zlib_->next_in = const_cast<uint8_t*>(in.data() + step.consumed);
    zlib_->avail_in = static_cast<uInt>(given);
    zlib_->next_out = out.data() + step.produced;
    zlib_->avail_out = static_cast<uInt>(room);
    const int status = inflate(zlib_.get(), Z_NO_FLUSH);
    const size_t used = given - zlib_->avail_in;
    const size_t made = room - zlib_->avail_out;
    step.consumed += used;
    step.produced += made;
    position_ += used;
    if (status == Z_STREAM_END) {
      state_ = State::kBetweenMembers;
    } else if (status != Z_OK && status != Z_BUF_ERROR) {
      Damage(position_, fmt::format("gzip: {}", zlib_->msg != nullptr ? zlib_->msg : zError(status)));
    } else if (used == 0 && made == 0) {
      break;  // the input is used up or the output full
    }
  }
  return step;
}

void GzipDecompressor::Finish() {
  if (!damaged() && state_ == State::kInMember) Damage(position_, "the file ends inside a gzip member");
}

}  // namespace vedette
