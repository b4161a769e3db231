// The partner feed (contract 4): one XPUB endpoint with CURVE, one view per partner. README.md beside this file is the
// page of its format.
//
// Thread rule: all calls from the exporter thread, which also answers handshakes, in Poll. Nothing a partner does can
// block Publish: a partner that reads too slowly loses batches (its high-water mark), counted here and shown as a gap
// on its side. Only `lossless_wait` makes Publish wait, for replay.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "exporter/feed/feed_counters.h"
#include "exporter/feed/feed_partner.h"
#include "exporter/feed/keys.h"
#include "exporter/policy/partner.h"

namespace vedette {

// Twice what a handshake may take: a subscriber asks for its view right behind it.
constexpr std::chrono::milliseconds kIdleConnectionLimit{20'000};

struct FeedConfig {
  std::string endpoint;         // tcp://127.0.0.1:5577; port * or 0 picks a free one
  std::string secret_key_file;  // 0600
  KeyPair keys;                 // where not empty: instead of the file, for who read it before giving up the right to
  std::vector<PartnerConfig> partners;     // those of the start: at least one
  std::string schema = "vedette-alert/1";  // of the lines
  size_t batch_alerts = 64;
  std::chrono::microseconds batch_delay{1000};
  std::chrono::milliseconds heartbeat{10'000};
  std::chrono::milliseconds idle_limit = kIdleConnectionLimit;  // of a connection that takes no view
  // Batches queued for one connection. A trickle of a batch each millisecond fills it in 4 s of standstill; a flood of
  // full batches of 1.5 kB alerts holds 400 MB then, the most that a connection costs.
  int high_water_mark = 4'000;
  // Live: 0, a full queue drops at once. Replay: how long Publish waits for room in a partner's queue, so that a replay
  // that is faster than a partner loses nothing. A partner that used it up is not waited for again until it reads.
  std::chrono::milliseconds lossless_wait{0};
  const std::atomic<bool>* stop = nullptr;  // set: every wait ends early
  // Microseconds since 1970 where 0. A journal gives one that is durable and higher than any before.
  uint64_t epoch = 0;
  // One sentence for each refusal, partner that comes, and stall; each kind at a bounded rate (feed_log.h). `warn` is
  // for what somebody should look at; empty: `log` gets that, too. Called within Poll, Publish, WaitForPartners,
  // Readmit and Close.
  std::function<void(std::string_view)> log, warn;
};

struct PartnerStatus {
  PartnerId id = 0;
  std::string name;
  uint64_t last = 0;     // number of the last alert
  bool stalled = false;  // its queue is full
  PartnerFeedCounters counters;
};

class FeedPublisher {
 public:
  // nullptr with an error that names the endpoint or file and says what to do.
  static std::unique_ptr<FeedPublisher> Open(const FeedConfig& config, std::string& error);
  virtual ~FeedPublisher() = default;

  // Lets a partner in from here on. None with an error, as Open's, where it cannot be one. Those of FeedConfig::partners
  // have the ids from 0 on. A name that was a partner's before goes on with the numbers of its view, so that in one
  // epoch no number ever means two alerts.
  virtual std::optional<PartnerId> Add(const PartnerConfig& partner, std::string& error) = 0;
  // It is refused from here on, its connections are ended, and what waits in its batch is dropped. Others notice
  // nothing. False where it is none.
  virtual bool Remove(PartnerId partner) = 0;
  // Of a partner by its name.
  virtual std::optional<PartnerId> Find(std::string_view name) const = 0;
  // `json_line`: one line with its newline. Nothing for who is no partner.
  virtual void Publish(PartnerId partner, std::string_view json_line) = 0;
  // Sends batches that are due, heartbeats, lets partners in. Call it at least every millisecond while alerts wait,
  // every 100 ms otherwise.
  virtual void Poll() = 0;
  // Loss counters for the next heartbeats, as a JSON object of at most kMaxLossBytes. False, and nothing changed, for
  // anything else.
  virtual bool SetLossCounters(std::string json) = 0;
  // Blocks until every partner has subscribed, at most `limit`. For replay, where the feed would be over before
  // anyone is connected.
  virtual bool WaitForPartners(std::chrono::milliseconds limit) = 0;
  // Lets a partner in again that broke the protocol. False where it is not suspended.
  virtual bool Readmit(PartnerId partner) = 0;
  // Flushes, sends the end-of-feed message, lingers; at most `limit` in all. False when time ran out before everything
  // was handed to the network.
  virtual bool Close(std::chrono::milliseconds limit) = 0;
  virtual std::string endpoint() const = 0;  // as bound, with the real port
  virtual std::string public_key() const = 0;
  virtual uint64_t epoch() const = 0;
  virtual FeedCounters counters() const = 0;
  // In the order in which they were added.
  virtual std::vector<PartnerStatus> partners() const = 0;
};

}  // namespace vedette
