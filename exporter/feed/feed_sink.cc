#include "exporter/feed/feed_sink.h"

#include <chrono>

#include "signatures/canary.h"

namespace vedette {
namespace {

constexpr std::chrono::milliseconds kCloseLimit{
    10'000};  // one heartbeat: a partner that takes longer finds a gap and knows

}  // namespace

FeedSink::FeedSink(FeedPublisher& publisher, std::vector<Clearance> clearances, AlertRenderer& renderer)
    : publisher_(publisher), clearances_(std::move(clearances)), renderer_(renderer), counters_(clearances_.size()) {
  for (uint32_t i = 0; i < clearances_.size(); ++i) {
    const Clearance& clearance = clearances_[i];
    views_.push_back({.filter = [&clearance](const IndicatorRecord& record) { return clearance.Permits(record); },
                      .partner = i,
                      .only_constituency = clearance.only_constituency});
  }
}

bool FeedSink::Accept(const Alert& alert) {
  for (size_t i = 0; i < views_.size(); ++i) {
    if ((clearances_[i].partner == kCanaryView) != alert.canary) continue;
    line_.clear();
    switch (renderer_.AppendPartnerJson(alert, views_[i], line_)) {
      case PartnerOutcome::kShown:
        publisher_.Publish(i, line_);
        ++counters_[i].published;
        if (alert.canary) canaries_.fetch_add(1, std::memory_order_release);
        break;
      case PartnerOutcome::kOutsideConstituency:
        ++counters_[i].outside_constituency;
        break;
      case PartnerOutcome::kUndecided:
        ++counters_[i].undecided;
        break;
      case PartnerOutcome::kNoRole:
        ++counters_[i].no_role;
        break;
      case PartnerOutcome::kNotCleared:
      case PartnerOutcome::kToldBefore:
        break;
    }
  }
  return true;
}

void FeedSink::Idle() {
  const auto now = std::chrono::steady_clock::now();
  if (losses_ && now >= losses_due_) {
    losses_due_ = now + kLossInterval;
    publisher_.SetLossCounters(losses_());
  }
  publisher_.Poll();
}

bool FeedSink::Close() {
  if (losses_) publisher_.SetLossCounters(losses_());
  if (publisher_.Close(kCloseLimit)) return true;
  error_ =
      "feed: not everything was handed to the network before the end; partners see a gap that shows what is missing";
  return false;
}

}  // namespace vedette
