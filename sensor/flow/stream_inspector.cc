#include "sensor/flow/stream_inspector.h"

#include <algorithm>
#include <utility>

#include "parsers/dns.h"

namespace vedette {
namespace {

// A protocol begins at a segment's start. In mid-stream, or behind a preamble, it may take some segments until one
// does; after that many in a direction it is taken for unknown.
constexpr uint8_t kMaxAttempts = 16;
// CONNECT inside CONNECT and the like; each costs a parser.
constexpr uint8_t kMaxHandOvers = 8;
// Datagrams of a flow that are tried before it is taken for something else.
constexpr uint8_t kMaxUdpMisses = 8;

Direction DirectionOf(size_t index) { return index == 0 ? Direction::kToServer : Direction::kToClient; }

size_t HeldBy(const StreamParser& parser) {
  return std::visit(
      [](const auto& p) -> size_t {
        if constexpr (std::is_same_v<std::decay_t<decltype(p)>, std::monostate>) {
          return 0;
        } else {
          return p->HeldBytes();
        }
      },
      parser);
}

bool HasDnsPort(const Flow& flow) {
  const auto is = [](uint16_t port) { return port == 53 || port == 5353 || port == 5355; };
  return is(flow.client_port) || is(flow.server_port);
}

// Whether the bytes are a protocol's, or may become so with those to come.
bool IsOpen(const Identity& identity, Bytes bytes) {
  return identity.probe == Probe::kYes || (identity.probe == Probe::kNeedMore && bytes.size() < kStreamIdentifyBytes);
}

void SwapEnds(Flow& flow) {
  std::swap(flow.client, flow.server);
  std::swap(flow.client_port, flow.server_port);
  std::swap(flow.packets[0], flow.packets[1]);
  std::swap(flow.bytes[0], flow.bytes[1]);
  std::swap(flow.half[0], flow.half[1]);
  StreamState& state = *flow.stream;
  std::swap(state.skip[0], state.skip[1]);
  std::swap(state.first[0], state.first[1]);
  std::swap(state.first_start[0], state.first_start[1]);
  std::swap(state.attempts[0], state.attempts[1]);
  std::swap(state.scanned[0], state.scanned[1]);
  if (state.tails != nullptr) std::swap((*state.tails)[0], (*state.tails)[1]);
  state.flip_pending = false;
  flow.client_known = true;
}

}  // namespace

StreamInspector::StreamInspector(const Options& options, ObservableBatch& batch) : options_(options), batch_(batch) {}

void StreamInspector::UseIndicators(const IndicatorSet* indicators, MatchScratch* scratch) {
  indicators_ = indicators;
  scratch_ = scratch;
  scan_ = indicators != nullptr && indicators->scans_payload();
}

void StreamInspector::OnTcp(Flow& flow, const Packet& packet, bool from_client) {
  const size_t index = from_client ? 0 : 1;
  TcpHalf& half = flow.half[index];
  TcpHalf& other = flow.half[1 - index];
  const bool syn = (packet.tcp_flags & kTcpSyn) != 0, fin = (packet.tcp_flags & kTcpFin) != 0;
  if ((packet.tcp_flags & kTcpRst) != 0) flow.closed = true;
  if (flow.bypass) {
    // As without the bypass, which depends on what somebody looks for: how long a flow lasts must not.
    if (fin) half.SeeFin();
    if (half.fin_seen() && other.fin_seen()) flow.closed = true;
    if (scan_) counters_.payload_bytes_unscanned += packet.payload.size();
    return;
  }
  if (syn) half.Start(packet.sequence);
  if ((packet.tcp_flags & kTcpAck) != 0) {
    if (!other.known()) other.StartAt(packet.acknowledgment, syn || (half.started() && half.next() == half.first()));
    other.Acknowledge(packet.acknowledgment);
  }
  if (packet.payload.empty() && packet.missing_bytes == 0 && !fin) return;
  // Some stacks put text behind a RST; it is not part of the stream (RFC 9293 section 3.5.3).
  if ((packet.tcp_flags & kTcpRst) != 0) return;
  const uint64_t time_ns = packet.frame->time_ns;
  half.OnSegment(
      packet.sequence + (syn ? 1 : 0), packet.payload, packet.missing_bytes, fin, options_.tcp, tcp_counters_,
      [&](Bytes data, uint64_t gap, bool start, bool end) { OnChunk(flow, index, data, gap, start, end, time_ns); });
  if (half.fin_seen() && other.fin_seen()) flow.closed = true;
  if (flow.stream != nullptr && flow.stream->flip_pending) SwapEnds(flow);
  ConsiderBypass(flow);
}

void StreamInspector::ConsiderBypass(Flow& flow) {
  if (flow.stream == nullptr || !flow.stream->parsing_over) return;
  const uint64_t depth = options_.payload_depth;
  if (scan_ && (depth == 0 || flow.stream->scanned[0] < depth || flow.stream->scanned[1] < depth)) return;
  flow.bypass = true;
  for (TcpHalf& half : flow.half) half.Abandon(tcp_counters_);
}

void StreamInspector::OnChunk(Flow& flow, size_t index, Bytes data, uint64_t gap_bytes, bool start, bool end,
                              uint64_t time_ns) {
  counters_.payload_bytes += data.size();
  if (flow.stream == nullptr) {
    if (data.empty()) return;
    flow.stream = std::make_unique<StreamState>();
    flow.stream->parsing_over = !options_.parse;
  }
  StreamState& state = *flow.stream;
  if (scan_ && !data.empty()) Scan(flow, index, data, gap_bytes);
  if (state.parsing_over) return;
  // Nothing follows an end for a parser; what somebody sends there has been scanned.
  if (flow.half[index].ended() && !end) return;
  // What the parser does not want to see may be missing as well.
  if (state.skip[index] != 0) {
    const uint64_t missing = std::min(state.skip[index], gap_bytes);
    gap_bytes -= missing;
    const uint64_t passed = gap_bytes == 0 ? std::min<uint64_t>(state.skip[index] - missing, data.size()) : 0;
    if (state.skip[index] != Outcome::kSkipAll) state.skip[index] -= missing + passed;
    data = data.subspan(passed);
    start = start && passed == 0;
    if (data.empty() && gap_bytes == 0 && !end) return;
  }
  Chunk chunk;
  chunk.data = data;
  chunk.direction = DirectionOf(state.flip_pending ? 1 - index : index);
  chunk.gap_bytes = static_cast<uint32_t>(std::min<uint64_t>(gap_bytes, UINT32_MAX));
  chunk.start = start;
  chunk.end = end;
  chunk.time_ns = time_ns;
  Parse(flow, state, index, chunk);
}

void StreamInspector::Scan(Flow& flow, size_t index, Bytes data, uint64_t gap_bytes) {
  StreamState& state = *flow.stream;
  if (options_.payload_depth != 0) {
    const uint64_t left = options_.payload_depth - std::min(options_.payload_depth, state.scanned[index]);
    if (left < data.size()) {
      counters_.payload_bytes_unscanned += data.size() - left;
      data = data.first(left);
    }
    if (data.empty()) return;
  }
  state.scanned[index] += data.size();
  if (state.tails == nullptr) state.tails = std::make_unique<std::array<PayloadTail, 2>>();
  PayloadTail& tail = (*state.tails)[index];
  if (gap_bytes != 0) tail.length = 0;
  const PayloadTail before = tail;
  hits_.clear();
  const Direction direction = DirectionOf(state.flip_pending ? 1 - index : index);
  indicators_->ScanPayload(data, direction, &tail, *scratch_, hits_);
  if (!hits_.empty()) EmitHits(data, &before, direction);
}

void StreamInspector::EmitHits(Bytes data, const PayloadTail* tail_before, Direction direction) {
  for (const PayloadHit& hit : hits_) {
    const int64_t begin = hit.end_offset - hit.length;
    excerpt_.clear();
    if (begin < 0 && tail_before != nullptr) {
      const std::string_view known = indicators_->TailText(*tail_before, tail_text_);
      excerpt_.append(known.substr(known.size() - std::min<size_t>(static_cast<size_t>(-begin), known.size())));
    }
    const auto first = static_cast<size_t>(std::max<int64_t>(begin, 0));
    const auto last = std::min(static_cast<size_t>(std::max<int64_t>(hit.end_offset, 0)), data.size());
    if (first < last) excerpt_.append(AsText(data.subspan(first, last - first)));
    batch_.BeginMessage();
    batch_.AddPayloadHit(direction, hit.pattern, excerpt_);
  }
}

void StreamInspector::Parse(Flow& flow, StreamState& state, size_t index, Chunk chunk) {
  while (!state.parsing_over) {
    if (std::holds_alternative<std::monostate>(state.parser)) {
      Identify(flow, state, index, chunk);
      return;
    }
    Bytes rest;
    if (Feed(flow, state, index, chunk, rest) || state.parsing_over) return;
    chunk.data = rest;  // handed over: what follows is another protocol's beginning
    chunk.gap_bytes = 0;
    chunk.start = false;
    if (rest.empty()) return;
  }
}

bool StreamInspector::Feed(Flow& flow, StreamState& state, size_t index, const Chunk& chunk, Bytes& rest) {
  const Outcome outcome = std::visit(
      [&](auto& parser) -> Outcome {
        if constexpr (std::is_same_v<std::decay_t<decltype(parser)>, std::monostate>) {
          return Outcome::Malformed();
        } else if constexpr (std::is_same_v<std::decay_t<decltype(*parser)>, Http1Parser>) {
          const Http1Counters before = parser->counters();
          const Outcome fed = parser->Feed(chunk, batch_);
          counters_.http_heads_over_limit += parser->counters().heads_over_limit - before.heads_over_limit;
          counters_.http_values_over_limit += parser->counters().values_over_limit - before.values_over_limit;
          return fed;
        } else {
          return parser->Feed(chunk, batch_);
        }
      },
      state.parser);
  if (!WithinMemory(state)) return false;
  switch (outcome.progress) {
    case Progress::kNeedMore:
      return true;
    case Progress::kSkip:
      state.skip[index] = outcome.skip_bytes;
      return true;
    case Progress::kDone:
      StopParsing(state);
      return false;
    case Progress::kMalformed:
      ++counters_.malformed;
      StopParsing(state);
      return false;
    case Progress::kHandOver:
      if (++state.hand_overs > kMaxHandOvers) {
        ++counters_.hand_over_limit_hit;
        StopParsing(state);
        return false;
      }
      rest = chunk.data.subspan(std::min(outcome.consumed, chunk.data.size()));
      counters_.parser_held_bytes -= state.parser_held;
      state.parser_held = 0;
      state.skip[0] = state.skip[1] = 0;
      state.attempts[0] = state.attempts[1] = 0;
      state.parser = MakeStreamParser(outcome.next);
      if (outcome.next != ProtocolId::kUnknown) flow.app = outcome.next;
      return false;
  }
  return false;
}

// Counts what the parser holds now. False: all together held too much, and this one went.
bool StreamInspector::WithinMemory(StreamState& state) {
  const auto held = static_cast<uint32_t>(HeldBy(state.parser));
  counters_.parser_held_bytes += held;
  counters_.parser_held_bytes -= state.parser_held;
  state.parser_held = held;
  if (counters_.parser_held_bytes <= options_.parser_bytes) return true;
  ++counters_.parser_limit_hit;
  StopParsing(state);
  return false;
}

void StreamInspector::Identify(Flow& flow, StreamState& state, size_t index, Chunk chunk) {
  std::string& first = state.first[index];
  if (chunk.gap_bytes != 0) first.clear();
  if (chunk.data.empty()) return;
  const Bytes segment = chunk.data;
  bool joined = !first.empty();
  if (joined) {
    first.append(AsText(segment));
    chunk.data = AsBytes(first);
    chunk.start = state.first_start[index];
  }
  Identity identity = IdentifyStream(chunk.data, chunk.direction);
  if (joined && !IsOpen(identity, chunk.data)) {
    // What was held is another protocol's and over: a greeting, a request for TLS and the answer to it.
    identity = IdentifyStream(segment, chunk.direction);
    first.clear();
    joined = false;
    chunk.data = segment;
    chunk.start = false;
  }
  if (identity.probe == Probe::kNeedMore && chunk.data.size() < kStreamIdentifyBytes) {
    if (!joined) {
      first.assign(AsText(chunk.data));
      state.first_start[index] = chunk.start;
    }
    return;
  }
  if (identity.probe != Probe::kYes) {
    first.clear();
    if (++state.attempts[index] >= kMaxAttempts && state.attempts[1 - index] >= kMaxAttempts) StopParsing(state);
    // One side alone may be all that the capture has.
    if (state.attempts[index] >= 4 * kMaxAttempts) StopParsing(state);
    return;
  }
  flow.app = identity.protocol;
  ++counters_.flows_by_protocol[static_cast<size_t>(identity.protocol)];
  if (!flow.client_known && identity.sender != Sender::kUnknown) {
    const bool sent_by_server = identity.sender == Sender::kServer;
    const bool goes_to_client = chunk.direction == Direction::kToClient;
    if (sent_by_server != goes_to_client) {
      state.flip_pending = !state.flip_pending;
      chunk.direction = Opposite(chunk.direction);
    } else {
      flow.client_known = true;
    }
  }
  state.parser = MakeStreamParser(identity.protocol);
  const std::string own = std::move(first);  // keeps joined bytes alive while they are fed
  first.clear();
  if (joined) chunk.data = AsBytes(own);
  // What the other side said before, too short to tell by itself, came first: where it may be this protocol's.
  const std::string earlier = std::move(state.first[1 - index]);
  state.first[1 - index].clear();
  const Direction opposite = Opposite(chunk.direction);
  if (!earlier.empty() && ProbeStream(identity.protocol, AsBytes(earlier), opposite) != Probe::kNo) {
    Chunk before;
    before.data = AsBytes(earlier);
    before.direction = opposite;
    before.start = state.first_start[1 - index];
    before.time_ns = chunk.time_ns;
    Bytes rest;
    if (!Feed(flow, state, 1 - index, before, rest)) return;
  }
  Parse(flow, state, index, chunk);
}

void StreamInspector::StopParsing(StreamState& state) {
  counters_.parser_held_bytes -= state.parser_held;
  state.parser_held = 0;
  state.parser = StreamParser();
  state.parsing_over = true;
  for (std::string& first : state.first) first = std::string();
}

void StreamInspector::OnUdp(Flow& flow, const Packet& packet, bool from_client) {
  const Bytes payload = packet.payload;
  counters_.payload_bytes += payload.size();
  if (payload.empty()) return;
  const Direction direction = from_client ? Direction::kToServer : Direction::kToClient;
  if (scan_) {
    const Bytes looked_at =
        options_.payload_depth == 0 ? payload : payload.first(std::min<size_t>(payload.size(), options_.payload_depth));
    counters_.payload_bytes_unscanned += payload.size() - looked_at.size();
    hits_.clear();
    indicators_->ScanPayload(looked_at, direction, nullptr, *scratch_, hits_);
    if (!hits_.empty()) EmitHits(looked_at, nullptr, direction);
  }
  if (!options_.parse || (flow.app == ProtocolId::kUnknown && flow.udp_misses >= kMaxUdpMisses)) return;
  if (flow.app == ProtocolId::kOpenVpn ||
      (flow.app == ProtocolId::kUnknown && OpenVpnParser::IdentifyDatagram(payload))) {
    if (packet.missing_bytes == 0) FeedOpenVpn(flow, payload, direction);  // a cut one counts as lost
    return;
  }
  const Outcome outcome = ParseDnsDatagram(payload, direction, HasDnsPort(flow), batch_);
  if (outcome.progress != Progress::kMalformed) {
    if (flow.app == ProtocolId::kUnknown) {
      flow.app = ProtocolId::kDns;
      ++counters_.flows_by_protocol[static_cast<size_t>(ProtocolId::kDns)];
    }
  } else if (flow.udp_misses < kMaxUdpMisses) {
    ++flow.udp_misses;
  }
}

void StreamInspector::FeedOpenVpn(Flow& flow, Bytes datagram, Direction direction) {
  if (flow.app == ProtocolId::kUnknown) {
    flow.app = ProtocolId::kOpenVpn;
    ++counters_.flows_by_protocol[static_cast<size_t>(ProtocolId::kOpenVpn)];
    flow.stream = std::make_unique<StreamState>();
    flow.stream->parser = MakeStreamParser(ProtocolId::kOpenVpn);
  }
  StreamState& state = *flow.stream;
  if (state.parsing_over) return;
  const Outcome outcome =
      std::get<std::unique_ptr<OpenVpnParser>>(state.parser)->FeedDatagram(datagram, direction, batch_);
  if (WithinMemory(state) && outcome.progress == Progress::kDone) StopParsing(state);
}

void StreamInspector::Finish(Flow& flow) {
  if (!flow.bypass) {
    for (size_t index = 0; index < 2; ++index) {
      flow.half[index].Finish(tcp_counters_, [&](Bytes data, uint64_t gap, bool start, bool end) {
        OnChunk(flow, index, data, gap, start, end, flow.last_ns);
      });
    }
    if (flow.stream != nullptr && flow.stream->flip_pending) SwapEnds(flow);
  }
  if (flow.stream == nullptr) return;
  if (options_.parse && flow.app == ProtocolId::kUnknown) ++counters_.flows_unrecognised;
  StopParsing(*flow.stream);
}

}  // namespace vedette
