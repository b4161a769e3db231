// One share-nothing worker: burst, decode, flow, parse; run to completion.
//
// Each worker walks the whole capture and takes the packets whose address pair falls to it, so that no packet ever
// crosses a thread. What a worker finds does not depend on how many there are.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "parsers/base/observable.h"
#include "sensor/capture/frame.h"
#include "sensor/capture/packet_filter.h"
#include "sensor/decode/decoder.h"
#include "sensor/flow/flow_table.h"
#include "sensor/flow/stream_inspector.h"
#include "sensor/keep/flow_keeper.h"
#include "sensor/pipeline/burst_consumer.h"
#include "sensor/pipeline/capture_clock.h"
#include "sensor/pipeline/flow_end.h"
#include "sensor/pipeline/worker_counters.h"

namespace vedette {

struct WorkerOptions {
  Decoder::Options decoder;
  StreamInspector::Options inspector;
  uint32_t max_flows = 1'000'000;
  bool vlan_tells_flows_apart = false;  // for sites that use the same addresses in several VLANs; see FlowKey::SetEnds
  FlowHashSeed hash_seed{};             // of the flow table; what is found does not depend on it
  bool believe_stamps = false;          // live: the kernel's; else see CaptureClock
  uint64_t tcp_timeout_ns = 600'000'000'000;  // idle; long polls and interactive sessions pause for minutes
  uint64_t tcp_closed_timeout_ns =
      60'000'000'000;  // after FIN both ways or RST: two maximum segment lifetimes on today's networks
  uint64_t other_timeout_ns =
      120'000'000'000;  // UDP, ICMP and the rest: RFC 4787 section 4.3 asks NATs for two minutes
  uint64_t since_ns = 0, until_ns = UINT64_MAX;   // packet times to look at; UINT64_MAX: no end
  PacketFilter* filter = nullptr;                 // nullptr: all
  ObservableMask wanted = ObservableMask::All();  // without indicators: what parsers emit
  FlowKeeper* keeper = nullptr;                   // live: gets every packet of a flow; nullptr: none is kept
};

class Worker {
 public:
  // `kit`: what to match with; nullptr: nothing is matched. `exchange`: where a reload leaves a new one; may be
  // nullptr, else outlives the worker.
  Worker(const WorkerOptions& options, BurstConsumer& consumer, std::unique_ptr<MatchKit> kit = nullptr,
         KitExchange* exchange = nullptr);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // All frames of the capture come by, in order; those of others are passed over. The last ones wait, as copies, where
  // their time cannot be told before others follow; CaptureClock::kLookAhead at most.
  void Process(std::span<const Frame> frames);
  // Nothing follows for now: what waits is judged by itself.
  void ProcessWaiting();
  // Live, now and then between bursts: ends flows that are idle by the clock, nanoseconds since 1970. A look at all of
  // them begins every 10 s; each call, and each Process, takes it some flows further, so that no burst waits for it.
  void SweepByClock(uint64_t now_ns);
  // The capture is over: every flow ends.
  void Finish();

  const WorkerCounters& counters() const { return counters_; }
  const DecodeCounters& decode_counters() const { return decoder_.counters(); }
  const InspectionCounters& inspection_counters() const { return inspector_.counters(); }
  const LossCounters& loss_counters() const { return inspector_.loss_counters(); }
  const TcpCounters& tcp_counters() const { return inspector_.tcp_counters(); }
  MatchCounters payload_match_counters() const { return kit_ == nullptr ? MatchCounters() : kit_->payload.counters; }
  MatchCounters field_match_counters() const { return kit_ == nullptr ? MatchCounters() : kit_->fields.counters; }
  size_t flow_memory_bytes() const { return flows_.memory_bytes(); }
  size_t fragment_bytes_held() const { return decoder_.fragment_bytes_held(); }

 private:
  struct Slot {
    Packet packet;
    FlowKey key;
    uint64_t time_ns;        // by the capture's clock
    uint64_t difference_ns;  // see CaptureClock; where this packet stands, not at the end of its burst
    bool addresses_only;
  };
  struct WaitingFrame {
    Frame frame;
    std::vector<uint8_t> bytes;
  };

  void UseNewKit();
  void Install(std::unique_ptr<MatchKit> kit);
  void EmitAddresses(const Flow& flow);
  void Judge(std::span<const Frame> frames, bool last);
  void Run(std::span<const Frame> frames, std::optional<uint64_t> time_ns);
  void Lookup(Slot& slot);
  bool MayTurn(const Flow& flow, bool may_wait);
  void SettleIfNamed(Flow& flow, bool may_wait);
  bool Told(Flow& flow, const Packet& packet, bool& from_client);
  void CountWays(const Flow& flow);
  void OnPacket(Slot& slot, uint64_t rank);
  void RunSlots(size_t count);
  void OnGivenUp(const Frame& at, bool all);
  Flow& NewFlow(const Slot& slot, uint64_t rank);
  void EndFlow(Flow& flow, const Frame& frame, uint64_t rank);
  uint32_t PartNow() const;
  size_t SweepPart(uint32_t part, uint64_t now_ns);
  void ContinueSweep();
  void EndAllOver(uint64_t rank);
  void BeginContext();
  bool emitted() const { return batch_.size() != batch_before_; }  // since BeginContext
  // A context that was just made.
  void FillContext(EmissionContext& context, const Flow& flow, const Frame& frame, uint64_t time_ns,
                   Direction direction, uint64_t rank) const;
  void EndContext(const Flow& flow, const Frame& frame, uint64_t time_ns, Direction direction, uint64_t rank);
  void Deliver();
  void HandOver();

  WorkerOptions options_;
  BurstConsumer& consumer_;
  ObservableBatch batch_;
  std::unique_ptr<MatchKit> kit_;
  KitExchange* exchange_;
  uint16_t generation_ = 0;  // the kit's, as flows keep it
  Decoder decoder_;
  FlowTable flows_;
  StreamInspector inspector_;
  const FlowTimeouts timeouts_;
  WorkerCounters counters_;
  std::vector<EmissionContext> contexts_;
  std::vector<EndedFlow> ended_;
  const bool wants_ends_;
  std::deque<EmissionContext> ends_;  // what ended_ refers to
  std::unique_ptr<Slot[]> slots_;
  uint64_t frames_seen_ = 0;
  uint32_t batch_before_ = 0;
  // A flow that is over and still there.
  struct OverFlow {
    uint64_t first_packet;
    Flow* flow;
  };
  std::vector<OverFlow> over_;
  bool sweeps_by_clock_ = false;
  uint64_t clock_ns_ = 0, last_clock_sweep_ns_ = 0;  // live: now, and when the last sweep began
  uint32_t next_part_ = FlowTable::kParts;           // of the sweep under way; kParts: none is
  CaptureClock clock_;
  std::vector<WaitingFrame> waiting_;
  Frame last_frame_;
};

}  // namespace vedette
