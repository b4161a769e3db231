// The frames of the feed (contract 4): `view/ | header | JSON lines`. README.md beside this file is the format's page.
//
// Pure: no sockets, no clock. Used by both ends.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace vedette {

constexpr uint32_t kFeedVersion = 1;

// A view's name is its partner's: [a-z0-9-], at most this long. Short enough for a log line and a file name.
constexpr size_t kMaxViewBytes = 64;
// The sensor's loss counters are the only part of a header that grows: some hundred names.
constexpr size_t kMaxLossBytes = 8UL * 1024;
constexpr size_t kMaxHeaderBytes = kMaxLossBytes + 2UL * 1024;
// An alert has 1 to 4 KB; one with a thousand hits under `also` stays below this.
constexpr size_t kMaxLineBytes = 1024UL * 1024;
// A batch is closed once it holds this much, so a body is at most this and one more line.
constexpr size_t kFullBatchBytes = 256UL * 1024;
constexpr size_t kMaxBodyBytes = kFullBatchBytes + kMaxLineBytes;
constexpr size_t kMaxBatchAlerts = 4096;
// Numbers stay exact in every JSON reader (RFC 8259 section 6).
constexpr uint64_t kMaxNumber = (uint64_t{1} << 53) - 1;

bool IsViewName(std::string_view name);
// tcp://ADDRESS:PORT with a port of 0 to 65535, or "*".
bool IsTcpEndpoint(std::string_view text);
// Frame 0. ZeroMQ matches subscriptions by prefix; the slash, which no name has, keeps "ab/" out of a subscription to
// "a/".
std::string TopicOf(std::string_view view);

enum class FeedEvent : uint8_t {
  kAlerts,
  kHeartbeat,
  kEnd,    // of the feed: a replay is complete, or the sensor stops
  kOther,  // of a later version: to be passed over
};

struct FeedHeader {
  FeedEvent event = FeedEvent::kAlerts;
  std::string schema = {};
  uint64_t epoch = 0;
  uint64_t first = 0;  // kAlerts: number of the first line, from 1 on
  uint64_t count = 0;  // kAlerts: lines
  uint64_t last = 0;   // kHeartbeat, kEnd: number of the last alert sent, 0 before the first
  // kHeartbeat, kEnd:
  uint64_t interval_ms = 0;     // to the next heartbeat
  uint64_t dropped_alerts = 0;  // of this view, because the partner's queue was full
  std::string time = {};        // RFC 3339, UTC
  std::string loss = {};        // the sensor's loss counters, a JSON object
};

// What FeedHeader::loss may be: an object on one line, at most kMaxLossBytes and a few levels deep.
bool IsLossObject(std::string_view json);
// One line of JSON without newline.
std::string WriteHeader(const FeedHeader& header);

enum class WireError : uint8_t {
  kNone,
  kFrameCount,
  kTopic,
  kHeaderTooLarge,
  kHeaderNotJson,
  kHeaderField,  // missing, of the wrong type or out of range
  kVersion,      // another version of the feed's format
  kBodyTooLarge,
  kBodyOfEvent,  // a heartbeat or end with a body
  kLineCount,    // differs from the header's count
  kLine,         // not an object on one line
};
std::string_view Describe(WireError error);

// A message of the view `topic`, verified. `lines` view `frames`, each with its newline.
WireError ReadMessage(const std::vector<std::string_view>& frames, std::string_view topic, FeedHeader& header,
                      std::vector<std::string_view>& lines);

}  // namespace vedette
