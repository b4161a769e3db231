// How much of a direction the capture does not have. See loss_counters.h.
#include <algorithm>

#include "sensor/decode/tcp_header.h"
#include "sensor/flow/tcp_detour.h"
#include "sensor/flow/tcp_half.h"

namespace vedette {

bool TcpHalf::IsJudged() const { return acknowledged_known_ && (started_ || next_ - first_ >= kUnsettledBytes); }

uint32_t TcpHalf::RunBytes() const { return next_ - (detour_ == nullptr ? first_ : detour_->run_begin); }

uint32_t TcpHalf::UnjudgedBytes() const { return std::min(RunBytes(), next_ % kBlockBytes); }

uint32_t TcpHalf::AcknowledgedAhead() const {
  const int32_t ahead = SequenceDistance(acknowledged_, next_);
  return acknowledged_known_ && ahead > 0 && InWindow(acknowledged_) ? static_cast<uint32_t>(ahead) : 0;
}

void TcpHalf::JudgeBlock(uint32_t before, TcpSink& sink) const {
  if (!acknowledged_known_) return;
  const uint32_t rest = next_ % kBlockBytes;  // beyond the boundary
  const uint32_t passed = next_ - before, run = RunBytes();
  if (passed >= kBlockBytes || run <= rest) return;  // no packet is as long
  sink.OnJudged({.seen = std::min(run - rest, kBlockBytes)});
}

void TcpHalf::JudgeHole(uint32_t length, TcpSink& sink) {
  if (!IsJudged()) return;
  Detour& d = *detour_;
  const uint64_t around = uint64_t{std::min(RunBytes(), kBlockBytes)} + d.held.bytes();
  const uint64_t most = std::min<uint64_t>(around * kMostTimesSeen, kBlockBytes);
  JudgedBytes judged{.seen = UnjudgedBytes()};
  judged.unseen = static_cast<uint32_t>(std::min<uint64_t>(std::min(length, AcknowledgedAhead()), most));
  if (judged.unseen != 0) {
    judged.first_loss = !d.lost_any;
    d.lost_any = true;
    d.hole_begin = next_;
    d.hole_bytes = length;
    d.hole_unseen = judged.unseen;
  }
  sink.OnJudged(judged);
}

void TcpHalf::JudgeLate(const TcpSegment& segment, TcpSink& sink) {
  if (detour_ == nullptr || detour_->hole_unseen == 0) return;
  Detour& d = *detour_;
  const uint32_t from = segment.sequence - d.hole_begin;
  if (from >= d.hole_bytes) return;
  const auto bytes = static_cast<uint32_t>(segment.payload.size()) + segment.missing_bytes;
  const uint32_t late = std::min({bytes, d.hole_bytes - from, d.hole_unseen});
  d.hole_unseen -= late;
  sink.OnJudged({.late = late});
}

void TcpHalf::JudgeSeen(TcpSink& sink) const {
  if (IsJudged() && UnjudgedBytes() != 0) sink.OnJudged({.seen = UnjudgedBytes()});
}

void TcpHalf::JudgeEnd(bool sent_any, TcpSink& sink) {
  if (!known_ || !acknowledged_known_) return;
  if (!sent_any) {
    const int32_t all = SequenceDistance(acknowledged_, first_);
    if (all > 1) sink.OnJudged({.one_way = static_cast<uint32_t>(all)});  // one byte is the FIN
    return;
  }
  if (!IsJudged()) return;
  JudgedBytes judged{.seen = UnjudgedBytes()};
  uint32_t ahead = AcknowledgedAhead();
  if (fin_seen_) ahead = std::min(ahead, fin_sequence_ - next_);
  const bool settled = detour_ == nullptr || detour_->candidate == nullptr;  // else the stream may be elsewhere
  if (ahead > 1 && settled) {
    const uint32_t most = std::max(std::min(RunBytes(), kBlockBytes / kMostTimesSeen) * kMostTimesSeen, kLeastTail);
    judged.unseen = std::min(ahead, most);
    judged.first_loss = detour_ == nullptr || !detour_->lost_any;
  }
  if (judged.seen != 0 || judged.unseen != 0) sink.OnJudged(judged);
}

}  // namespace vedette
