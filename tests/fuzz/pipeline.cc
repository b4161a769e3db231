// A small capture through whole workers: decode, flows, streams, parsers, matching. One worker with bursts of one frame
// and three workers with bursts of 32 have to find the same, and every frame is accounted for.
//
// The input is that of decoder.cc: a byte of link type; then frames, each behind its length (two bytes) and a byte that
// says how far the clock goes on and whether the snap length cut it.
#include <algorithm>
#include <numeric>
#include <string>
#include <tuple>
#include <vector>

#include "sensor/decode/link.h"
#include "sensor/pipeline/worker.h"
#include "signatures/readers/read_indicators.h"
#include "tests/fuzz/input.h"

namespace {

using namespace vedette;

constexpr uint16_t kLinkTypes[] = {kLinkEthernet, kLinkNull,   kLinkLoop,    kLinkPpp,  kLinkPppHdlc, kLinkRaw,
                                   kLinkIpv4,     kLinkCooked, kLinkCooked2, kLinkIpv6, 147};
// Some bounds are reached sooner than in life, in tests of their own; here nothing may depend on the number of workers.
constexpr size_t kMaxFrames = 256;

// Place, rank, and what was found there.
using Finding = std::tuple<uint64_t, uint64_t, std::string>;

class Collector : public BurstConsumer {
 public:
  void OnBurst(const ObservableBatch& batch, std::span<const EmissionContext> contexts,
               std::span<const EndedFlow> ended_flows) override {
    ended += ended_flows.size();
    for (const Observable& o : batch.observables()) {
      Check(o.context < contexts.size());
      const EmissionContext& context = contexts[o.context];
      std::string text = std::to_string(context.flow.id) + " " + std::string(NameOf(o.kind));
      text += o.direction == Direction::kToServer ? " > " : " < ";
      text += FormOf(o.kind) == ValueForm::kAddress ? o.address.ToString() : std::string(o.text);
      found.emplace_back(context.packet, context.rank, text + " " + std::to_string(o.pattern));
    }
  }
  void OnProgress(uint32_t, uint64_t packet) override {
    Check(packet >= progress);
    progress = packet;
  }
  std::vector<Finding> found;
  uint64_t ended = 0, progress = 0;
};

std::shared_ptr<const IndicatorSet> Indicators() {
  static const std::shared_ptr<const IndicatorSet> set = [] {
    IndicatorSetBuilder builder;
    std::string error;
    for (const char* text : {"content:HTTP/1.", "content:example", "domain:example.test"}) {
      Check(AddFromText(text, builder, error));
    }
    CompileReport report;
    return builder.Compile(report);
  }();
  return set;
}

std::vector<Finding> Run(const std::vector<Frame>& frames, uint32_t num_workers, size_t burst) {
  std::vector<Finding> all;
  uint64_t received = 0, accounted = 0;
  for (uint32_t i = 0; i < num_workers; ++i) {
    WorkerOptions options;
    options.decoder.share = {i, num_workers};
    Collector collector;
    Worker worker(options, collector, MatchKit::Make(Indicators(), 0, ObservableMask::All()));
    for (std::span<const Frame> rest = frames; !rest.empty();) {
      const size_t n = std::min(burst, rest.size());
      worker.Process(rest.first(n));
      rest = rest.subspan(n);
    }
    worker.Finish();
    const DecodeCounters& decode = worker.decode_counters();
    received += decode.received;
    accounted += std::accumulate(decode.not_decoded.begin(), decode.not_decoded.end(), decode.decoded);
    Check(worker.tcp_counters().held_bytes == 0 && worker.tcp_counters().held_segments == 0);
    Check(worker.inspection_counters().parser_held_bytes == 0 && worker.payload_match_counters().scan_errors == 0);
    Check(worker.inspection_counters().payload_bytes_unscanned == 0);
    Check(collector.ended == worker.counters().flows && worker.counters().flows_evicted == 0);
    all.insert(all.end(), collector.found.begin(), collector.found.end());
  }
  Check(received == frames.size() && accounted == received);
  std::stable_sort(all.begin(), all.end(), [](const Finding& a, const Finding& b) {
    return std::tie(std::get<0>(a), std::get<1>(a)) < std::tie(std::get<0>(b), std::get<1>(b));
  });
  return all;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  FuzzInput input(data, size);
  const uint16_t link_type = kLinkTypes[input.Byte() % std::size(kLinkTypes)];
  std::vector<std::vector<uint8_t>> bytes;
  std::vector<Frame> frames;
  uint64_t time_ns = 0;
  while (!input.empty() && frames.size() < kMaxFrames) {
    const size_t length = input.Number16();
    const uint8_t control = input.Byte();
    const std::string_view text = input.Take(length);
    bytes.emplace_back(text.begin(), text.end());
    Frame frame;
    frame.captured_bytes = static_cast<uint32_t>(text.size());
    frame.wire_bytes = frame.captured_bytes + ((control & 1) != 0 ? control : 0);
    frame.link_type = link_type;
    frame.time_ns = time_ns += uint64_t{control & 0xfeu} * 500'000'000;
    frame.number = frames.size() + 1;
    frames.push_back(frame);
  }
  for (size_t i = 0; i < frames.size(); ++i) frames[i].data = bytes[i].data();
  Check(Run(frames, 1, 1) == Run(frames, 3, CaptureSource::kBurst));
  return 0;
}
