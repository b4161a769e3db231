#include "sensor/replay/flow_finder.h"

#include <algorithm>
#include <random>
#include <tuple>

namespace vedette {
namespace {

uint64_t RandomSeed() {
  std::random_device device;
  return uint64_t{device()} << 32 | device();
}

}  // namespace

size_t FlowFinder::Hash::operator()(const Tuple& tuple) const {
  uint64_t hash = seed;
  for (const uint64_t word : {tuple.low.high(), tuple.low.low(), tuple.high.high(), tuple.high.low(),
                              uint64_t{tuple.low_port} << 32 | uint64_t{tuple.high_port} << 16 | tuple.protocol}) {
    hash = Mix64(hash ^ word);
  }
  return hash;
}

FlowFinder::Tuple FlowFinder::TupleOf(const IpAddress& a, uint16_t a_port, const IpAddress& b, uint16_t b_port,
                                      uint8_t protocol) {
  if (std::tie(b, b_port) < std::tie(a, a_port)) return {b, a, b_port, a_port, protocol};
  return {a, b, a_port, b_port, protocol};
}

FlowFinder::FlowFinder(std::span<const CarvedFlow> flows) : places_(flows.size(), Hash{RandomSeed()}) {
  for (uint32_t i = 0; i < flows.size(); ++i) {
    const FlowSnapshot& flow = flows[i].flow;
    places_[TupleOf(flow.client, flow.client_port, flow.server, flow.server_port, flow.protocol)].push_back(
        {flows[i].first_packet, flows[i].last_packet, i});
  }
  for (auto& [tuple, places] : places_) {
    std::sort(places.begin(), places.end(), [](const Place& a, const Place& b) { return a.first < b.first; });
  }
}

std::optional<uint32_t> FlowFinder::Find(const Packet& packet, uint64_t position) const {
  FlowKey key;
  key.SetEnds(packet);
  const auto found =
      places_.find(TupleOf(packet.source, key.source_port, packet.destination, key.destination_port, key.protocol));
  if (found == places_.end()) return std::nullopt;
  const std::vector<Place>& places = found->second;
  const auto after = std::upper_bound(places.begin(), places.end(), position,
                                      [](uint64_t at, const Place& place) { return at < place.first; });
  if (after == places.begin() || std::prev(after)->last < position) return std::nullopt;
  return std::prev(after)->flow;
}

}  // namespace vedette
