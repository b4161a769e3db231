#include "exporter/feed_sink.h"

#include <chrono>

namespace vedette {
namespace {

constexpr std::chrono::milliseconds kCloseLimit{
    10'000};  // one heartbeat: a partner that takes longer finds a gap and knows

}  // namespace

FeedSink::FeedSink(FeedPublisher& publisher, std::vector<Clearance> clearances, AlertRenderer& renderer)
    : publisher_(publisher),
      clearances_(std::move(clearances)),
      renderer_(renderer),
      published_(clearances_.size(), 0) {
  for (const Clearance& clearance : clearances_) {
    filters_.emplace_back([&clearance](const IndicatorRecord& record) { return clearance.Permits(record); });
  }
}

bool FeedSink::Accept(const Alert& alert) {
  for (size_t i = 0; i < clearances_.size(); ++i) {
    line_.clear();
    if (!renderer_.AppendJson(alert, filters_[i], line_)) continue;
    publisher_.Publish(i, line_);
    ++published_[i];
  }
  return true;
}

void FeedSink::Idle() { publisher_.Poll(); }

bool FeedSink::Close() {
  if (publisher_.Close(kCloseLimit)) return true;
  error_ =
      "feed: not everything was handed to the network before the end; partners see a gap and can tell what is missing";
  return false;
}

}  // namespace vedette
