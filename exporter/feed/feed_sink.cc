#include "exporter/feed/feed_sink.h"

#include <chrono>
#include <optional>

#include "signatures/canary.h"

namespace vedette {
namespace {

constexpr std::chrono::milliseconds kCloseLimit{
    10'000};  // one heartbeat: a partner that takes longer finds a gap and knows

}  // namespace

FeedSink::FeedSink(FeedPublisher& publisher, Partners& partners, AlertRenderer& renderer)
    : publisher_(publisher), renderer_(renderer) {
  for (const std::unique_ptr<Partner>& partner : partners.all()) {
    const std::optional<PartnerId> in_feed = publisher.Find(partner->config.name);
    if (!in_feed) continue;
    const Clearance& clearance = partner->config.clearance;
    readers_.push_back(
        {*partner, *in_feed,
         PartnerView{.filter = [&clearance](const IndicatorRecord& record) { return clearance.Permits(record); },
                     .partner = partner->id,
                     .only_constituency = clearance.only_constituency}});
  }
}

bool FeedSink::Accept(const Alert& alert) {
  for (const Reader& reader : readers_) {
    if ((reader.partner.config.name == kCanaryView) != alert.canary) continue;
    line_.clear();
    switch (renderer_.AppendPartnerJson(alert, reader.view, line_)) {
      case PartnerOutcome::kShown:
        publisher_.Publish(reader.in_feed, line_);
        ++reader.partner.counters.published;
        if (alert.canary) canaries_.fetch_add(1, std::memory_order_release);
        break;
      case PartnerOutcome::kOutsideConstituency:
        ++reader.partner.counters.outside_constituency;
        break;
      case PartnerOutcome::kUndecided:
        ++reader.partner.counters.undecided;
        break;
      case PartnerOutcome::kNoRole:
        ++reader.partner.counters.no_role;
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
