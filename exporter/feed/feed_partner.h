// One partner of the feed, while it is one: who it is, the view that it receives, and what waits for it.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

#include "exporter/policy/partner.h"

namespace vedette {

// Made and owned by the publisher, which shares it with the gate. Thread rule: that of the feed.
struct FeedPartner {
  const PartnerId id;
  const std::string name;
  const std::string public_key;  // Z85
  const std::string topic;       // TopicOf(name)

  // The gate's.
  bool suspended = false;  // broke the protocol; let in no more until it is readmitted

  // The publisher's: the batch that is being filled, and the numbers of its view.
  std::string body = {};
  size_t lines = 0;
  uint64_t first = 0;
  uint64_t next = 1;  // number of the next alert
  std::chrono::steady_clock::time_point due = {};
  uint64_t dropped_alerts = 0;
  uint64_t dropped_in_stall = 0;
  bool stalled = false;
};

}  // namespace vedette
