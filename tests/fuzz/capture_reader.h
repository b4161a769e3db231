// What must hold for a capture reader over any bytes.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "sensor/capture/files/packet_reader.h"

namespace vedette {

inline void Require(bool condition) {
  if (!condition) std::abort();
}

inline std::vector<Frame> ReadEverything(PacketReader& reader, size_t burst, uint64_t window) {
  std::vector<Frame> all;
  std::vector<Frame> frames(burst);
  uint64_t until = 0;
  while (!reader.done()) {
    if (reader.position() >= until) until = reader.position() + window;
    const uint64_t before = reader.position();
    const size_t count = reader.Read(frames, until);
    Require(count <= burst);
    Require(count != 0 || reader.position() > before || reader.done());
    all.insert(all.end(), frames.begin(), frames.begin() + static_cast<ptrdiff_t>(count));
  }
  return all;
}

// As a stream of pieces of `piece` bytes, each in memory of its own.
template <class Reader>
void CheckStreamed(Bytes file, const std::vector<Frame>& frames, const PacketReader& whole, size_t header_bytes,
                   size_t piece) {
  if (file.size() < header_bytes) return;
  size_t end = header_bytes;
  std::vector<uint8_t> window(file.begin(), file.begin() + static_cast<ptrdiff_t>(end));
  Reader reader(window, 0, end == file.size());
  std::vector<Frame> burst(CaptureSource::kBurst);
  size_t seen = 0;
  while (!reader.done()) {
    const size_t count = reader.Read(burst, UINT64_MAX);
    for (size_t i = 0; i < count; ++i, ++seen) {
      Require(seen < frames.size() && burst[i].captured_bytes == frames[seen].captured_bytes);
      Require(std::equal(burst[i].data, burst[i].data + burst[i].captured_bytes, frames[seen].data));
      Require(burst[i].time_ns == frames[seen].time_ns && burst[i].number == frames[seen].number);
    }
    if (count != 0 || reader.done()) continue;
    Require(end < file.size() && reader.wanted() > end);
    const size_t begin = std::min<uint64_t>(reader.position(), end);
    end = std::min(file.size(), end + piece);
    window.assign(file.begin() + static_cast<ptrdiff_t>(begin), file.begin() + static_cast<ptrdiff_t>(end));
    window.shrink_to_fit();
    reader.SetWindow(window, begin, end == file.size());
  }
  Require(seen == frames.size() && reader.position() == whole.position());
  Require(reader.damage_reason() == whole.damage_reason());
}

template <class Reader>
void CheckReader(Bytes file, size_t header_bytes) {
  Reader reader(file, 0);
  const std::vector<Frame> frames = ReadEverything(reader, CaptureSource::kBurst, uint64_t{1} << 20);
  Require(reader.position() <= file.size());
  Require(reader.damaged() || reader.position() == file.size());
  uint8_t sum = 0;
  for (size_t i = 0; i < frames.size(); ++i) {
    const Frame& frame = frames[i];
    Require(frame.data >= file.data() && frame.data + frame.captured_bytes <= file.data() + file.size());
    Require(frame.wire_bytes >= frame.captured_bytes && frame.captured_bytes <= kLargestPacketBytes);
    Require(frame.number == i + 1);
    for (const uint8_t byte : frame.bytes()) sum = static_cast<uint8_t>(sum + byte);
  }
  volatile uint8_t keep = sum;
  static_cast<void>(keep);

  Reader again(file, 0);
  const std::vector<Frame> one_by_one = ReadEverything(again, 1, 50);
  Require(one_by_one.size() == frames.size() && again.position() == reader.position());
  Require(again.damage_reason() == reader.damage_reason());
  for (size_t i = 0; i < frames.size(); ++i) {
    Require(one_by_one[i].data == frames[i].data && one_by_one[i].time_ns == frames[i].time_ns);
  }
  CheckStreamed<Reader>(file, frames, reader, header_bytes, 1 + file.size() / 50);
}

}  // namespace vedette
