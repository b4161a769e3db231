#include "sensor/flow/tcp_half.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "sensor/decode/tcp_header.h"
#include "sensor/flow/recent_segments.h"
#include "sensor/flow/tcp_detour.h"

namespace vedette {
namespace {

// Copies that differ from what is held wait for their turn; more are only told as set aside.
constexpr size_t kMaxOtherCopies = 8;

uint64_t HashOf(const TcpSegment& segment) {
  return RecentSegments::HashOf(segment.sequence, segment.payload, segment.key);
}

}  // namespace

TcpHalf::TcpHalf() = default;
TcpHalf::~TcpHalf() = default;
TcpHalf::TcpHalf(TcpHalf&&) noexcept = default;
TcpHalf& TcpHalf::operator=(TcpHalf&&) noexcept = default;

TcpHalf::Detour& TcpHalf::DetourOf(TcpCounters& counters) {
  if (detour_ == nullptr) {
    detour_ = std::make_unique<Detour>();
    detour_->run_begin = first_;
    counters.detour_bytes += sizeof(Detour);
  }
  return *detour_;
}

void TcpHalf::MissCut(uint32_t bytes, TcpCounters& counters, TcpSink& sink) {
  if (bytes == 0) return;
  const uint32_t before = next_;
  Miss(bytes, counters);
  if ((before ^ next_) >= kBlockBytes) JudgeBlock(before, sink);
}

bool TcpHalf::Holds() const { return detour_ != nullptr && !detour_->held.empty(); }

uint32_t TcpHalf::WindowBytes() const {
  const uint64_t bytes = (uint64_t{window_} << window_scale_) * 2;
  return static_cast<uint32_t>(std::clamp<uint64_t>(bytes, kMinWindowBytes, kMaxWindowBytes));
}

bool TcpHalf::InWindow(uint32_t sequence) const {
  if (!known_) return true;
  const auto window = static_cast<int64_t>(WindowBytes());
  const int64_t distance = SequenceDistance(sequence, next_);
  return distance <= window && distance >= -window;
}

bool TcpHalf::SeenBefore(uint32_t sequence) const {
  const uint32_t begin = detour_ == nullptr ? first_ : detour_->run_begin;
  return next_ - sequence <= next_ - begin;
}

void TcpHalf::OnSyn(uint32_t syn_sequence, TcpCounters& counters) {
  const uint32_t place = syn_sequence + 1;
  if (!known_ || (!started_ && !passed_any_ && !Holds())) {
    next_ = first_ = place;
    known_ = started_ = true;
    if (detour_ != nullptr) detour_->run_begin = place;
    return;
  }
  if (place == first_ || place == next_) return;  // once more
  Detour& d = DetourOf(counters);
  if (d.syn_pending && d.syn_place == place) return;
  ++counters.syns_in_stream;
  d.syn_pending = true;
  d.syn_place = place;
  if (d.candidate != nullptr && d.candidate->HasEvidence() && !d.candidate->from_syn) return;
  OpenCandidate(place, counters);
  d.candidate->from_syn = true;
  d.candidate->segments = 1;
}

bool TcpHalf::SynIsAcknowledged(uint32_t acknowledgment) const {
  return detour_ != nullptr && detour_->syn_pending && detour_->syn_place == acknowledgment;
}

bool TcpHalf::SynIsContinued(uint32_t sequence) const {
  return detour_ != nullptr && detour_->syn_pending && !acknowledged_known_ && detour_->syn_place == sequence;
}

// The place is known from an acknowledgment only, and what it acknowledged comes now: the capture has the answer before
// the question. Begins there, where nothing lies between. One byte alone is a keep-alive's (RFC 9293 section 3.8.4).
void TcpHalf::TakeAcknowledged(uint32_t sequence, uint32_t length) {
  const int32_t before = SequenceDistance(next_, sequence);
  if (before > 0 && length > 1 && static_cast<uint32_t>(before) <= length && gap_ == 0 && !Holds()) {
    next_ = first_ = sequence;
    if (detour_ != nullptr) detour_->run_begin = sequence;
  }
}

// Whether the checksum is wrong in a direction whose others are right: that of its SYN, and that of data which came at
// its place and was not doubted.
bool TcpHalf::IsCheckedWrong(const TcpSegment& segment) const {
  return checksums_right_ && detour_ != nullptr && detour_->checked && segment.packet != nullptr &&
         ChecksumOf(*segment.packet) == Checksum::kWrong;
}

// A segment came at its place while the stream is looked at closely: what its checksum says of the others.
void TcpHalf::LearnChecksum(const TcpSegment& segment) {
  Detour& d = *detour_;
  if (!checksums_right_ || d.checked || segment.packet == nullptr) return;
  const Checksum checksum = ChecksumOf(*segment.packet);
  if (checksum == Checksum::kRight) d.checked = true;
  if (checksum == Checksum::kWrong) checksums_right_ = false;
}

void TcpHalf::OnIrregular(const TcpSegment& segment, const TcpLimits& limits, TcpCounters& counters, TcpSink& sink) {
  const uint32_t end = EndOf(segment);
  if (!passed_any_ && !started_) TakeAcknowledged(segment.sequence, end - segment.sequence);
  if (end != segment.sequence) {
    ++counters.segments;
    if (detour_ != nullptr && detour_->padding != 0) SettlePadding(segment, counters, sink);
    if (segment.may_be_padding && segment.sequence == next_ && !segment.fin && !Holds()) {
      DetourOf(counters).padding = static_cast<uint8_t>(segment.payload.size());
      return;
    }
  }
  const bool in_window = InWindow(segment.sequence) && !FollowsSyn(segment.sequence);
  const bool begins_unseen = SequenceDistance(segment.sequence, next_) < 0 && !SeenBefore(segment.sequence);
  if (interface_ == 0 && segment.packet != nullptr) SetInterface(segment.packet->frame->file);
  if (!in_window || (begins_unseen && SequenceDistance(end, next_) <= 0)) {
    if (in_window) JudgeLate(segment, sink);
    if (end != segment.sequence) SetAside(segment, limits, counters, sink);
    return;
  }
  if (end != segment.sequence) OnStreamSegment(segment, limits, counters, sink);
  if (!segment.fin) return;
  NoteFin(end);
  if (fin_reached() && !ended_ && acknowledged_known_ && acknowledged_ == fin_sequence_ + 1) End(sink);
}

// `end`: where the FIN stands.
void TcpHalf::NoteFin(uint32_t end) {
  if (ended_ || SequenceDistance(end, next_) < 0) return;
  fin_seen_ = true;
  fin_sequence_ = end;
}

void TcpHalf::SettlePadding(const TcpSegment& segment, TcpCounters& counters, TcpSink& sink) {
  static constexpr std::array<uint8_t, 8> kZeros{};
  Detour& d = *detour_;
  const int32_t ahead = SequenceDistance(segment.sequence, next_);
  if (ahead == 0 && segment.may_be_padding) return;
  if (ahead == d.padding) {
    const size_t length = std::exchange(d.padding, uint8_t{0});
    Pass(Bytes(kZeros).first(length), sink);
    return;
  }
  if (ahead > d.padding || SequenceDistance(EndOf(segment), next_) <= 0) return;
  // It covers the place: it says what stands there.
  const Bytes covered =
      segment.payload.subspan(std::min<size_t>(ahead < 0 ? static_cast<size_t>(-ahead) : 0, segment.payload.size()));
  const Bytes first = covered.first(std::min<size_t>(covered.size(), d.padding));
  if (std::any_of(first.begin(), first.end(), [](uint8_t byte) { return byte != 0; })) ++counters.padding;
  d.padding = 0;
}

void TcpHalf::OnStreamSegment(const TcpSegment& whole, const TcpLimits& limits, TcpCounters& counters, TcpSink& sink) {
  TcpSegment segment = whole;
  const uint32_t next_before = next_;
  bool is_new = true;
  if (SequenceDistance(segment.sequence, next_) < 0) {
    is_new = TrimSeen(segment, counters, sink);
  } else if (detour_ != nullptr && detour_->recent != nullptr) {
    detour_->recent->Add(HashOf(whole));
  }
  // Only now, so that a copy of what came before them is told before them.
  if (detour_ != nullptr) TellCopies(counters, sink);
  if (!is_new) return;
  if (detour_ != nullptr && segment.sequence == next_ && whole.sequence == next_) LearnChecksum(whole);
  if (ended_ && segment.sequence == next_ && !segment.payload.empty()) {
    // What comes in the FIN's place shows that it was not the end.
    ended_ = false;
    fin_seen_ = false;
    sink.OnPlaceChange(false);
  }
  const size_t held_before = Holds() ? detour_->held.size() : 0;
  if (segment.sequence != next_) {
    Hold(segment, limits, counters, sink);
  } else if (held_before == 0) {
    Pass(segment.payload, sink);
    MissCut(segment.missing_bytes, counters, sink);
  } else {
    PassOverHeld(segment, counters, sink);
  }
  if (fin_seen_ && SequenceDistance(next_, fin_sequence_) > 0) fin_seen_ = false;  // it was not the end
  if (detour_ == nullptr) return;
  Detour& d = *detour_;
  if (Holds()) {
    Drain(counters, sink);
    if (Holds() && acknowledged_known_ && SequenceDistance(acknowledged_, d.held.front().sequence) >= 0 &&
        d.held.size() >= limits.acknowledged_segments) {
      PassHole(counters, sink);
    }
  }
  if (fin_seen_ && SequenceDistance(next_, fin_sequence_) > 0) fin_seen_ = false;
  if (next_ != next_before) d.syn_pending = false;  // the stream went on at its place
  if (d.candidate != nullptr) {
    d.candidate->segments = 0;
    const uint32_t begin = d.candidate->begin;
    const bool near = SequenceDistance(begin, next_) >= 0 && InWindow(begin);
    if (near && !d.candidate->was_place && !d.candidate->from_syn) TakeCandidate(limits, counters, sink);
  }
}

bool TcpHalf::TrimSeen(TcpSegment& segment, TcpCounters& counters, TcpSink& sink) {
  const auto seen = static_cast<uint32_t>(SequenceDistance(next_, segment.sequence));
  const uint32_t length = EndOf(segment) - segment.sequence;
  counters.retransmitted_bytes += std::min(seen, length);
  Detour& d = DetourOf(counters);
  const bool keep_alive = seen == 1 && length == 1;
  if (!keep_alive && !segment.may_be_padding && !segment.payload.empty()) {
    const bool hashed = d.recent != nullptr;
    if (!hashed) d.Remember(counters);
    const uint64_t hash = HashOf(segment);
    if (hashed && d.recent->Has(hash)) {
      ++counters.exact_repeats;
      sink.OnExactRepeat();
    } else {
      ++counters.other_copies;
      if (IsCheckedWrong(segment)) ++counters.checksum_wrong;
      sink.OnAside(segment.payload);
      const Bytes copy = segment.payload.first(std::min<size_t>(segment.payload.size(), seen));
      sink.OnCopy(copy, seen, segment.sequence == first_ && started_);
    }
    d.recent->Add(hash);
  }
  if (seen >= length) return false;
  if (seen >= segment.payload.size()) {
    segment.missing_bytes = length - seen;
    segment.payload = {};
  } else {
    segment.payload = segment.payload.subspan(seen);
  }
  segment.sequence = next_;
  return true;
}

// The segment begins at the place and reaches into what is held. What comes in its turn wins: of two copies the one
// that was sent ahead of its turn is the other.
void TcpHalf::PassOverHeld(const TcpSegment& segment, TcpCounters& counters, TcpSink& sink) {
  Detour& d = *detour_;
  const bool contradicts = !segment.payload.empty() && d.held.Contradicts(segment.sequence, segment.payload);
  if (contradicts && IsCheckedWrong(segment)) {
    // What was held leads; this one is the other copy.
    ++counters.checksum_wrong;
    ++counters.other_copies;
    const size_t bytes = d.held.bytes(), segments = d.held.size();
    d.held.Insert(segment.sequence, segment.payload);
    counters.held_bytes += d.held.bytes() - bytes;
    counters.held_segments += d.held.size() - segments;
    Drain(counters, sink);
    const auto behind = static_cast<uint32_t>(SequenceDistance(next_, segment.sequence));
    sink.OnAside(segment.payload);
    sink.OnCopy(segment.payload, behind, segment.sequence == first_ && started_);
  } else {
    d.copies_held = contradicts;
    d.doubts_held =
        contradicts && segment.missing_bytes == 0 && d.held.ContradictsAtEnd(segment.sequence, segment.payload);
    Pass(segment.payload, sink);
    Drain(counters, sink);
    d.copies_held = d.doubts_held = false;
  }
  const int32_t missing = SequenceDistance(EndOf(segment), next_);
  if (segment.missing_bytes == 0 || missing <= 0) return;
  // Held bytes may fill part of what this capture cut off.
  const int32_t room = Holds() ? SequenceDistance(d.held.front().sequence, next_) : missing;
  MissCut(static_cast<uint32_t>(std::min(room, missing)), counters, sink);
}

void TcpHalf::Hold(const TcpSegment& segment, const TcpLimits& limits, TcpCounters& counters, TcpSink& sink) {
  if (segment.payload.empty()) return;
  Detour& d = DetourOf(counters);
  ++counters.out_of_order;
  if (d.held.empty()) d.peer_spoke = false;
  if (d.held.Contradicts(segment.sequence, segment.payload)) {
    ++counters.other_copies;
    if (IsCheckedWrong(segment)) ++counters.checksum_wrong;
    if (d.recent == nullptr) d.Remember(counters);
    if (d.other_copies.size() < kMaxOtherCopies) {
      d.other_copies.push_back({segment.sequence, {segment.payload.begin(), segment.payload.end()}});
      counters.detour_bytes += segment.payload.size() + kSegmentOverheadBytes;
    } else {
      sink.OnAside(segment.payload);
    }
  }
  const size_t bytes = d.held.bytes(), segments = d.held.size();
  d.held.Insert(segment.sequence, segment.payload);
  counters.held_bytes += d.held.bytes() - bytes;
  counters.held_segments += d.held.size() - segments;
  MakeRoom(d.held, limits, counters, sink);
}

// Within the limits again: where the receiver is not heard, the hole in front of the first three segments that follow
// each other is passed over; else what is farthest goes.
void TcpHalf::MakeRoom(SegmentQueue& queue, const TcpLimits& limits, TcpCounters& counters, TcpSink& sink) {
  const bool at_place = &queue == &detour_->held;
  bool may_pass = at_place && !detour_->peer_spoke;
  while (!queue.empty()) {
    const bool half_full = queue.bytes() > limits.half_bytes || queue.size() > limits.half_segments;
    const bool total_full = counters.held_bytes + counters.held_segments * kSegmentOverheadBytes > limits.total_bytes;
    if (!half_full && !total_full) return;
    ++(half_full ? counters.flow_limit_hit : counters.total_limit_hit);
    uint32_t run = 0;
    if (may_pass && queue.FindRun(kDecidingSegments, run)) {
      PassUpTo(run, counters, sink);
      may_pass = false;
      continue;
    }
    const SegmentQueue::Segment farthest = queue.PopBack();
    counters.held_bytes -= farthest.bytes.size();
    --counters.held_segments;
    ++counters.queue_full;
    if (at_place) sink.OnAside(farthest.bytes);  // at the candidate it was told before
  }
}

void TcpHalf::PassHeld(TcpCounters& counters, TcpSink& sink) {
  Detour& d = *detour_;
  SegmentQueue::Segment segment = d.held.PopFront();
  counters.held_bytes -= segment.bytes.size();
  --counters.held_segments;
  const int32_t behind = SequenceDistance(next_, segment.sequence);
  const size_t seen = std::min(segment.bytes.size(), static_cast<size_t>(std::max(behind, 0)));
  if (seen != 0 && seen < segment.bytes.size() && d.doubts_held && d.other_copies.size() < kMaxOtherCopies) {
    ++counters.other_copies;
    counters.detour_bytes += segment.bytes.size() + kSegmentOverheadBytes;
    d.other_copies.push_back(std::move(segment));
    return;
  }
  if (seen != 0 && d.copies_held) {
    ++counters.other_copies;
    sink.OnAside(segment.bytes);
    sink.OnCopy(Bytes(segment.bytes).first(seen), static_cast<uint32_t>(behind),
                segment.sequence == first_ && started_);
  }
  Pass(Bytes(segment.bytes).subspan(seen), sink);
}

void TcpHalf::Drain(TcpCounters& counters, TcpSink& sink) {
  while (Holds() && SequenceDistance(detour_->held.front().sequence, next_) <= 0) PassHeld(counters, sink);
}

void TcpHalf::TellCopies(TcpCounters& counters, TcpSink& sink) {
  std::vector<SegmentQueue::Segment>& copies = detour_->other_copies;
  for (size_t i = 0; i < copies.size();) {
    const int32_t behind = SequenceDistance(next_, copies[i].sequence);
    if (behind <= 0 || SequenceDistance(copies[i].end(), next_) > 0) {
      ++i;
      continue;
    }
    sink.OnAside(copies[i].bytes);
    sink.OnCopy(copies[i].bytes, static_cast<uint32_t>(behind), copies[i].sequence == first_ && started_);
    counters.detour_bytes -= copies[i].bytes.size() + kSegmentOverheadBytes;
    copies.erase(copies.begin() + static_cast<std::ptrdiff_t>(i));
  }
}

bool TcpHalf::PassDoubted(TcpCounters& counters, TcpSink& sink) {
  std::vector<SegmentQueue::Segment>& copies = detour_->other_copies;
  const auto doubted = std::find_if(copies.begin(), copies.end(), [&](const SegmentQueue::Segment& copy) {
    return SequenceDistance(next_, copy.sequence) > 0 && SequenceDistance(copy.end(), next_) > 0;
  });
  if (doubted == copies.end()) return false;
  const SegmentQueue::Segment segment = std::move(*doubted);
  copies.erase(doubted);
  counters.detour_bytes -= segment.bytes.size() + kSegmentOverheadBytes;
  const uint32_t seen = next_ - segment.sequence;
  sink.OnAside(segment.bytes);
  sink.OnCopy(Bytes(segment.bytes).first(seen), seen, segment.sequence == first_ && started_);
  Pass(Bytes(segment.bytes).subspan(seen), sink);
  Drain(counters, sink);
  TellCopies(counters, sink);
  return true;
}

void TcpHalf::PassHole(TcpCounters& counters, TcpSink& sink) {
  const int32_t distance = SequenceDistance(detour_->held.front().sequence, next_);
  if (distance > 0 && PassDoubted(counters, sink)) return;
  if (distance > 0) {
    JudgeHole(static_cast<uint32_t>(distance), sink);
    Miss(static_cast<uint32_t>(distance), counters);
    detour_->run_begin = next_;
  }
  Drain(counters, sink);
}

void TcpHalf::PassUpTo(uint32_t sequence, TcpCounters& counters, TcpSink& sink) {
  while (Holds() && SequenceDistance(detour_->held.front().sequence, sequence) <= 0) PassHole(counters, sink);
}

void TcpHalf::PassAllHeld(TcpCounters& counters, TcpSink& sink) {
  while (Holds()) PassHole(counters, sink);
}

void TcpHalf::End(TcpSink& sink) {
  ended_ = true;
  const uint64_t gap = gap_;
  gap_ = 0;
  sink.OnData(Bytes{}, gap, false, true);
}

void TcpHalf::Finish(TcpCounters& counters, TcpSink& sink, bool sent_any) {
  static constexpr std::array<uint8_t, 8> kZeros{};
  const bool had_detour = detour_ != nullptr;
  if (had_detour) {
    Detour& d = *detour_;
    if (d.padding != 0) Pass(Bytes(kZeros).first(std::exchange(d.padding, uint8_t{0})), sink);
    const auto waits = [&] { return d.candidate != nullptr && !d.candidate->place.held.empty(); };
    if (waits() && !passed_any_ && !Holds()) {
      d.candidate->acknowledgments = kDecidingAcknowledgments;  // nobody contradicts it
      ChangePlace(d.candidate->begin, counters, sink);
    }
    PassAllHeld(counters, sink);
    TellCopies(counters, sink);
    while (PassDoubted(counters, sink)) continue;
    JudgeEnd(sent_any, sink);
    acknowledged_known_ = false;  // what waits elsewhere is not judged
    if (waits()) {
      if (!ended_) End(sink);
      ChangePlace(d.candidate->begin, counters, sink);
      PassAllHeld(counters, sink);
    }
  }
  if (!had_detour) JudgeEnd(sent_any, sink);
  if (!ended_) End(sink);
  Abandon(counters);
}

void TcpHalf::Follow(uint32_t sequence, uint32_t bytes, bool fin) {
  if (!known_) StartAt(sequence, false);
  if (!InWindow(sequence)) return;
  const uint32_t end = sequence + bytes;
  if (SequenceDistance(end, next_) > 0) {
    next_ = end;
    if (detour_ != nullptr) detour_->syn_pending = false;
    if (fin_seen_ && SequenceDistance(next_, fin_sequence_) > 0) fin_seen_ = false;
  }
  if (fin) NoteFin(end);
}

TcpHalf TcpHalf::TakeOver() {
  TcpHalf out(std::move(*this));  // the place is copied, what is held moves
  return out;
}

void TcpHalf::Abandon(TcpCounters& counters) {
  if (detour_ == nullptr) return;
  DropCandidate(counters);
  counters.held_bytes -= detour_->held.bytes();
  counters.held_segments -= detour_->held.size();
  counters.detour_bytes -= sizeof(Detour) + (detour_->recent == nullptr ? 0 : sizeof(RecentSegments));
  for (const SegmentQueue::Segment& copy : detour_->other_copies) {
    counters.detour_bytes -= copy.bytes.size() + kSegmentOverheadBytes;
  }
  detour_.reset();
}

}  // namespace vedette
