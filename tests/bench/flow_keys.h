// The ends of many flows, for bench_flow_table.
#pragma once

#include <cstdint>
#include <vector>

#include "tests/bench/traffic.h"

namespace vedette::bench {

struct FlowEnds {
  uint8_t source[16] = {}, destination[16] = {};  // IPv4, mapped
  uint16_t source_port = 0, destination_port = 0;
  uint32_t number = 0;  // of the flow
};

// All different.
inline std::vector<FlowEnds> MakeFlowEnds(size_t count) {
  NameMaker random(3);
  std::vector<FlowEnds> flows(count);
  for (size_t i = 0; i < count; ++i) {
    FlowEnds& flow = flows[i];
    flow.number = static_cast<uint32_t>(i);
    flow.source[10] = flow.source[11] = flow.destination[10] = flow.destination[11] = 0xff;
    flow.source[12] = 10;
    for (int byte = 0; byte < 3; ++byte) flow.source[13 + byte] = static_cast<uint8_t>(i >> 8 * byte);
    const uint64_t bits = random.Next();
    for (int byte = 0; byte < 4; ++byte) flow.destination[12 + byte] = static_cast<uint8_t>(bits >> 8 * byte);
    flow.source_port = static_cast<uint16_t>(1024 + (bits >> 32) % 60'000);
    flow.destination_port = 443;
  }
  return flows;
}

}  // namespace vedette::bench
