// Any bytes as gzip and as zstd: pieces do not change what comes out, and every call gets on.
#include "sensor/capture/stream/decompressor.h"

#include <algorithm>
#include <cstdlib>
#include <vector>

#include "sensor/capture/files/capture_head.h"

namespace vedette {
namespace {

// Enough for every state; a bomb does not show more.
constexpr size_t kMostOutput = size_t{4} << 20;

void Require(bool condition) {
  if (!condition) std::abort();
}

struct Outcome {
  std::vector<uint8_t> bytes;
  std::string reason;
  uint64_t offset = 0;
  bool all = true;
};

Outcome Decompress(Compression compression, Bytes in, size_t piece, size_t room_bytes) {
  std::string error;
  const auto decompressor = Decompressor::Make(compression, error);
  Outcome outcome;
  std::vector<uint8_t> room(room_bytes);
  while (!decompressor->damaged()) {
    const Bytes given = in.first(std::min(piece, in.size()));
    const Decompressor::Step step = decompressor->Run(given, room);
    Require(step.consumed <= given.size() && step.produced <= room.size());
    Require(step.consumed == given.size() || step.produced == room.size() || decompressor->damaged());
    outcome.bytes.insert(outcome.bytes.end(), room.begin(), room.begin() + static_cast<ptrdiff_t>(step.produced));
    in = in.subspan(step.consumed);
    if (in.empty() && step.produced < room.size()) break;
    outcome.all = outcome.bytes.size() < kMostOutput;
    if (!outcome.all) return outcome;
  }
  decompressor->Finish();
  outcome.reason = decompressor->damage_reason();
  outcome.offset = decompressor->damage_offset();
  return outcome;
}

void Check(Compression compression, Bytes in) {
  const Outcome whole = Decompress(compression, in, SIZE_MAX, size_t{256} << 10);
  const Outcome pieces = Decompress(compression, in, 7, 1000);
  if (!whole.all || !pieces.all) return;
  Require(whole.bytes == pieces.bytes);
  Require(whole.reason == pieces.reason && whole.offset == pieces.offset);
  Require(whole.offset <= in.size());
}

}  // namespace
}  // namespace vedette

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using vedette::Compression;
  const vedette::Bytes in(data, size);
  const Compression compression = vedette::IdentifyCompression(in);
  vedette::Check(Compression::kGzip, in);
  if (compression != Compression::kGzip) vedette::Check(Compression::kZstd, in);
  static_cast<void>(vedette::JudgeHead(in, true));
  static_cast<void>(vedette::JudgeHead(in, false));
  return 0;
}
