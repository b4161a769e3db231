#include "tests/injection/injector.h"

#include <algorithm>

#include "sensor/decode/link.h"

namespace vedette::injection {
namespace {

bool Before(uint32_t a, uint32_t b) { return static_cast<int32_t>(a - b) < 0; }

void LearnOptions(const Frame& frame, const TcpFrame& tcp, Side& side) {
  constexpr uint8_t kEnd = 0, kNoOperation = 1, kWindowScale = 3, kTimestamp = 8;
  for (uint32_t at = tcp.tcp + 20; at < tcp.payload && frame.data[at] != kEnd;) {
    if (frame.data[at] == kNoOperation) {
      ++at;
      continue;
    }
    if (at + 1 >= tcp.payload || frame.data[at + 1] < 2 || at + frame.data[at + 1] > tcp.payload) return;
    if (frame.data[at] == kWindowScale && tcp.has(kSyn) && frame.data[at + 1] == 3) {
      side.scale = std::min<uint8_t>(frame.data[at + 2], 14);
    }
    if (frame.data[at] == kTimestamp) side.has_timestamp = true;
    at += frame.data[at + 1];
  }
}

}  // namespace

void Injector::Walk(const Trace& trace, Rng& rng, Injected& out, const Visit& visit, uint32_t max_connections) {
  out.frames.reserve(trace.frames().size() * 2);
  out.touched.assign(trace.connections().size(), false);
  Injector injector(trace, rng, out);
  injector.states_.resize(trace.connections().size());
  for (size_t i = 0; i < trace.frames().size(); ++i) {
    const Frame& frame = trace.frames()[i];
    if (trace.tcp(i) == nullptr || trace.connection(i) >= max_connections) {
      out.frames.push_back(frame);
      continue;
    }
    injector.connection_ = trace.connection(i);
    injector.frame_ = &frame;
    const Connection& connection = trace.connections()[injector.connection_];
    const size_t side = trace.side(i);
    const Step step{i,
                    frame,
                    connection,
                    *trace.tcp(i),
                    side,
                    injector.states_[injector.connection_].num_data[side],
                    connection.forge == i,
                    connection.middle == i};
    visit(injector, step);
    injector.Learn(step);
  }
}

void Injector::Learn(const Step& step) {
  State& state = states_[connection_];
  Side& side = state.sides[step.side];
  Side& peer = state.sides[1 - step.side];
  const TcpFrame& tcp = step.tcp;
  LearnOptions(step.frame, tcp, side);
  const uint32_t end = tcp.sequence + tcp.length();
  if (!tcp.has(kRst) && (!side.known || side.pattern == nullptr || tcp.has(kSyn) || Before(side.next, end))) {
    side.next = end;
    side.known = true;
  }
  // Where the peer itself was not captured.
  if (peer.pattern == nullptr && tcp.has(kAck) && (!peer.known || Before(peer.next, tcp.acknowledgment))) {
    peer.next = tcp.acknowledgment;
    peer.known = true;
  }
  side.pattern = &step.frame;
  side.parsed = tcp;
  if (tcp.payload_bytes != 0) ++state.num_data[step.side];
}

void Injector::Keep() { out_.frames.push_back(*frame_); }

void Injector::KeepWithTime(uint64_t time_ns) {
  Keep();
  out_.frames.back().time_ns = time_ns;
  Touch();
}

bool Injector::CanForge(size_t side) const {
  return of(side).known && (of(0).pattern != nullptr || of(1).pattern != nullptr);
}

Segment Injector::Next(size_t side) const {
  Segment segment;
  segment.sequence = of(side).next;
  segment.acknowledgment = of(1 - side).next;
  segment.flags = of(1 - side).known ? kAck : 0;
  return segment;
}

uint32_t Injector::WindowOf(size_t side) const {
  const Side& peer = of(1 - side);
  return peer.pattern == nullptr ? 65535 : uint32_t{peer.parsed.window} << peer.scale;
}

void Injector::Forge(size_t side, const Segment& segment) {
  const bool reversed = of(side).pattern == nullptr;
  const Side& like = of(reversed ? 1 - side : side);
  if (like.pattern == nullptr) return;
  Emit(Build(*like.pattern, like.parsed, reversed, segment));
}

void Injector::Emit(const std::vector<uint8_t>& bytes) {
  Frame& frame = out_.frames.emplace_back(*frame_);
  frame.data = reinterpret_cast<const uint8_t*>(out_.arena.Copy(AsText(bytes)).data());
  frame.captured_bytes = frame.wire_bytes = static_cast<uint32_t>(bytes.size());
  ++out_.forged;
  Touch();
}

}  // namespace vedette::injection
