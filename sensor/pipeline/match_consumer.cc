#include "sensor/pipeline/match_consumer.h"

#include <algorithm>
#include <chrono>
#include <thread>

#include "parsers/base/url.h"
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

MatchConsumer::MatchConsumer(AlertQueue& queue, bool wait_when_full, size_t keep_flows, MatchLimits limits)
    : queue_(queue), wait_when_full_(wait_when_full), limits_(limits), keep_flows_(keep_flows) {}

void MatchConsumer::Use(MatchKit& kit) {
  kit_ = &kit;
  judged_.assign(kit.set->audiences().size(), {});
  queue_.ForgetIdle();
  // Audiences of which nothing is remembered may be gone for good. Between reloads they keep their places.
  std::erase_if(remembered_, [](const auto& audience) { return audience.second == 0; });
}

void MatchConsumer::OnBurst(const ObservableBatch& batch, std::span<const EmissionContext> contexts,
                            std::span<const EndedFlow> ended_flows) {
  hits_.clear();
  if (batch.size() != 0 && kit_ != nullptr) kit_->set->Find(batch, kit_->fields, hits_);
  // Ends stand between hits, so that what is queued is in the order of its positions.
  size_t ended = 0;
  for (size_t i = 0; i < hits_.size();) {
    if (tell_ends_) {
      const uint32_t context = batch.observables()[hits_[i].observable].context;
      for (; ended < ended_flows.size() && ended_flows[ended].context <= context; ++ended) TellEnd(ended_flows[ended]);
    }
    size_t end = i + 1;
    while (end < hits_.size() && hits_[end].observable == hits_[i].observable) ++end;
    OnFinding(batch, contexts, std::span<const Hit>(hits_).subspan(i, end - i));
    i = end;
  }
  for (; tell_ends_ && ended < ended_flows.size(); ++ended) TellEnd(ended_flows[ended]);
  if (!raised_.empty()) {
    for (const EndedFlow& flow : ended_flows) {
      const Raised* const found = raised_.Find(flow.id);
      if (found == nullptr) continue;
      if (found->keep_key != 0) keeper_->End(found->keep_key);
      if (found->kept) matched_flows_.push_back({flow.id, flow.first_packet, flow.last_packet});
      Forget(*found);
      raised_.Erase(flow.id);
      last_ = nullptr;
    }
  }
}

void MatchConsumer::OnFinding(const ObservableBatch& batch, std::span<const EmissionContext> contexts,
                              std::span<const Hit> hits) {
  const Observable& observable = batch.observables()[hits[0].observable];
  const EmissionContext& context = contexts[observable.context];
  Raised& flow = FlowOf(context, hits[0].indicator);
  const uint64_t identity = IdentityOf(observable, *kit_->set, hits[0].indicator);
  ++finding_;
  audiences_.clear();
  numbers_.clear();
  tell_.clear();
  told_.clear();
  uint64_t over_limit = 0, no_room = 0;
  for (const Hit& hit : hits) {
    switch (Judge(flow, identity, hit.indicator)) {
      case Verdict::kTell:
        tell_.push_back(hit.indicator);
        break;
      case Verdict::kToldBefore:
        told_.push_back(hit.indicator);
        break;
      case Verdict::kOverFlowLimit:
        ++over_limit;
        break;
      case Verdict::kNoRoom:
        ++no_room;
        break;
    }
  }
  counters_.hits_flow_limit += over_limit;
  counters_.hits_queue_full += no_room;
  counters_.dropped_flow_limit += over_limit != 0 ? 1 : 0;
  counters_.dropped_queue_full += no_room != 0 ? 1 : 0;
  if (!tell_.empty()) {
    Expect(flow, context);
    Raise(batch, observable, hits[0].observable, context);
    // What was dropped is not remembered: the next packet that shows it gets another chance.
    Remember(flow, identity);
  } else if (over_limit == 0 && no_room == 0) {
    ++counters_.repeated;
  }
}

// Whatever follows of the flow is held until the exporter asks for it, or the flow ends.
void MatchConsumer::Expect(Raised& flow, const EmissionContext& context) {
  if (keeper_ == nullptr || flow.keep_key != 0 || (tell_.size() == 1 && tell_[0] == kit_->set->canary())) return;
  flow.keep_key = KeepKeyOf(context.first_packet, context.flow.client_port, context.flow.server_port);
  keeper_->Expect(flow.keep_key);
}

std::vector<MatchConsumer::Told>::iterator MatchConsumer::PlaceOf(Raised& flow, uint64_t audience) {
  return std::lower_bound(flow.told.begin(), flow.told.end(), audience,
                          [](const Told& told, uint64_t key) { return told.audience < key; });
}

MatchConsumer::Verdict MatchConsumer::Judge(Raised& flow, uint64_t identity, uint32_t indicator) {
  const uint32_t number = kit_->set->AudienceOf(indicator);
  Judged& judged = judged_[number];
  if (judged.finding == finding_) return judged.verdict;
  judged.finding = finding_;
  const uint64_t audience = kit_->set->audiences()[number].key;
  const auto at = PlaceOf(flow, audience);
  const bool heard = at != flow.told.end() && at->audience == audience;
  if (heard && at->values.Has(identity)) {
    judged.verdict = Verdict::kToldBefore;
  } else if (heard && at->values.size() >= limits_.alerts_per_flow) {
    judged.verdict = Verdict::kOverFlowLimit;
  } else if (!wait_when_full_ && !queue_.HasRoom(audience)) {
    judged.verdict = Verdict::kNoRoom;
  } else {
    judged.verdict = Verdict::kTell;
    audiences_.push_back(audience);
    numbers_.push_back(number);
  }
  return judged.verdict;
}

void MatchConsumer::Remember(Raised& flow, uint64_t identity) {
  bool all = true;
  for (size_t i = 0; i < audiences_.size(); ++i) {
    Judged& judged = judged_[numbers_[i]];
    if (judged.remembered == nullptr) judged.remembered = &remembered_[audiences_[i]];
    if (*judged.remembered >= limits_.remembered) {
      all = false;
      continue;
    }
    auto at = PlaceOf(flow, audiences_[i]);
    if (at == flow.told.end() || at->audience != audiences_[i]) {
      at = flow.told.insert(at, Told{audiences_[i], judged.remembered, {}});
      ++num_told_;
    }
    told_bytes_ -= at->values.memory_bytes();
    at->values.Add(identity);
    told_bytes_ += at->values.memory_bytes();
    ++*judged.remembered;
  }
  if (!all) ++counters_.unremembered;
}

void MatchConsumer::Forget(const Raised& flow) {
  for (const Told& told : flow.told) {
    *told.remembered -= told.values.size();
    told_bytes_ -= told.values.memory_bytes();
  }
  num_told_ -= flow.told.size();
}

MatchConsumer::Raised& MatchConsumer::FlowOf(const EmissionContext& context, uint32_t first_hit) {
  if (last_ == nullptr || last_id_ != context.flow.id) {
    last_ = &raised_.FindOrInsert(context.flow.id);
    last_id_ = context.flow.id;
  }
  Raised& flow = *last_;
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
  constexpr size_t kFlowBytes = 96;  // with its share of the table
  counters.remembered_bytes = told_bytes_ + num_told_ * sizeof(Told) + raised_.size() * kFlowBytes;
  return counters;
}

void MatchConsumer::Raise(const ObservableBatch& batch, const Observable& observable, uint32_t index,
                          const EmissionContext& context) {
  std::unique_ptr<QueuedAlert> queued = queue_.MakeAlert();
  queued->position = {PacketPosition(first_file_ + context.file, context.packet), context.rank};
  if (queued->position != position_) ordinal_ = 0;
  position_ = queued->position;

  Alert& alert = queued->alert;
  alert.file = first_file_ + context.file;
  alert.packet = context.packet;
  alert.ordinal = ordinal_++;
  alert.time_ns = context.time_ns;
  alert.flow = context.flow;
  alert.kind = observable.kind;
  // The observable of an end's address says which end it is, whatever packet showed it.
  alert.direction = observable.kind == ObservableKind::kIp ? context.direction : observable.direction;
  if (FormOf(observable.kind) == ValueForm::kAddress) {
    alert.value = observable.address.ToString();
  } else {
    alert.value = observable.text;
  }
  alert.address = AddressOf(observable);
  alert.generation = kit_->generation;
  alert.indicators = tell_;  // copied into the buffers that it has
  alert.told = told_;
  if (keeper_ != nullptr) {
    alert.keep_key = KeepKeyOf(context.first_packet, context.flow.client_port, context.flow.server_port);
    alert.lane = keeper_->lane();
  }

  // The message it came in: its neighbours in the batch.
  const std::vector<Observable>& all = batch.observables();
  size_t first = index, last = index + 1;
  while (first > 0 && all[first - 1].message == observable.message) --first;
  while (last < all.size() && all[last].message == observable.message) ++last;
  ObservableMask seen;
  size_t answers = 0;
  for (size_t i = first; i < last; ++i) {
    const Observable& o = all[i];
    if (o.context != observable.context || o.kind == ObservableKind::kPayload) continue;
    if (o.kind == ObservableKind::kDnsAnswer || o.kind == ObservableKind::kDnsCname) {
      if (++answers > kMaxMessageValues) continue;
    } else {
      if (seen.Has(o.kind)) continue;
      seen.Add(o.kind);
    }
    alert.message.push_back(
        {o.kind, FormOf(o.kind) == ValueForm::kAddress ? o.address.ToString() : std::string(o.text)});
  }

  // Only the worker adds: where there was room there is room.
  while (!queue_.TryPush(queued, audiences_)) std::this_thread::sleep_for(std::chrono::microseconds(200));
  // The sensor's test of itself is no alert.
  if (tell_.size() != 1 || tell_[0] != kit_->set->canary()) ++counters_.alerts;
}

// An audience that the flow is remembered for hears of its end where it has room; what others have decides nothing.
void MatchConsumer::TellEnd(const EndedFlow& flow) {
  const Raised* const found = raised_.Find(flow.id);
  if (found == nullptr || found->told.empty()) return;
  audiences_.clear();
  for (const Told& told : found->told) {
    if (wait_when_full_ || queue_.HasRoom(told.audience)) audiences_.push_back(told.audience);
  }
  if (audiences_.empty()) {
    ++counters_.ends_queue_full;
    return;
  }
  std::unique_ptr<QueuedAlert> queued = queue_.MakeAlert();
  const EmissionContext& context = *flow.end;
  queued->position = {PacketPosition(first_file_ + context.file, context.packet), context.rank};
  Alert& alert = queued->alert;
  alert.event = EventKind::kClosed;
  alert.file = first_file_ + context.file;
  alert.packet = context.packet;
  alert.time_ns = context.time_ns;
  alert.flow = context.flow;
  alert.direction = context.direction;
  alert.generation = kit_->generation;
  alert.audiences = audiences_;
  while (!queue_.TryPush(queued, audiences_)) std::this_thread::sleep_for(std::chrono::microseconds(200));
}

void MatchConsumer::OnProgress(uint32_t file, uint64_t packet) {
  queue_.SetWatermark(PacketPosition(first_file_ + file, packet));
}

}  // namespace vedette
