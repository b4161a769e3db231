#include "sensor/replay/fragment_plan.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace vedette {

FragmentPlan::FragmentPlan(const FlowFinder& finder, uint64_t timeout_ns)
    : finder_(finder), timeout_ns_(timeout_ns), by_key_(16, DatagramKeyHash::Random()) {}

void FragmentPlan::Add(const Packet& packet, DecodeResult result, uint64_t position, uint64_t time_ns) {
  DatagramKey key{.source = packet.source,
                  .destination = packet.destination,
                  .identification = packet.identification,
                  .protocol = packet.source.is_v4() ? packet.protocol : uint8_t{0}};
  std::copy_n(packet.vlan, packet.num_vlans, key.vlan);
  auto found = by_key_.find(key);
  if (found != by_key_.end() && time_ns > found->second->first_time_ns &&
      time_ns - found->second->first_time_ns > timeout_ns_) {
    Close(found->second);
    found = by_key_.end();
  }
  if (found == by_key_.end()) {
    by_age_.push_back({.key = key, .first_time_ns = time_ns, .positions = {}, .flows = {}});
    found = by_key_.emplace(key, std::prev(by_age_.end())).first;
  }
  const ByAge::iterator datagram = found->second;
  datagram->positions.push_back(position);
  ++num_waiting_;
  if (result == DecodeResult::kPacket || result == DecodeResult::kAddressesOnly) {
    const std::optional<uint32_t> flow = finder_.Find(packet, position);
    if (flow && std::find(datagram->flows.begin(), datagram->flows.end(), *flow) == datagram->flows.end())
      datagram->flows.push_back(*flow);
  }
  if (packet.reassembled) Close(datagram);
  while (num_waiting_ > kMaxWaiting || by_age_.size() > kMaxWaitingDatagrams) Close(by_age_.begin());
}

void FragmentPlan::Close(ByAge::iterator datagram) {
  num_waiting_ -= datagram->positions.size();
  for (const uint32_t flow : datagram->flows) {
    for (const uint64_t position : datagram->positions) {
      if (entries_.size() < kMaxEntries) {
        entries_.push_back({position, flow});
      } else {
        ++left_out_;
      }
    }
  }
  by_key_.erase(datagram->key);
  by_age_.erase(datagram);
}

std::vector<FragmentPlan::Entry> FragmentPlan::Take() {
  while (!by_age_.empty()) Close(by_age_.begin());
  std::sort(entries_.begin(), entries_.end(),
            [](const Entry& a, const Entry& b) { return std::tie(a.position, a.flow) < std::tie(b.position, b.flow); });
  return std::move(entries_);
}

}  // namespace vedette
