#include "sensor/flow/stream_inspector.h"

#include <algorithm>
#include <utility>

#include "sensor/decode/tcp_header.h"
#include "sensor/decode/tunnel.h"
#include "sensor/flow/flow_table.h"

namespace vedette {
namespace {

// Datagrams of a flow that are tried before it is taken for something else.
constexpr uint8_t kMaxUdpMisses = 8;
constexpr uint8_t kMaxTunnelProbes = 4;  // of those; a tunnel says hello first at most
constexpr uint8_t kUnknownWindowScale = 14;
constexpr size_t kMaxPaddingBytes = 6;

// Frames of Ethernet hold 46 bytes at least; some stacks count the six behind a bare ACK as part of the datagram.
bool MayBePadding(const Packet& packet) {
  constexpr uint32_t kMinEthernetPayloadBytes = 46;
  const Bytes payload = packet.payload;
  return !payload.empty() && payload.size() <= kMaxPaddingBytes && packet.ip_bytes <= kMinEthernetPayloadBytes &&
         packet.missing_bytes == 0 &&
         std::all_of(payload.begin(), payload.end(), [](uint8_t byte) { return byte == 0; });
}

}  // namespace

// Takes what one half tells, on behalf of the packet that made it tell.
class StreamInspector::Sink final : public TcpSink {
 public:
  Sink(StreamInspector& inspector, Flow& flow, size_t index, uint64_t time_ns)
      : inspector_(inspector), flow_(flow), index_(index), time_ns_(time_ns) {}

  void OnData(Bytes data, uint64_t gap_bytes, bool start, bool end) override {
    Chunk chunk = {.data = data, .start = start, .end = end, .time_ns = time_ns_};
    inspector_.OnData(flow_, index_, chunk, gap_bytes);
  }
  void OnCopy(Bytes data, uint32_t behind, bool start) override {
    inspector_.OnCopy(flow_, index_, {.data = data, .start = start, .time_ns = time_ns_}, behind);
  }
  void OnExactRepeat() override {
    if (flow_.stream != nullptr && !flow_.bypass) inspector_.OnExactRepeat(flow_);
  }
  void OnAside(Bytes data) override { inspector_.OnAside(flow_, index_, data); }
  void OnPlaceChange(bool back) override { inspector_.OnPlaceChange(flow_, index_, back); }
  void OnJudged(const JudgedBytes& bytes) override {
    const int interface = flow_.half[index_].interface();
    inspector_.loss_counters_.Add(interface >= 0 ? static_cast<size_t>(interface) : FileOfPosition(flow_.first_packet),
                                  bytes);
  }

 private:
  StreamInspector& inspector_;
  Flow& flow_;
  size_t index_;
  uint64_t time_ns_;
};

StreamInspector::StreamInspector(const Options& options, ObservableBatch& batch)
    : options_(options),
      batch_(batch),
      repeat_key_(FlowHashSeed::Random().both),
      reader_({options.parser_bytes}, batch, counters_) {}

void StreamInspector::TurnRound(Flow& flow) {
  SwapEnds(flow);
  flow.client_known = true;
  if (flow.stream != nullptr) flow.stream->SwapEnds();
}

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
  const bool reset = (packet.tcp_flags & kTcpRst) != 0;
  if (reset) {
    // Some stacks put text behind a RST; it is not part of the stream (RFC 9293 section 3.5.3).
    if (half.InWindow(packet.sequence)) {
      flow.closed = true;
    } else {
      ++tcp_counters_.resets_in_vain;
    }
    return;
  }
  if (flow.bypass) return OnBypassed(flow, index, packet);
  const uint64_t time_ns = packet.frame->time_ns;
  if (syn) {
    OnSyn(half, other, packet);
  } else {
    other.SeeWindow(packet.window);
  }
  if ((packet.tcp_flags & kTcpAck) != 0) {
    if (!other.known()) other.StartAt(packet.acknowledgment, syn || (half.started() && half.next() == half.first()));
    if (other.NoteAcknowledgment(packet.acknowledgment)) {
      Sink sink(*this, flow, 1 - index, time_ns);
      other.OnAcknowledgment(packet.acknowledgment, tcp_counters_, sink);
    }
  }
  if (packet.payload.empty() && packet.missing_bytes == 0 && !fin) return;
  const uint32_t before = half.next();
  const bool plain = packet.payload.size() > kMaxPaddingBytes && !syn && !fin;
  Sink sink(*this, flow, index, time_ns);
  if (plain && half.IsInTurn(packet.sequence)) [[likely]] {
    half.PassInTurn(packet.payload, packet.missing_bytes, tcp_counters_, sink);
  } else {
    half.OnSegment(SegmentOf(packet), options_.tcp, tcp_counters_, sink);
  }
  SeeClosing(flow, index, before);
  if (flow.bypass) return;
  if (flow.stream != nullptr && flow.stream->flip_pending) TurnRound(flow);
  if (flow.stream != nullptr && flow.stream->parsing_over()) ConsiderBypass(flow);
}

// FIN both ways closes the flow; data behind a RST shows that it did not.
void StreamInspector::SeeClosing(Flow& flow, size_t index, uint32_t next_before) {
  if (flow.half[0].fin_seen() && flow.half[1].fin_seen()) {
    flow.closed = true;
  } else if (flow.closed && flow.half[index].next() != next_before) {
    flow.closed = false;
    ++tcp_counters_.resets_in_vain;
  }
}

// A packet of a flow from whose fields nothing more is to be learned: its place and its end are kept.
void StreamInspector::OnBypassed(Flow& flow, size_t index, const Packet& packet) {
  if (scan_ || flow.stream->scanned_halves != nullptr) ScanOnly(flow, index, packet);
  TcpHalf& half = flow.half[index];
  TcpHalf& other = flow.half[1 - index];
  const bool syn = (packet.tcp_flags & kTcpSyn) != 0, fin = (packet.tcp_flags & kTcpFin) != 0;
  if (syn) {
    OnSyn(half, other, packet);
  } else {
    other.SeeWindow(packet.window);
  }
  if ((packet.tcp_flags & kTcpAck) != 0 && !other.known())
    other.StartAt(packet.acknowledgment, syn || (half.started() && half.next() == half.first()));
  const auto bytes = static_cast<uint32_t>(packet.payload.size()) + packet.missing_bytes;
  if (bytes == 0 && !fin) return;
  const uint32_t before = half.next();
  half.Follow(packet.sequence + (syn ? 1 : 0), bytes, fin);
  if (scan_ && flow.stream->scanned_halves == nullptr) counters_.payload_bytes_unscanned += packet.payload.size();
  SeeClosing(flow, index, before);
}

// A packet of a bypassed flow, for the patterns.
void StreamInspector::ScanOnly(Flow& flow, size_t index, const Packet& packet) {
  StreamState& state = *flow.stream;
  if (!WantsScan(state)) return EndScan(flow);
  if (state.scanned_halves == nullptr) {
    // Patterns came with a reload.
    state.scanned_halves = std::make_unique<std::array<TcpHalf, 2>>();
    for (size_t i = 0; i < 2; ++i) {
      if (flow.half[i].known()) (*state.scanned_halves)[i].StartAt(flow.half[i].next(), false);
    }
    Count(state);
  }
  TcpHalf& half = (*state.scanned_halves)[index];
  TcpHalf& other = (*state.scanned_halves)[1 - index];
  const bool syn = (packet.tcp_flags & kTcpSyn) != 0, fin = (packet.tcp_flags & kTcpFin) != 0;
  const uint64_t gap_bytes = tcp_counters_.gap_bytes, syns = tcp_counters_.syns_in_stream;
  if (syn) {
    OnSyn(half, other, packet);
    tcp_counters_.syns_in_stream = syns;  // the flow's own half counts it
  } else {
    other.SeeWindow(packet.window);
  }
  if ((packet.tcp_flags & kTcpAck) != 0) {
    if (!other.known()) other.StartAt(packet.acknowledgment, syn || (half.started() && half.next() == half.first()));
    Sink sink(*this, flow, 1 - index, packet.frame->time_ns);
    other.Acknowledge(packet.acknowledgment, tcp_counters_, sink);
  }
  if (!packet.payload.empty() || packet.missing_bytes != 0 || fin) {
    Sink sink(*this, flow, index, packet.frame->time_ns);
    if (packet.payload.size() > kMaxPaddingBytes && !syn && !fin && half.IsInTurn(packet.sequence)) [[likely]] {
      half.PassInTurn(packet.payload, packet.missing_bytes, tcp_counters_, sink);
    } else {
      half.OnSegment(SegmentOf(packet), options_.tcp, tcp_counters_, sink);
    }
  }
  counters_.gap_bytes_scan_only += tcp_counters_.gap_bytes - gap_bytes;
}

bool StreamInspector::WantsScan(const StreamState& state) const {
  const uint64_t depth = options_.payload_depth;
  return scan_ && (depth == 0 || state.scanned[0] < depth || state.scanned[1] < depth);
}

void StreamInspector::EndScan(Flow& flow) {
  StreamState& state = *flow.stream;
  if (state.scanned_halves == nullptr) return;
  for (size_t index = 0; index < 2; ++index) {
    TcpHalf& half = (*state.scanned_halves)[index];
    Sink sink(*this, flow, index, flow.last_ns);
    half.JudgeSeen(sink);
    half.Abandon(tcp_counters_);
  }
  state.scanned_halves.reset();
  Count(state);
}

TcpSegment StreamInspector::SegmentOf(const Packet& packet) const {
  TcpSegment segment;
  segment.sequence = packet.sequence + ((packet.tcp_flags & kTcpSyn) != 0 ? 1 : 0);
  segment.payload = packet.payload;
  segment.missing_bytes = packet.missing_bytes;
  segment.fin = (packet.tcp_flags & kTcpFin) != 0;
  segment.may_be_padding = MayBePadding(packet);
  segment.packet = &packet;
  segment.time_ns = packet.frame->time_ns;
  segment.key = repeat_key_;
  return segment;
}

void StreamInspector::OnSyn(TcpHalf& half, TcpHalf& other, const Packet& packet) {
  half.OnSyn(packet.sequence, tcp_counters_);
  if (half.first() != packet.sequence + 1) return;
  half.SetInterface(packet.frame->file);
  other.SetWindowScale(WindowScaleOf(packet).value_or(kUnknownWindowScale));
  if (ChecksumOf(packet) == Checksum::kRight) half.TrustChecksums();
}

// Nobody reads the stream any more.
void StreamInspector::ConsiderBypass(Flow& flow) {
  // Another copy of what the parser gave up at may come.
  for (const std::string& message : flow.stream->reading.message) {
    if (!message.empty()) return;
  }
  flow.bypass = true;
  if (flow.stream->second != nullptr) EndSecondReading(flow, *flow.stream);
  // Scanning goes on by itself: how long the flow lasts, who is its client, and what is read of it must not depend on
  // whether somebody looks for patterns.
  if (WantsScan(*flow.stream)) {
    flow.stream->scanned_halves = std::make_unique<std::array<TcpHalf, 2>>();
    for (size_t i = 0; i < 2; ++i) (*flow.stream->scanned_halves)[i] = flow.half[i].TakeOver();
    Count(*flow.stream);
  } else {
    for (size_t index = 0; index < 2; ++index) {
      Sink sink(*this, flow, index, flow.last_ns);
      flow.half[index].JudgeSeen(sink);
    }
  }
  for (TcpHalf& half : flow.half) half.Abandon(tcp_counters_);
}

StreamState& StreamInspector::StateOf(Flow& flow) {
  if (flow.stream == nullptr) {
    flow.stream = std::make_unique<StreamState>();
    flow.stream->reading.over = !options_.parse;
    Count(*flow.stream);
  }
  return *flow.stream;
}

// After whatever it owns has changed.
void StreamInspector::Count(StreamState& state) {
  const auto bytes = static_cast<uint32_t>(state.memory_bytes());
  counters_.stream_bytes += bytes;
  counters_.stream_bytes -= state.counted;
  state.counted = bytes;
}

void StreamInspector::OnData(Flow& flow, size_t index, Chunk& chunk, uint64_t gap_bytes) {
  counters_.payload_bytes += chunk.data.size();
  if (flow.stream == nullptr && chunk.data.empty()) return;
  StreamState& state = StateOf(flow);
  if (scan_ && !chunk.data.empty()) Scan(state, index, chunk.data, gap_bytes);
  if (flow.bypass) return;
  chunk.gap_bytes = static_cast<uint32_t>(std::min<uint64_t>(gap_bytes, UINT32_MAX));
  if (flow.half[index].ended() && !chunk.end) return;  // sent behind the FIN
  if (state.second != nullptr) FollowSecond(flow, state, index, chunk);
  chunk.direction = DirectionShown(state, index);
  const size_t parser = state.reading.parser.index();
  reader_.FeedLeading(flow, state.reading, index, chunk, state.flip_pending);
  // A parser that goes on owns what it did.
  if (state.second != nullptr || parser == 0 || parser != state.reading.parser.index()) Count(state);
}

void StreamInspector::OnAside(Flow& flow, size_t index, Bytes data) {
  counters_.payload_bytes_aside += data.size();
  if (scan_ && !data.empty()) ScanAlone(StateOf(flow), index, data);
}

void StreamInspector::OnPlaceChange(Flow& flow, size_t index, bool back) {
  StreamState& state = StateOf(flow);
  if (state.tails != nullptr) (*state.tails)[index].length = 0;
  if (!options_.parse || flow.bypass) return;
  if (state.second == nullptr || state.second->suspended != static_cast<int>(index) || !back) {
    if (state.second != nullptr) EndSecondReading(flow, state);
    ++counters_.second_readings;
    state.second = std::make_unique<SecondReading>();
    state.second->suspended = static_cast<int>(index);
    back = false;
  }
  std::swap(state.reading, state.second->reading);
  state.second->was_leading = !back;
  state.second->chunks_since = 0;
}

void StreamInspector::Scan(StreamState& state, size_t index, Bytes data, uint64_t gap_bytes) {
  if (options_.payload_depth != 0) {
    const uint64_t left = options_.payload_depth - std::min(options_.payload_depth, state.scanned[index]);
    if (left < data.size()) {
      counters_.payload_bytes_unscanned += data.size() - left;
      data = data.first(left);
    }
    if (data.empty()) return;
  }
  state.scanned[index] += data.size();
  if (state.tails == nullptr) {
    state.tails = std::make_unique<std::array<PayloadTail, 2>>();
    Count(state);
  }
  PayloadTail& tail = (*state.tails)[index];
  if (gap_bytes != 0) tail.length = 0;
  const PayloadTail before = tail;
  hits_.clear();
  const Direction direction = DirectionShown(state, index);
  indicators_->ScanPayload(data, direction, &tail, *scratch_, hits_);
  if (!hits_.empty()) EmitHits(data, &before, direction);
}

// Bytes beside the stream: they follow nothing, and count to no depth, but are passed over once that is reached.
void StreamInspector::ScanAlone(const StreamState& state, size_t index, Bytes data) {
  if (options_.payload_depth != 0 && state.scanned[index] >= options_.payload_depth) {
    counters_.payload_bytes_unscanned += data.size();
    return;
  }
  const Direction direction = DirectionShown(state, index);
  hits_.clear();
  indicators_->ScanPayload(data, direction, nullptr, *scratch_, hits_);
  if (!hits_.empty()) EmitHits(data, nullptr, direction);
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
  const Datagram datagram = {
      .data = payload,
      .direction = direction,
      .missing_bytes = packet.missing_bytes,
      .time_ns = packet.frame->time_ns,
  };
  bool known = flow.app != ProtocolId::kUnknown;
  ForEachProtocol([&]<class P>(P) {
    if constexpr (DatagramParserType<typename P::DatagramParser>) {
      if (flow.app == P::kId || !known) known |= OnDatagram<typename P::DatagramParser>(flow, P::kId, datagram);
    }
  });
  if (known) return;
  ++flow.udp_misses;
  if (flow.udp_misses > kMaxTunnelProbes) return;
  CountTunnel(flow, TunnelOfDatagram(payload, payload.size() + packet.missing_bytes));
  if (flow.tunnel) flow.udp_misses = kMaxUdpMisses;
}

// Whether the datagram is the protocol's. Of a flow whose protocol is not known it decides that.
template <class Parser>
bool StreamInspector::OnDatagram(Flow& flow, ProtocolId protocol, Datagram datagram) {
  const auto settle = [&] {
    if (flow.app != ProtocolId::kUnknown) return;
    flow.app = protocol;
    ++counters_.flows_by_protocol[static_cast<size_t>(protocol)];
  };
  if constexpr (Parser::kKeepsState) {
    if (flow.app == ProtocolId::kUnknown) {
      if (!Parser::Begins(datagram)) return false;
      if (datagram.missing_bytes != 0) return true;  // a cut one counts as lost
      settle();
      flow.stream = std::make_unique<StreamState>();
      flow.stream->reading.parser = std::make_unique<Parser>();
      Count(*flow.stream);
    }
    reader_.FeedDatagram(flow.stream->reading, datagram);
    if (flow.stream->reading.over) Count(*flow.stream);
  } else {
    datagram.on_own_port = std::any_of(Parser::kPorts.begin(), Parser::kPorts.end(), [&](uint16_t port) {
      return port == flow.client_port || port == flow.server_port;
    });
    if (Parser::Feed(datagram, reader_.output()).progress == Progress::kMalformed) return false;
    settle();
  }
  return true;
}

void StreamInspector::OnOther(Flow& flow) { CountTunnel(flow, TunnelOfIpProtocol(flow.protocol)); }

void StreamInspector::CountTunnel(Flow& flow, Tunnel tunnel) {
  if (tunnel == Tunnel::kNone || flow.tunnel) return;
  flow.tunnel = true;
  ++counters_.tunnels[static_cast<size_t>(tunnel)];
}

void StreamInspector::Finish(Flow& flow) {
  if (!flow.bypass) {
    for (size_t index = 0; index < 2; ++index) {
      Sink sink(*this, flow, index, flow.last_ns);
      flow.half[index].Finish(tcp_counters_, sink, flow.packets(index) != 0);
    }
    if (flow.stream != nullptr && flow.stream->flip_pending) TurnRound(flow);
  } else if (flow.stream != nullptr && flow.stream->scanned_halves != nullptr) {
    const uint64_t gap_bytes = tcp_counters_.gap_bytes;
    for (size_t index = 0; index < 2; ++index) {
      Sink sink(*this, flow, index, flow.last_ns);
      (*flow.stream->scanned_halves)[index].Finish(tcp_counters_, sink, flow.packets(index) != 0);
    }
    counters_.gap_bytes_scan_only += tcp_counters_.gap_bytes - gap_bytes;
  }
  if (flow.udp_misses != 0 && flow.app == ProtocolId::kUnknown && !flow.tunnel) ++counters_.udp_unrecognised;
  if (flow.stream == nullptr) return;
  if (options_.parse && flow.app == ProtocolId::kUnknown) ++counters_.flows_unrecognised;
  if (flow.stream->second != nullptr) EndSecondReading(flow, *flow.stream);
  reader_.Release(flow.stream->reading);
  counters_.stream_bytes -= flow.stream->counted;  // the flow goes, and the state with it
  flow.stream->counted = 0;
}

}  // namespace vedette
