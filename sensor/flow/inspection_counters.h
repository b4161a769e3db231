// What stream inspection counts; one per worker.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "parsers/base/counter.h"
#include "parsers/base/tunnel.h"
#include "parsers/registry.h"
#include "sensor/flow/tcp_counters.h"

namespace vedette {

namespace families {

inline constexpr FigureFamily kFlowsByProtocol = {"vedette_flows_protocol_total", FigureKind::kCounter,
                                                  "flows by the protocol that their bytes told", "protocol"};
inline constexpr FigureFamily kTunnelFlows = {"vedette_tunnel_flows_total", FigureKind::kCounter,
                                              "flows that carry other packets, which are not looked into", "tunnel"};
inline constexpr FigureFamily kPayloadAside = {"vedette_payload_aside_bytes_total", FigureKind::kCounter,
                                               "bytes set aside, or of another copy; scanned alone", ""};
inline constexpr FigureFamily kScanGapBytes = {
    "vedette_scan_gap_bytes_total", FigureKind::kCounter,
    "bytes missing in TCP streams in which only patterns are looked for any more", ""};
inline constexpr FigureFamily kParserGivenUp = {"vedette_parsers_given_up_total", FigureKind::kCounter,
                                                "streams whose parsing ended early, and why", "reason", true};
inline constexpr FigureFamily kMessageLimits = {
    "vedette_message_limits_total", FigureKind::kCounter,
    "messages that a limit kept from being read whole, and values left out of messages", "limit"};
inline constexpr FigureFamily kPayloadSkipped = {"vedette_payload_bytes_skipped_total", FigureKind::kCounter,
                                                 "payload bytes in which patterns were not looked for", "reason"};

}  // namespace families

// The limits that protocols name in their descriptions (parsers/base/protocol.h).
struct ProtocolLimitCounts : ProtocolCounters {
  template <class Visit>
  void ForEachLimit(Visit visit) const {
    ForEachProtocolCounter(
        [&](const CounterLimit& limit, ProtocolId protocol, size_t index) { visit(limit, Of(protocol, index)); });
  }
  template <class Visit>
  void ForEach(NoNames, Visit visit) const {
    ForEachLimit([&](const CounterLimit& limit, uint64_t count) { visit(limit.name, count); });
  }
};

struct InspectionCounters {
  std::array<uint64_t, kProtocolIds> flows_by_protocol{};
  uint64_t flows_unrecognised = 0;
  uint64_t udp_unrecognised = 0;
  std::array<uint64_t, kTunnels> tunnels{};
  uint64_t malformed = 0;
  uint64_t payload_bytes = 0;
  uint64_t payload_bytes_unscanned = 0;
  uint64_t gap_bytes_scan_only = 0;  // of TcpCounters::gap_bytes
  uint64_t payload_bytes_aside = 0;
  uint64_t parser_held_bytes = 0;  // now
  uint64_t stream_bytes = 0;       // now
  uint64_t parser_limit_hit = 0;
  uint64_t hand_over_limit_hit = 0;
  uint64_t second_readings = 0;
  uint64_t second_readings_limit = 0;
  ProtocolLimitCounts protocols;

  static constexpr auto Counters() {
    using namespace families;
    using C = InspectionCounters;
    return CounterTable(
        CountEach(&C::flows_by_protocol, kFlowsByProtocol,
                  [](size_t i) { return i == 0 ? std::string_view() : NameOf(static_cast<ProtocolId>(i)); }),
        Count(&C::flows_unrecognised, kFlowsByProtocol, "tcp_unknown",
              "TCP flows with payload that ended and that no parser knew"),
        Count(&C::udp_unrecognised, kFlowsByProtocol, "udp_unknown", "the same of UDP flows, those with tunnels apart"),
        CountEach(&C::tunnels, kTunnelFlows,
                  [](size_t i) { return i == 0 ? std::string_view() : NameOf(static_cast<Tunnel>(i)); }),
        Count(&C::second_readings, kTcp, "second_readings",
              "streams read a second time, because copies differed or the place changed"),
        Count(&C::second_readings_limit, kTcp, "second_readings_limit",
              "second readings not begun: the flow had as many as it may have")
            .IsLimit({"second_readings", "TCP copies not read again"}),
        Count(&C::payload_bytes_aside, kPayloadAside), Count(&C::gap_bytes_scan_only, kScanGapBytes),
        Count(&C::malformed, kParserGivenUp, "malformed", "the parser gave up on broken input"),
        Count(&C::parser_limit_hit, kParserGivenUp, "memory", "all parsers together held too much")
            .IsLimit({"parsers", "parsers: memory", true}),
        Count(&C::hand_over_limit_hit, kParserGivenUp, "protocol_changes", "the flow changed its protocol too often")
            .IsLimit({"protocol_changes", "parsers: protocol changes"}),
        CountEach(&C::protocols, kMessageLimits, NoNames()),
        Count(&C::payload_bytes, "bytes carried by TCP and UDP, in order"),
        Count(&C::payload_bytes_unscanned, kPayloadSkipped, "depth_or_bypass",
              "passed over because of the inspection depth")
            .IsLimit({"payload_depth", "payload bytes not scanned"}),
        Count(&C::parser_held_bytes, kMemory, "parsers", "bytes that parsers hold"),
        Count(&C::stream_bytes, kMemory, "streams", "StreamStates with all they own, without what parsers hold"));
  }
};

}  // namespace vedette
