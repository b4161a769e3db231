// OpenVPN as registry.h lists it.
#pragma once

#include "parsers/base/protocol.h"
#include "parsers/openvpn/openvpn.h"

namespace vedette {

struct OpenVpnProtocol {
  static constexpr ProtocolId kId{4};
  static constexpr std::string_view kName = "openvpn";
  using StreamParser = OpenVpnParser;
  using DatagramParser = OpenVpnDatagramParser;
  enum Counter : uint8_t { kNumCounters };
  static constexpr std::array<CounterLimit, kNumCounters> kCounters = {};
  static constexpr ContentKinds kContent = {};
};

}  // namespace vedette
