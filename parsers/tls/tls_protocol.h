// TLS as registry.h lists it.
#pragma once

#include "parsers/base/protocol.h"
#include "parsers/tls/tls.h"

namespace vedette {

struct TlsProtocol {
  static constexpr ProtocolId kId{3};
  static constexpr std::string_view kName = "tls";
  using StreamParser = TlsParser;
  using DatagramParser = NoParser;
  enum Counter : uint8_t { kNumCounters };
  static constexpr std::array<CounterLimit, kNumCounters> kCounters = {};
  static constexpr ContentKinds kContent = {};
};

}  // namespace vedette
