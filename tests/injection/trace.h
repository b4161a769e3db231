// A capture's TCP frames in memory, with the connections that they belong to.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "parsers/base/arena.h"
#include "tests/injection/tcp_frame.h"

namespace vedette::injection {

// Numbers that depend on the seed alone, on every machine (splitmix64).
class Rng {
 public:
  explicit Rng(uint64_t seed) : state_(seed) {}
  uint64_t Next() {
    uint64_t z = state_ += 0x9e3779b97f4a7c15ull;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ z >> 27) * 0x94d049bb133111ebull;
    return z ^ z >> 31;
  }
  uint64_t Below(uint64_t bound) { return bound == 0 ? 0 : Next() % bound; }
  bool OneIn(uint64_t n) { return Below(n) == 0; }

 private:
  uint64_t state_;
};

constexpr size_t kClient = 0, kServer = 1;

struct Connection {
  std::string key;            // FlowKeyOf
  bool handshake = false;     // a SYN of either side was seen
  bool side_seen[2] = {};     // frames of that side
  uint32_t num_data[2] = {};  // frames with payload, by side
  // Frames before which to inject; kNowhere: there is too little to hide. `forge`: where the place of each side that
  // was seen is known: after the handshake, before the first data, or, of a connection met in mid-stream, before the
  // third frame with data. `middle`: before the frame in the middle of those with data.
  uint32_t forge = kNowhere, middle = kNowhere;

  static constexpr uint32_t kNowhere = UINT32_MAX;
};

class Trace {
 public:
  // Frames whose bytes live in `arena`. `sides`: of each frame; empty: as SYNs and ports tell.
  Trace(std::vector<Frame> frames, std::shared_ptr<Arena> arena, std::vector<uint8_t> sides = {});

  // Every frame of the capture that carries TCP, in fragments or not. Empty if it cannot be read.
  static Trace Load(const std::string& path);

  Trace OneSide(size_t side) const;                   // without what the other side sent
  Trace Lossy(uint64_t seed, uint32_t one_in) const;  // one in so many frames with payload is missing
  static Trace Of(const std::vector<std::vector<uint8_t>>& frames, uint16_t link_type);  // a millisecond apart

  const std::vector<Frame>& frames() const { return frames_; }
  // nullptr: not TCP in one piece.
  const TcpFrame* tcp(size_t frame) const { return connection_[frame] == kNone ? nullptr : &tcp_[frame]; }
  uint32_t connection(size_t frame) const { return connection_[frame]; }
  size_t side(size_t frame) const { return side_[frame]; }
  const std::vector<Connection>& connections() const { return connections_; }

 private:
  static constexpr uint32_t kNone = UINT32_MAX;
  void Index(bool sides_known);
  void FindPlaces();

  std::vector<Frame> frames_;
  std::shared_ptr<Arena> arena_;
  std::vector<TcpFrame> tcp_;
  std::vector<uint32_t> connection_;
  std::vector<uint8_t> side_;
  std::vector<Connection> connections_;
};

}  // namespace vedette::injection
