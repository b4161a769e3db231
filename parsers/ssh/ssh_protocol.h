// SSH as registry.h lists it.
#pragma once

#include "parsers/base/protocol.h"
#include "parsers/ssh/ssh.h"

namespace vedette {

struct SshProtocol {
  static constexpr ProtocolId kId{5};
  static constexpr std::string_view kName = "ssh";
  using StreamParser = SshParser;
  using DatagramParser = NoParser;
  enum Counter : uint8_t { kNumCounters };
  static constexpr std::array<CounterLimit, kNumCounters> kCounters = {};
  static constexpr ContentKinds kContent = {};
};

}  // namespace vedette
