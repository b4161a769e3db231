// Traffic made to cost a sensor as much as it can, for bench_hostile.
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
  // Sends about so many packets. The same ones each time.
  std::function<void(uint64_t packets, const TakeFrame& take)> send;
  uint64_t least_packets = 0;  // fewer would not be what the name says
};

// The first one is ordinary traffic, which the others are compared with.
std::vector<HostileCase> HostileCases();

// Literals and names that the traffic is made to come close to: "content:…", "domain:…".
std::vector<std::string> HostileIndicators();

}  // namespace vedette::bench
