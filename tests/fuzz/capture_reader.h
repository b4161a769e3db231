// What must hold for a capture reader over any bytes.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <vector>

#include "sensor/capture/packet_reader.h"

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

template <class Reader>
void CheckReader(Bytes file) {
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
}

}  // namespace vedette
