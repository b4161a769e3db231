// Traffic that costs a sensor as much as possible, for bench_hostile.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace vedette::bench {

// Takes Ethernet frames one by one, in order.
using TakeFrame = std::function<void(const std::vector<uint8_t>&)>;

struct HostileCase {
  std::string name;
  std::string about;
  // Sends about this many packets, always the same ones.
  std::function<void(uint64_t packets, const TakeFrame& take)> send;
  uint64_t least_packets = 0;  // fewer would not fit the name
  uint64_t pause_after = 0;    // so many packets; then nothing comes for twelve minutes: every flow is idle too long
};

// The first one is ordinary traffic, with which the others are compared.
std::vector<HostileCase> HostileCases();

// Literals and names that the traffic nearly matches: "content:…", "domain:…".
std::vector<std::string> HostileIndicators();

}  // namespace vedette::bench
