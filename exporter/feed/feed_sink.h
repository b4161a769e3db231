// Alerts to the partners: each gets its view, rendered with only the hits that it may see.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "exporter/alert/alert_sink.h"
#include "exporter/feed/publisher.h"
#include "exporter/policy/partners.h"
#include "exporter/render/render.h"

namespace vedette {

class FeedSink : public AlertSink {
 public:
  // Those of `partners` that the publisher has, too. All outlive the sink. Canaries go to the partner named kCanaryView and to nobody else, and nothing else
  // goes there.
  FeedSink(FeedPublisher& publisher, Partners& partners, AlertRenderer& renderer);

  bool Accept(const Alert& alert) override;
  void Idle() override;
  bool Close() override;
  bool takes_canaries() const override { return true; }
  // What the sensor could not see, as heartbeats and the end of the feed tell it (exporter/metrics/losses.h). Asked for
  // every kLossInterval, and once more before the end; in the exporter's thread. Before the first alert, if at all.
  void TellLosses(std::function<std::string()> losses) { losses_ = std::move(losses); }
  static constexpr std::chrono::seconds kLossInterval{5};  // half a heartbeat: what it carries is never older
  const std::string& error() const override { return error_; }
  // Canaries published. Any thread.
  uint64_t canaries() const { return canaries_.load(std::memory_order_acquire); }

 private:
  // A partner as it is connected to the publisher.
  struct Reader {
    Partner& partner;
    PartnerId in_feed;
    PartnerView view;
  };

  FeedPublisher& publisher_;
  std::vector<Reader> readers_;
  AlertRenderer& renderer_;
  std::atomic<uint64_t> canaries_{0};
  std::function<std::string()> losses_;  // may be empty
  std::chrono::steady_clock::time_point losses_due_{};
  std::string line_;
  std::string error_;
};

}  // namespace vedette
