// Keeps the sensor's test of itself apart from alerts: what a canary's packet shows is told to nobody but the canary's
// own view, and what others send in a canary's name is no canary.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <string>

#include "exporter/alert/alert.h"
#include "exporter/alert/catalogue.h"
#include "parsers/base/address.h"

namespace vedette {

// One test packet: a DNS query over UDP, from and to addresses that RFC 5737 keeps for documentation. Chance and ports
// tell it from whatever else has these addresses.
struct Canary {
  IpAddress client = {}, server = {};
  uint16_t client_port = 0, server_port = 53;
  std::string name = {};  // <sixteen hex digits>.canary.vedette.invalid
};

// Expect and Seen in any thread, the rest in the exporter's.
class CanaryWatch {
 public:
  // From here on, for the next kRemembered canaries, this one's alert is let through, marked; other alerts about its
  // packet are held back.
  void Expect(const Canary& canary);
  // When the alert of the canary that was expected last came by, nanoseconds since 1970; nothing yet: nullopt.
  std::optional<uint64_t> Seen() const;
  // Hits of the canary's indicator that no canary of ours made: a name that somebody asked for.
  uint64_t foreign() const { return foreign_.load(std::memory_order_relaxed); }

  // Marks a canary's alert, and takes hits on the canary's indicator out of others. False: nothing of it is told.
  // `catalogue`: the alert's, nullptr where nobody knows it any more.
  bool Admit(Alert& alert, const IndicatorCatalogue* catalogue);

 private:
  static constexpr size_t kRemembered = 64;  // a late one is still no alert

  std::atomic<bool> any_{false};
  std::atomic<uint64_t> foreign_{0};
  mutable std::mutex mutex_;  // of what follows
  std::deque<Canary> expected_;
  std::optional<uint64_t> seen_ns_;
};

}  // namespace vedette
