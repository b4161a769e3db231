// One direction of a TCP connection, put back in order (RFC 9293, sections 3.4 and 3.10.7.4 as a bystander can follow
// them).
//
//   in order            passed on by reference, nothing copied
//   ahead of its turn   copied and held, within bounds
//   seen before         dropped; where it overlaps what is held, the bytes that came first win
//   missing for good    passed over as a gap: when a bound is reached, when the receiver has long acknowledged them,
//                       or at the end of the flow
//   far from its place  dropped, until so many follow each other that the place must have been wrong
//
// A half begins at its SYN, or in mid-stream at the first byte that the other side's acknowledgments or its own
// segments show; where the answer was captured before the question that it acknowledges, at the question.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "parsers/bytes.h"

namespace vedette {

struct TcpCounters {
  uint64_t segments = 0;             // with payload
  uint64_t out_of_order = 0;         // held for their turn
  uint64_t retransmitted_bytes = 0;  // seen before, dropped
  uint64_t gaps = 0;
  uint64_t gap_bytes = 0;
  uint64_t out_of_window = 0;    // sequence numbers that cannot belong to the connection; segment dropped
  uint64_t flow_limit_hit = 0;   // gaps forced because one direction held too much
  uint64_t total_limit_hit = 0;  // gaps forced because all flows together held too much
  uint64_t held_bytes = 0;       // now, in all flows
  uint64_t held_segments = 0;    // they came in so many pieces, each of which costs kSegmentOverheadBytes as well
};

// What a held segment costs beside its bytes: its place in the queue, and the allocation's own.
constexpr uint64_t kSegmentOverheadBytes = 64;

struct TcpLimits {
  size_t half_bytes = size_t{1} << 20;  // held by one direction: the largest window seen in ordinary traffic
  size_t half_segments = 1024;          // held by one direction: one-byte segments must not cost more than their bytes
  size_t total_bytes = size_t{256} << 20;  // held by all flows of a worker, overhead included
  // Once the receiver acknowledged missing bytes, they were lost on the way to the capture only. A capture that merges
  // two directions may still show them a little later, so this much is held before the gap is declared.
  size_t acknowledged_segments = 32;
};

// Bytes ahead of their turn, ordered by sequence number, without overlap.
class SegmentQueue {
 public:
  struct Segment {
    uint32_t sequence;
    std::vector<uint8_t> bytes;
  };
  bool empty() const { return first_ == segments_.size(); }
  size_t size() const { return segments_.size() - first_; }
  size_t bytes() const { return bytes_; }
  const Segment& front() const { return segments_[first_]; }
  // Adds what is not held yet. Returns the bytes added.
  size_t Insert(uint32_t sequence, Bytes bytes);
  Segment PopFront();

 private:
  size_t InsertPiece(size_t position, uint32_t sequence, Bytes bytes);
  std::vector<Segment> segments_;
  size_t first_ = 0;  // popped ones stand before it until they are half of all
  size_t bytes_ = 0;
};

// A distance between sequence numbers, negative when `a` is before `b`.
inline int32_t SequenceDistance(uint32_t a, uint32_t b) { return static_cast<int32_t>(a - b); }

class TcpHalf {
 public:
  bool known() const { return known_; }
  bool started() const { return started_; }  // its SYN was seen, or what acknowledges it
  bool ended() const { return ended_; }
  bool fin_seen() const { return fin_seen_; }
  bool holds() const { return queue_ != nullptr && !queue_->empty(); }
  uint32_t next() const { return next_; }
  uint32_t first() const { return first_; }

  // The SYN's sequence number: the stream begins right behind it. Nothing changes where bytes have come already: a SYN
  // that somebody slips in does not move the place.
  void Start(uint32_t syn_sequence) {
    if (known_ && (started_ || passed_any_ || holds())) return;
    next_ = first_ = syn_sequence + 1;
    known_ = started_ = true;
  }
  // In mid-stream: the first byte to come. `from_handshake`: nothing before it was missed.
  void StartAt(uint32_t sequence, bool from_handshake) {
    if (known_) return;
    next_ = first_ = sequence;
    known_ = true;
    started_ = from_handshake;
  }

  // The receiver of this direction said that it has everything before this byte.
  void Acknowledge(uint32_t sequence) {
    acknowledged_ = sequence;
    acknowledged_known_ = true;
  }

  // One segment. `missing_bytes` at the end of the payload were not captured. sink(Bytes data, uint64_t gap_bytes, bool
  // start, bool end) is called for each in-order piece; `data` holds during the call.
  template <class Sink>
  void OnSegment(uint32_t sequence, Bytes payload, uint32_t missing_bytes, bool fin, const TcpLimits& limits,
                 TcpCounters& counters, Sink&& sink) {
    if (!known_) StartAt(sequence, false);
    const auto length = static_cast<uint32_t>(payload.size()) + missing_bytes;
    if (!passed_any_ && !started_) TakeAcknowledged(sequence, length);
    int32_t distance = SequenceDistance(sequence, next_);
    if (distance > kMaxDistance || distance < -kMaxDistance) {
      ++counters.out_of_window;
      if (length == 0 || ++num_strays_ < kMaxStrays) return;
      FindPlaceAgain(sequence, counters, sink);
      distance = 0;
    }
    if (fin && !fin_seen_ && SequenceDistance(sequence + length, next_) >= 0) {
      fin_seen_ = true;
      fin_sequence_ = sequence + length;
    }
    if (length != 0) {
      ++counters.segments;
      num_strays_ = 0;
      if (distance < 0) {
        const auto seen = static_cast<uint32_t>(-distance);
        counters.retransmitted_bytes += seen < length ? seen : length;
        if (seen >= length) {
          payload = {};
          missing_bytes = 0;
        } else if (seen >= payload.size()) {
          missing_bytes = length - seen;
          payload = {};
        } else {
          payload = payload.subspan(seen);
        }
        sequence = next_;
        distance = 0;
      }
      if (distance == 0) {
        if (queue_ == nullptr || queue_->empty()) {
          Pass(payload, sink);
          Miss(missing_bytes, counters);
        } else {
          PassAroundHeld(payload, missing_bytes, counters, sink);
        }
      } else {
        Hold(sequence, payload, limits, counters, sink);
      }
    }
    if (holds()) {
      Drain(counters, sink);
      if (holds() && acknowledged_known_ && SequenceDistance(acknowledged_, queue_->front().sequence) >= 0 &&
          queue_->size() >= limits.acknowledged_segments) {
        SkipToHeld(counters);
        Drain(counters, sink);
      }
    }
    if (fin_seen_ && !ended_ && next_ == fin_sequence_) End(sink);
  }

  // The flow is over: what is held comes out, gaps and all, then the end.
  template <class Sink>
  void Finish(TcpCounters& counters, Sink&& sink) {
    PassAllHeld(counters, sink);
    queue_.reset();
    if (!ended_) End(sink);
  }

  // Of a direction that nobody looks at any more.
  void SeeFin() { fin_seen_ = true; }
  // Nobody looks at this direction any more: what is held goes.
  void Abandon(TcpCounters& counters) {
    if (queue_ != nullptr) {
      counters.held_bytes -= queue_->bytes();
      counters.held_segments -= queue_->size();
    }
    queue_.reset();
  }

 private:
  // A quarter of the sequence space: farther away is another connection's, or noise.
  static constexpr int32_t kMaxDistance = 1 << 30;
  // Strays in a row until they are the connection: a forged SYN must not hide what follows for long, and single packets
  // of an older connection must not move the place.
  static constexpr uint8_t kMaxStrays = 8;

  // The place is known from an acknowledgment only, and what it acknowledged comes now: the capture has the answer
  // before the question. Begins there, where nothing lies between. One byte alone is a keep-alive's (RFC 9293
  // section 3.8.4).
  void TakeAcknowledged(uint32_t sequence, uint32_t length) {
    const int32_t before = SequenceDistance(next_, sequence);
    if (before > 0 && length > 1 && static_cast<uint32_t>(before) <= length && gap_ == 0 && !holds()) {
      next_ = first_ = sequence;
    }
  }
  template <class Sink>
  void Pass(Bytes data, Sink& sink) {
    if (data.empty()) return;
    next_ += static_cast<uint32_t>(data.size());
    const uint64_t gap = gap_;
    gap_ = 0;
    const bool start = started_ && !passed_any_ && gap == 0;
    passed_any_ = true;
    sink(data, gap, start, false);
  }
  void Miss(uint32_t bytes, TcpCounters& counters) {
    if (bytes == 0) return;
    next_ += bytes;
    gap_ = bytes > UINT32_MAX - gap_ ? UINT32_MAX : gap_ + bytes;
    ++counters.gaps;
    counters.gap_bytes += bytes;
  }
  // The piece starts at next_ and may run into held segments: the held bytes came first and win.
  template <class Sink>
  void PassAroundHeld(Bytes payload, uint32_t missing_bytes, TcpCounters& counters, Sink& sink) {
    while (!payload.empty()) {
      const int32_t room = holds() ? SequenceDistance(queue_->front().sequence, next_) : INT32_MAX;
      const size_t piece =
          room > 0 && static_cast<size_t>(room) < payload.size() ? static_cast<size_t>(room) : payload.size();
      if (room > 0) {
        Pass(payload.first(piece), sink);
        payload = payload.subspan(piece);
      } else {
        const size_t held = queue_->front().bytes.size() - static_cast<size_t>(-room);
        PassHeld(counters, sink);
        const size_t covered = held < payload.size() ? held : payload.size();
        counters.retransmitted_bytes += covered;
        payload = payload.subspan(covered);
      }
    }
    if (missing_bytes != 0) {
      // Held bytes may fill part of what this capture cut off.
      const int32_t room = holds() ? SequenceDistance(queue_->front().sequence, next_) : INT32_MAX;
      Miss(room >= 0 && static_cast<uint32_t>(room) < missing_bytes ? static_cast<uint32_t>(room) : missing_bytes,
           counters);
    }
  }
  template <class Sink>
  void PassHeld(TcpCounters& counters, Sink& sink) {
    SegmentQueue::Segment segment = queue_->PopFront();
    counters.held_bytes -= segment.bytes.size();
    --counters.held_segments;
    const int32_t behind = SequenceDistance(next_, segment.sequence);
    if (behind >= static_cast<int32_t>(segment.bytes.size())) return;
    Pass(Bytes(segment.bytes).subspan(static_cast<size_t>(behind > 0 ? behind : 0)), sink);
  }
  template <class Sink>
  void Drain(TcpCounters& counters, Sink& sink) {
    while (holds() && SequenceDistance(queue_->front().sequence, next_) <= 0) PassHeld(counters, sink);
  }
  template <class Sink>
  void PassAllHeld(TcpCounters& counters, Sink& sink) {
    while (holds()) {
      SkipToHeld(counters);
      Drain(counters, sink);
    }
  }
  // The stream goes on somewhere else: how much is missing cannot be told.
  template <class Sink>
  void FindPlaceAgain(uint32_t sequence, TcpCounters& counters, Sink& sink) {
    PassAllHeld(counters, sink);
    next_ = sequence;
    gap_ = gap_ == 0 ? 1 : gap_;
    ++counters.gaps;
    fin_seen_ = ended_;
    acknowledged_known_ = false;
  }
  void SkipToHeld(TcpCounters& counters) {
    const int32_t distance = SequenceDistance(queue_->front().sequence, next_);
    if (distance > 0) Miss(static_cast<uint32_t>(distance), counters);
  }
  template <class Sink>
  void Hold(uint32_t sequence, Bytes payload, const TcpLimits& limits, TcpCounters& counters, Sink& sink) {
    if (payload.empty()) return;
    if (queue_ == nullptr) queue_ = std::make_unique<SegmentQueue>();
    ++counters.out_of_order;
    const size_t segments_before = queue_->size();
    counters.held_bytes += queue_->Insert(sequence, payload);
    counters.held_segments += queue_->size() - segments_before;
    const bool half_full = queue_->bytes() > limits.half_bytes || queue_->size() > limits.half_segments;
    const bool total_full = counters.held_bytes + counters.held_segments * kSegmentOverheadBytes > limits.total_bytes;
    if (half_full) ++counters.flow_limit_hit;
    if (total_full) ++counters.total_limit_hit;
    if (half_full || total_full) {
      SkipToHeld(counters);
      Drain(counters, sink);
    }
  }
  template <class Sink>
  void End(Sink& sink) {
    ended_ = true;
    const uint64_t gap = gap_;
    gap_ = 0;
    sink(Bytes{}, gap, false, true);
  }

  uint32_t next_ = 0;   // the next byte's sequence number
  uint32_t first_ = 0;  // the first byte's
  uint32_t fin_sequence_ = 0;
  bool known_ : 1 = false;
  bool started_ : 1 = false;
  bool passed_any_ : 1 = false;
  bool fin_seen_ : 1 = false;
  bool ended_ : 1 = false;
  bool acknowledged_known_ : 1 = false;
  uint8_t num_strays_ = 0;  // in a row
  uint32_t acknowledged_ = 0;
  uint32_t gap_ = 0;  // missing right before next_, not reported yet
  std::unique_ptr<SegmentQueue> queue_;
};
static_assert(sizeof(TcpHalf) <= 32);

}  // namespace vedette
