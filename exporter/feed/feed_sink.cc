#include "exporter/feed/feed_sink.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

namespace vedette {
namespace {

constexpr std::chrono::milliseconds kCloseLimit{
    10'000};  // one heartbeat: a partner that takes longer finds a gap and knows

}  // namespace

FeedSink::FeedSink(FeedPublisher& publisher, Partners& partners, AlertPolicy& policy)
    : publisher_(publisher), partners_(partners), policy_(policy) {
  for (const std::unique_ptr<Partner>& partner : partners.all()) {
    if (const std::optional<PartnerId> in_feed = publisher.Find(partner->config.name)) Subscribe(*partner, *in_feed);
  }
}

void FeedSink::Subscribe(Partner& partner, PartnerId in_feed) {
  subscriptions_.push_back(
      std::make_unique<Subscription>(partner, in_feed, Reader::Of(partner.id, partner.config.clearance)));
  takes_.Add(subscriptions_.back()->reader.takes);
}

bool FeedSink::Add(const PartnerConfig& partner, std::string& error) {
  const std::optional<PartnerId> in_feed = publisher_.Add(partner, error);
  if (!in_feed) return false;
  Subscribe(partners_.Add(partner), *in_feed);
  return true;
}

bool FeedSink::Remove(std::string_view partner) {
  const auto at = std::find_if(subscriptions_.begin(), subscriptions_.end(),
                               [&](const auto& subscription) { return subscription->partner.config.name == partner; });
  if (at == subscriptions_.end()) return false;
  publisher_.Remove((*at)->in_feed);
  const Partner& gone = (*at)->partner;
  subscriptions_.erase(at);
  partners_.Remove(gone);
  return true;
}

bool FeedSink::Accept(const Event& event) {
  num_rendered_ = 0;
  for (const std::unique_ptr<Subscription>& subscription : subscriptions_) {
    PartnerCounters& counters = subscription->partner.counters;
    switch (policy_.Show(event, subscription->reader, view_)) {
      case ViewOutcome::kShown: {
        const std::string& line = LineOf(view_);
        if (line.empty()) break;  // the format has no form for it
        publisher_.Publish(subscription->in_feed, line);
        ++counters.published;
        if (event.kind == EventKind::kCanary) canaries_.fetch_add(1, std::memory_order_release);
        break;
      }
      case ViewOutcome::kOutsideConstituency:
        ++counters.outside_constituency;
        break;
      case ViewOutcome::kUndecided:
        ++counters.undecided;
        break;
      case ViewOutcome::kNoRole:
        ++counters.no_role;
        break;
      case ViewOutcome::kNotTaken:
      case ViewOutcome::kNotCleared:
      case ViewOutcome::kToldBefore:
      case ViewOutcome::kUnheard:
        break;
    }
  }
  return true;
}

// Partners that are shown the same of an event get the same bytes, rendered once. Takes the view's place; holds until
// the next call.
const std::string& FeedSink::LineOf(View& view) {
  for (size_t i = 0; i < num_rendered_; ++i) {
    if (ShowsTheSame(rendered_[i].view, view)) return rendered_[i].line;
  }
  if (num_rendered_ == rendered_.size()) rendered_.emplace_back();
  Rendered& fresh = rendered_[num_rendered_++];
  std::swap(fresh.view, view);
  fresh.line.clear();
  renderer_->Append(fresh.view, fresh.line);
  return fresh.line;
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
