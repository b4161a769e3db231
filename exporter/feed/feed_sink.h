// Events to the partners: each gets its view, rendered with only the hits that it may see.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "exporter/alert/alert_sink.h"
#include "exporter/feed/publisher.h"
#include "exporter/policy/alert_policy.h"
#include "exporter/policy/partners.h"
#include "exporter/render/renderer.h"

namespace vedette {

class FeedSink : public AlertSink {
 public:
  // For those of `partners` that the publisher has, too. All outlive the sink. Canaries go to the partner named
  // kCanaryView and to nobody else, and nothing else goes there.
  FeedSink(FeedPublisher& publisher, Partners& partners, AlertPolicy& policy);

  // From the next alert on it is one of the partners, of the publisher and of the constituencies. False with an error
  // where it cannot be one. Between alerts, in the exporter's thread (ExportLoop::Post).
  bool Add(const PartnerConfig& partner, std::string& error);
  // It is told nothing more and let in no more; others notice nothing, but for whom alerts of its constituency concern
  // now. Its counters end with it. False where there is none of that name.
  bool Remove(std::string_view partner);

  bool Accept(const Event& event) override;
  void Idle() override;
  bool Close() override;
  EventKinds takes() const override { return takes_; }
  // What the sensor could not see, as heartbeats and the end of the feed tell it (exporter/metrics/losses.h). Asked for
  // every kLossInterval, and once more before the end; in the exporter's thread. Before the first alert, if at all.
  void TellLosses(std::function<std::string()> losses) { losses_ = std::move(losses); }
  static constexpr std::chrono::seconds kLossInterval{5};  // half a heartbeat: what it carries is never older
  const std::string& error() const override { return error_; }
  // Canaries published. Any thread.
  uint64_t canaries() const { return canaries_.load(std::memory_order_acquire); }

 private:
  // A partner, whom views are made for, and where they go.
  struct Subscription {
    Partner& partner;
    PartnerId in_feed;
    Reader reader;
  };
  // Of the event at hand: a view, and its line once somebody needs it.
  struct Rendered {
    View view;
    std::string line;
  };

  void Subscribe(Partner& partner, PartnerId in_feed);
  const std::string& LineOf(View& view);

  FeedPublisher& publisher_;
  Partners& partners_;
  AlertPolicy& policy_;
  std::unique_ptr<Renderer> renderer_ = MakeJsonRenderer();
  std::vector<std::unique_ptr<Subscription>> subscriptions_;
  std::vector<Rendered> rendered_;  // the first num_rendered_ are of the event at hand
  size_t num_rendered_ = 0;
  View view_;
  EventKinds takes_ = EventKind::kAlert;  // what any of its readers does, or did
  std::atomic<uint64_t> canaries_{0};
  std::function<std::string()> losses_;  // may be empty
  std::chrono::steady_clock::time_point losses_due_{};
  std::string error_;
};

}  // namespace vedette
