// What a protocol says of itself: one description per protocol, in its own folder, listed in registry.h.
//
//   struct EchoProtocol {
//     static constexpr ProtocolId kId{9};                 // its own
//     static constexpr std::string_view kName = "echo";   // EVE's app_proto
//     using StreamParser = EchoParser;                    // or NoParser
//     using DatagramParser = NoParser;
//     enum Counter : uint8_t { kTooLong, kNumCounters };  // what ParserOutput::Count takes
//     static constexpr std::array<CounterLimit, kNumCounters> kCounters = {{{"echo_too_long", "echoes too long"}}};
//     static constexpr ContentKinds kContent = {};        // what its stream parser may begin
//   };
//
// How it is recognised, who sends what, and what bounds it stands with the parsers: see the concepts in parser.h.
#pragma once

#include <concepts>
#include <string_view>
#include <type_traits>

#include "parsers/base/counter.h"
#include "parsers/base/parser.h"

namespace vedette {

// In place of a parser that a protocol does not have.
struct NoParser {};

template <class P>
concept ProtocolType = requires {
  requires std::same_as<decltype(P::kId), const ProtocolId>;
  requires static_cast<size_t>(P::kId) > 0 && static_cast<size_t>(P::kId) < ProtocolCounters::kMaxProtocols;
  requires std::same_as<decltype(P::kName), const std::string_view> && !P::kName.empty();
  requires std::same_as<typename P::StreamParser, NoParser> || StreamParserType<typename P::StreamParser>;
  requires std::same_as<typename P::DatagramParser, NoParser> || DatagramParserType<typename P::DatagramParser>;
  requires !std::same_as<typename P::StreamParser, NoParser> || !std::same_as<typename P::DatagramParser, NoParser>;
  requires std::is_enum_v<typename P::Counter>;
  requires P::kCounters.size() == static_cast<size_t>(P::kNumCounters);
  requires P::kCounters.size() <= ProtocolCounters::kMaxCounters;
  requires std::same_as<decltype(P::kContent), const ContentKinds>;
  requires P::kContent.empty() != ContentParserType<typename P::StreamParser>;
};

}  // namespace vedette
