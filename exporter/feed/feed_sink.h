// Alerts to the partners: each gets its view, rendered with only the hits that it may see.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "exporter/alert/alert_sink.h"
#include "exporter/feed/publisher.h"
#include "exporter/policy/clearance.h"
#include "exporter/render/render.h"

namespace vedette {

// What became of the alerts that a partner was cleared for.
struct PartnerCounters {
  uint64_t published = 0;
  // Withheld by `scope: constituency`:
  uint64_t outside_constituency = 0;  // others are responsible, or nobody is
  uint64_t undecided = 0;             // no database knows where the addresses are
  uint64_t no_role = 0;               // nobody is affected and nobody suspect
};

class FeedSink : public AlertSink {
 public:
  // One clearance a partner of the publisher, in the same order; that of the renderer's constituencies too. Publisher
  // and renderer outlive the sink. Canaries go to the partner named kCanaryView and to nobody else, and nothing else
  // goes there.
  FeedSink(FeedPublisher& publisher, std::vector<Clearance> clearances, AlertRenderer& renderer);

  bool Accept(const Alert& alert) override;
  void Idle() override;
  bool Close() override;
  bool takes_canaries() const override { return true; }
  // What the sensor could not see, as heartbeats and the end of the feed tell it (exporter/metrics/losses.h). Asked for
  // every kLossInterval, and once more before the end; in the exporter's thread. Before the first alert, if at all.
  void TellLosses(std::function<std::string()> losses) { losses_ = std::move(losses); }
  static constexpr std::chrono::seconds kLossInterval{5};  // half a heartbeat: what it carries is never older
  const std::string& error() const override { return error_; }
  // By partner.
  const std::vector<PartnerCounters>& counters() const { return counters_; }
  // Canaries published. Any thread.
  uint64_t canaries() const { return canaries_.load(std::memory_order_acquire); }

 private:
  FeedPublisher& publisher_;
  std::vector<Clearance> clearances_;
  std::vector<PartnerView> views_;
  AlertRenderer& renderer_;
  std::vector<PartnerCounters> counters_;
  std::atomic<uint64_t> canaries_{0};
  std::function<std::string()> losses_;  // may be empty
  std::chrono::steady_clock::time_point losses_due_{};
  std::string line_;
  std::string error_;
};

}  // namespace vedette
