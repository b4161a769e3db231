// All flows of one worker: found by five-tuple, either way round.
//
// Buckets of one cache line hold 16-bit tags and slot numbers; flows live in slabs. A burst is looked up in three steps
// so that the cache misses of 32 packets overlap: Prefetch the buckets, Prefetch the candidates, then Find. Cost: 23 ns
// a packet at a million flows. Not thread safe.
//
// A flow stands in its home bucket or one of the kReach - 1 behind it, so every look-up ends after that many, whatever
// the keys are. Where all of these are full, the keys were chosen for it: the table takes another, random seed. What is
// found does not depend on the seed; only if that did not help would a flow give way (crowded_out()).
#pragma once

#include <emmintrin.h>

#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "parsers/base/community_id.h"
#include "sensor/flow/flow.h"

namespace vedette {

// Where flows stand in the table. Whoever knows it can send packets whose flows all stand in one place.
struct FlowHashSeed {
  uint64_t address_high = 0x9e3779b97f4a7c15ull, address_low = 0xa0761d6478bd642full, both = 0xe7037ed1a0b428dbull;

  static FlowHashSeed Random();
};

// What tells flows apart, as one packet shows it.
struct FlowKey {
  const uint8_t* source = nullptr;  // 16 bytes, mapped form
  const uint8_t* destination = nullptr;
  uint16_t source_port = 0, destination_port = 0;
  uint8_t protocol = 0, version = 0;
  uint8_t scope = 0;                   // kScopeTunnel, kScopeVlan: which of `outer` and `vlans` count
  uint32_t seed_number = 0;            // which of the table's seeds the hash was made with
  uint64_t hash = 0;                   // of the table; see FlowTable::Hash
  Flow* candidate = nullptr;           // most likely its flow; see FlowTable::PrefetchFlow
  uint32_t vlans = 0;                  // VlansOf
  const OuterLayers* outer = nullptr;  // tunnels and networks count, addresses do not

  // Views into the packet. Without the hash. A request of ICMP and its reply share a flow. `with_vlan`: packets with
  // different tags belong to different flows. Not where a mirror tags the two directions differently.
  void SetEnds(const Packet& packet, bool with_vlan);
  void SetScope(const Packet& packet, bool with_vlan);
  void ComputeHash(const FlowHashSeed& seed);
  uint64_t ScopeHash() const;
};

inline uint64_t LoadWord(const uint8_t* bytes) {
  uint64_t word;
  std::memcpy(&word, bytes, 8);
  return word;
}

inline void FlowKey::ComputeHash(const FlowHashSeed& seed) {
  // Both halves of the product: every bit of either factor reaches every part of the result.
  const auto fold = [](uint64_t a, uint64_t b) {
    __extension__ using Wide = unsigned __int128;
    const auto product = static_cast<Wide>(a) * b;
    return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
  };
  const auto end = [&](const uint8_t* address, uint16_t port) {
    return fold(LoadWord(address) ^ seed.address_high ^ uint64_t{port} << 20, LoadWord(address + 8) ^ seed.address_low);
  };
  uint64_t both = seed.both ^ (uint64_t{protocol} << 8 | version);
  if (scope != 0) [[unlikely]] {
    both ^= ScopeHash();
  }
  // The ends are added up: the same both ways round.
  hash = fold(end(source, source_port) + end(destination, destination_port), both);
}

inline void FlowKey::SetEnds(const Packet& packet, bool with_vlan) {
  source = packet.source.bytes().data();
  destination = packet.destination.bytes().data();
  protocol = packet.protocol;
  version = packet.source.version();
  scope = 0;
  candidate = nullptr;
  if (packet.protocol == kIpProtoIcmp || packet.protocol == kIpProtoIcmpV6) [[unlikely]] {
    const IcmpPorts ports = IcmpPortsOf(packet.protocol, packet.icmp_type, packet.icmp_code);
    source_port = ports.source;
    destination_port = ports.destination;
  } else {
    source_port = packet.source_port;
    destination_port = packet.destination_port;
  }
  if (!packet.outer.empty() || (with_vlan && packet.num_vlans != 0)) [[unlikely]] {
    SetScope(packet, with_vlan);
  }
}

// Whether a packet of the flow with that key went in the direction of the flow's client.
inline bool SentByClient(const FlowKey& key, const Flow& flow) {
  return key.source_port == flow.client_port && std::memcmp(key.source, flow.client, 16) == 0;
}

class FlowTable {
 public:
  // Buckets that a flow may stand in, from its home on. With keys that were not chosen, at the table's greatest load,
  // 98 of 100 flows stand at home, and one of 300,000 in the seventh behind; each further one is three times as rare.
  static constexpr size_t kReach = 16;

  // `max_flows`: beyond it the flow that was idle longest among a few gives way to the new one. Which one does not
  // depend on the seed. `next_seed`: where another one comes from.
  explicit FlowTable(uint32_t max_flows, const FlowHashSeed& seed = {},
                     FlowHashSeed (*next_seed)() = &FlowHashSeed::Random);
  ~FlowTable();
  FlowTable(const FlowTable&) = delete;
  FlowTable& operator=(const FlowTable&) = delete;

  // Before anything else is done with the key.
  void Hash(FlowKey& key) const {
    key.ComputeHash(seed_);
    key.seed_number = seed_number_;
  }
  void PrefetchBucket(const FlowKey& key) const { __builtin_prefetch(&buckets_[key.hash & mask_]); }
  // Its candidate, which Find tries first.
  void PrefetchFlow(FlowKey& key) const;
  // nullptr where there is none. `from_client`: the packet goes in the direction of the flow's client. A key that was
  // hashed before the table changed its seed is hashed anew.
  Flow* Find(FlowKey& key, bool& from_client) const;
  // A new flow whose client is the key's source. When the table is full, `evict` is called with the flow that has to
  // go, which is released afterwards. `part`: with which it is visited; see ForEachOf.
  Flow& Insert(FlowKey key, uint32_t part, const std::function<void(Flow&)>& evict);
  void Release(Flow& flow);
  // What is around the flow's packets, as its first one had it; empty for most. Holds until the flow's release.
  std::span<const OuterLayer> OuterOf(const Flow& flow) const;

  uint32_t size() const { return size_; }
  uint32_t peak() const { return peak_; }
  uint64_t crowded_out() const { return crowded_out_; }  // flows that gave way although the table was not full
  uint64_t reseeds() const { return seed_number_; }
  // Calls for every flow; it may Release the one it is given.
  void ForEach(const std::function<void(Flow&)>& visit);
  // Flows in parts, for whoever looks at all of them a little at a time. Calls for each flow that was inserted with
  // that part, in that order; nothing is inserted or released meanwhile. Returns how many it has called for.
  static constexpr uint32_t kParts = 4096;
  template <class Visit>
  size_t ForEachOf(uint32_t part, Visit visit) {
    constexpr size_t kAhead = 8;  // as many misses under way
    std::vector<Member>& members = parts_[part];
    DropReleased(members);
    for (size_t i = 0; i < members.size(); ++i) {
      if (i + kAhead < members.size()) __builtin_prefetch(&At(members[i + kAhead].slot));
      visit(At(members[i].slot));
    }
    return members.size();
  }
  size_t memory_bytes() const;

 private:
  // An entry that found its home bucket full stands in a following one; `passed` counts how many went past this bucket,
  // so that a search knows whether to go on. It goes on for kReach buckets at most.
  struct alignas(64) Bucket {
    static constexpr int kEntries = 10;
    uint16_t tags[kEntries] = {};
    uint32_t slots[kEntries] = {};
    uint32_t passed = 0;

    // A bit for each entry with that tag.
    uint32_t Candidates(uint16_t tag) const {
      // Sixteen of them: the last six are bytes of `slots`.
      const auto* const sixteen = reinterpret_cast<const __m128i*>(this);
      const __m128i wanted = _mm_set1_epi16(static_cast<short>(tag));
      const __m128i equal = _mm_packs_epi16(_mm_cmpeq_epi16(_mm_load_si128(sixteen), wanted),
                                            _mm_cmpeq_epi16(_mm_load_si128(sixteen + 1), wanted));
      return static_cast<uint32_t>(_mm_movemask_epi8(equal)) & ((1u << kEntries) - 1);
    }
  };
  // A flow in its part. What is released stays until its part is visited or has to grow.
  struct Member {
    uint32_t slot;
    uint32_t insertion;  // as in insertions_ of the slot: else another flow is there by now, or none
  };
  static constexpr uint32_t kSlabFlows = 1024;
  static constexpr uint32_t kNoSlot = 0xffffffff;

  Flow& At(uint32_t slot) const { return slabs_[slot / kSlabFlows][slot % kSlabFlows]; }
  Flow* Search(const FlowKey& key, bool& from_client) const;
  // False: no room within reach of its home.
  bool Place(uint16_t tag, uint32_t hash, uint32_t slot);
  void EvictIdle(const std::function<void(Flow&)>& evict);
  void MakeRoom(FlowKey& key, const std::function<void(Flow&)>& evict);
  void Rebuild(size_t num_buckets, bool new_seed, const std::function<void(Flow&)>& evict);
  void AddToPart(uint32_t part, uint32_t slot);
  void DropReleased(std::vector<Member>& members) const;
  uint32_t TakeSlot();
  void GiveBack(uint32_t slot);
  uint32_t SlotOf(const Flow& flow, size_t& bucket, int& entry) const;
  const OuterLayers& OuterAt(uint32_t slot) const { return outer_[slot / kSlabFlows][slot % kSlabFlows]; }
  bool SameScope(const Flow& flow, uint32_t slot, const FlowKey& key) const;
  FlowKey KeyOfFlow(const Flow& flow, uint32_t slot) const;
  void SetScope(Flow& flow, uint32_t slot, const FlowKey& key);

  uint32_t max_flows_;
  uint32_t size_ = 0, peak_ = 0;
  size_t mask_ = 0;
  std::vector<Bucket> buckets_;
  std::vector<std::unique_ptr<Flow[]>> slabs_;
  // By slab and place in it, of slabs that had a flow in a tunnel; nullptr for the others.
  std::vector<std::unique_ptr<OuterLayers[]>> outer_;
  std::vector<uint32_t> free_;
  std::vector<std::vector<Member>> parts_;
  std::vector<uint32_t> insertions_;  // by slot: which insertion its flow is; 0: it has none
  uint32_t last_insertion_ = 0;
  uint32_t next_slot_ = 0;
  uint32_t hand_ = 0;  // the slot that is looked at next for an idle flow
  FlowHashSeed seed_;
  FlowHashSeed (*next_seed_)();
  uint32_t seed_number_ = 0;
  uint64_t inserts_since_reseed_ = UINT32_MAX;  // the first one is free
  uint64_t crowded_out_ = 0;
};

}  // namespace vedette
