// One conversation, whole and in pieces: out of order, twice, overlapping. What is found has to be the same.
//
// The input: a seed of four bytes; then runs, each a byte of direction, a length of two bytes, the bytes. Within a run
// the pieces come in any order; a run begins when the one before it is complete, as request and response do.
#include <algorithm>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "sensor/flow/stream_inspector.h"
#include "signatures/readers/read_indicators.h"
#include "tests/fuzz/input.h"

namespace {

using namespace vedette;

struct Run {
  bool from_client;
  std::string_view bytes;
};

struct Piece {
  size_t begin, end;
};

// What a run is sent as. Every byte of it is in one piece at least.
class Cutter {
 public:
  explicit Cutter(uint32_t seed) : state_(seed) {}
  std::vector<Piece> Cut(size_t size) {
    std::vector<Piece> pieces;
    const size_t longest = size_t{1} << Below(12);
    for (size_t at = 0; at < size;) {
      const size_t end = std::min(size, at + 1 + Below(longest));
      pieces.push_back({at, end});
      // Some again, and reaching into their neighbours.
      if (Below(8) == 0) pieces.push_back({at - std::min(at, Below(20)), std::min(size, end + Below(20))});
      at = end;
    }
    for (size_t i = pieces.size(); i > 1; --i) std::swap(pieces[i - 1], pieces[Below(i)]);
    return pieces;
  }

 private:
  size_t Below(size_t bound) {
    state_ = state_ * 1664525 + 1013904223;
    return (state_ >> 8) % bound;
  }
  uint32_t state_;
};

struct Found {
  std::vector<std::string> fields[2];  // once each, by direction
  std::set<std::tuple<Direction, uint32_t>> literals;
  uint64_t payload_bytes = 0;
  bool handed_over = false;
};

const IndicatorSet& Literals() {
  static const std::shared_ptr<const IndicatorSet> set = [] {
    IndicatorSetBuilder builder;
    std::string error;
    for (const char* text : {"content:HTTP/1.1", "content:example", "content:\r\n\r\n", "content:Host: "}) {
      Check(AddFromText(text, builder, error));
    }
    CompileReport report;
    return builder.Compile(report);
  }();
  return *set;
}

Found Inspect(const std::vector<Run>& runs, uint32_t seed, bool whole) {
  constexpr uint32_t kFirst[2] = {0xfffffff0u, 0x7ffffff0u};  // both wrap a sign or the whole soon
  Cutter cutter(seed);
  ObservableBatch batch;
  MatchScratch scratch;
  Check(Literals().PrepareScratch(scratch));
  StreamInspector::Options options;
  options.tcp.half_segments = 100'000;
  StreamInspector inspector(options, batch);
  inspector.UseIndicators(&Literals(), &scratch);
  Flow flow;
  flow.version = 4;
  flow.client_known = true;
  Frame frame;
  Packet packet;
  packet.frame = &frame;
  packet.protocol = kIpProtoTcp;
  uint32_t next[2] = {kFirst[0], kFirst[1]};
  const auto send = [&](size_t side, uint32_t sequence, std::string_view bytes, uint8_t flags) {
    const std::vector<uint8_t> exact(bytes.begin(), bytes.end());
    packet.payload = exact;
    packet.sequence = sequence;
    packet.acknowledgment = next[1 - side];
    packet.tcp_flags = flags;
    inspector.OnTcp(flow, packet, side == 0);
  };
  send(0, kFirst[0] - 1, {}, kTcpSyn);
  send(1, kFirst[1] - 1, {}, kTcpSyn | kTcpAck);
  for (const Run& run : runs) {
    const size_t side = run.from_client ? 0 : 1;
    std::vector<Piece> pieces = whole ? std::vector<Piece>{{0, run.bytes.size()}} : cutter.Cut(run.bytes.size());
    for (const Piece& piece : pieces) {
      send(side, next[side] + static_cast<uint32_t>(piece.begin),
           run.bytes.substr(piece.begin, piece.end - piece.begin), kTcpAck);
    }
    next[side] += static_cast<uint32_t>(run.bytes.size());
  }
  inspector.Finish(flow);
  const TcpCounters& tcp = inspector.tcp_counters();
  Check(tcp.gaps == 0 && tcp.held_bytes == 0 && tcp.held_segments == 0 && tcp.out_of_window == 0);
  Check(inspector.counters().parser_held_bytes == 0 && scratch.counters.scan_errors == 0);
  Found found;
  found.payload_bytes = inspector.counters().payload_bytes;
  found.handed_over = flow.stream != nullptr && flow.stream->reading.hand_overs != 0;
  for (const Observable& o : batch.observables()) {
    if (o.kind == ObservableKind::kPayload) {
      found.literals.emplace(o.direction, o.pattern);
    } else {
      // A piece that comes again is read again, where it may be another copy: what was found before is nothing new.
      std::vector<std::string>& fields = found.fields[static_cast<size_t>(o.direction)];
      std::string field = std::to_string(static_cast<int>(o.kind)) + " " +
                          (FormOf(o.kind) == ValueForm::kAddress ? o.address.ToString() : std::string(o.text));
      if (std::find(fields.begin(), fields.end(), field) == fields.end()) fields.push_back(std::move(field));
    }
  }
  return found;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  FuzzInput input(data, size);
  const auto seed = static_cast<uint32_t>(input.Number16()) << 16 | input.Number16();
  std::vector<Run> runs;
  size_t total = 0;
  while (!input.empty()) {
    const bool from_client = (input.Byte() & 1) == 0;
    const std::string_view bytes = input.LongText();
    if (!bytes.empty()) runs.push_back({from_client, bytes});
    total += bytes.size();
  }
  const Found whole = Inspect(runs, seed, true), pieces = Inspect(runs, seed, false);
  Check(whole.payload_bytes == total && pieces.payload_bytes == total);
  Check(whole.literals == pieces.literals);
  // Where no parser knows the beginning, it is looked for again at each segment, so there cuts do matter.
  if (runs.empty() || whole.handed_over || pieces.handed_over) return 0;
  const Direction first = runs[0].from_client ? Direction::kToServer : Direction::kToClient;
  if (IdentifyStream(AsBytes(runs[0].bytes), first).probe != Probe::kYes) return 0;
  for (size_t side = 0; side < 2; ++side) {
    // The reading of copies may be ahead of the other.
    const auto sorted = [](std::vector<std::string> fields) {
      std::sort(fields.begin(), fields.end());
      return fields;
    };
    Check(sorted(whole.fields[side]) == sorted(pieces.fields[side]));
  }
  return 0;
}
