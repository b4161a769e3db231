// Writes captures in memory, right and wrong ones, and knows what a reader must find in them.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "sensor/capture/files/packet_reader.h"

namespace vedette::testing {

// What a reader must say about one packet.
struct ExpectedFrame {
  std::vector<uint8_t> bytes;
  uint32_t wire_bytes = 0;
  uint64_t time_ns = 0;
  uint16_t link_type = 1;
  uint16_t interface = 0;
  uint64_t end_offset = 0;  // in the file: the record is complete from here on
};

class ByteWriter {
 public:
  explicit ByteWriter(bool big_endian = false) : big_endian_(big_endian) {}
  void set_big_endian(bool big_endian) { big_endian_ = big_endian; }
  ByteWriter& U8(uint8_t value) {
    bytes.push_back(value);
    return *this;
  }
  ByteWriter& U16(uint16_t value) { return Integer(value, 2); }
  ByteWriter& U32(uint32_t value) { return Integer(value, 4); }
  ByteWriter& U64(uint64_t value) { return Integer(value, 8); }
  ByteWriter& Raw(std::span<const uint8_t> data) {
    bytes.insert(bytes.end(), data.begin(), data.end());
    return *this;
  }
  ByteWriter& Pad4() {
    while (bytes.size() % 4 != 0) bytes.push_back(0);
    return *this;
  }
  bool big_endian() const { return big_endian_; }

  std::vector<uint8_t> bytes;

 private:
  ByteWriter& Integer(uint64_t value, int count) {
    for (int i = 0; i < count; ++i) {
      bytes.push_back(static_cast<uint8_t>(value >> 8 * (big_endian_ ? count - 1 - i : i)));
    }
    return *this;
  }
  bool big_endian_;
};

inline std::vector<uint8_t> RandomBytes(std::mt19937_64& random, size_t count) {
  std::vector<uint8_t> bytes(count);
  for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random());
  return bytes;
}

struct PcapWriter {
  explicit PcapWriter(bool big_endian = false, uint32_t magic = 0xa1b2c3d4, uint32_t link_type = 1,
                      uint32_t snap_length = 262144, uint16_t major = 2, uint16_t minor = 4)
      : out(big_endian), magic_(magic) {
    out.U32(magic).U16(major).U16(minor).U32(0).U32(0).U32(snap_length).U32(link_type);
  }
  void Packet(uint32_t seconds, uint32_t fraction, std::span<const uint8_t> data, uint32_t wire_bytes) {
    const auto captured = static_cast<uint32_t>(data.size());
    out.U32(seconds).U32(fraction).U32(captured).U32(wire_bytes);
    if (magic_ == 0xa1b2cd34) out.U32(2).U16(0x0800).U8(0).U8(0);
    out.Raw(data);
    const uint64_t unit = magic_ == 0xa1b23c4d ? 1 : 1000;
    expected.push_back({.bytes = {data.begin(), data.end()},
                        .wire_bytes = wire_bytes,
                        .time_ns = seconds * uint64_t{1'000'000'000} + fraction * unit,
                        .end_offset = out.bytes.size()});
  }
  void RandomPackets(std::mt19937_64& random, int count, size_t max_bytes) {
    for (int i = 0; i < count; ++i) {
      const std::vector<uint8_t> data = RandomBytes(random, random() % (max_bytes + 1));
      const uint32_t limit = magic_ == 0xa1b23c4d ? 1'000'000'000 : 1'000'000;
      // Until 2038, beyond which libpcap takes seconds for negative.
      Packet(static_cast<uint32_t>(random() >> 33), static_cast<uint32_t>(random() % limit), data,
             static_cast<uint32_t>(data.size() + random() % 3));
    }
  }

  ByteWriter out;
  std::vector<ExpectedFrame> expected;

 private:
  uint32_t magic_;
};

struct PcapngOption {
  uint16_t code = 0;
  std::vector<uint8_t> value;
};

struct PcapngWriter {
  void Section(bool big_endian, uint16_t major = 1, uint64_t length = UINT64_MAX) {
    out.set_big_endian(big_endian);
    ByteWriter body(big_endian);
    body.U32(0x1a2b3c4d).U16(major).U16(0).U64(length);
    Block(0x0a0d0d0a, body);
    num_interfaces_ = 0;
    link_types_.clear();
  }
  uint16_t Interface(uint16_t link_type, uint32_t snap_length = 0, const std::vector<PcapngOption>& options = {}) {
    ByteWriter body = Body();
    body.U16(link_type).U16(0).U32(snap_length);
    for (const PcapngOption& option : options) {
      body.U16(option.code).U16(static_cast<uint16_t>(option.value.size())).Raw(option.value).Pad4();
    }
    if (!options.empty()) body.U16(0).U16(0);
    Block(1, body);
    link_types_.push_back(link_type);
    return num_interfaces_++;
  }
  // `time_ns` is what the reader must make of `units`.
  void Enhanced(uint16_t interface, uint64_t units, uint64_t time_ns, std::span<const uint8_t> data,
                uint32_t wire_bytes, bool with_options = false) {
    ByteWriter body = Body();
    body.U32(interface).U32(static_cast<uint32_t>(units >> 32)).U32(static_cast<uint32_t>(units));
    body.U32(static_cast<uint32_t>(data.size())).U32(wire_bytes).Raw(data).Pad4();
    if (with_options) body.U16(1).U16(5).Raw(AsBytes("hello")).Pad4().U16(0).U16(0);
    Block(6, body);
    Expect(interface, time_ns, data, wire_bytes);
  }
  void Obsolete(uint16_t interface, uint64_t units, uint64_t time_ns, std::span<const uint8_t> data,
                uint32_t wire_bytes) {
    ByteWriter body = Body();
    body.U16(interface).U16(7).U32(static_cast<uint32_t>(units >> 32)).U32(static_cast<uint32_t>(units));
    body.U32(static_cast<uint32_t>(data.size())).U32(wire_bytes).Raw(data).Pad4();
    Block(2, body);
    Expect(interface, time_ns, data, wire_bytes);
  }
  void Simple(uint64_t time_ns, std::span<const uint8_t> data, uint32_t wire_bytes) {
    ByteWriter body = Body();
    body.U32(wire_bytes).Raw(data).Pad4();
    Block(3, body);
    Expect(0, time_ns, data, wire_bytes);
  }
  void Other(uint32_t type, std::span<const uint8_t> data) {
    ByteWriter body = Body();
    body.Raw(data).Pad4();
    Block(type, body);
  }
  ByteWriter Body() const { return ByteWriter(out.big_endian()); }
  void Block(uint32_t type, const ByteWriter& body) {
    const auto bytes = static_cast<uint32_t>(body.bytes.size() + 12);
    out.U32(type).U32(bytes).Raw(body.bytes).U32(bytes);
    block_ends.push_back(out.bytes.size());
  }

  ByteWriter out;
  std::vector<ExpectedFrame> expected;
  std::vector<uint64_t> block_ends;

 private:
  void Expect(uint16_t interface, uint64_t time_ns, std::span<const uint8_t> data, uint32_t wire_bytes) {
    expected.push_back({.bytes = {data.begin(), data.end()},
                        .wire_bytes = wire_bytes,
                        .time_ns = time_ns,
                        .link_type = link_types_[interface],
                        .interface = interface,
                        .end_offset = out.bytes.size()});
  }
  uint16_t num_interfaces_ = 0;
  std::vector<uint16_t> link_types_;
};

// Reads everything in bursts of `burst`, `window` bytes at a time. The frames point into the reader's bytes.
inline std::vector<Frame> ReadAll(PacketReader& reader, size_t burst = CaptureSource::kBurst,
                                  uint64_t window = 1 << 20) {
  std::vector<Frame> all;
  std::vector<Frame> frames(burst);
  uint64_t until = 0;
  while (!reader.done()) {
    if (reader.position() >= until) until = reader.position() + window;
    const size_t count = reader.Read(frames, until);
    all.insert(all.end(), frames.begin(), frames.begin() + static_cast<ptrdiff_t>(count));
  }
  EXPECT_EQ(reader.Read(frames, UINT64_MAX), 0u);
  return all;
}

inline void ExpectFrames(const std::vector<Frame>& frames, std::span<const ExpectedFrame> expected) {
  ASSERT_EQ(frames.size(), expected.size());
  for (size_t i = 0; i < frames.size(); ++i) {
    SCOPED_TRACE("packet " + std::to_string(i + 1));
    const Bytes bytes = frames[i].bytes();
    ASSERT_EQ(std::vector<uint8_t>(bytes.begin(), bytes.end()), expected[i].bytes);
    ASSERT_EQ(frames[i].wire_bytes, expected[i].wire_bytes);
    ASSERT_EQ(frames[i].time_ns, expected[i].time_ns);
    ASSERT_EQ(frames[i].link_type, expected[i].link_type);
    ASSERT_EQ(frames[i].interface, expected[i].interface);
    ASSERT_EQ(frames[i].number, i + 1);
  }
}

// What a stream gives: the file comes in pieces, of which only what is not used yet is kept. The frames' bytes are in
// `bytes`, one vector a frame.
struct Streamed {
  std::vector<Frame> frames;
  std::vector<std::vector<uint8_t>> bytes;
  bool damaged = false;
  std::string damage_reason;
  uint64_t position = 0;
};

template <class Reader>
Streamed ReadStreamed(Bytes file, size_t header_bytes, std::mt19937_64& random, size_t largest_piece) {
  Streamed out;
  uint64_t end = std::min<uint64_t>(file.size(), header_bytes + random() % largest_piece);
  // A buffer of its own for each window, so that a sanitizer sees what reaches out of it.
  std::vector<uint8_t> window(file.begin(), file.begin() + static_cast<ptrdiff_t>(end));
  Reader reader(window, 0, end == file.size());
  std::vector<Frame> frames(1 + random() % 40);
  while (!reader.done()) {
    const size_t count = reader.Read(frames, UINT64_MAX);
    for (size_t i = 0; i < count; ++i) {
      const Bytes bytes = frames[i].bytes();
      out.bytes.emplace_back(bytes.begin(), bytes.end());
      out.frames.push_back(frames[i]);
    }
    if (count != 0 || reader.done()) continue;
    EXPECT_LT(end, file.size()) << "waits for more than there is";
    EXPECT_GT(reader.wanted(), end);
    if (end == file.size()) break;
    const uint64_t begin = std::min<uint64_t>(reader.position(), end);
    end = std::min<uint64_t>(file.size(), end + 1 + random() % largest_piece);
    window.assign(file.begin() + static_cast<ptrdiff_t>(begin), file.begin() + static_cast<ptrdiff_t>(end));
    window.shrink_to_fit();
    reader.SetWindow(window, begin, end == file.size());
  }
  for (size_t i = 0; i < out.frames.size(); ++i) out.frames[i].data = out.bytes[i].data();
  out.damaged = reader.damaged();
  out.damage_reason = reader.damage_reason();
  out.position = reader.position();
  return out;
}

// A stream's pieces do not matter, be the file right or wrong.
template <class Reader>
void ExpectSameStreamed(Bytes file, size_t header_bytes, std::mt19937_64& random) {
  Reader whole(file, 0);
  std::vector<Frame> frames(1000);
  std::vector<Frame> expected;
  while (!whole.done()) {
    const size_t count = whole.Read(frames, UINT64_MAX);
    expected.insert(expected.end(), frames.begin(), frames.begin() + static_cast<ptrdiff_t>(count));
  }
  for (const size_t piece : {size_t{1}, size_t{30}, size_t{3000}}) {
    const Streamed streamed = ReadStreamed<Reader>(file, header_bytes, random, piece);
    ASSERT_EQ(streamed.frames.size(), expected.size());
    for (size_t i = 0; i < expected.size(); ++i) {
      ASSERT_TRUE(std::equal(streamed.bytes[i].begin(), streamed.bytes[i].end(), expected[i].data,
                             expected[i].data + expected[i].captured_bytes));
      ASSERT_EQ(streamed.frames[i].time_ns, expected[i].time_ns);
      ASSERT_EQ(streamed.frames[i].wire_bytes, expected[i].wire_bytes);
      ASSERT_EQ(streamed.frames[i].number, expected[i].number);
      ASSERT_EQ(streamed.frames[i].link_type, expected[i].link_type);
    }
    ASSERT_EQ(streamed.damaged, whole.damaged());
    ASSERT_EQ(streamed.damage_reason, whole.damage_reason());
    ASSERT_EQ(streamed.position, whole.position());
  }
}

// Whatever happens to a file, frames lie inside it and damage is told.
inline void ExpectSane(const std::vector<Frame>& frames, Bytes file) {
  for (const Frame& frame : frames) {
    ASSERT_GE(frame.data, file.data());
    ASSERT_LE(frame.data + frame.captured_bytes, file.data() + file.size());
    ASSERT_GE(frame.wire_bytes, frame.captured_bytes);
    ASSERT_LE(frame.captured_bytes, kLargestPacketBytes);
  }
}

}  // namespace vedette::testing
