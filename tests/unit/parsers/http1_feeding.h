// Conversations in HTTP/1, and what Http1Parser shows of them.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "parsers/http/http1.h"
#include "parsers/http/http_protocol.h"
#include "tests/unit/parsers/stream_feeding.h"

namespace vedette::testing {

using Values = std::vector<std::string>;

inline constexpr Direction kUp = Direction::kToServer, kDown = Direction::kToClient;

inline Turn Up(std::string bytes) { return {kUp, std::move(bytes)}; }
inline Turn Down(std::string bytes) { return {kDown, std::move(bytes)}; }

// What the conversation shows, the same however it is cut and quiet about what is not complete.
inline Values Seen(const std::vector<Turn>& turns) {
  ExpectPrefixesAreQuiet<Http1Parser>(turns);
  return ExpectSameInPieces<Http1Parser>(turns);
}

// As Seen, only the targets of requests and the statuses.
inline Values Lines(const std::vector<Turn>& turns) {
  Values out;
  for (const std::string& value : Seen(turns)) {
    if (value.rfind("http.uri", 0) == 0 || value.rfind("http.status", 0) == 0) out.push_back(value);
  }
  return out;
}

// Feeds by hand: gaps, mid-stream pick-up, and what the parser answers.
class Stream {
 public:
  Outcome Feed(Direction direction, std::string_view bytes, uint32_t gap = 0) {
    return parser.Feed({.data = AsBytes(bytes), .direction = direction, .gap_bytes = gap, .start = start}, batch);
  }
  void End() {
    parser.Feed({.data = {}, .direction = kUp, .end = true}, batch);
    parser.Feed({.data = {}, .direction = kDown, .end = true}, batch);
  }
  Values Lines() const {
    Values out;
    for (const Observable& o : batch.observables()) {
      if (o.kind == ObservableKind::kHttpUri || o.kind == ObservableKind::kHttpStatus) out.push_back(Describe(o));
    }
    return out;
  }

  uint64_t Limit(HttpProtocol::Counter counter) const { return batch.counters.Of(HttpProtocol::kId, counter); }

  Http1Parser parser;
  ParserBatch batch;
  bool start = true;
};

}  // namespace vedette::testing
