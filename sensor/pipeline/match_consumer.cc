#include "sensor/pipeline/match_consumer.h"

#include <chrono>
#include <thread>

#include "exporter/context_kinds.h"
#include "parsers/url.h"
#include "sensor/flow/flow.h"

namespace vedette {
namespace {

uint64_t HashText(std::string_view text) {
  uint64_t hash = 0xcbf29ce484222325ull;
  for (char c : text) hash = (hash ^ static_cast<uint8_t>(c)) * 0x100000001b3ull;
  return Mix64(hash);
}

// What makes an alert one: name and value; for payload pattern and direction.
uint64_t IdentityOf(const Observable& o, const IndicatorSet& set, uint32_t first_hit) {
  uint64_t value = 0;
  if (o.kind == ObservableKind::kPayload) {
    // A pattern's number is another one after a reload; what it looks for is not.
    value = Mix64(set.ValueKey(first_hit)) ^ static_cast<uint64_t>(o.direction);
  } else if (FormOf(o.kind) == ValueForm::kAddress) {
    value = HashOf(o.address);
  } else {
    value = HashText(o.text);
  }
  return Mix64(value ^ (static_cast<uint64_t>(o.kind) << 56));
}

// The address that the value is, or that it writes as text where addresses are looked for; else none.
IpAddress AddressOf(const Observable& o) {
  if (FormOf(o.kind) == ValueForm::kAddress) return o.address;
  if (!PossiblePlacesOf(IndicatorType::kIp).Has(o.kind)) return {};
  return IpAddress::Parse(SplitHostAndPort(o.text).host).value_or(IpAddress());
}

}  // namespace

MatchConsumer::MatchConsumer(AlertQueue& queue, bool wait_when_full, size_t keep_flows)
    : queue_(queue), wait_when_full_(wait_when_full), keep_flows_(keep_flows) {}

void MatchConsumer::OnBurst(const ObservableBatch& batch, std::span<const EmissionContext> contexts,
                            std::span<const EndedFlow> ended_flows) {
  hits_.clear();
  if (batch.size() != 0 && kit_ != nullptr) kit_->set->Find(batch, kit_->fields, hits_);
  for (size_t i = 0; i < hits_.size();) {
    size_t end = i + 1;
    while (end < hits_.size() && hits_[end].observable == hits_[i].observable) ++end;
    const Observable& observable = batch.observables()[hits_[i].observable];
    const EmissionContext& context = contexts[observable.context];
    Raised& flow = FlowOf(context, hits_[i].indicator);
    const uint64_t identity = IdentityOf(observable, *kit_->set, hits_[i].indicator);
    if (flow.identities.count(identity) != 0) {
      ++counters_.repeated;
    } else if (flow.identities.size() >= kMaxAlertsPerFlow) {
      ++counters_.dropped_flow_limit;
    } else if (Raise(batch, observable, hits_[i].observable, context,
                     std::span<const Hit>(hits_).subspan(i, end - i))) {
      // What was dropped is not remembered: the next packet that shows it gets another chance.
      if (num_remembered_ < kMaxRemembered) {
        flow.identities.insert(identity);
        ++num_remembered_;
      } else {
        ++counters_.unremembered;
      }
    }
    i = end;
  }
  if (!raised_.empty()) {
    for (const EndedFlow& flow : ended_flows) {
      const auto found = raised_.find(flow.id);
      if (found == raised_.end()) continue;
      if (found->second.kept) matched_flows_.push_back(flow);
      num_remembered_ -= found->second.identities.size();
      raised_.erase(found);
    }
  }
}

MatchConsumer::Raised& MatchConsumer::FlowOf(const EmissionContext& context, uint32_t first_hit) {
  Raised& flow = raised_[context.flow.id];
  // Hits are in the order of the indicators, and the canary's is the last: where it is the first, it is the only one.
  if (!flow.counted && first_hit != kit_->set->canary()) {
    flow.counted = true;
    ++counters_.flows;
    if (keep_flows_ != 0) {
      flow.kept = true;
      --keep_flows_;
    }
  }
  return flow;
}

AlertCounters MatchConsumer::alert_counters() const {
  AlertCounters counters = counters_;
  // A node of either table with its share of the buckets, as libstdc++ and malloc lay them out.
  constexpr size_t kIdentityBytes = 48, kFlowBytes = 144;
  counters.remembered_bytes = num_remembered_ * kIdentityBytes + raised_.size() * kFlowBytes;
  return counters;
}

bool MatchConsumer::Raise(const ObservableBatch& batch, const Observable& observable, uint32_t index,
                          const EmissionContext& context, std::span<const Hit> hits) {
  // Before it is built, which is dearer than all that came before.
  if (!wait_when_full_ && !queue_.HasRoom()) {
    ++counters_.dropped_queue_full;
    return false;
  }
  auto queued = std::make_unique<QueuedAlert>();
  queued->position = {PacketPosition(context.file, context.packet), context.rank};
  if (queued->position != position_) ordinal_ = 0;
  position_ = queued->position;

  Alert& alert = queued->alert;
  alert.file = context.file;
  alert.packet = context.packet;
  alert.ordinal = ordinal_++;
  alert.time_ns = context.time_ns;
  alert.flow = context.flow;
  alert.kind = observable.kind;
  // The observable of an end's address says which end it is, whatever packet showed it.
  alert.direction = observable.kind == ObservableKind::kIp ? context.direction : observable.direction;
  alert.value =
      FormOf(observable.kind) == ValueForm::kAddress ? observable.address.ToString() : std::string(observable.text);
  alert.address = AddressOf(observable);
  alert.generation = kit_->generation;
  for (const Hit& hit : hits) alert.indicators.push_back(hit.indicator);

  // The message it came in: its neighbours in the batch.
  const std::vector<Observable>& all = batch.observables();
  size_t first = index, last = index + 1;
  while (first > 0 && all[first - 1].message == observable.message) --first;
  while (last < all.size() && all[last].message == observable.message) ++last;
  const ObservableMask always = KindsEmittedFor({});
  size_t num_always = 0, num_wanted = 0;
  for (size_t i = first; i < last; ++i) {
    const Observable& o = all[i];
    if (o.context != observable.context || o.kind == ObservableKind::kPayload) continue;
    size_t& count = always.Has(o.kind) ? num_always : num_wanted;
    if (count == kMaxMessageValues) continue;
    ++count;
    alert.message.push_back(
        {o.kind, FormOf(o.kind) == ValueForm::kAddress ? o.address.ToString() : std::string(o.text)});
  }

  // Only the worker adds: where there was room there is room.
  while (!queue_.TryPush(queued)) std::this_thread::sleep_for(std::chrono::microseconds(200));
  // The sensor's test of itself is no alert.
  if (hits.size() != 1 || hits[0].indicator != kit_->set->canary()) ++counters_.alerts;
  return true;
}

void MatchConsumer::OnProgress(uint32_t file, uint64_t packet) { queue_.SetWatermark(PacketPosition(file, packet)); }

}  // namespace vedette
