// The feed of a replay or a live sensor, as its configuration describes it.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "exporter/feed/feed_sink.h"
#include "exporter/feed/publisher.h"
#include "sensor/config/config.h"
#include "sensor/pipeline/pipeline.h"

namespace vedette {

class FeedSetup {
 public:
  // `partners` are those of the configuration; they and `policy` outlive this.
  // `log` is told what goes on, `warn` what somebody should look at; by default standard error.
  bool Open(const Config& config, Partners& partners, AlertPolicy& policy, std::string& error,
            std::function<void(std::string_view)> log = {}, std::function<void(std::string_view)> warn = {});
  // Heartbeats and the end of the feed tell what the pipeline's workers could not see. After Open, before the first
  // alert; the pipeline outlives the last one.
  void TellLosses(const Pipeline& pipeline);
  void TellLosses(std::function<Totals()> totals, const FigureSource* more = nullptr);
  // Says on standard error who is missing; ends early when `stop` is set.
  void WaitForPartners(std::chrono::seconds limit, const std::atomic<bool>& stop);
  // nullptr before Open.
  FeedSink* sink() { return sink_.get(); }
  FeedPublisher* publisher() { return publisher_.get(); }
  // What each partner was sent, and who was refused; empty without a feed.
  std::string Summary() const;

 private:
  Config config_;
  Partners* partners_ = nullptr;
  std::unique_ptr<FeedPublisher> publisher_;
  std::unique_ptr<FeedSink> sink_;
};

}  // namespace vedette
