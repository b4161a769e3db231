#include <fmt/format.h>

#include <algorithm>

#include "tests/injection/variants.h"

namespace vedette::injection {
namespace {

using Inject = std::function<void(const Trace&, Rng&, Injected&)>;

void TouchAll(const Trace& trace, Injected& out) { out.touched.assign(trace.connections().size(), true); }

// `visit` keeps the frame itself.
Inject Walked(std::function<void(Injector&, const Step&)> visit) {
  return [visit = std::move(visit)](const Trace& trace, Rng& rng, Injected& out) {
    Injector::Walk(trace, rng, out, visit);
  };
}

Bytes PayloadOf(const Step& step) { return {step.frame.data + step.tcp.payload, step.tcp.captured_payload_bytes}; }

// Bytes [begin, end) of the frame's payload as a segment of their own; the last one has its FIN.
void Piece(Injector& in, const Step& step, size_t begin, size_t end) {
  Segment segment;
  segment.sequence = step.tcp.sequence + (step.tcp.has(kSyn) ? 1 : 0) + static_cast<uint32_t>(begin);
  segment.acknowledgment = step.tcp.acknowledgment;
  const bool last = end == step.tcp.payload_bytes;
  segment.flags = static_cast<uint8_t>(last ? step.tcp.flags : step.tcp.flags & ~(kFin | kPsh));
  segment.payload = PayloadOf(step).subspan(begin, end - begin);
  segment.options = Options::kKeep;
  in.Emit(Build(step.frame, step.tcp, false, segment));
}

bool CanBeCut(const Step& step) {
  return step.tcp.payload_bytes >= 2 && step.tcp.whole() && !step.tcp.has(kSyn) && !step.tcp.has(kRst);
}

void AddDoubled(std::vector<Variant>& all) {
  all.push_back({"double-each", "each frame twice, as a doubled mirror shows it", Expect::kKept,
                 Walked([](Injector& in, const Step&) {
                   in.Keep();
                   in.Keep();
                   in.Touch();
                 })});
  all.push_back({"double-data", "each frame with data twice", Expect::kKept, Walked([](Injector& in, const Step& step) {
                   in.Keep();
                   if (!step.has_data()) return;
                   in.Keep();
                   in.Touch();
                 })});
  all.push_back({"double-late", "each frame again, three frames later", Expect::kKept,
                 [](const Trace& trace, Rng&, Injected& out) {
                   for (size_t i = 0; i < trace.frames().size() + 3; ++i) {
                     if (i < trace.frames().size()) out.frames.push_back(trace.frames()[i]);
                     if (i < 3) continue;
                     Frame again = trace.frames()[i - 3];
                     again.time_ns = out.frames.back().time_ns;
                     out.frames.push_back(again);
                   }
                   TouchAll(trace, out);
                 }});
}

void AddCut(std::vector<Variant>& all) {
  all.push_back({"overlap", "each frame with data as two segments that share bytes", Expect::kKept,
                 Walked([](Injector& in, const Step& step) {
                   if (!CanBeCut(step)) return in.Keep();
                   const size_t bytes = step.tcp.payload_bytes;
                   Piece(in, step, 0, bytes - bytes / 3);
                   Piece(in, step, bytes / 3, bytes);
                 })});
  all.push_back(
      {"overlap-reversed", "the same, the second one first", Expect::kKept, Walked([](Injector& in, const Step& step) {
         if (!CanBeCut(step) || !step.follows_known_place()) return in.Keep();
         const size_t bytes = step.tcp.payload_bytes;
         Piece(in, step, bytes / 3, bytes);
         Piece(in, step, 0, bytes - bytes / 3);
       })});
  all.push_back({"sent-again", "after each frame with data its second half and the bytes before it again",
                 Expect::kKept, Walked([](Injector& in, const Step& step) {
                   in.Keep();
                   if (!CanBeCut(step)) return;
                   Piece(in, step, step.tcp.payload_bytes / 2, step.tcp.payload_bytes);
                   Piece(in, step, 0, step.tcp.payload_bytes / 2);
                 })});
  all.push_back({"pieces", "each frame with data in segments of 16 bytes (16 at most)", Expect::kReported,
                 Walked([](Injector& in, const Step& step) {
                   if (!CanBeCut(step)) return in.Keep();
                   size_t at = 0;
                   for (size_t i = 0; i < 15 && at + 16 < step.tcp.payload_bytes; ++i, at += 16) {
                     Piece(in, step, at, at + 16);
                   }
                   Piece(in, step, at, step.tcp.payload_bytes);
                 })});
}

// Frames `count` of one side of a connection that follow each other, the other way round; one run in two.
void Reverse(const Trace& trace, Rng& rng, Injected& out, size_t count) {
  out.frames = trace.frames();
  out.touched.assign(trace.connections().size(), false);
  std::vector<std::vector<size_t>> runs(trace.connections().size());
  std::vector<uint32_t> num_data(trace.connections().size());
  for (size_t i = 0; i < trace.frames().size(); ++i) {
    const TcpFrame* tcp = trace.tcp(i);
    if (tcp == nullptr) continue;
    const uint32_t connection = trace.connection(i);
    std::vector<size_t>& run = runs[connection];
    const bool plain = tcp->payload_bytes != 0 && !tcp->has(kSyn) && !tcp->has(kFin) && !tcp->has(kRst);
    const bool known = trace.connections()[connection].handshake || num_data[connection] > 2;
    if (tcp->payload_bytes != 0) ++num_data[connection];
    if (!run.empty() && (trace.side(run.back()) != trace.side(i) || !plain)) run.clear();
    if (!plain || !known) continue;
    run.push_back(i);
    if (run.size() < count) continue;
    if (rng.OneIn(2)) {
      for (size_t a = 0; a < count; ++a) {
        out.frames[run[a]] = trace.frames()[run[count - 1 - a]];
        out.frames[run[a]].time_ns = trace.frames()[run[a]].time_ns;
      }
      out.touched[connection] = true;
    }
    run.clear();
  }
}

void AddReordered(std::vector<Variant>& all) {
  for (const size_t count : {2u, 4u}) {
    all.push_back({fmt::format("reversed-{}", count),
                   fmt::format("one run in two of {} frames with data of one side comes the other way round", count),
                   Expect::kKept,
                   [count](const Trace& trace, Rng& rng, Injected& out) { Reverse(trace, rng, out, count); }});
  }
}

void AddFragments(std::vector<Variant>& all) {
  for (const bool reversed : {false, true}) {
    all.push_back({reversed ? "fragments-reversed" : "fragments",
                   fmt::format("each frame with data in two IP fragments{}", reversed ? ", the second one first" : ""),
                   Expect::kKept, Walked([=](Injector& in, const Step& step) {
                     std::vector<std::vector<uint8_t>> fragments;
                     if (step.has_data()) {
                       fragments = Fragmented(step.frame, step.tcp, static_cast<uint32_t>(in.rng().Next()));
                     }
                     if (fragments.empty()) return in.Keep();
                     if (reversed) std::swap(fragments[0], fragments[1]);
                     for (const std::vector<uint8_t>& fragment : fragments) in.Emit(fragment);
                   })});
  }
  for (const size_t which : {0u, 1u}) {
    all.push_back({which == 0 ? "fragments-first-only" : "fragments-last-only",
                   "before each frame with data one fragment of a datagram that is never completed", Expect::kKept,
                   BeforeFrames([=](Injector& in, const Step& step) {
                     if (!step.follows_known_place()) return;
                     const auto fragments = Fragmented(step.frame, step.tcp, static_cast<uint32_t>(in.rng().Next()));
                     if (!fragments.empty()) in.Emit(fragments[which]);
                   })});
  }
}

void AddTimes(std::vector<Variant>& all) {
  constexpr uint64_t kTenYears = 315'360'000'000'000'000, kDay = 86'400'000'000'000;
  for (const bool ahead : {true, false}) {
    const char* where = ahead ? "ahead" : "behind";
    all.push_back({fmt::format("time-ten-years-{}", where),
                   "the frame behind the handshake and the one in the middle have a time that cannot be", Expect::kKept,
                   Walked([=](Injector& in, const Step& step) {
                     if (!step.forge_here && !step.middle_here) return in.Keep();
                     const uint64_t now = step.frame.time_ns;
                     in.KeepWithTime(ahead ? now + kTenYears : now - std::min(now, kTenYears));
                   })});
    all.push_back({fmt::format("clock-day-{}", where), "the clock of the whole capture is set, in its middle",
                   Expect::kKept, [=](const Trace& trace, Rng&, Injected& out) {
                     out.frames = trace.frames();
                     for (size_t i = out.frames.size() / 2; i < out.frames.size(); ++i) {
                       uint64_t& time = out.frames[i].time_ns;
                       time = ahead ? time + kDay : time - std::min(time, kDay);
                     }
                     TouchAll(trace, out);
                   }});
  }
}

}  // namespace

void AddRearranged(std::vector<Variant>& all) {
  AddDoubled(all);
  AddCut(all);
  AddReordered(all);
  AddFragments(all);
  AddTimes(all);
}

}  // namespace vedette::injection
