// One TCP connection, as a list of segments: a byte of control (1: from the server, 2: FIN, 4: SYN, 8: RST, 16: the end
// was not captured, 32: far away, 64: no ACK), two bytes of place, one of length, the bytes. All of it goes through the
// stream inspector with tight bounds; what each half passes on is compared with a map of bytes.
#include <cstdint>
#include <cstdlib>
#include <map>
#include <string>
#include <vector>

#include "sensor/flow/stream_inspector.h"

namespace {

using namespace vedette;

void Check(bool holds) {
  if (!holds) std::abort();
}

struct Segment {
  uint8_t control;
  uint16_t place;
  Bytes bytes;
  uint32_t missing() const { return (control & 16) != 0 ? 5u : 0u; }
};

constexpr uint32_t kBase = 0xffffff00u;  // wraps soon

// Everything in its window and nothing over a bound: the half has to agree with the map. A segment that comes in its
// turn says what stands there; of others the first does.
class NaiveSink : public TcpSink {
 public:
  void OnData(Bytes data, uint64_t gap, bool, bool end) override {
    Check(gap <= 1u << 17);
    out.append(gap, '\0');
    out.append(AsText(data));
    ends += end;
  }
  void OnCopy(Bytes data, uint32_t behind, bool) override { Check(data.size() <= behind && behind <= out.size()); }
  void OnExactRepeat() override {}
  void OnAside(Bytes) override {}
  void OnPlaceChange(bool) override { Check(false); }
  std::string out;
  int ends = 0;
};

void CompareWithNaive(const std::vector<Segment>& segments) {
  TcpHalf half;
  TcpCounters counters;
  TcpLimits limits;
  limits.half_segments = 1u << 20;
  std::map<uint32_t, char> naive;
  uint32_t place = 0;
  size_t contradictions = 0;
  NaiveSink sink;
  half.OnSyn(kBase - 1, counters);
  for (const Segment& segment : segments) {
    const std::vector<uint8_t> exact(segment.bytes.begin(), segment.bytes.end());
    const bool in_turn = segment.place <= place && place < segment.place + exact.size();
    for (uint32_t i = 0; i < exact.size(); ++i) {
      const auto byte = static_cast<char>(exact[i]);
      const uint32_t at = segment.place + i;
      const auto known = naive.find(at);
      contradictions += at >= place && known != naive.end() && known->second != byte;
      if (in_turn && at >= place) naive[at] = byte;
      naive.emplace(at, byte);
    }
    while (naive.count(place) != 0) ++place;
    if (contradictions > 4) return;  // more copies than are kept are set aside
    half.OnSegment({.sequence = kBase + segment.place, .payload = exact, .key = 7}, limits, counters, sink);
  }
  half.Finish(counters, sink);
  Check(sink.ends == 1 && counters.held_bytes == 0 && counters.held_segments == 0);
  std::string expected(naive.empty() ? 0 : naive.rbegin()->first + 1, '\0');
  for (const auto& [at, byte] : naive) expected[at] = byte;
  Check(sink.out == expected);
}

// Anything at all: places far away, acknowledgments from anywhere. What is held stays within its bounds and the copies
// within what was passed.
class AnySink : public TcpSink {
 public:
  void OnData(Bytes, uint64_t, bool, bool) override {}
  void OnCopy(Bytes data, uint32_t behind, bool) override { Check(!data.empty() && data.size() <= behind); }
  void OnExactRepeat() override {}
  void OnAside(Bytes) override {}
  void OnPlaceChange(bool) override {}
};

void Wander(const std::vector<Segment>& segments) {
  TcpHalf half;
  TcpCounters counters;
  const TcpLimits limits{.half_bytes = 300, .half_segments = 6, .total_bytes = 4000, .acknowledged_segments = 3};
  AnySink sink;
  for (const Segment& segment : segments) {
    const std::vector<uint8_t> exact(segment.bytes.begin(), segment.bytes.end());
    const uint32_t sequence = kBase + segment.place * ((segment.control & 32) != 0 ? 0x9137u : 1u);
    if ((segment.control & 4) != 0) half.OnSyn(sequence - 1, counters);
    if ((segment.control & 1) != 0) half.Acknowledge(sequence, counters, sink);
    half.OnSegment({.sequence = sequence,
                    .payload = exact,
                    .missing_bytes = segment.missing(),
                    .fin = (segment.control & 2) != 0,
                    .may_be_padding = (segment.control & 8) != 0 && exact.size() <= 6,
                    .key = 7},
                   limits, counters, sink);
    Check(counters.held_bytes <= 2 * 300 && counters.held_segments <= 2 * 6);
  }
  half.Finish(counters, sink);
  Check(counters.held_bytes == 0 && counters.held_segments == 0);
}

void Inspect(const std::vector<Segment>& segments, bool bound) {
  ObservableBatch batch;
  StreamInspector::Options options;
  if (bound) {
    options.tcp = {.half_bytes = 200, .half_segments = 4, .total_bytes = 1000, .acknowledged_segments = 2};
    options.parser_bytes = 100;
  }
  StreamInspector inspector(options, batch);
  Flow flow;
  flow.version = 4;
  Frame frame;
  Packet packet;
  packet.frame = &frame;
  packet.protocol = kIpProtoTcp;
  for (const Segment& segment : segments) {
    const std::vector<uint8_t> exact(segment.bytes.begin(), segment.bytes.end());
    packet.payload = exact;
    packet.missing_bytes = segment.missing();
    packet.sequence = kBase + segment.place + ((segment.control & 32) != 0 ? 0x7fff8000u : 0u);
    packet.acknowledgment = kBase + static_cast<uint32_t>(segment.place) * 3;
    packet.tcp_flags =
        static_cast<uint8_t>(((segment.control & 2) != 0 ? kTcpFin : 0) | ((segment.control & 4) != 0 ? kTcpSyn : 0) |
                             ((segment.control & 8) != 0 ? kTcpRst : 0) | ((segment.control & 64) != 0 ? 0 : kTcpAck));
    inspector.OnTcp(flow, packet, (segment.control & 1) == 0);
    const TcpCounters& counters = inspector.tcp_counters();
    if (bound) {
      // Either direction, at its place and at its candidate.
      Check(counters.held_bytes <= 4 * 200 && counters.held_segments <= 4 * 4);
      Check(inspector.counters().parser_held_bytes <= 100);
    }
  }
  inspector.Finish(flow);
  Check(inspector.tcp_counters().held_bytes == 0 && inspector.tcp_counters().held_segments == 0);
  Check(inspector.counters().parser_held_bytes == 0);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::vector<Segment> segments;
  ByteReader reader(Bytes(data, size));
  Segment segment{};
  ByteReader body;
  while (reader.ReadU8(segment.control) && reader.ReadU16(segment.place) && reader.ReadPrefixed8(body)) {
    segment.bytes = body.rest();
    segments.push_back(segment);
  }
  CompareWithNaive(segments);
  Wander(segments);
  Inspect(segments, false);
  Inspect(segments, true);
  return 0;
}
