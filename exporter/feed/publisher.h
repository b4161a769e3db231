// The partner feed (contract 4): one XPUB endpoint with CURVE, one view per partner.
//
// Thread rule: all calls from the exporter thread; the publisher runs its own ZAP thread inside. Nothing a partner does
// can block Publish: a partner that reads too slowly loses batches (its high-water mark), which shows as a gap on its
// side.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace vedette {

struct PartnerConfig {
  std::string name;        // its view is named after it
  std::string public_key;  // Z85
};

struct FeedConfig {
  std::string endpoint;         // tcp://127.0.0.1:5577; port * or 0 picks a free one
  std::string secret_key_file;  // 0600
  std::vector<PartnerConfig> partners;
  size_t batch_alerts = 64;
  std::chrono::microseconds batch_delay{1000};
  std::chrono::milliseconds heartbeat{10'000};
  int high_water_mark = 10'000;  // batches queued for one partner
};

struct FeedCounters {
  uint64_t alerts = 0;  // handed to Publish, per view added up
  uint64_t batches = 0;
  uint64_t heartbeats = 0;
  uint64_t connections = 0;  // authenticated handshakes
  uint64_t refused_unknown_key = 0;
  uint64_t refused_not_curve = 0;
  uint64_t refused_wrong_server_key = 0;
  uint64_t refused_subscriptions = 0;  // for a view not its own
};

class FeedPublisher {
 public:
  // nullptr with an error that names the endpoint or file and says what to do.
  static std::unique_ptr<FeedPublisher> Open(const FeedConfig& config, std::string& error);
  virtual ~FeedPublisher() = default;

  // `partner` is an index into FeedConfig::partners, `json_line` one line with its newline.
  virtual void Publish(size_t partner, std::string_view json_line) = 0;
  // Sends batches that are due, heartbeats, handles subscriptions. Call it at least every millisecond while alerts
  // wait, every 100 ms otherwise.
  virtual void Poll() = 0;
  // Loss counters for the next heartbeats, as a JSON object.
  virtual void SetLossCounters(std::string json) = 0;
  // Blocks until every listed partner has subscribed, at most `limit`. For replay, where the feed would be over before
  // anyone is connected.
  virtual bool WaitForPartners(std::chrono::milliseconds limit) = 0;
  // Flushes, sends the end-of-feed message, lingers at most `limit`.
  virtual void Close(std::chrono::milliseconds limit) = 0;
  virtual std::string endpoint() const = 0;  // as bound, with the real port
  virtual FeedCounters counters() const = 0;
};

}  // namespace vedette
