// All flows of one worker: found by five-tuple, either way round.
//
// Buckets of one cache line hold 16-bit tags and slot numbers; flows live in slabs. A burst is looked up in three steps
// so that the cache misses of 32 packets overlap: Prefetch the buckets, Prefetch the candidates, then Find. Cost: 23 ns
// a packet at a million flows. Not thread safe.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "exporter/community_id.h"
#include "sensor/flow/flow.h"

namespace vedette {

// Where flows stand in the table. Whoever knows it can send packets whose flows all stand in one place, so that each
// look-up goes through all of them; nothing that is found depends on it while the table is not full.
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
  uint64_t hash = 0;

  void ComputeHash(const FlowHashSeed& seed);
};

// Without its hash. Views into the packet. A request of ICMP and its reply share a flow.
inline FlowKey KeyOf(const Packet& packet) {
  FlowKey key;
  key.source = packet.source.bytes().data();
  key.destination = packet.destination.bytes().data();
  key.protocol = packet.protocol;
  key.version = packet.source.version();
  if (packet.protocol == kIpProtoIcmp || packet.protocol == kIpProtoIcmpV6) {
    const IcmpPorts ports = IcmpPortsOf(packet.protocol, packet.icmp_type, packet.icmp_code);
    key.source_port = ports.source;
    key.destination_port = ports.destination;
  } else {
    key.source_port = packet.source_port;
    key.destination_port = packet.destination_port;
  }
  return key;
}

class FlowTable {
 public:
  // `max_flows`: beyond it the flow that was idle longest among a few neighbours gives way to the new one.
  explicit FlowTable(uint32_t max_flows);
  ~FlowTable();
  FlowTable(const FlowTable&) = delete;
  FlowTable& operator=(const FlowTable&) = delete;

  void PrefetchBucket(const FlowKey& key) const;
  void PrefetchFlow(const FlowKey& key) const;
  // nullptr where there is none. `from_client`: the packet goes in the direction of the flow's client.
  Flow* Find(const FlowKey& key, bool& from_client);
  // A new flow whose client is the key's source. When the table is full, `evict` is called with the flow that has to
  // go, which is released afterwards.
  Flow& Insert(const FlowKey& key, const std::function<void(Flow&)>& evict);
  void Release(Flow& flow);

  uint32_t size() const { return size_; }
  uint32_t peak() const { return peak_; }
  // Calls for every flow; it may Release the one it is given.
  void ForEach(const std::function<void(Flow&)>& visit);
  size_t memory_bytes() const;

 private:
  struct Bucket;
  static constexpr uint32_t kSlabFlows = 1024;
  static constexpr uint32_t kNoSlot = 0xffffffff;

  Flow& At(uint32_t slot) const { return slabs_[slot / kSlabFlows][slot % kSlabFlows]; }
  void Place(uint64_t hash, uint32_t slot);
  void Grow();
  uint32_t TakeSlot();
  uint32_t SlotOf(const Flow& flow, size_t& bucket, int& entry) const;

  uint32_t max_flows_;
  uint32_t size_ = 0, peak_ = 0;
  size_t mask_ = 0;
  std::vector<Bucket> buckets_;
  std::vector<std::unique_ptr<Flow[]>> slabs_;
  std::vector<uint32_t> free_;
  uint32_t next_slot_ = 0;
};

}  // namespace vedette
