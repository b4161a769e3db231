// What is done with the bytes of a flow: literals are looked for in the payload, and the protocol's parser reads them.
//
// One inspector per worker; not thread safe. Everything found goes into the worker's ObservableBatch.
//
// The stream as TcpHalf puts it in order is scanned and read. What TcpHalf tells beside it, bytes set aside and other
// copies of bytes that came before, is scanned alone. Another copy that differs, or may, is read as well: a second
// reading begins at it, or at the message that it is in the middle of, and follows the other copies from there. Where
// the stream goes on at another place, a new reading begins there, and the one before waits for the stream to come
// back. A flow has at most one second reading at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "parsers/base/observable.h"
#include "sensor/flow/flow.h"
#include "sensor/flow/inspection_counters.h"
#include "sensor/flow/reading.h"
#include "sensor/flow/stream_state.h"
#include "signatures/set/indicator_set.h"

namespace vedette {

class StreamInspector {
 public:
  struct Options {
    uint64_t payload_depth = 0;               // bytes of each direction to scan; 0: all
    size_t parser_bytes = size_t{256} << 20;  // held by all parsers of this worker
    TcpLimits tcp;
    bool parse = true;  // false: nobody wants fields
  };
  // Second readings that copies begin in one flow: somebody who sends copies must not make it parse without end.
  static constexpr uint8_t kMaxSecondReadings = 8;

  StreamInspector(const Options& options, ObservableBatch& batch);

  // From here on payload is scanned with this set and its scratch, which outlive their use; null: not at all. What is
  // left of streams' tails holds for any set.
  void UseIndicators(const IndicatorSet* indicators, MatchScratch* scratch);

  // Whom content goes to from here on; see StreamReader::UseContent.
  void UseContent(ContentConsumers* consumers) { reader_.UseContent(consumers); }

  // A TCP packet of the flow; `from_client` its direction. May turn the flow round (client and server change places).
  void OnTcp(Flow& flow, const Packet& packet, bool from_client);
  void OnUdp(Flow& flow, const Packet& packet, bool from_client);
  // A packet of any other protocol.
  void OnOther(Flow& flow);
  // Client and server change places, in the flow and in what is held of its stream; from here on that is settled. Not
  // while a parser reads the stream.
  static void TurnRound(Flow& flow);
  // The flow is over: what is still held comes out.
  void Finish(Flow& flow);

  const InspectionCounters& counters() const { return counters_; }
  const TcpCounters& tcp_counters() const { return tcp_counters_; }
  const LossCounters& loss_counters() const { return loss_counters_; }

 private:
  class Sink;

  void OnBypassed(Flow& flow, size_t index, const Packet& packet);
  void SeeClosing(Flow& flow, size_t index, uint32_t next_before);
  TcpSegment SegmentOf(const Packet& packet) const;
  void ScanOnly(Flow& flow, size_t index, const Packet& packet);
  bool WantsScan(const StreamState& state) const;
  void EndScan(Flow& flow);
  void OnSyn(TcpHalf& half, TcpHalf& other, const Packet& packet);
  StreamState& StateOf(Flow& flow);
  void Count(StreamState& state);
  void OnData(Flow& flow, size_t index, Chunk& chunk, uint64_t gap_bytes);
  void OnCopy(Flow& flow, size_t index, Chunk chunk, uint32_t behind);
  void OnAside(Flow& flow, size_t index, Bytes data);
  void OnExactRepeat(Flow& flow);
  void OnPlaceChange(Flow& flow, size_t index, bool back);

  void Scan(StreamState& state, size_t index, Bytes data, uint64_t gap_bytes);
  void ScanAlone(const StreamState& state, size_t index, Bytes data);
  void EmitHits(Bytes data, const PayloadTail* tail_before, Direction direction);

  bool BeginSecondReading(Flow& flow, StreamState& state);
  bool BeginAtCopy(Flow& flow, StreamState& state, size_t index, uint32_t behind);
  void EndSecondReading(Flow& flow, StreamState& state);
  void DropSecondReading(StreamState& state);
  // Whether the second reading ended: for long no copy came.
  bool SettleSecond(Flow& flow, StreamState& state);
  void FollowSecond(Flow& flow, StreamState& state, size_t index, const Chunk& chunk);
  void FeedSecond(Flow& flow, StreamState& state, size_t index, Chunk chunk);
  void FeedWaiting(Flow& flow, StreamState& state, size_t index, size_t count, uint64_t time_ns);
  void CountTunnel(Flow& flow, Tunnel tunnel);
  template <class Parser>
  bool OnDatagram(Flow& flow, ProtocolId protocol, Datagram datagram);
  void ConsiderBypass(Flow& flow);

  Options options_;
  ObservableBatch& batch_;
  const IndicatorSet* indicators_ = nullptr;
  MatchScratch* scratch_ = nullptr;
  bool scan_ = false;
  InspectionCounters counters_;
  TcpCounters tcp_counters_;
  LossCounters loss_counters_;
  uint64_t repeat_key_;  // of recent_segments.h; nothing that is found depends on it
  StreamReader reader_;
  std::vector<PayloadHit> hits_;
  std::string excerpt_, tail_text_;
};

}  // namespace vedette
