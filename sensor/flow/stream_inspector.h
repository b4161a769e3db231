// What is done with the bytes of a flow: literals are looked for in the payload, and the protocol's parser reads them.
//
// One inspector per worker; not thread safe. Everything found goes into the worker's ObservableBatch.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "parsers/observable.h"
#include "parsers/registry.h"
#include "sensor/flow/flow.h"
#include "signatures/indicator_set.h"

namespace vedette {

// Of one TCP flow that carried payload, and of a UDP flow whose protocol has a state (OpenVPN). Arrays are indexed by
// the flow's direction.
struct StreamState {
  StreamParser parser;
  uint64_t skip[2] = {0, 0};  // bytes that the parser does not want to see
  std::string first[2];       // bytes held until a protocol is recognised; at most kStreamIdentifyBytes
  bool first_start[2] = {false, false};
  uint8_t attempts[2] = {0, 0};  // segments that no protocol knew
  uint8_t hand_overs = 0;
  bool parsing_over = false;     // no parser will look again
  bool flip_pending = false;     // the bytes say that the client is at the other end
  uint32_t parser_held = 0;      // bytes, as counted in InspectionCounters::parser_held_bytes
  uint32_t counted = 0;          // … and in stream_bytes
  uint64_t scanned[2] = {0, 0};  // payload bytes looked at
  std::unique_ptr<std::array<PayloadTail, 2>> tails;
};

struct InspectionCounters {
  std::array<uint64_t, static_cast<size_t>(ProtocolId::kCount)> flows_by_protocol{};
  uint64_t flows_unrecognised = 0;       // TCP flows with payload that ended and that no parser knew
  uint64_t malformed = 0;                // flows whose parser gave up on broken input
  uint64_t payload_bytes = 0;            // carried by TCP and UDP, in order
  uint64_t payload_bytes_unscanned = 0;  // passed over because of the inspection depth
  uint64_t parser_held_bytes = 0;        // now
  uint64_t stream_bytes = 0;      // now: StreamStates with their tails, texts and parsers, without what those hold
  uint64_t parser_limit_hit = 0;  // parsers given up because all together held too much
  uint64_t hand_over_limit_hit = 0;
  uint64_t http_heads_over_limit = 0;  // see Http1Counters; so is the next
  uint64_t http_values_over_limit = 0;
};

class StreamInspector {
 public:
  struct Options {
    uint64_t payload_depth = 0;               // bytes of each direction to scan; 0: all
    size_t parser_bytes = size_t{256} << 20;  // held by all parsers of this worker
    TcpLimits tcp;
    bool parse = true;  // false: nobody wants fields
  };
  StreamInspector(const Options& options, ObservableBatch& batch);

  // From here on payload is scanned with this set and its scratch, which outlive their use; null: not at all. What is
  // left of streams' tails holds for any set.
  void UseIndicators(const IndicatorSet* indicators, MatchScratch* scratch);

  // A TCP packet of the flow; `from_client` its direction. May turn the flow round (client and server change places).
  void OnTcp(Flow& flow, const Packet& packet, bool from_client);
  void OnUdp(Flow& flow, const Packet& packet, bool from_client);
  // Client and server change places, in the flow and in what is held of its stream; from here on that is settled. Not
  // while a parser reads the stream.
  static void TurnRound(Flow& flow);
  // The flow is over: what is still held comes out.
  void Finish(Flow& flow);

  const InspectionCounters& counters() const { return counters_; }
  const TcpCounters& tcp_counters() const { return tcp_counters_; }

 private:
  void OnChunk(Flow& flow, size_t index, Bytes data, uint64_t gap_bytes, bool start, bool end, uint64_t time_ns);
  void Scan(Flow& flow, size_t index, Bytes data, uint64_t gap_bytes);
  void Parse(Flow& flow, StreamState& state, size_t index, Chunk chunk);
  // Feeds the parser once. False: the flow is not parsed any more, or handed over with `rest` still to be identified.
  bool Feed(Flow& flow, StreamState& state, size_t index, const Chunk& chunk, Bytes& rest);
  void Identify(Flow& flow, StreamState& state, size_t index, Chunk chunk);
  void FeedOpenVpn(Flow& flow, Bytes datagram, Direction direction);
  bool WithinMemory(StreamState& state);
  void StopParsing(StreamState& state);
  void Count(StreamState& state);
  void EmitHits(Bytes data, const PayloadTail* tail_before, Direction direction);
  void ConsiderBypass(Flow& flow);

  Options options_;
  ObservableBatch& batch_;
  const IndicatorSet* indicators_ = nullptr;
  MatchScratch* scratch_ = nullptr;
  bool scan_ = false;
  InspectionCounters counters_;
  TcpCounters tcp_counters_;
  std::vector<PayloadHit> hits_;
  std::string excerpt_, tail_text_;
};

}  // namespace vedette
