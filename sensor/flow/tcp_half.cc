#include "sensor/flow/tcp_half.h"

#include <algorithm>
#include <utility>

namespace vedette {

size_t SegmentQueue::Insert(uint32_t sequence, Bytes bytes) {
  size_t added = 0;
  // From the back: segments mostly arrive in order even behind a hole.
  size_t position = segments_.size();
  while (position > first_ && SequenceDistance(segments_[position - 1].sequence, sequence) > 0) --position;
  if (position > first_) {
    const Segment& before = segments_[position - 1];
    const int32_t overlap = SequenceDistance(before.sequence + static_cast<uint32_t>(before.bytes.size()), sequence);
    if (overlap > 0) {
      const size_t covered = std::min<size_t>(static_cast<size_t>(overlap), bytes.size());
      bytes = bytes.subspan(covered);
      sequence += static_cast<uint32_t>(covered);
    }
  }
  while (!bytes.empty()) {
    size_t piece = bytes.size();
    if (position < segments_.size()) {
      const int32_t room = SequenceDistance(segments_[position].sequence, sequence);
      if (room <= 0) {
        // Covered by the held segment here: step over it.
        const size_t held = segments_[position].bytes.size() -
                            std::min<size_t>(static_cast<size_t>(-room), segments_[position].bytes.size());
        const size_t covered = std::min(held, bytes.size());
        bytes = bytes.subspan(covered);
        sequence += static_cast<uint32_t>(covered);
        ++position;
        continue;
      }
      piece = std::min<size_t>(piece, static_cast<size_t>(room));
    }
    added += InsertPiece(position, sequence, bytes.first(piece));
    ++position;
    bytes = bytes.subspan(piece);
    sequence += static_cast<uint32_t>(piece);
  }
  return added;
}

size_t SegmentQueue::InsertPiece(size_t position, uint32_t sequence, Bytes bytes) {
  segments_.insert(segments_.begin() + static_cast<std::ptrdiff_t>(position),
                   Segment{sequence, std::vector<uint8_t>(bytes.begin(), bytes.end())});
  bytes_ += bytes.size();
  return bytes.size();
}

SegmentQueue::Segment SegmentQueue::PopFront() {
  Segment segment = std::move(segments_[first_++]);
  bytes_ -= segment.bytes.size();
  if (first_ * 2 >= segments_.size()) {
    segments_.erase(segments_.begin(), segments_.begin() + static_cast<std::ptrdiff_t>(first_));
    first_ = 0;
  }
  return segment;
}

}  // namespace vedette
