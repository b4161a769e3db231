// One TCP connection, as a list of segments: a byte of control (1: from the server, 2: FIN, 4: SYN, 8: RST, 16: the end
// was not captured, 32: far away, 64: no ACK), two bytes of place, one of length, the bytes. All of it goes through the
// stream inspector with tight bounds; what each half passes on is compared with a map of first bytes.
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

// Everything in its window and nothing over a bound: the half has to agree with the map.
void CompareWithNaive(const std::vector<Segment>& segments) {
  TcpHalf half;
  TcpCounters counters;
  TcpLimits limits;
  std::map<uint32_t, char> naive;
  std::string out;
  int ends = 0;
  const auto sink = [&](Bytes data, uint64_t gap, bool, bool end) {
    Check(gap <= 1u << 17);
    out.append(gap, '\0');
    out.append(AsText(data));
    ends += end;
  };
  half.Start(kBase - 1);
  for (const Segment& segment : segments) {
    const std::vector<uint8_t> exact(segment.bytes.begin(), segment.bytes.end());
    half.OnSegment(kBase + segment.place, exact, 0, false, limits, counters, sink);
    for (uint32_t i = 0; i < exact.size(); ++i) naive.emplace(segment.place + i, static_cast<char>(exact[i]));
  }
  const bool bounded = counters.flow_limit_hit == 0 && counters.total_limit_hit == 0;
  half.Finish(counters, sink);
  Check(ends == 1 && counters.held_bytes == 0 && counters.held_segments == 0);
  if (!bounded) return;
  std::string expected(naive.empty() ? 0 : naive.rbegin()->first + 1, '\0');
  for (const auto& [at, byte] : naive) expected[at] = byte;
  Check(out == expected);
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
      // One segment may come in pieces between those that are held.
      Check(counters.held_bytes <= 2 * (200 + 255) && counters.held_segments <= 2 * (4 + 5));
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
  Inspect(segments, false);
  Inspect(segments, true);
  return 0;
}
