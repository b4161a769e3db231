// One direction of a TCP connection, put back in order (RFC 9293, sections 3.4 and 3.10.7.4 as a bystander can follow
// them).
//
// What one end, or a stranger, sends must not hide what the other end accepted. So a direction has a *place* (the next
// byte of the stream) and at most one *candidate*, another place at which the stream may be instead:
//
//   at the place                passed on by reference, nothing copied
//   ahead, within the window    copied and held, within bounds; what is farthest goes where it is too much
//   seen before                 dropped where it repeats exactly; else told as another copy (OnCopy)
//   anywhere else               waits at the candidate, within the same bounds, and is told as set aside (OnAside)
//
// The window is twice the largest that the receiver announced, 1 to 16 MiB (RFC 7323 scales it; 14 where the scale is
// not known). The candidate becomes the place when the receiver acknowledges into its bytes twice in a row, or, where
// the receiver was never heard, when three segments there follow each other and none came at the place between them.
// The old place is the candidate then: a wrong turn can be taken back. A hole in front of what is held is passed over
// when the receiver has acknowledged what is behind it, or, where it is not heard, when there is no room for more;
// otherwise at the end of the flow. Acknowledgments of bytes that nobody saw never move the place.
//
// Of two copies of the same bytes that differ, the one that comes in its turn leads, and the other is told: whichever
// the receiver took, both are inspected. Where a segment that was held reaches beyond the one that comes in its turn,
// and differs from it, its end is doubted: it is passed on only when the receiver acknowledges it, or instead of a
// hole. A wrong checksum, in a direction whose others are right, decides who leads; it hides nothing, because merged
// segments (GRO) have wrong ones as well.
//
// A FIN ends a direction when it is acknowledged, or with the flow. Up to six zero bytes that may be the padding of an
// Ethernet frame are bytes of the stream only when the next segment does not contradict them.
//
// A half begins at its SYN, or in mid-stream at the first byte that the other side's acknowledgments or its own
// segments show; where the answer was captured before the question that it acknowledges, at the question.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "parsers/base/bytes.h"
#include "sensor/decode/packet.h"
#include "sensor/flow/loss_counters.h"
#include "sensor/flow/segment_queue.h"
#include "sensor/flow/tcp_counters.h"

namespace vedette {

struct TcpLimits {
  size_t half_bytes = size_t{4} << 20;  // held by one direction: a window that long paths use
  size_t half_segments = 4096;          // held by one direction: one-byte segments must not cost more than their bytes
  size_t total_bytes = size_t{256} << 20;  // held by all flows of a worker, overhead included
  // Once the receiver acknowledged missing bytes, they were lost on the way to the capture only. A capture that merges
  // two directions may still show them a little later, so this much is held before the gap is declared.
  size_t acknowledged_segments = 32;
};

// One segment, as the half needs it. Views hold during the call.
struct TcpSegment {
  uint32_t sequence = 0;  // of the first payload byte: behind the SYN
  Bytes payload;
  uint32_t missing_bytes = 0;  // at the end of the payload, not captured
  bool fin = false;
  bool may_be_padding = false;     // at most six zero bytes in a frame of Ethernet's least size
  const Packet* packet = nullptr;  // whose checksum can be judged; null: it cannot
  uint64_t time_ns = 0;            // of the packet
  uint64_t key = 0;                // of the hashes that tell repeats (recent_segments.h); the same for the whole flow
};

// What becomes of the bytes. Views hold during the call.
class TcpSink {
 public:
  virtual ~TcpSink() = default;
  // The next bytes of the stream. `gap_bytes` are missing in front of them; `start`: the connection begins here;
  // `end`: nothing follows (then `data` is empty).
  virtual void OnData(Bytes data, uint64_t gap_bytes, bool start, bool end) = 0;
  // Another copy of bytes that were passed on; with what follows it, it was told as OnAside before. It begins `behind`
  // bytes before the end of what was passed on, and does not reach farther than that end. `start`: it begins where the
  // connection begins.
  virtual void OnCopy(Bytes data, uint32_t behind, bool start) = 0;
  // The latest segment repeated exactly what had come.
  virtual void OnExactRepeat() = 0;
  // Bytes that belong to no known place.
  virtual void OnAside(Bytes data) = 0;
  // What follows is at another place of the sequence space; `back`: at the one before the last change.
  virtual void OnPlaceChange(bool back) = 0;
  // How much of the stream was seen, and lost before the capture, since this was last called; not for every segment.
  virtual void OnJudged(const JudgedBytes&) {}
};

class TcpHalf {
 public:
  // Less than the least window is never out of window; more than the most can only be a mistake or an attack.
  static constexpr uint32_t kMinWindowBytes = uint32_t{1} << 20, kMaxWindowBytes = uint32_t{16} << 20;
  // The receiver's acknowledgments in a row that make the candidate the place …
  static constexpr uint8_t kDecidingAcknowledgments = 2;
  // … and, where it was never heard, the segments; where it was heard and says nothing more, so many in so long a time
  // that a receiver would have acknowledged some of them. A burst alone must not do.
  static constexpr uint8_t kDecidingSegments = 3, kDecidingSegmentsUnanswered = 64;
  static constexpr uint64_t kUnansweredNs = 5'000'000'000;

  // What was seen is judged (OnJudged) when the place passes a multiple of so much, at a hole, and at the end.
  static constexpr uint32_t kBlockBytes = uint32_t{1} << 20;
  // A hole is no larger than that many times what was seen around it, or, at the end of a stream, than kLeastTail: a
  // request that was lost whole.
  static constexpr uint32_t kMostTimesSeen = 4, kLeastTail = 4096;
  // Of a stream whose beginning was not seen, so much is not judged: what was in flight then is missing, not lost.
  static constexpr uint32_t kUnsettledBytes = uint32_t{64} << 10;

  TcpHalf();
  ~TcpHalf();
  TcpHalf(TcpHalf&&) noexcept;
  TcpHalf& operator=(TcpHalf&&) noexcept;

  bool known() const { return known_; }
  bool started() const { return started_; }  // its SYN was seen, or what acknowledges it
  bool ended() const { return ended_; }
  bool fin_seen() const { return fin_seen_; }
  bool fin_reached() const { return fin_seen_ && next_ == fin_sequence_; }  // all before the FIN was passed on
  bool passed_any() const { return passed_any_; }
  bool irregular() const { return detour_ != nullptr; }  // something was not in order: Finish may bring more bytes
  uint32_t next() const { return next_; }
  uint32_t first() const { return first_; }
  // Bytes before the place that the receiver's latest acknowledgment does not have; 0 where it was never heard.
  uint32_t unacknowledged() const {
    return acknowledged_known_ && next_ - acknowledged_ <= kMaxWindowBytes ? next_ - acknowledged_ : 0;
  }

  // A SYN's sequence number: the stream begins right behind it. Where the place is known and another, the SYN is only
  // remembered: a SYN that somebody slips in does not move the place.
  void OnSyn(uint32_t syn_sequence, TcpCounters& counters);
  // Whether a packet shows that the remembered SYN began a new connection: the peer's SYN-ACK for it …
  bool SynIsAcknowledged(uint32_t acknowledgment) const;
  // … or, where the peer was never heard, this direction's next segment right behind it.
  bool SynIsContinued(uint32_t sequence) const;

  // In mid-stream: the first byte to come. `from_handshake`: nothing before it was missed.
  void StartAt(uint32_t sequence, bool from_handshake) {
    if (known_) return;
    next_ = first_ = sequence;
    known_ = true;
    started_ = from_handshake;
  }

  // What the receiver of this direction announced: its window field, and the scale of its SYN.
  void SeeWindow(uint16_t window) {
    if (window > window_) window_ = window;
  }
  void SetWindowScale(uint8_t shift) { window_scale_ = shift; }
  // The checksum of this direction's SYN is right.
  void TrustChecksums() { checksums_right_ = true; }
  // Where this direction comes in: the place of the interface in the sensor's list. -1: not known.
  void SetInterface(uint32_t number) { interface_ = static_cast<uint16_t>(std::min(number, kMaxInterface) + 1) & 31u; }
  int interface() const { return interface_ - 1; }
  // Whether a sequence number is within the window of the place; true where the place is not known.
  bool InWindow(uint32_t sequence) const;

  // The receiver of this direction said that it has everything before this byte.
  void Acknowledge(uint32_t sequence, TcpCounters& counters, TcpSink& sink) {
    if (NoteAcknowledgment(sequence)) OnAcknowledgment(sequence, counters, sink);
  }
  // The same in two steps. True: OnAcknowledgment has to follow.
  bool NoteAcknowledgment(uint32_t sequence) {
    acknowledged_ = sequence;
    acknowledged_known_ = true;
    return detour_ != nullptr || fin_seen_;
  }
  void OnAcknowledgment(uint32_t sequence, TcpCounters& counters, TcpSink& sink);

  // One segment.
  template <class Sink>
  void OnSegment(const TcpSegment& segment, const TcpLimits& limits, TcpCounters& counters, Sink& sink) {
    if (!known_) StartAt(segment.sequence, false);
    if (IsInTurn(segment.sequence) && !segment.payload.empty() && !segment.may_be_padding && !segment.fin) {
      PassInTurn(segment.payload, segment.missing_bytes, counters, sink);
    } else {
      OnIrregular(segment, limits, counters, sink);
    }
  }
  // The same for a segment that is in order, with data that is no padding, and no FIN.
  bool IsInTurn(uint32_t sequence) const { return known_ && detour_ == nullptr && sequence == next_ && !fin_seen_; }
  template <class Sink>
  void PassInTurn(Bytes data, uint32_t missing_bytes, TcpCounters& counters, Sink& sink) {
    ++counters.segments;
    Pass(data, sink);
    if (missing_bytes != 0) [[unlikely]] {
      MissCut(missing_bytes, counters, sink);
    }
  }

  // The flow is over: what is held comes out, gaps and all, then the end; then what waited at the candidate.
  // `sent_any`: a packet of this direction came.
  void Finish(TcpCounters& counters, TcpSink& sink, bool sent_any = true);
  // Nobody follows the stream from here on: what was seen of it is judged.
  void JudgeSeen(TcpSink& sink) const;
  // One segment of a direction that nobody looks at any more, behind Abandon: only its place is kept.
  // `bytes`: of its payload, captured or not.
  void Follow(uint32_t sequence, uint32_t bytes, bool fin);
  // Nobody looks at this direction any more: what is held goes.
  void Abandon(TcpCounters& counters);
  // A half that goes on from here, with what this one holds; this one is as behind Abandon.
  TcpHalf TakeOver();

 private:
  static constexpr uint32_t kMaxInterface = LossCounters::kInterfaces - 2;
  struct Place;
  struct Candidate;
  struct Detour;

  template <class Sink>
  void Pass(Bytes data, Sink& sink) {
    if (data.empty()) return;
    const uint32_t before = next_;
    next_ += static_cast<uint32_t>(data.size());
    if ((before ^ next_) >= kBlockBytes) [[unlikely]] {
      JudgeBlock(before, sink);
    }
    const uint64_t gap = gap_;
    gap_ = 0;
    const bool start = started_ && !passed_any_ && gap == 0;
    passed_any_ = true;
    sink.OnData(data, gap, start, false);
  }
  void Miss(uint32_t bytes, TcpCounters& counters) {
    next_ += bytes;
    gap_ = bytes > UINT32_MAX - gap_ ? UINT32_MAX : gap_ + bytes;
    ++counters.gaps;
    counters.gap_bytes += bytes;
  }

  // Bytes that the capture cut off.
  void MissCut(uint32_t bytes, TcpCounters& counters, TcpSink& sink);

  Detour& DetourOf(TcpCounters& counters);
  void OpenCandidate(uint32_t sequence, TcpCounters& counters);
  uint32_t WindowBytes() const;
  bool SeenBefore(uint32_t sequence) const;
  bool FollowsSyn(uint32_t sequence) const;
  void TakeAcknowledged(uint32_t sequence, uint32_t length);
  bool Holds() const;

  void OnIrregular(const TcpSegment& segment, const TcpLimits& limits, TcpCounters& counters, TcpSink& sink);
  void OnStreamSegment(const TcpSegment& segment, const TcpLimits& limits, TcpCounters& counters, TcpSink& sink);
  // Drops what of the segment was passed on before and tells whether that was another copy. False: nothing is left.
  bool TrimSeen(TcpSegment& segment, TcpCounters& counters, TcpSink& sink);
  void PassOverHeld(const TcpSegment& segment, TcpCounters& counters, TcpSink& sink);
  void Hold(const TcpSegment& segment, const TcpLimits& limits, TcpCounters& counters, TcpSink& sink);
  void SetAside(const TcpSegment& segment, const TcpLimits& limits, TcpCounters& counters, TcpSink& sink);
  void MakeRoom(SegmentQueue& queue, const TcpLimits& limits, TcpCounters& counters, TcpSink& sink);
  bool IsCheckedWrong(const TcpSegment& segment) const;
  void LearnChecksum(const TcpSegment& segment);
  // False: the segment is nothing but the padding, or contradicts it and the padding is forgotten.
  void SettlePadding(const TcpSegment& segment, TcpCounters& counters, TcpSink& sink);
  void NoteFin(uint32_t end);

  void PassHeld(TcpCounters& counters, TcpSink& sink);
  void Drain(TcpCounters& counters, TcpSink& sink);
  void TellCopies(TcpCounters& counters, TcpSink& sink);
  // Passes on what a doubted segment has at the place. False: none has anything.
  bool PassDoubted(TcpCounters& counters, TcpSink& sink);
  // Passes over holes until everything that begins at `sequence` or before it is out.
  void PassUpTo(uint32_t sequence, TcpCounters& counters, TcpSink& sink);
  void PassHole(TcpCounters& counters, TcpSink& sink);
  // The place went past a multiple of kBlockBytes.
  void JudgeBlock(uint32_t before, TcpSink& sink) const;
  // Before a hole of that length at the place is passed over.
  void JudgeHole(uint32_t length, TcpSink& sink);
  // What comes late is not lost: `segment` lies before the place, where nothing was seen.
  void JudgeLate(const TcpSegment& segment, TcpSink& sink);
  void JudgeEnd(bool sent_any, TcpSink& sink);
  bool IsJudged() const;
  uint32_t RunBytes() const;           // in order before the place
  uint32_t UnjudgedBytes() const;      // of those
  uint32_t AcknowledgedAhead() const;  // bytes at the place and behind it that the receiver has
  void PassAllHeld(TcpCounters& counters, TcpSink& sink);
  void ChangePlace(uint32_t up_to, TcpCounters& counters, TcpSink& sink);
  // Whether all that is queued begins at the place or within the window behind it.
  bool LiesBehind(uint32_t place, const SegmentQueue& queue) const;
  void DropCandidate(TcpCounters& counters);
  void TakeCandidate(const TcpLimits& limits, TcpCounters& counters, TcpSink& sink);
  void End(TcpSink& sink);

  uint32_t next_ = 0;   // the next byte's sequence number: the place
  uint32_t first_ = 0;  // the first byte's
  uint32_t fin_sequence_ = 0;
  uint32_t acknowledged_ = 0;
  uint32_t gap_ = 0;     // missing right before next_, not reported yet
  uint16_t window_ = 0;  // the largest that the receiver announced, not scaled
  uint16_t window_scale_ : 4 = 14;
  uint16_t known_ : 1 = false;
  uint16_t started_ : 1 = false;
  uint16_t passed_any_ : 1 = false;
  uint16_t fin_seen_ : 1 = false;
  uint16_t ended_ : 1 = false;
  uint16_t acknowledged_known_ : 1 = false;
  uint16_t checksums_right_ : 1 = false;
  uint16_t interface_ : 5 = 0;      // and one; 0: not known
  std::unique_ptr<Detour> detour_;  // what a stream needs that is not all in order
};
static_assert(sizeof(TcpHalf) <= 32);

}  // namespace vedette
