#include "sensor/pipeline/worker.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "exporter/alert/alert_queue.h"
#include "sensor/decode/link.h"
#include "sensor/flow/client_guess.h"

namespace vedette {
namespace {

// Flows that begin within so many frames of the capture are a part of all, and the parts are looked at for idle flows in
// turn, one after each of as many frames: each flow a million frames after it began, and each million frames later.
// Frames are counted over all workers' packets, so that it happens at the same packet for any number of workers. A part
// has few flows, so no burst waits for long.
constexpr uint64_t kPartFrames = 256;

// Among what the end of the capture brings, flows that end follow what was left of datagrams.
constexpr uint64_t kFlowEnds = uint64_t{1} << 62;

// What is left of a datagram in a tunnel may be another worker's than the packet at which it was given up: it follows
// that, before any flow that ends. At most one comes at one packet, unless a bound is reached.
constexpr uint64_t kGivenUpInTunnel = 1;

constexpr uint64_t kClockSweepNs = 10'000'000'000;  // live; a million flows: 0.2 % of the worker's time
constexpr size_t kFlowsAtOnce = 256;                // live; looked at before a burst, whatever time it is: some 20 us

// The end of the capture may end a million flows: what they emit is handed over in portions.
constexpr uint32_t kDeliverObservables = 4096;

// No scan sends as many in vain, and no connection does without an answer in between: whoever sees only one direction
// of a flow of so many does not see the other.
constexpr uint32_t kJudgedPackets = 16;

// A stamp that is nearer than any flow's time-out to the one before is taken as it is.
uint64_t NearNs(const WorkerOptions& options) {
  if (options.believe_stamps) return CaptureClock::kBelieveAll;
  return std::min({options.tcp_timeout_ns, options.tcp_closed_timeout_ns, options.other_timeout_ns});
}

Decoder::Options KeepingGivenUp(Decoder::Options options) {
  options.keep_given_up = true;
  return options;
}

}  // namespace

Worker::Worker(const WorkerOptions& options, BurstConsumer& consumer, std::unique_ptr<MatchKit> kit,
               KitExchange* exchange)
    : options_(options),
      consumer_(consumer),
      exchange_(exchange),
      decoder_(KeepingGivenUp(options.decoder)),
      flows_(options.max_flows, options.hash_seed),
      inspector_(options.inspector, batch_),
      timeouts_{options.tcp_timeout_ns, options.tcp_closed_timeout_ns, options.other_timeout_ns},
      wants_ends_(consumer.wants_ends()),
      slots_(std::make_unique<Slot[]>(CaptureSource::kBurst)),
      clock_(NearNs(options)) {
  batch_.set_wanted(options.wanted);
  if (kit != nullptr) Install(std::move(kit));
}

Worker::~Worker() = default;

void Worker::Install(std::unique_ptr<MatchKit> kit) {
  if (kit_ != nullptr) {
    kit->payload.counters = kit_->payload.counters;
    kit->fields.counters = kit_->fields.counters;
  }
  std::swap(kit_, kit);
  batch_.set_wanted(kit_->wanted);
  inspector_.UseIndicators(kit_->set.get(), &kit_->payload);
  consumer_.Use(*kit_);
  generation_ = static_cast<uint16_t>(kit_->generation);
  if (exchange_ != nullptr) exchange_->Return(std::move(kit), kit_->generation);
}

// Between bursts: each batch is matched with one set.
void Worker::UseNewKit() {
  if (exchange_ == nullptr) return;
  if (std::unique_ptr<MatchKit> kit = exchange_->Take()) Install(std::move(kit));
}

void Worker::Process(std::span<const Frame> frames) {
  counters_.frames += frames.size();
  if (next_part_ != FlowTable::kParts) [[unlikely]] {
    ContinueSweep();
  }
  if (waiting_.empty()) [[likely]] {
    Judge(frames, false);
    return;
  }
  const std::vector<WaitingFrame> waiting = std::exchange(waiting_, {});
  std::vector<Frame> joined;
  for (const WaitingFrame& one : waiting) joined.push_back(one.frame);
  joined.insert(joined.end(), frames.begin(), frames.end());
  Judge(joined, false);
}

void Worker::ProcessWaiting() {
  if (waiting_.empty()) return;
  const std::vector<WaitingFrame> waiting = std::exchange(waiting_, {});
  std::vector<Frame> frames;
  for (const WaitingFrame& one : waiting) frames.push_back(one.frame);
  Judge(frames, true);
}

// Tells what time each frame has, and runs them in bursts; keeps those whose time cannot be told yet.
void Worker::Judge(std::span<const Frame> frames, bool last) {
  UseNewKit();
  while (!frames.empty()) {
    // Streams cut bursts where they end for the moment: a sweep comes at the same packet all the same.
    const size_t most =
        std::min({frames.size(), size_t{CaptureSource::kBurst}, size_t{kPartFrames - frames_seen_ % kPartFrames}});
    size_t count = clock_.CountNear(frames.first(most));
    if (count != 0) [[likely]] {
      Run(frames.first(count), std::nullopt);
    } else {
      const std::optional<uint64_t> time = clock_.Judge(frames, last);
      if (!time) break;
      count = 1;
      Run(frames.first(count), time);
    }
    frames = frames.subspan(count);
  }
  for (const Frame& frame : frames) {
    WaitingFrame& one = waiting_.emplace_back();
    one.bytes.assign(frame.data, frame.data + frame.captured_bytes);
    one.frame = frame;
    one.frame.data = one.bytes.data();
  }
}

// `time_ns`: of all these frames; nothing: their stamps are their times.
void Worker::Run(std::span<const Frame> frames, std::optional<uint64_t> time_ns) {
  decoder_.BeginBurst();
  size_t used = 0;
  const uint64_t difference_ns = clock_.difference_ns();
  for (const Frame& frame : frames) {
    // A time beyond what 64 bits hold is read as UINT64_MAX: without an end it counts as well.
    if (frame.time_ns < options_.since_ns || (frame.time_ns >= options_.until_ns && options_.until_ns != UINT64_MAX)) {
      ++counters_.excluded_by_time;
      continue;
    }
    if (options_.filter != nullptr && !options_.filter->Matches(frame)) {
      ++counters_.excluded_by_filter;
      if (options_.filter->by_ports() && IsLaterFragment(frame)) ++counters_.fragments_excluded_by_filter;
      continue;
    }
    Slot& slot = slots_[used];
    const DecodeResult result = decoder_.Decode(frame, slot.packet);
    if (result == DecodeResult::kPacket || result == DecodeResult::kAddressesOnly) {
      slot.addresses_only = result == DecodeResult::kAddressesOnly;
      slot.time_ns = time_ns.value_or(frame.time_ns);
      slot.difference_ns = difference_ns;
      Lookup(slot);
      ++used;
    }
    // Only fragments make others give way.
    if (result == DecodeResult::kPacket && !slot.packet.is_fragment) [[likely]] {
      continue;
    }
    if (options_.keeper != nullptr && slot.packet.is_fragment) options_.keeper->AddFragment(frame, slot.packet);
    if (decoder_.has_given_up()) [[unlikely]] {
      RunSlots(used);
      used = 0;
      OnGivenUp(frame, false);
    }
  }
  RunSlots(used);
  last_frame_ = frames.back();
  counters_.stamps_disbelieved = clock_.disbelieved();
  frames_seen_ += frames.size();
  if (frames_seen_ % kPartFrames == 0 && !sweeps_by_clock_) SweepPart(PartNow(), clock_.now_ns());
  HandOver();
}

void Worker::RunSlots(size_t count) {
  for (size_t i = 0; i < count; ++i) flows_.PrefetchFlow(slots_[i].key);
  for (size_t i = 0; i < count; ++i) OnPacket(slots_[i], 0);
}

// What is there of datagrams that were given up at that frame, or (all) at the end of the capture. The fragments stand
// as they came; what they show is found only now.
void Worker::OnGivenUp(const Frame& at, bool all) {
  Slot slot;
  slot.addresses_only = false;
  while (decoder_.TakeGivenUp(slot.packet)) {
    Frame frame = *slot.packet.frame;
    uint64_t rank = slot.packet.outer.empty() ? 0 : kGivenUpInTunnel;
    if (all) rank = (PacketPosition(frame.file, frame.number) + 1) | AlertPosition::kEndOfCapture;
    frame.file = at.file;
    frame.number = at.number;
    slot.packet.frame = &frame;
    slot.time_ns = frame.time_ns;
    slot.difference_ns = clock_.difference_ns();
    Lookup(slot);
    OnPacket(slot, rank);
  }
}

void Worker::Lookup(Slot& slot) {
  slot.key.SetEnds(slot.packet, options_.vlan_tells_flows_apart);
  flows_.Hash(slot.key);
  flows_.PrefetchBucket(slot.key);
}

Flow& Worker::NewFlow(const Slot& slot, uint64_t rank) {
  const Packet& packet = slot.packet;
  FlowKey key = slot.key;
  const ClientGuess guess = GuessClient(packet);
  if (guess.client == PacketEnd::kReceiver) {
    std::swap(key.source, key.destination);
    std::swap(key.source_port, key.destination_port);
  }
  uint64_t evicted = 0;
  const uint64_t crowded_out = flows_.crowded_out();
  Flow& flow = flows_.Insert(key, PartNow(), [&](Flow& old) {
    ++evicted;
    EndFlow(old, *packet.frame, rank);
  });
  counters_.flows_crowded_out = flows_.crowded_out();
  counters_.flows_evicted += evicted - (flows_.crowded_out() - crowded_out);
  ++counters_.flows;
  counters_.flows_peak = flows_.peak();
  counters_.flows_now = flows_.size();
  flow.client_known = guess.settled;
  flow.start_seen = guess.start_seen;
  flow.first_ns = flow.last_ns = slot.time_ns;
  flow.first_packet = PacketPosition(packet.frame->file, packet.frame->number);
  flow.num_vlans = packet.num_vlans;
  for (size_t i = 0; i < packet.num_vlans; ++i) flow.vlan[i] = packet.vlan[i];
  return flow;
}

// Whether no alert has named the flow's ends. What earlier packets of the flow showed is matched before that is asked,
// where it may still wait, so that the answer does not depend on where bursts end.
bool Worker::MayTurn(const Flow& flow, bool may_wait) {
  const uint64_t id = IdOf(flow);
  if (may_wait && std::any_of(contexts_.begin(), contexts_.end(),
                              [id](const EmissionContext& context) { return context.flow.id == id; }))
    Deliver();
  return !consumer_.HasRaised(id);
}

// Before bytes are looked at that may tell who is the client.
void Worker::SettleIfNamed(Flow& flow, bool may_wait) {
  if (flow.client_known || flow.bypass || flow.protocol != kIpProtoTcp || flow.app != ProtocolId::kUnknown) return;
  if (flow.stream != nullptr && flow.stream->parsing_over()) return;
  if (!MayTurn(flow, may_wait)) flow.client_known = true;
}

// A later packet of a flow whose client was a guess. True: its ends changed places.
bool Worker::Told(Flow& flow, const Packet& packet, bool& from_client) {
  const std::optional<ClientGuess> told = ClientToldBy(packet, flow, from_client);
  if (!told) return false;
  const bool agrees = (told->client == PacketEnd::kSender) == from_client;
  if (agrees) {
    flow.client_known = true;
    flow.start_seen |= told->start_seen;
    return false;
  }
  if (!MayTurn(flow, true)) {
    flow.client_known = true;
    return false;
  }
  StreamInspector::TurnRound(flow);
  flow.start_seen |= told->start_seen;
  from_client = !from_client;
  return true;
}

// What is added to the batch from here on is another packet's.
void Worker::BeginContext() {
  batch_before_ = batch_.size();
  batch_.set_context(static_cast<uint32_t>(contexts_.size()));
}

void Worker::FillContext(EmissionContext& context, const Flow& flow, const Frame& frame, uint64_t time_ns,
                         Direction direction, uint64_t rank) const {
  TakeSnapshot(flow, context.flow);
  if ((flow.scope & kScopeTunnel) != 0) [[unlikely]] {
    const std::span<const OuterLayer> outer = flows_.OuterOf(flow);
    context.flow.outer.assign(outer.begin(), outer.end());
  }
  context.file = frame.file;
  context.packet = frame.number;
  context.time_ns = time_ns;
  context.direction = direction;
  context.rank = rank;
  context.first_packet = flow.first_packet;
}

void Worker::EndContext(const Flow& flow, const Frame& frame, uint64_t time_ns, Direction direction, uint64_t rank) {
  if (!emitted()) return;
  FillContext(contexts_.emplace_back(), flow, frame, time_ns, direction, rank);
  BeginContext();
}

// Of a TCP flow with kJudgedPackets packets: whether both directions are seen.
void Worker::CountWays(const Flow& flow) {
  if (flow.packets(0) + flow.packets(1) != kJudgedPackets) return;
  ++(flow.packets(0) == 0 || flow.packets(1) == 0 ? counters_.tcp_one_way : counters_.tcp_both_ways);
}

void Worker::OnPacket(Slot& slot, uint64_t rank) {
  const Packet& packet = slot.packet;
  const Frame& frame = *packet.frame;
  bool from_client = true;
  Flow* flow = flows_.Find(slot.key, from_client);
  if (flow != nullptr) [[likely]] {
    const PacketOfFlow next = {packet, slot.time_ns, slot.difference_ns, slot.addresses_only, from_client};
    if (MayBeOver(timeouts_, *flow, next) && IsOver(timeouts_, *flow, next)) {
      EndFlow(*flow, frame, rank);
      flows_.Release(*flow);
      flow = nullptr;
    }
  }
  bool turned = false;
  if (flow != nullptr && !flow->client_known && !slot.addresses_only) {
    if (MayTellClient(packet, *flow)) turned = Told(*flow, packet, from_client);
    if (packet.protocol == kIpProtoTcp && !packet.payload.empty()) SettleIfNamed(*flow, true);
  }
  const bool fresh = flow == nullptr;
  if (fresh) {
    flow = &NewFlow(slot, rank);
    from_client = SentByClient(slot.key, *flow);
  }
  UpdateTimes(timeouts_, *flow, slot.time_ns);
  if (!slot.addresses_only) {
    const uint64_t time_ns = frame.time_ns;
    if (time_ns < counters_.first_ns) counters_.first_ns = time_ns;
    if (time_ns > counters_.last_ns) counters_.last_ns = time_ns;
    const size_t index = from_client ? 0 : 1;
    flow->CountPacket(index);
    flow->bytes[index] += frame.wire_bytes;
    counters_.bytes += frame.wire_bytes;
    if (flow->packets_low[0] + flow->packets_low[1] == kJudgedPackets && packet.protocol == kIpProtoTcp)
      CountWays(*flow);
  }
  if (options_.keeper != nullptr) [[unlikely]] {
    options_.keeper->Add(*flow, packet);
  }
  // Addresses are looked up under the direction that holds; where this packet's bytes may tell it, after them.
  bool look_up = fresh || turned || flow->generation != generation_;
  flow->generation = generation_;
  const bool may_tell = !flow->client_known && packet.protocol == kIpProtoTcp && !packet.payload.empty();
  if (look_up && !may_tell) {
    EmitAddresses(*flow);
    look_up = false;
  }
  if (packet.has_quoted && !slot.addresses_only) {
    const Direction direction = from_client ? Direction::kToServer : Direction::kToClient;
    batch_.BeginMessage();
    batch_.AddAddress(ObservableKind::kIpQuoted, direction, packet.quoted_source, packet.quoted_source_port);
    batch_.AddAddress(ObservableKind::kIpQuoted, direction, packet.quoted_destination, packet.quoted_destination_port);
  }
  if (slot.addresses_only) {
    // A fragment on its own: its addresses are known, its ports are not.
  } else if (packet.protocol == kIpProtoTcp) {
    const bool before = flow->turned;
    inspector_.OnTcp(*flow, packet, from_client);
    look_up |= flow->turned != before;
  } else if (packet.protocol == kIpProtoUdp) {
    inspector_.OnUdp(*flow, packet, from_client);
  } else {
    inspector_.OnOther(*flow);
  }
  if (look_up) EmitAddresses(*flow);
  if (!emitted()) return;
  // The bytes may have told that the client is at the other end.
  EndContext(*flow, frame, frame.time_ns, SentByClient(slot.key, *flow) ? Direction::kToServer : Direction::kToClient,
             rank);
}

// Once for each generation of indicators, so that an address that became known meanwhile is found in running flows.
void Worker::EmitAddresses(const Flow& flow) {
  batch_.BeginMessage();
  batch_.AddAddress(ObservableKind::kIp, Direction::kToServer, ClientOf(flow), flow.client_port);
  batch_.AddAddress(ObservableKind::kIp, Direction::kToClient, ServerOf(flow), flow.server_port);
}

void Worker::EndFlow(Flow& flow, const Frame& frame, uint64_t rank) {
  // A sweep has delivered what packets brought.
  if (flow.half[0].irregular() || flow.half[1].irregular()) SettleIfNamed(flow, rank == 0);
  const bool before = flow.turned;
  inspector_.Finish(flow);
  if (flow.turned != before) EmitAddresses(flow);
  EndContext(flow, frame, flow.last_ns, Direction::kToServer,
             rank);  // the packet is another flow's: its time says nothing
  // Found at the next packet of its five-tuple, or of any other, or (rank) behind all packets so far.
  const uint64_t position = PacketPosition(frame.file, frame.number);
  EndedFlow& ended = ended_.emplace_back();
  ended.id = IdOf(flow);
  ended.first_packet = flow.first_packet;
  ended.last_packet = rank == 0 ? position - 1 : position;
  if (!wants_ends_) return;
  FillContext(ends_.emplace_back(), flow, frame, flow.last_ns, Direction::kToServer, rank);
  ended.end = &ends_.back();
  ended.context = static_cast<uint32_t>(contexts_.size());
}

uint32_t Worker::PartNow() const { return static_cast<uint32_t>(frames_seen_ / kPartFrames % FlowTable::kParts); }

// Ends the flows of a part that are idle. Returns how many it has.
size_t Worker::SweepPart(uint32_t part, uint64_t now_ns) {
  const uint64_t difference_ns = clock_.difference_ns();
  const size_t looked_at = flows_.ForEachOf(part, [&](Flow& flow) {
    if (CaptureClock::Between(now_ns, flow.last_ns, difference_ns) > timeouts_.Of(flow))
      over_.push_back({flow.first_packet, &flow});
  });
  counters_.flows_timed_out += over_.size();
  if (!over_.empty()) EndAllOver(0);
  return looked_at;
}

// `rank`: what is behind these, beside their first packets.
void Worker::EndAllOver(uint64_t rank) {
  Deliver();
  std::sort(over_.begin(), over_.end(),
            [](const OverFlow& a, const OverFlow& b) { return a.first_packet < b.first_packet; });
  for (const OverFlow& over : over_) {
    EndFlow(*over.flow, last_frame_, (over.first_packet + 1) | rank);
    flows_.Release(*over.flow);
    if (batch_.size() > kDeliverObservables) Deliver();
  }
  over_.clear();
  counters_.flows_now = flows_.size();
}

void Worker::Deliver() {
  if (batch_.size() == 0 && ended_.empty()) return;
  for (const Observable& o : batch_.observables()) ++counters_.observables[static_cast<size_t>(o.kind)];
  consumer_.OnBurst(batch_, contexts_, ended_);
  batch_.Clear();
  contexts_.clear();
  ended_.clear();
  ends_.clear();
  BeginContext();
}

void Worker::HandOver() {
  Deliver();
  consumer_.OnProgress(last_frame_.file, last_frame_.number);
}

void Worker::SweepByClock(uint64_t now_ns) {
  UseNewKit();
  ProcessWaiting();
  sweeps_by_clock_ = true;
  clock_ns_ = now_ns;
  if (next_part_ == FlowTable::kParts) {
    const bool set_back = now_ns < last_clock_sweep_ns_;
    if (!set_back && now_ns < last_clock_sweep_ns_ + kClockSweepNs) return;
    last_clock_sweep_ns_ = now_ns;
    decoder_.ExpireFragments(now_ns);
    OnGivenUp(last_frame_, false);
    next_part_ = 0;
  }
  ContinueSweep();
}

// Some parts further.
void Worker::ContinueSweep() {
  for (size_t looked_at = 0; next_part_ != FlowTable::kParts && looked_at < kFlowsAtOnce;)
    looked_at += SweepPart(next_part_++, clock_ns_);
  HandOver();
}

void Worker::Finish() {
  ProcessWaiting();
  decoder_.Finish();
  OnGivenUp(last_frame_, true);
  flows_.ForEach([&](Flow& flow) { over_.push_back({flow.first_packet, &flow}); });
  EndAllOver(AlertPosition::kEndOfCapture | kFlowEnds);
  HandOver();
}

}  // namespace vedette
