// DNS as registry.h lists it.
#pragma once

#include "parsers/base/protocol.h"
#include "parsers/dns/dns.h"

namespace vedette {

struct DnsProtocol {
  static constexpr ProtocolId kId{1};
  static constexpr std::string_view kName = "dns";
  using StreamParser = DnsStreamParser;
  using DatagramParser = DnsDatagramParser;
  enum Counter : uint8_t { kNumCounters };
  static constexpr std::array<CounterLimit, kNumCounters> kCounters = {};
  static constexpr ContentKinds kContent = {};
};

}  // namespace vedette
