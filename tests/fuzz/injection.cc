// A generated HTTP conversation whose observables are known, with frames put into it that a real host would ignore.
//
// The input: a byte of options, a byte that says how many requests, two initial sequence numbers; then what is
// injected, eight bytes each: where, which side, kind, a distance of four bytes, how many. Both ends are captured
// whole, and each acknowledges what it gets, segment by segment. The options choose one class of injection for the
// whole input:
//
//   control   SYNs anywhere but at the real number, RSTs beside their place, FINs out of the window
//   acks      acknowledgments of anything, from either side, without payload
//   far       one side's segments of other bytes, 32 MB or farther from its position; the other side's frames are real
//   copies    at most four segments of other bytes, before or after the real ones, at the same position; one request
//             may be lost
//   same      frames repeated, in fragments, in overlapping pieces, and one with an impossible time
//   anything  all of that at once, at any distance, with any acknowledgment
//
// Asserted always: one worker with bursts of one frame and three with bursts of 32 find the same; what a flow holds is
// bounded and given back; every frame is accounted for. But for `anything`: each request's URI and host is found, and
// where payload is scanned, each text in it that stands in one segment.
#include <algorithm>
#include <numeric>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "sensor/pipeline/worker.h"
#include "signatures/readers/read_indicators.h"
#include "tests/fuzz/input.h"
#include "tests/injection/conversation.h"
#include "tests/injection/variants.h"

namespace {

using namespace vedette;
using namespace vedette::injection;

constexpr size_t kMaxRequests = 9;
constexpr size_t kMaxInjections = 24;
constexpr uint32_t kFar = uint32_t{1} << 25;     // beyond any window
constexpr uint32_t kBeyond = uint32_t{1} << 17;  // beyond the conversation's window and all of its bytes
// Of one flow: a megabyte at the place of each direction and at another one.
constexpr uint64_t kMaxHeldBytes = uint64_t{4} << 20;
constexpr uint64_t kTenYearsNs = 315'360'000'000'000'000;

enum Class : uint8_t { kControl, kAcks, kFarData, kCopies, kSame, kAnything, kNumClasses };

struct Injection {
  size_t place;  // index of a frame
  size_t side;
  uint8_t kind;
  uint32_t distance;
  uint8_t count;
};

// Place, rank, and what was found there.
using Found = std::tuple<uint64_t, uint64_t, std::string>;

class Collector : public BurstConsumer {
 public:
  void OnBurst(const ObservableBatch& batch, std::span<const EmissionContext> contexts,
               std::span<const EndedFlow> ended_flows) override {
    ended += ended_flows.size();
    for (const Observable& o : batch.observables()) {
      Check(o.context < contexts.size());
      const EmissionContext& context = contexts[o.context];
      std::string text(NameOf(o.kind));
      text += ' ';
      if (o.kind == ObservableKind::kPayload) {
        text += std::to_string(o.pattern);
      } else {
        text += FormOf(o.kind) == ValueForm::kAddress ? o.address.ToString() : std::string(o.text);
      }
      texts.insert(text);
      found.emplace_back(context.packet, context.rank, (o.direction == Direction::kToServer ? "> " : "< ") + text);
    }
  }
  void OnProgress(uint32_t, uint64_t) override {}
  std::vector<Found> found;
  std::set<std::string> texts;
  uint64_t ended = 0;
};

std::string Marker(bool request, size_t number) {
  return (request ? "asked-marker-" : "given-marker-") + std::to_string(number);
}

const std::shared_ptr<const IndicatorSet>& Markers() {
  static const std::shared_ptr<const IndicatorSet> set = [] {
    IndicatorSetBuilder builder;
    std::string error;
    for (size_t i = 0; i < kMaxRequests; ++i) {
      Check(AddFromText("content:" + Marker(true, i), builder, error));
      Check(AddFromText("content:" + Marker(false, i), builder, error));
    }
    CompileReport report;
    return builder.Compile(report);
  }();
  return set;
}

struct RunResult {
  std::vector<Found> found;
  std::set<std::string> texts;
};

RunResult Run(const std::vector<Frame>& frames, bool scan, uint32_t num_workers, size_t burst) {
  RunResult out;
  uint64_t received = 0, accounted = 0;
  for (uint32_t i = 0; i < num_workers; ++i) {
    WorkerOptions options;
    options.decoder.share = {i, num_workers};
    Collector collector;
    Worker worker(options, collector, scan ? MatchKit::Make(Markers(), 0, ObservableMask::All()) : nullptr);
    for (std::span<const Frame> rest = frames; !rest.empty();) {
      const size_t n = std::min(burst, rest.size());
      worker.Process(rest.first(n));
      rest = rest.subspan(n);
      Check(worker.tcp_counters().held_bytes <= kMaxHeldBytes);
    }
    worker.Finish();
    const DecodeCounters& decode = worker.decode_counters();
    received += decode.received;
    accounted += std::accumulate(decode.not_decoded.begin(), decode.not_decoded.end(), decode.decoded);
    Check(worker.tcp_counters().held_bytes == 0 && worker.inspection_counters().parser_held_bytes == 0);
    Check(collector.ended == worker.counters().flows);
    out.found.insert(out.found.end(), collector.found.begin(), collector.found.end());
    out.texts.merge(collector.texts);
  }
  Check(received == frames.size() && accounted == received);
  std::stable_sort(out.found.begin(), out.found.end(), [](const Found& a, const Found& b) {
    return std::tie(std::get<0>(a), std::get<1>(a)) < std::tie(std::get<0>(b), std::get<1>(b));
  });
  return out;
}

Conversation Talk(const Conversation::Ends& ends, size_t requests) {
  Conversation conversation(ends);
  conversation.Open();
  for (size_t i = 0; i < requests; ++i) {
    const std::string number = std::to_string(i);
    std::string request = "GET /uri";
    request.append(number).append(" HTTP/1.1\r\nHost: host").append(number).append(".example\r\nX-Marker: ");
    request.append(Marker(true, i)).append("\r\n\r\n");
    conversation.Send(kClient, request);
    const std::string body = Marker(false, i) + std::string(200 * i, 'z');
    conversation.Send(kServer, "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
  }
  conversation.Close();
  return conversation;
}

// Into [least, 2^32 - least): neither near ahead nor near behind.
uint32_t AtLeast(uint32_t distance, uint32_t least) { return least + distance % (0u - 2 * least); }

void ForgeControl(Injector& in, const Injection& what) {
  Segment segment = in.Next(what.side);
  switch (what.kind % 3) {
    case 0:
      segment.flags = kSyn;
      segment.sequence += AtLeast(what.distance, kBeyond);
      break;
    case 1:
      segment.flags = (what.kind & 4) != 0 ? kRst : kRst | kAck;
      segment.sequence += std::max<uint32_t>(what.distance, 1);
      break;
    default:
      segment.flags = kFin | kAck;
      segment.sequence += AtLeast(what.distance, kBeyond);
  }
  in.Forge(what.side, segment);
}

void ForgeData(Injector& in, const Injection& what, uint32_t distance, uint32_t acknowledgment_distance) {
  const std::vector<uint8_t> bytes = Noise(in.rng(), 1 + size_t{what.kind} * 4);
  for (uint32_t i = 0; i < what.count % 80 + 1u; ++i) {
    Segment segment = in.Next(what.side);
    segment.sequence += distance + i * static_cast<uint32_t>(bytes.size());
    segment.acknowledgment += acknowledgment_distance;
    segment.payload = bytes;
    in.Forge(what.side, segment);
  }
}

void ForgeAck(Injector& in, const Injection& what) {
  Segment segment = in.Next(what.side);
  segment.acknowledgment += what.distance;
  for (uint32_t i = 0; i < what.count % 4 + 1u; ++i, ++segment.acknowledgment) in.Forge(what.side, segment);
}

// Other bytes at the place of the frame at hand.
void ForgeCopy(Injector& in, const Step& step, const Injection& what) {
  const std::vector<uint8_t> bytes = Noise(in.rng(), step.tcp.payload_bytes);
  Segment segment;
  segment.sequence = step.tcp.sequence;
  segment.acknowledgment = step.tcp.acknowledgment;
  segment.payload = bytes;
  segment.ttl = 1;
  segment.wrong_checksum = (what.kind & 2) != 0;
  in.Emit(Build(step.frame, step.tcp, false, segment));
}

// Instead of the frame: its bytes otherwise cut, or with something else that changes nothing.
void SendOtherwise(Injector& in, const Step& step, const Injection& what, bool& time_used) {
  const std::vector<std::vector<uint8_t>> fragments = Fragmented(step.frame, step.tcp, what.distance);
  switch (what.kind % 4) {
    case 0:
      in.Keep();
      in.Keep();
      return;
    case 1:
      if (fragments.empty()) break;
      in.Emit(fragments[what.count & 1]);
      in.Emit(fragments[1 - (what.count & 1)]);
      return;
    case 2:
      if (step.tcp.payload_bytes < 2) break;
      for (const uint32_t begin : {0u, what.distance % step.tcp.payload_bytes}) {
        Segment segment;
        segment.sequence = step.tcp.sequence + begin;
        segment.acknowledgment = step.tcp.acknowledgment;
        segment.payload = step.frame.bytes().subspan(step.tcp.payload + begin, step.tcp.payload_bytes - begin);
        in.Emit(Build(step.frame, step.tcp, false, segment));
      }
      return;
    default:
      if (time_used) break;
      time_used = true;
      in.KeepWithTime((what.count & 1) != 0 ? step.frame.time_ns + kTenYearsNs : step.frame.time_ns - kTenYearsNs);
      return;
  }
  in.Keep();
}

void Inject(Class which, const std::vector<Injection>& injections, Injector& in, const Step& step, bool& time_used) {
  bool kept = false;
  const auto keep = [&] {
    if (!kept) in.Keep();
    kept = true;
  };
  for (const Injection& what : injections) {
    if (what.place != step.index) continue;
    const Class now = which == kAnything ? static_cast<Class>(what.count % kAnything) : which;
    switch (now) {
      case kControl:
        ForgeControl(in, what);
        break;
      case kAcks:
        ForgeAck(in, what);
        break;
      case kFarData:
        if (which == kAnything) {
          ForgeData(in, what, what.distance, what.distance << 3);
        } else {
          ForgeData(in, what, AtLeast(what.distance, kFar), 0);
        }
        break;
      case kCopies:
        if (!step.has_data()) break;
        if ((what.kind & 1) != 0) keep();
        ForgeCopy(in, step, what);
        break;
      default:
        if (!kept) SendOtherwise(in, step, what, time_used);
        kept = true;
    }
  }
  keep();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  FuzzInput input(data, size);
  const uint8_t options = input.Byte();
  const size_t requests = 1 + input.Byte() % kMaxRequests;
  Conversation::Ends ends;
  ends.version = (options & 1) != 0 ? 6 : 4;
  ends.vlan = (options & 2) != 0;
  const bool scan = (options & 4) != 0;
  const auto which = static_cast<Class>((options >> 3) % kNumClasses);
  for (uint32_t& first : ends.first) first = static_cast<uint32_t>(input.Number16()) << 16 | input.Number16();
  const Trace trace = Talk(ends, requests).trace();
  constexpr size_t kHandshake = 3;
  const size_t most = which == kCopies ? 4 : kMaxInjections;
  std::vector<Injection> injections;
  while (!input.empty() && injections.size() < most) {
    Injection what{};
    what.place = kHandshake + input.Byte() % (trace.frames().size() - kHandshake);
    what.side = input.Byte() & 1;
    what.kind = input.Byte();
    what.distance = static_cast<uint32_t>(input.Number16()) << 16 | input.Number16();
    what.count = input.Byte();
    // In `far` the other side says nothing that is forged.
    if (which == kFarData && !injections.empty()) what.side = injections[0].side;
    injections.push_back(what);
  }
  Injected injected;
  Rng rng(size);
  bool time_used = false;
  Injector::Walk(trace, rng, injected,
                 [&](Injector& in, const Step& step) { Inject(which, injections, in, step, time_used); });
  for (size_t i = 0; i < injected.frames.size(); ++i) injected.frames[i].number = i + 1;
  const RunResult one = Run(injected.frames, scan, 1, 1);
  Check(one.found == Run(injected.frames, scan, 3, CaptureSource::kBurst).found);
  if (which == kAnything) return 0;
  std::set<std::string> expected;
  for (size_t i = 0; i < requests; ++i) {
    expected.insert("http.uri /uri" + std::to_string(i));
    expected.insert("http.host host" + std::to_string(i) + ".example");
  }
  if (scan) {
    for (const std::string& text : Run(trace.frames(), true, 1, 1).texts) {
      if (text.rfind("payload ", 0) == 0) expected.insert(text);
    }
  }
  const auto lost = std::count_if(expected.begin(), expected.end(),
                                  [&](const std::string& text) { return !one.texts.contains(text); });
  // Other bytes before one request and behind the next leave neither reading whole: a request may be lost.
  Check(lost == 0 || (which == kCopies && lost <= 2));
  return 0;
}
