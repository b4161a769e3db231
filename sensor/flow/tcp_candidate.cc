// The other place at which a direction may be: how segments gather there, and when it wins. See tcp_half.h.
#include <cstdlib>
#include <utility>

#include "sensor/decode/tcp_header.h"
#include "sensor/flow/tcp_detour.h"

namespace vedette {
namespace {

// Segments near neither place nor candidate until a candidate that had something for it gives way to them.
constexpr uint8_t kMaxStrays = 8;
// What waits at a candidate lies so near its first segment: sequence numbers farther apart would have no order.
constexpr int64_t kCandidateReachBytes = int64_t{64} << 20;

}  // namespace

// The detour is there.
void TcpHalf::OpenCandidate(uint32_t sequence, TcpCounters& counters) {
  DropCandidate(counters);
  detour_->candidate = std::make_unique<Candidate>(sequence);
  counters.detour_bytes += sizeof(Candidate);
}

// Whether the sequence number goes on behind another SYN, before anything came at the place: that is the SYN's, however
// near the place is.
bool TcpHalf::FollowsSyn(uint32_t sequence) const {
  if (passed_any_ || detour_ == nullptr || detour_->candidate == nullptr || sequence == next_) return false;
  const Candidate& candidate = *detour_->candidate;
  return candidate.from_syn && sequence == candidate.run_end;
}

void TcpHalf::SetAside(const TcpSegment& segment, const TcpLimits& limits, TcpCounters& counters, TcpSink& sink) {
  sink.OnAside(segment.payload);
  Detour& d = DetourOf(counters);
  const auto window = static_cast<int64_t>(WindowBytes());
  Candidate* candidate = d.candidate.get();
  if (candidate != nullptr) {
    const int64_t distance = SequenceDistance(segment.sequence, candidate->run_end);
    const int64_t from_anchor = SequenceDistance(segment.sequence, candidate->anchor);
    if (std::abs(distance) > window || std::abs(from_anchor) > kCandidateReachBytes) {
      ++counters.out_of_window;
      if (candidate->HasEvidence() && ++candidate->strays < kMaxStrays) return;
      candidate = nullptr;
    } else {
      ++counters.at_candidate;
    }
  } else {
    ++counters.out_of_window;
  }
  const uint32_t end = EndOf(segment);
  if (candidate == nullptr) {
    OpenCandidate(segment.sequence, counters);
    candidate = d.candidate.get();
  }
  candidate->strays = 0;
  if (SequenceDistance(segment.sequence, candidate->begin) < 0) candidate->begin = segment.sequence;
  const bool behind_syn = candidate->from_syn && segment.sequence == candidate->run_begin;
  if (segment.sequence == candidate->run_end) {
    if (candidate->segments < UINT8_MAX) ++candidate->segments;
    candidate->run_end = end;
  } else if (SequenceDistance(segment.sequence, candidate->run_begin) < 0 ||
             SequenceDistance(end, candidate->run_end) > 0) {
    candidate->segments = 1;
    candidate->run_begin = segment.sequence;
    candidate->run_end = end;
  }
  SegmentQueue& waiting = candidate->place.held;
  const size_t bytes = waiting.bytes(), segments = waiting.size();
  waiting.Insert(segment.sequence, segment.payload);
  counters.held_bytes += waiting.bytes() - bytes;
  counters.held_segments += waiting.size() - segments;
  MakeRoom(waiting, limits, counters, sink);
  if (candidate->segments <= 1) candidate->run_since_ns = segment.time_ns;
  const bool enough = acknowledged_known_ ? candidate->segments >= kDecidingSegmentsUnanswered &&
                                                segment.time_ns >= candidate->run_since_ns + kUnansweredNs
                                          : candidate->segments >= kDecidingSegments;
  const bool begins = behind_syn && !passed_any_ && !acknowledged_known_;
  if (!candidate->peer_spoke && (enough || begins)) {
    ChangePlace(candidate->run_begin, counters, sink);
  }
}

void TcpHalf::OnAcknowledgment(uint32_t sequence, TcpCounters& counters, TcpSink& sink) {
  if (fin_reached() && !ended_ && sequence == fin_sequence_ + 1) End(sink);
  if (detour_ == nullptr) return;
  Detour& d = *detour_;
  TellCopies(counters, sink);  // before the answer to them
  while (SequenceDistance(sequence, next_) > 0 && InWindow(sequence) && PassDoubted(counters, sink)) continue;
  d.peer_spoke = true;
  if (d.candidate == nullptr) return;
  Candidate& candidate = *d.candidate;
  const SegmentQueue& waiting = candidate.place.held;
  const uint32_t high = waiting.empty() ? candidate.begin : waiting.back().end();
  const int32_t from_begin = SequenceDistance(sequence, candidate.begin);
  const bool into_it = (candidate.from_syn ? from_begin >= 0 : from_begin > 0) && SequenceDistance(sequence, high) <= 0;
  if (!into_it) {
    candidate.acknowledgments = 0;
    candidate.peer_spoke = true;
  } else if (++candidate.acknowledgments >= kDecidingAcknowledgments) {
    ChangePlace(sequence, counters, sink);
  }
}

// The stream is at the candidate, where everything that begins before `up_to` or there comes out. The old place is the
// candidate then, unless nothing had come there and a SYN or the peer speaks for the new one.
void TcpHalf::ChangePlace(uint32_t up_to, TcpCounters& counters, TcpSink& sink) {
  Detour& d = *detour_;
  const std::unique_ptr<Candidate> won = std::move(d.candidate);
  counters.detour_bytes -= sizeof(Candidate);
  // Where nothing was passed on yet, what is held ahead of the old place may be ahead of the new one as well.
  const bool is_spoken_for = won->from_syn || won->acknowledgments >= kDecidingAcknowledgments;
  const bool first_place = !passed_any_ && !won->was_place && is_spoken_for && LiesBehind(won->begin, d.held);
  if (first_place) {
    counters.held_bytes -= d.held.bytes() + won->place.held.bytes();
    counters.held_segments -= d.held.size() + won->place.held.size();
    while (!d.held.empty()) {
      const SegmentQueue::Segment segment = d.held.PopFront();
      won->place.held.Insert(segment.sequence, segment.bytes);
    }
    counters.held_bytes += won->place.held.bytes();
    counters.held_segments += won->place.held.size();
  }
  ++counters.place_changes;
  if (won->was_place) ++counters.place_reversals;
  if (!first_place) {
    OpenCandidate(next_, counters);
    Candidate& old = *d.candidate;
    old.was_place = true;
    old.place = {
        next_, d.run_begin, gap_, passed_any_ != 0, started_ != 0, std::move(d.held), std::move(d.other_copies)};
    // They are of bytes near that place, and wait there; it may never come back.
    for (const SegmentQueue::Segment& copy : old.place.other_copies) sink.OnAside(copy.bytes);
    d.other_copies = std::move(won->place.other_copies);
  }
  d.held = std::move(won->place.held);
  d.padding = 0;
  d.peer_spoke = false;
  d.syn_pending = false;
  fin_seen_ = ended_ = false;
  if (won->was_place) {
    next_ = won->place.next;
    d.run_begin = won->place.run_begin;
    gap_ = won->place.gap;
    passed_any_ = won->place.passed_any;
    started_ = won->place.started;
  } else {
    next_ = d.held.empty() ? won->begin : d.held.front().sequence;
    if (won->from_syn) next_ = won->begin;
    d.run_begin = next_;
    if (first_place) {
      first_ = next_;
      started_ = won->from_syn;
    } else {
      gap_ = 1;  // how much is missing cannot be told
      ++counters.gaps;
    }
  }
  if (!first_place) sink.OnPlaceChange(won->was_place);
  PassUpTo(up_to, counters, sink);
}

bool TcpHalf::LiesBehind(uint32_t place, const SegmentQueue& queue) const {
  if (queue.empty()) return true;
  const int32_t first = SequenceDistance(queue.front().sequence, place);
  const int32_t last = SequenceDistance(queue.back().sequence, place);
  return first >= 0 && last >= 0 && static_cast<uint32_t>(last) <= WindowBytes();
}

void TcpHalf::DropCandidate(TcpCounters& counters) {
  if (detour_ == nullptr || detour_->candidate == nullptr) return;
  const SegmentQueue& waiting = detour_->candidate->place.held;
  counters.held_bytes -= waiting.bytes();
  counters.held_segments -= waiting.size();
  counters.detour_bytes -= sizeof(Candidate);
  for (const SegmentQueue::Segment& copy : detour_->candidate->place.other_copies) {
    counters.detour_bytes -= copy.bytes.size() + kSegmentOverheadBytes;
  }
  detour_->candidate.reset();
}

// The stream came near the candidate: what waits there is ahead of the place now.
void TcpHalf::TakeCandidate(const TcpLimits& limits, TcpCounters& counters, TcpSink& sink) {
  Detour& d = *detour_;
  const std::unique_ptr<Candidate> candidate = std::move(d.candidate);
  counters.detour_bytes -= sizeof(Candidate);
  SegmentQueue& waiting = candidate->place.held;
  counters.held_bytes -= waiting.bytes();
  counters.held_segments -= waiting.size();
  const size_t bytes = d.held.bytes(), segments = d.held.size();
  while (!waiting.empty()) {
    const SegmentQueue::Segment segment = waiting.PopFront();
    if (InWindow(segment.sequence)) d.held.Insert(segment.sequence, segment.bytes);
  }
  counters.held_bytes += d.held.bytes() - bytes;
  counters.held_segments += d.held.size() - segments;
  MakeRoom(d.held, limits, counters, sink);
  Drain(counters, sink);
}

}  // namespace vedette
