// DTLS as registry.h lists it.
#pragma once

#include "parsers/base/protocol.h"
#include "parsers/dtls/dtls.h"

namespace vedette {

struct DtlsProtocol {
  static constexpr ProtocolId kId{6};
  static constexpr std::string_view kName = "dtls";
  using StreamParser = NoParser;
  using DatagramParser = DtlsParser;
  enum Counter : uint8_t {
    kHelloLimit,  // hellos that are too long or in too many pieces, and flows with so many that no more are read
    kNumCounters,
  };
  static constexpr std::array<CounterLimit, kNumCounters> kCounters = {{
      {"dtls_hello_limit", "DTLS hellos not read"},
  }};
  static constexpr ContentKinds kContent = {};
};

}  // namespace vedette
