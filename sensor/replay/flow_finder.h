// Finds the carved flow to which a packet belongs: by five-tuple, in either direction, and position in the capture.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "sensor/flow/flow_table.h"
#include "sensor/replay/carve_sink.h"

namespace vedette {

// Immutable once made. Flows of one five-tuple follow each other in the capture, so the position tells them apart.
class FlowFinder {
 public:
  explicit FlowFinder(std::span<const CarvedFlow> flows);

  // The index of the flow that the packet's five-tuple names at this position.
  std::optional<uint32_t> Find(const Packet& packet, uint64_t position) const;

 private:
  struct Tuple {
    IpAddress low, high;  // with its port, the smaller end first
    uint16_t low_port = 0, high_port = 0;
    uint8_t protocol = 0;

    friend bool operator==(const Tuple&, const Tuple&) = default;
  };
  struct Hash {
    uint64_t seed;  // so that nobody can choose addresses that collide
    size_t operator()(const Tuple& tuple) const;
  };
  struct Place {
    uint64_t first, last;  // positions
    uint32_t flow;
  };
  static Tuple TupleOf(const IpAddress& a, uint16_t a_port, const IpAddress& b, uint16_t b_port, uint8_t protocol);

  std::unordered_map<Tuple, std::vector<Place>, Hash> places_;  // in order of position
};

}  // namespace vedette
