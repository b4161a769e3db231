// The partner's side: receive a feed, verify it, report what is missing.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "exporter/feed/keys.h"

namespace vedette {

// How far a subscriber is in its view.
struct FeedPosition {
  uint64_t epoch = 0;  // 0: nowhere yet
  uint64_t last = 0;   // number of the last alert that came, or was reported missing
  bool ended = false;  // the epoch's end came: nothing follows in it
};

struct SubscribeConfig {
  std::string endpoint;           // tcp://ADDRESS:PORT
  std::string server_public_key;  // Z85 or path
  std::string secret_key_file;    // the partner's own
  KeyPair keys;                   // where not empty: instead of the file
  std::string view;               // the partner's name
  uint64_t stop_after = 0;        // alerts; 0: no limit
  uint32_t idle_seconds = 0;      // stop after this long without anything; 0: never
  // A connection that is granted its view is greeted at once. Where nothing comes for this long, three default
  // heartbeats, the view is another's, or there is none of that name.
  std::chrono::milliseconds greeting_limit{30'000};
  bool stop_at_end = false;  // stop at the end-of-feed message of a replay
  // Where an earlier run ended: what was sent after it and does not come is reported as missing.
  FeedPosition after;
  // Called when the position has changed: with `jump` before the lines that do not follow on from those before them (a
  // gap, a new epoch), else after a message's lines have been taken.
  std::function<void(const FeedPosition&, bool jump)> on_position;
  // Called at each heartbeat. The first one comes when the sensor has granted the view: from then on nothing is missed.
  std::function<void()> on_heartbeat;
};

struct SubscribeSummary {
  uint64_t alerts = 0, batches = 0, heartbeats = 0;
  uint64_t missing = 0;  // alerts, by sequence number
  uint64_t gaps = 0;
  uint64_t before = 0;             // alerts of the epoch that were sent before we joined: no loss
  uint64_t duplicates = 0;         // alerts that were here before, left out
  uint64_t malformed = 0;          // messages that are not the feed's format
  uint64_t epochs = 0;             // starts of the sensor seen
  uint64_t dropped_by_sensor = 0;  // as its heartbeats say: of this view, since we read too slowly
  uint64_t connections = 0;        // times connected and authenticated
  uint64_t unknown_tails = 0;      // epochs whose end we did not see, though the sensor has started anew: what it sent
                                   // last then is not known
  bool authenticated = false;
  bool ended = false;  // the end-of-feed message came
  std::string loss;    // the sensor's own loss counters, as its last heartbeat says: a JSON object
  std::string error;   // not empty: why it stopped
};

// Calls `on_line` for each alert (with its newline; false stops) and `on_event` with one sentence for each gap, new
// epoch, loss or connection event. Returns when `stop` is set, a limit is reached, our key is not known, or no message
// of the view comes. A sensor that knows us and does not let us in now is tried again, in growing intervals. Both are
// called in this thread; while they take their time, the sensor keeps at most its high-water mark for us.
SubscribeSummary Subscribe(const SubscribeConfig& config, const std::function<bool(std::string_view)>& on_line,
                           const std::function<void(std::string_view)>& on_event, const std::atomic<bool>& stop);

}  // namespace vedette
