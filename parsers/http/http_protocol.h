// HTTP as registry.h lists it.
#pragma once

#include "parsers/base/protocol.h"
#include "parsers/http/http1.h"

namespace vedette {

struct HttpProtocol {
  static constexpr ProtocolId kId{2};
  static constexpr std::string_view kName = "http";
  using StreamParser = Http1Parser;
  using DatagramParser = NoParser;
  enum Counter : uint8_t {
    kHeadTooLong,    // to be read whole: some of what is looked for may be missing
    kTooManyValues,  // see HttpRequestValues::kMaxValues
    kNumCounters,
  };
  static constexpr std::array<CounterLimit, kNumCounters> kCounters = {{
      {"http_head_too_long", "HTTP heads too long"},
      {"http_too_many_values", "HTTP values beyond 64 a head"},
  }};
  static constexpr ContentKinds kContent = {ContentKind::kHttpRequestBody, ContentKind::kHttpResponseBody};
};

}  // namespace vedette
