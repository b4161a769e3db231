#include "sensor/pipeline/worker.h"

#include <algorithm>
#include <cstring>

#include "exporter/alert_queue.h"

namespace vedette {
namespace {

// Idle flows are looked for after so many frames of the capture, counted over all workers' packets, so that it happens
// at the same packet for any number of workers. A sweep over a million flows takes 20 ms: 20 ns a packet at most.
constexpr uint64_t kSweepFrames = uint64_t{1} << 20;

constexpr uint64_t kClockSweepNs = 10'000'000'000;  // live; a million flows: 0.2 % of the worker's time

// A sweep may end a million flows: what they emit is handed over in portions.
constexpr uint32_t kDeliverObservables = 4096;

// No scan sends as many in vain, and no connection does without an answer in between: whoever sees only one direction
// of a flow of so many does not see the other.
constexpr uint32_t kJudgedPackets = 16;

bool LooksLikeServer(uint16_t port, uint16_t other) { return port < 1024 && port != 0 && other >= 1024; }

bool SentByClient(const FlowKey& key, const Flow& flow) {
  return key.source_port == flow.client_port && std::memcmp(key.source, flow.client, 16) == 0;
}

// Part of every alert, so its making must not change: whoever replays a capture again has to find the same flow. Below
// 2^53, so that every JSON reader keeps it exact.
uint64_t FlowId(const Flow& flow) {
  uint64_t words[4];
  std::memcpy(words, flow.client, 16);
  std::memcpy(words + 2, flow.server, 16);
  uint64_t id = Mix64(flow.first_packet + 1);
  for (const uint64_t word : words) id = Mix64(id ^ word);
  return Mix64(id ^ (uint64_t{flow.client_port} << 32 | uint64_t{flow.server_port} << 16 | flow.protocol)) >> 11;
}

}  // namespace

Worker::Worker(const WorkerOptions& options, BurstConsumer& consumer, std::unique_ptr<MatchKit> kit,
               KitExchange* exchange)
    : options_(options),
      consumer_(consumer),
      exchange_(exchange),
      decoder_(options.decoder),
      flows_(options.max_flows),
      inspector_(options.inspector, batch_),
      slots_(std::make_unique<Slot[]>(CaptureSource::kBurst)) {
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
  // Streams cut bursts where they end for the moment: a sweep comes at the same packet all the same.
  for (;;) {
    const uint64_t most = std::min<uint64_t>(CaptureSource::kBurst, kSweepFrames - frames_seen_ % kSweepFrames);
    if (frames.size() <= most) break;
    Process(frames.first(most));
    frames = frames.subspan(most);
  }
  if (frames.empty()) return;
  UseNewKit();
  decoder_.BeginBurst();
  size_t used = 0;
  for (const Frame& frame : frames) {
    // The latest, not the greatest: one frame of a year ahead must not make every flow look idle from then on.
    clock_ns_ = frame.time_ns;
    // A time beyond what 64 bits hold is read as UINT64_MAX: without an end it counts as well.
    if (frame.time_ns < options_.since_ns || (frame.time_ns >= options_.until_ns && options_.until_ns != UINT64_MAX)) {
      ++counters_.excluded_by_time;
      continue;
    }
    if (options_.filter != nullptr && !options_.filter->Matches(frame)) {
      ++counters_.excluded_by_filter;
      continue;
    }
    Slot& slot = slots_[used];
    const DecodeResult result = decoder_.Decode(frame, slot.packet);
    if (result != DecodeResult::kPacket && result != DecodeResult::kAddressesOnly) continue;
    slot.addresses_only = result == DecodeResult::kAddressesOnly;
    Lookup(slot);
    ++used;
  }
  for (size_t i = 0; i < used; ++i) flows_.PrefetchFlow(slots_[i].key);
  for (size_t i = 0; i < used; ++i) OnPacket(slots_[i]);
  last_frame_ = frames.back();
  const uint64_t before = frames_seen_;
  frames_seen_ += frames.size();
  if (before / kSweepFrames != frames_seen_ / kSweepFrames) Sweep(false);
  HandOver();
}

void Worker::Lookup(Slot& slot) {
  FlowKey& key = slot.key;
  key = KeyOf(slot.packet);
  key.ComputeHash(options_.hash_seed);
  flows_.PrefetchBucket(key);
}

uint64_t Worker::TimeoutOf(const Flow& flow) const {
  if (flow.protocol != kIpProtoTcp) return options_.other_timeout_ns;
  return flow.closed ? options_.tcp_closed_timeout_ns : options_.tcp_timeout_ns;
}

bool Worker::IsOver(const Flow& flow, const Slot& slot, bool from_client) const {
  const Packet& packet = slot.packet;
  const uint64_t now = packet.frame->time_ns;
  if (now > flow.last_ns && now - flow.last_ns > TimeoutOf(flow)) return true;
  return flow.protocol == kIpProtoTcp && BeginsAnother(flow, packet, from_client);
}

// Whether the ports are used again, by a connection of its own. A SYN says so where the one before is over or was never
// answered; in the middle of another, which it must not hide, only once the peer accepts it, or where the peer is not
// heard and the sender goes on behind it.
bool Worker::BeginsAnother(const Flow& flow, const Packet& packet, bool from_client) {
  const TcpHalf& half = flow.half[from_client ? 0 : 1];
  const TcpHalf& other = flow.half[from_client ? 1 : 0];
  const bool syn = (packet.tcp_flags & kTcpSyn) != 0, ack = (packet.tcp_flags & kTcpAck) != 0;
  if (syn && !ack) {
    const bool another = half.known() && half.first() != packet.sequence + 1;
    return another && (flow.bypass || flow.closed || half.fin_reached() || !other.known());
  }
  if (syn) return other.SynIsAcknowledged(packet.acknowledgment);
  return (half.passed_any() || other.passed_any()) && half.SynIsContinued(packet.sequence);
}

Flow& Worker::NewFlow(const Slot& slot) {
  const Packet& packet = slot.packet;
  FlowKey key = slot.key;
  bool client_known = false;
  bool swap = false;
  if (packet.protocol == kIpProtoTcp && (packet.tcp_flags & kTcpSyn) != 0) {
    client_known = true;
    swap = (packet.tcp_flags & kTcpAck) != 0;
  } else {
    swap = packet.protocol != kIpProtoIcmp && packet.protocol != kIpProtoIcmpV6 &&
           LooksLikeServer(key.source_port, key.destination_port);
  }
  if (swap) {
    std::swap(key.source, key.destination);
    std::swap(key.source_port, key.destination_port);
  }
  Flow& flow = flows_.Insert(key, [&](Flow& evicted) {
    ++counters_.flows_evicted;
    EndFlow(evicted, *packet.frame, 0);
  });
  ++counters_.flows;
  counters_.flows_peak = flows_.peak();
  counters_.flows_now = flows_.size();
  flow.client_known = client_known;
  flow.first_ns = flow.last_ns = packet.frame->time_ns;
  flow.first_packet = PacketPosition(packet.frame->file, packet.frame->number);
  flow.id = FlowId(flow);
  flow.num_vlans = packet.num_vlans;
  for (size_t i = 0; i < packet.num_vlans; ++i) flow.vlan[i] = packet.vlan[i];
  return flow;
}

void Worker::BeginContext() {
  batch_before_ = batch_.size();
  batch_.set_context(static_cast<uint32_t>(contexts_.size()));
}

void Worker::EndContext(const Flow& flow, const Frame& frame, uint64_t time_ns, Direction direction, uint64_t rank) {
  if (batch_.size() == batch_before_) return;
  EmissionContext& context = contexts_.emplace_back();
  context.flow = SnapshotOf(flow);
  context.file = frame.file;
  context.packet = frame.number;
  context.time_ns = time_ns;
  context.direction = direction;
  context.rank = rank;
}

void Worker::OnPacket(Slot& slot) {
  const Packet& packet = slot.packet;
  const Frame& frame = *packet.frame;
  bool from_client = true;
  Flow* flow = flows_.Find(slot.key, from_client);
  if (flow != nullptr && IsOver(*flow, slot, from_client)) {
    EndFlow(*flow, frame, 0);
    flows_.Release(*flow);
    flow = nullptr;
  }
  BeginContext();
  const bool fresh = flow == nullptr;
  if (fresh) {
    flow = &NewFlow(slot);
    BeginContext();  // an evicted flow may have used the one before
    from_client = SentByClient(slot.key, *flow);
  }
  flow->last_ns = std::max(flow->last_ns, frame.time_ns);
  if (!slot.addresses_only) {
    counters_.first_ns = std::min(counters_.first_ns, frame.time_ns);
    counters_.last_ns = std::max(counters_.last_ns, frame.time_ns);
    const size_t index = from_client ? 0 : 1;
    ++flow->packets[index];
    flow->bytes[index] += frame.wire_bytes;
    counters_.bytes += frame.wire_bytes;
    if (packet.protocol == kIpProtoTcp && flow->packets[0] + flow->packets[1] == kJudgedPackets) {
      ++(flow->packets[0] == 0 || flow->packets[1] == 0 ? counters_.tcp_one_way : counters_.tcp_both_ways);
    }
  }
  if (fresh || flow->generation != generation_) {
    flow->generation = generation_;
    EmitAddresses(*flow);
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
    inspector_.OnTcp(*flow, packet, from_client);
  } else if (packet.protocol == kIpProtoUdp) {
    inspector_.OnUdp(*flow, packet, from_client);
  }
  // The bytes may have told that the client is at the other end.
  EndContext(*flow, frame, frame.time_ns, SentByClient(slot.key, *flow) ? Direction::kToServer : Direction::kToClient,
             0);
}

// Once for each generation of indicators, so that an address that became known meanwhile is found in running flows.
void Worker::EmitAddresses(const Flow& flow) {
  batch_.BeginMessage();
  batch_.AddAddress(ObservableKind::kIp, Direction::kToServer, ClientOf(flow), flow.client_port);
  batch_.AddAddress(ObservableKind::kIp, Direction::kToClient, ServerOf(flow), flow.server_port);
}

void Worker::EndFlow(Flow& flow, const Frame& frame, uint64_t rank) {
  BeginContext();
  inspector_.Finish(flow);
  EndContext(flow, frame, flow.last_ns, Direction::kToServer,
             rank);  // the packet is another flow's: its time says nothing
  // Found at the next packet of its five-tuple, or of any other, or (rank) behind all packets so far.
  const uint64_t position = PacketPosition(frame.file, frame.number);
  ended_.push_back({flow.id, flow.first_packet, rank == 0 ? position - 1 : position});
}

void Worker::Sweep(bool all) {
  std::vector<Flow*> over;
  flows_.ForEach([&](Flow& flow) {
    if (all || (clock_ns_ > flow.last_ns && clock_ns_ - flow.last_ns > TimeoutOf(flow))) over.push_back(&flow);
  });
  if (!all) counters_.flows_timed_out += over.size();
  std::sort(over.begin(), over.end(), [](const Flow* a, const Flow* b) { return a->first_packet < b->first_packet; });
  for (Flow* flow : over) {
    EndFlow(*flow, last_frame_, (flow->first_packet + 1) | (all ? AlertPosition::kEndOfCapture : 0));
    flows_.Release(*flow);
    if (batch_.size() > kDeliverObservables) Deliver();
  }
  counters_.flows_now = flows_.size();
}

void Worker::Deliver() {
  if (batch_.size() == 0 && ended_.empty()) return;
  for (const Observable& o : batch_.observables()) ++counters_.observables[static_cast<size_t>(o.kind)];
  consumer_.OnBurst(batch_, contexts_, ended_);
  batch_.Clear();
  contexts_.clear();
  ended_.clear();
}

void Worker::HandOver() {
  Deliver();
  consumer_.OnProgress(last_frame_.file, last_frame_.number);
}

void Worker::SweepByClock(uint64_t now_ns) {
  UseNewKit();
  const bool set_back = now_ns < last_clock_sweep_ns_;
  if (!set_back && now_ns < last_clock_sweep_ns_ + kClockSweepNs) return;
  last_clock_sweep_ns_ = now_ns;
  clock_ns_ = now_ns;
  Sweep(false);
  HandOver();
}

void Worker::Finish() {
  decoder_.Finish();
  Sweep(true);
  HandOver();
}

}  // namespace vedette
