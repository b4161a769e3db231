#include "sensor/flow/flow_table.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <new>
#include <random>
#include <utility>

namespace vedette {
namespace {

constexpr size_t kFirstBuckets = 1024;       // 64 KiB: a small capture costs no more
constexpr double kMaxLoad = 0.65;            // of all entries, before the table doubles; see kReach
constexpr uint32_t kEvictionCandidates = 8;  // flows looked at for the one that was idle longest
constexpr size_t kFirstMembers = 16;         // room of a part that is used at all
constexpr size_t kBucketsAhead = 4;          // whose flows are fetched while the table is built anew
constexpr int kMaxSeedsTried = 4;  // in one rebuild; with a random one the chance that a flow finds no room is nil

uint16_t TagOf(uint64_t hash) {
  const auto tag = static_cast<uint16_t>(hash >> 48);
  return tag == 0 ? 1 : tag;
}

bool Same16(const uint8_t* a, const uint8_t* b) {
  return LoadWord(a) == LoadWord(b) && LoadWord(a + 8) == LoadWord(b + 8);
}

// Whether the flow has that key's ends, and which of them is its client. Never true of a slot without a flow, whose
// version is 0.
bool IsFlowOf(const Flow& flow, const FlowKey& key, bool& from_client) {
  if (flow.hash != static_cast<uint32_t>(key.hash) || flow.protocol != key.protocol || flow.version != key.version ||
      flow.scope != key.scope)
    return false;
  if (flow.client_port == key.source_port && flow.server_port == key.destination_port &&
      Same16(flow.client, key.source) && Same16(flow.server, key.destination)) {
    from_client = true;
    return true;
  }
  from_client = false;
  return flow.client_port == key.destination_port && flow.server_port == key.source_port &&
         Same16(flow.client, key.destination) && Same16(flow.server, key.source);
}

}  // namespace

FlowHashSeed FlowHashSeed::Random() {
  std::random_device device;  // the kernel's generator
  const auto word = [&] { return uint64_t{device()} << 32 | device(); };
  // Odd, so that none is 0.
  return {word() | 1, word() | 1, word() | 1};
}

void FlowKey::SetScope(const Packet& packet, bool with_vlan) {
  const bool tagged = with_vlan && packet.num_vlans != 0;
  vlans = tagged ? VlansOf(packet.vlan, packet.num_vlans) : 0;
  outer = packet.outer.empty() ? nullptr : &packet.outer;
  scope = static_cast<uint8_t>((tagged ? kScopeVlan : 0) | (packet.outer.empty() ? 0 : kScopeTunnel));
}

uint64_t FlowKey::ScopeHash() const { return Mix64((outer == nullptr ? 0 : TunnelHash(outer->layers())) + vlans); }

FlowTable::FlowTable(uint32_t max_flows, const FlowHashSeed& seed, FlowHashSeed (*next_seed)())
    : max_flows_(std::max<uint32_t>(max_flows, 1)),
      mask_(kFirstBuckets - 1),
      buckets_(kFirstBuckets),
      parts_(kParts),
      seed_(seed),
      next_seed_(next_seed) {}
FlowTable::~FlowTable() = default;

void FlowTable::PrefetchFlow(FlowKey& key) const {
  const Bucket& bucket = buckets_[key.hash & mask_];
  const uint32_t bits = bucket.Candidates(TagOf(key.hash));
  if (bits == 0) return;
  key.candidate = &At(bucket.slots[std::countr_zero(bits)]);
  const auto* flow = reinterpret_cast<const char*>(key.candidate);
  __builtin_prefetch(flow);
  __builtin_prefetch(flow + 64);
  __builtin_prefetch(flow + 128);
}

Flow* FlowTable::Find(FlowKey& key, bool& from_client) const {
  if (key.seed_number != seed_number_) [[unlikely]] {
    Hash(key);
  }
  // Whatever has happened to the table meanwhile: the only flow with these ends.
  if (key.candidate != nullptr && key.scope == 0 && IsFlowOf(*key.candidate, key, from_client)) [[likely]] {
    return key.candidate;
  }
  return Search(key, from_client);
}

Flow* FlowTable::Search(const FlowKey& key, bool& from_client) const {
  const uint16_t tag = TagOf(key.hash);
  size_t i = key.hash & mask_;
  for (size_t step = 0; step < kReach; ++step, i = (i + 1) & mask_) {
    const Bucket& bucket = buckets_[i];
    for (uint32_t bits = bucket.Candidates(tag); bits != 0; bits &= bits - 1) {
      const uint32_t slot = bucket.slots[std::countr_zero(bits)];
      Flow& flow = At(slot);
      if (key.scope != 0 && !SameScope(flow, slot, key)) [[unlikely]] {
        continue;
      }
      if (IsFlowOf(flow, key, from_client)) return &flow;
    }
    if (bucket.passed == 0) break;
  }
  return nullptr;
}

Flow& FlowTable::Insert(FlowKey key, uint32_t part, const std::function<void(Flow&)>& evict) {
  if (size_ >= max_flows_) EvictIdle(evict);
  if (static_cast<double>(size_ + 1) >
      kMaxLoad * static_cast<double>(Bucket::kEntries) * static_cast<double>(buckets_.size()))
    Rebuild(buckets_.size() * 2, false, evict);
  if (key.seed_number != seed_number_) Hash(key);
  const uint32_t slot = TakeSlot();
  Flow& flow = At(slot);
  std::memcpy(flow.client, key.source, 16);
  std::memcpy(flow.server, key.destination, 16);
  flow.client_port = key.source_port;
  flow.server_port = key.destination_port;
  flow.protocol = key.protocol;
  flow.version = key.version;
  if (key.scope != 0) [[unlikely]] {
    SetScope(flow, slot, key);
  }
  if (!Place(TagOf(key.hash), static_cast<uint32_t>(key.hash), slot)) [[unlikely]] {
    MakeRoom(key, evict);
    Place(TagOf(key.hash), static_cast<uint32_t>(key.hash), slot);
  }
  flow.hash = static_cast<uint32_t>(key.hash);
  AddToPart(part, slot);
  ++inserts_since_reseed_;
  peak_ = std::max(peak_, ++size_);
  return flow;
}

// Only when the table is full: then every slot up to next_slot_ is a flow's. Slots are given out in the order of the
// packets, so that the choice is the same whatever the seed.
void FlowTable::EvictIdle(const std::function<void(Flow&)>& evict) {
  Flow* oldest = nullptr;
  for (uint32_t i = 0; i < std::min(kEvictionCandidates, next_slot_); ++i) {
    if (hand_ >= next_slot_) hand_ = 0;
    Flow& flow = At(hand_++);
    if (oldest == nullptr || flow.last_ns < oldest->last_ns) oldest = &flow;
  }
  evict(*oldest);
  Release(*oldest);
}

// No room within reach of the key's home. A new seed costs a step for every flow: it has to have been earned by as many
// insertions.
void FlowTable::MakeRoom(FlowKey& key, const std::function<void(Flow&)>& evict) {
  const auto has_room = [&] {
    for (size_t step = 0; step < kReach; ++step) {
      const Bucket& bucket = buckets_[(key.hash + step) & mask_];
      if (std::find(bucket.tags, bucket.tags + Bucket::kEntries, 0) != bucket.tags + Bucket::kEntries) return true;
    }
    return false;
  };
  if (inserts_since_reseed_ >= size_) {
    Rebuild(buckets_.size(), true, evict);
    Hash(key);
    if (has_room()) return;
  }
  Flow* oldest = nullptr;
  for (size_t step = 0; step < kReach; ++step) {
    const Bucket& bucket = buckets_[(key.hash + step) & mask_];
    for (const uint32_t slot : bucket.slots) {
      if (oldest == nullptr || At(slot).last_ns < oldest->last_ns) oldest = &At(slot);
    }
  }
  ++crowded_out_;
  evict(*oldest);
  Release(*oldest);
}

bool FlowTable::Place(uint16_t tag, uint32_t hash, uint32_t slot) {
  for (size_t step = 0; step < kReach; ++step) {
    Bucket& bucket = buckets_[(hash + step) & mask_];
    for (int e = 0; e < Bucket::kEntries; ++e) {
      if (bucket.tags[e] != 0) continue;
      bucket.tags[e] = tag;
      bucket.slots[e] = slot;
      for (size_t before = 0; before < step; ++before) ++buckets_[(hash + before) & mask_].passed;
      return true;
    }
  }
  return false;
}

uint32_t FlowTable::SlotOf(const Flow& flow, size_t& bucket, int& entry) const {
  for (size_t step = 0; step < kReach; ++step) {
    const size_t i = (flow.hash + step) & mask_;
    for (int e = 0; e < Bucket::kEntries; ++e) {
      if (buckets_[i].tags[e] != 0 && &At(buckets_[i].slots[e]) == &flow) {
        bucket = i;
        entry = e;
        return buckets_[i].slots[e];
      }
    }
  }
  return kNoSlot;
}

void FlowTable::Release(Flow& flow) {
  size_t bucket = 0;
  int entry = 0;
  const uint32_t slot = SlotOf(flow, bucket, entry);
  if (slot == kNoSlot) return;
  for (size_t i = flow.hash & mask_; i != bucket; i = (i + 1) & mask_) --buckets_[i].passed;
  buckets_[bucket].tags[entry] = 0;
  GiveBack(slot);
}

void FlowTable::GiveBack(uint32_t slot) {
  Flow& flow = At(slot);
  flow.~Flow();
  new (&flow) Flow();
  insertions_[slot] = 0;
  free_.push_back(slot);
  --size_;
}

void FlowTable::AddToPart(uint32_t part, uint32_t slot) {
  if (++last_insertion_ == 0) ++last_insertion_;
  insertions_[slot] = last_insertion_;
  std::vector<Member>& members = parts_[part];
  if (members.size() == members.capacity()) {
    if (members.empty()) members.reserve(kFirstMembers);
    DropReleased(members);
  }
  members.push_back({slot, last_insertion_});
}

void FlowTable::DropReleased(std::vector<Member>& members) const {
  std::erase_if(members, [this](const Member& member) { return insertions_[member.slot] != member.insertion; });
}

void FlowTable::Rebuild(size_t num_buckets, bool new_seed, const std::function<void(Flow&)>& evict) {
  const std::vector<Bucket> old = std::exchange(buckets_, {});
  mask_ = num_buckets - 1;
  std::vector<uint32_t> without_room;
  for (int tried = 0; tried < kMaxSeedsTried; ++tried) {
    if (tried != 0) new_seed = true;
    if (new_seed) {
      seed_ = next_seed_();
      ++seed_number_;
      inserts_since_reseed_ = 0;
    }
    buckets_.assign(num_buckets, Bucket());
    without_room.clear();
    for (size_t i = 0; i < old.size(); ++i) {
      if (i + kBucketsAhead < old.size()) {
        const Bucket& ahead = old[i + kBucketsAhead];
        for (int e = 0; e < Bucket::kEntries; ++e) {
          if (ahead.tags[e] != 0) __builtin_prefetch(&At(ahead.slots[e]).hash);
        }
      }
      const Bucket& bucket = old[i];
      for (int e = 0; e < Bucket::kEntries; ++e) {
        if (bucket.tags[e] == 0) continue;
        const uint32_t slot = bucket.slots[e];
        Flow& flow = At(slot);
        uint16_t tag = bucket.tags[e];
        if (new_seed) {
          FlowKey key = KeyOfFlow(flow, slot);
          Hash(key);
          tag = TagOf(key.hash);
          flow.hash = static_cast<uint32_t>(key.hash);
        }
        if (!Place(tag, flow.hash, slot)) without_room.push_back(slot);
      }
    }
    if (without_room.empty()) return;
  }
  for (const uint32_t slot : without_room) {
    ++crowded_out_;
    evict(At(slot));
    GiveBack(slot);
  }
}

bool FlowTable::SameScope(const Flow& flow, uint32_t slot, const FlowKey& key) const {
  if (flow.scope != key.scope) return false;
  if ((key.scope & kScopeVlan) != 0 && VlansOf(flow.vlan, flow.num_vlans) != key.vlans) return false;
  return (key.scope & kScopeTunnel) == 0 || SameTunnels(OuterAt(slot).layers(), key.outer->layers());
}

FlowKey FlowTable::KeyOfFlow(const Flow& flow, uint32_t slot) const {
  FlowKey key{.source = flow.client,
              .destination = flow.server,
              .source_port = flow.client_port,
              .destination_port = flow.server_port,
              .protocol = flow.protocol,
              .version = flow.version,
              .scope = flow.scope};
  if ((flow.scope & kScopeVlan) != 0) key.vlans = VlansOf(flow.vlan, flow.num_vlans);
  if ((flow.scope & kScopeTunnel) != 0) key.outer = &OuterAt(slot);
  return key;
}

void FlowTable::SetScope(Flow& flow, uint32_t slot, const FlowKey& key) {
  flow.scope = key.scope;
  if ((key.scope & kScopeVlan) != 0) {
    flow.num_vlans = static_cast<uint8_t>(key.vlans >> 24);
    flow.vlan[0] = key.vlans >> 12 & 0xfff;
    flow.vlan[1] = key.vlans & 0xfff;
  }
  if ((key.scope & kScopeTunnel) == 0) return;
  if (outer_.size() < slabs_.size()) outer_.resize(slabs_.size());
  std::unique_ptr<OuterLayers[]>& slab = outer_[slot / kSlabFlows];
  if (slab == nullptr) slab = std::make_unique<OuterLayers[]>(kSlabFlows);
  slab[slot % kSlabFlows] = *key.outer;
}

std::span<const OuterLayer> FlowTable::OuterOf(const Flow& flow) const {
  if ((flow.scope & kScopeTunnel) == 0) [[likely]] {
    return {};
  }
  for (size_t slab = 0; slab < slabs_.size(); ++slab) {
    const auto offset = reinterpret_cast<uintptr_t>(&flow) - reinterpret_cast<uintptr_t>(slabs_[slab].get());
    if (offset < kSlabFlows * sizeof(Flow)) return outer_[slab][offset / sizeof(Flow)].layers();
  }
  return {};
}

uint32_t FlowTable::TakeSlot() {
  if (!free_.empty()) {
    const uint32_t slot = free_.back();
    free_.pop_back();
    return slot;
  }
  if (next_slot_ % kSlabFlows == 0) {
    slabs_.push_back(std::make_unique<Flow[]>(kSlabFlows));
    insertions_.resize(insertions_.size() + kSlabFlows);
    // Now, so that no release waits for room.
    if (free_.capacity() < insertions_.size()) free_.reserve(2 * insertions_.size());
  }
  return next_slot_++;
}

void FlowTable::ForEach(const std::function<void(Flow&)>& visit) {
  for (Bucket& bucket : buckets_) {
    for (int e = 0; e < Bucket::kEntries; ++e) {
      if (bucket.tags[e] != 0) visit(At(bucket.slots[e]));
    }
  }
}

size_t FlowTable::memory_bytes() const {
  size_t members = 0;
  for (const std::vector<Member>& part : parts_) members += part.capacity();
  const auto outer_slabs = static_cast<size_t>(
      std::count_if(outer_.begin(), outer_.end(), [](const auto& slab) { return slab != nullptr; }));
  return outer_slabs * kSlabFlows * sizeof(OuterLayers) + buckets_.size() * sizeof(Bucket) +
         slabs_.size() * kSlabFlows * sizeof(Flow) + free_.capacity() * sizeof(uint32_t) +
         insertions_.capacity() * sizeof(uint32_t) + members * sizeof(Member);
}

}  // namespace vedette
