#include "sensor/flow/segment_queue.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace vedette {

size_t SegmentQueue::FirstEndingBehind(uint32_t sequence) const {
  // From the back: segments mostly arrive in order even behind a hole.
  size_t position = segments_.size();
  while (position > first_ && SequenceDistance(segments_[position - 1].end(), sequence) > 0) --position;
  return position;
}

void SegmentQueue::Insert(uint32_t sequence, Bytes bytes) {
  size_t position = FirstEndingBehind(sequence);
  while (!bytes.empty()) {
    size_t piece = bytes.size();
    if (position < segments_.size()) {
      const int32_t room = SequenceDistance(segments_[position].sequence, sequence);
      if (room <= 0) {
        // Held here: step over it.
        const auto held = static_cast<size_t>(SequenceDistance(segments_[position].end(), sequence));
        const size_t covered = std::min(held, bytes.size());
        bytes = bytes.subspan(covered);
        sequence += static_cast<uint32_t>(covered);
        ++position;
        continue;
      }
      piece = std::min<size_t>(piece, static_cast<size_t>(room));
    }
    InsertPiece(position, sequence, bytes.first(piece));
    ++position;
    bytes = bytes.subspan(piece);
    sequence += static_cast<uint32_t>(piece);
  }
}

void SegmentQueue::InsertPiece(size_t position, uint32_t sequence, Bytes bytes) {
  segments_.insert(segments_.begin() + static_cast<std::ptrdiff_t>(position),
                   Segment{sequence, std::vector<uint8_t>(bytes.begin(), bytes.end())});
  bytes_ += bytes.size();
}

bool SegmentQueue::Contradicts(uint32_t sequence, Bytes bytes) const {
  const uint32_t end = sequence + static_cast<uint32_t>(bytes.size());
  for (size_t i = FirstEndingBehind(sequence); i < segments_.size(); ++i) {
    const Segment& held = segments_[i];
    if (SequenceDistance(held.sequence, end) >= 0) return false;
    const uint32_t from = SequenceDistance(held.sequence, sequence) > 0 ? held.sequence : sequence;
    const uint32_t to = SequenceDistance(held.end(), end) < 0 ? held.end() : end;
    if (std::memcmp(held.bytes.data() + (from - held.sequence), bytes.data() + (from - sequence), to - from) != 0) {
      return true;
    }
  }
  return false;
}

bool SegmentQueue::ContradictsAtEnd(uint32_t sequence, Bytes bytes) const {
  const uint32_t end = sequence + static_cast<uint32_t>(bytes.size());
  const size_t last = FirstEndingBehind(end);
  if (last == segments_.size() || SequenceDistance(segments_[last].sequence, end) >= 0) return false;
  const auto overlap = static_cast<size_t>(SequenceDistance(end, segments_[last].sequence));
  return Contradicts(end - static_cast<uint32_t>(std::min(overlap, bytes.size())),
                     bytes.last(std::min(overlap, bytes.size())));
}

bool SegmentQueue::FindRun(size_t count, uint32_t& sequence) const {
  size_t run = 0;
  for (size_t i = first_; i < segments_.size(); ++i) {
    const bool follows = run != 0 && segments_[i - 1].end() == segments_[i].sequence;
    run = follows ? run + 1 : 1;
    if (run < count) continue;
    sequence = segments_[i - (run - 1)].sequence;
    return true;
  }
  return false;
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

SegmentQueue::Segment SegmentQueue::PopBack() {
  Segment segment = std::move(segments_.back());
  segments_.pop_back();
  bytes_ -= segment.bytes.size();
  return segment;
}

}  // namespace vedette
