// Alerts to the partners: each gets its view, rendered with only the hits that it may see.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "exporter/alert_sink.h"
#include "exporter/clearance.h"
#include "exporter/feed/publisher.h"
#include "exporter/render.h"

namespace vedette {

class FeedSink : public AlertSink {
 public:
  // One clearance a partner of the publisher, in the same order. Publisher and renderer outlive the sink.
  FeedSink(FeedPublisher& publisher, std::vector<Clearance> clearances, AlertRenderer& renderer);

  bool Accept(const Alert& alert) override;
  void Idle() override;
  bool Close() override;
  const std::string& error() const override { return error_; }
  // Alerts published to each partner.
  const std::vector<uint64_t>& published() const { return published_; }

 private:
  FeedPublisher& publisher_;
  std::vector<Clearance> clearances_;
  std::vector<HitFilter> filters_;
  AlertRenderer& renderer_;
  std::vector<uint64_t> published_;
  std::string line_;
  std::string error_;
};

}  // namespace vedette
