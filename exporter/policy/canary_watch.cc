#include "exporter/policy/canary_watch.h"

#include <algorithm>
#include <chrono>

namespace vedette {
namespace {

constexpr uint8_t kUdp = 17;

bool IsPacketOf(const Canary& canary, const FlowSnapshot& flow) {
  return flow.protocol == kUdp && flow.client_port == canary.client_port && flow.server_port == canary.server_port &&
         flow.client == canary.client && flow.server == canary.server;
}

}  // namespace

void CanaryWatch::Expect(const Canary& canary) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (expected_.size() == kRemembered) expected_.pop_front();
  expected_.push_back(canary);
  seen_ns_.reset();
  any_.store(true, std::memory_order_release);
}

std::optional<uint64_t> CanaryWatch::Seen() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return seen_ns_;
}

bool CanaryWatch::Admit(Alert& alert, const IndicatorCatalogue* catalogue) {
  const auto index = catalogue == nullptr || !catalogue->canary
                         ? alert.indicators.end()
                         : std::find(alert.indicators.begin(), alert.indicators.end(), *catalogue->canary);
  const bool hit = index != alert.indicators.end();
  if (any_.load(std::memory_order_acquire)) {
    const std::lock_guard<std::mutex> lock(mutex_);
    for (const Canary& canary : expected_) {
      if (!IsPacketOf(canary, alert.flow)) continue;
      if (!hit || alert.value != canary.name) return false;  // what else is listed and in the test packet
      if (canary.name == expected_.back().name) {
        seen_ns_ = static_cast<uint64_t>(
            std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch())
                .count());
      }
      alert.indicators = {*index};
      alert.event = EventKind::kCanary;
      return true;
    }
  }
  if (!hit) return true;
  foreign_.fetch_add(1, std::memory_order_relaxed);
  alert.indicators.erase(index);
  return !alert.indicators.empty();
}

}  // namespace vedette
