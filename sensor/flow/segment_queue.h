// Bytes of one direction that wait for their turn, by sequence number (RFC 9293 section 3.4), without overlap.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "parsers/base/bytes.h"

namespace vedette {

// A distance between sequence numbers, negative when `a` is before `b`.
inline int32_t SequenceDistance(uint32_t a, uint32_t b) { return static_cast<int32_t>(a - b); }

// What a held segment costs beside its bytes: its place in the queue, and the allocation's own.
constexpr uint64_t kSegmentOverheadBytes = 64;

// Owns the bytes. All segments of a queue lie within half of the sequence space; whoever inserts sees to that.
class SegmentQueue {
 public:
  struct Segment {
    uint32_t sequence;
    std::vector<uint8_t> bytes;
    uint32_t end() const { return sequence + static_cast<uint32_t>(bytes.size()); }
  };
  bool empty() const { return first_ == segments_.size(); }
  size_t size() const { return segments_.size() - first_; }
  size_t bytes() const { return bytes_; }
  const Segment& front() const { return segments_[first_]; }
  const Segment& back() const { return segments_.back(); }
  const Segment& at(size_t index) const { return segments_[first_ + index]; }

  // Adds what is not held yet: bytes that are held stay.
  void Insert(uint32_t sequence, Bytes bytes);
  // Whether some of these bytes are held, and are others.
  bool Contradicts(uint32_t sequence, Bytes bytes) const;
  // The same for the one that is held where these bytes end, if it goes on behind them.
  bool ContradictsAtEnd(uint32_t sequence, Bytes bytes) const;
  // The first of `count` segments that follow each other without a hole; false where there are none. Looks at every
  // segment.
  bool FindRun(size_t count, uint32_t& sequence) const;
  Segment PopFront();
  Segment PopBack();

 private:
  // The first segment that ends behind `sequence`, as an index into segments_.
  size_t FirstEndingBehind(uint32_t sequence) const;
  void InsertPiece(size_t position, uint32_t sequence, Bytes bytes);

  std::vector<Segment> segments_;
  size_t first_ = 0;  // popped ones stand before it until they are half of all
  size_t bytes_ = 0;
};

}  // namespace vedette
