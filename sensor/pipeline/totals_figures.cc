#include "sensor/pipeline/totals_figures.h"

#include <numeric>
#include <string>

#include "exporter/metrics/families.h"

namespace vedette {
namespace {

template <class Name>
void AppendTypes(const FigureFamily& family, const TypeCounts& types, Name name, Figures& out) {
  for (const TypeCounts::Entry& entry : types.entries()) {
    out.Add(family, name(entry.type), static_cast<double>(entry.count));
  }
  if (types.others() != 0) out.Add(family, "others", static_cast<double>(types.others()));
}

void AppendPackets(const Totals& totals, Figures& out) {
  const DecodeCounters& decode = totals.decode;
  const uint64_t excluded = totals.workers.excluded_by_filter + totals.workers.excluded_by_time;
  const uint64_t dropped = totals.capture.dropped_by_kernel + totals.capture.dropped_by_interface;
  out.Add(families::kPacketsReceived, static_cast<double>(decode.received + excluded + dropped));
  out.Add(families::kPacketsDecoded, static_cast<double>(decode.decoded));
  const auto layer = [&](std::string_view name, uint64_t count) {
    out.Add(families::kPacketsDecodedBy, name, static_cast<double>(count));
  };
  layer("vlan", decode.vlan_tagged);
  layer("ipv4", decode.ipv4);
  layer("ipv6", decode.ipv6);
  layer("tcp", decode.tcp);
  layer("udp", decode.udp);
  layer("icmp", decode.icmp);
  layer("other_transport", decode.other_transport);
  for (size_t i = 0; i < decode.not_decoded.size(); ++i) {
    out.Add(families::kPacketsNotDecoded, NameOf(static_cast<NotDecoded>(i)),
            static_cast<double>(decode.not_decoded[i]));
  }
  AppendTypes(families::kPacketsOfOtherType, decode.other_types, NameOfLinkType, out);
  AppendTypes(
      families::kPacketsOfUnknownLink, decode.unknown_link_types, [](uint32_t type) { return std::to_string(type); },
      out);
  out.Add(families::kPacketsExcluded, "filter", static_cast<double>(totals.workers.excluded_by_filter));
  out.Add(families::kPacketsExcluded, "time", static_cast<double>(totals.workers.excluded_by_time));
  out.Add(families::kPacketsDropped, "kernel", static_cast<double>(totals.capture.dropped_by_kernel));
  out.Add(families::kPacketsDropped, "interface", static_cast<double>(totals.capture.dropped_by_interface));
  out.Add(families::kPacketsTruncated, static_cast<double>(decode.truncated));
  out.Add(families::kPacketTimesDoubted, static_cast<double>(totals.workers.stamps_disbelieved));
  out.Add(families::kBytesDecoded, static_cast<double>(totals.workers.bytes));
  out.Add(families::kDatagramsReassembled, static_cast<double>(decode.datagrams_reassembled));
}

void AppendFlows(const Totals& totals, Figures& out) {
  const WorkerCounters& workers = totals.workers;
  const InspectionCounters& inspection = totals.inspection;
  out.Add(families::kFlows, static_cast<double>(workers.flows));
  out.Add(families::kFlowsNow, static_cast<double>(workers.flows_now));
  out.Add(families::kFlowsEnded, "table_full", static_cast<double>(workers.flows_evicted));
  out.Add(families::kFlowsEnded, "table_crowded", static_cast<double>(workers.flows_crowded_out));
  for (size_t i = 1; i < inspection.flows_by_protocol.size(); ++i) {
    out.Add(families::kFlowsByProtocol, NameOf(static_cast<ProtocolId>(i)),
            static_cast<double>(inspection.flows_by_protocol[i]));
  }
  out.Add(families::kFlowsByProtocol, "tcp_unknown", static_cast<double>(inspection.flows_unrecognised));
  out.Add(families::kFlowsByProtocol, "udp_unknown", static_cast<double>(inspection.udp_unrecognised));
  for (size_t i = 1; i < inspection.tunnels.size(); ++i) {
    out.Add(families::kTunnelFlows, NameOf(static_cast<Tunnel>(i)), static_cast<double>(inspection.tunnels[i]));
  }
  out.Add(families::kTcpFlowsJudged, "both_ways", static_cast<double>(workers.tcp_both_ways));
  out.Add(families::kTcpFlowsJudged, "one_way", static_cast<double>(workers.tcp_one_way));
  const auto tcp = [&](std::string_view event, uint64_t count) {
    out.Add(families::kTcp, event, static_cast<double>(count));
  };
  tcp("segments", totals.tcp.segments);
  tcp("out_of_order", totals.tcp.out_of_order);
  tcp("gaps", totals.tcp.gaps);
  tcp("no_room_direction", totals.tcp.flow_limit_hit);
  tcp("no_room_memory", totals.tcp.total_limit_hit);
  tcp("exact_repeats", totals.tcp.exact_repeats);
  tcp("other_copies", totals.tcp.other_copies);
  tcp("other_copies_checksum_wrong", totals.tcp.checksum_wrong);
  tcp("place_changes", totals.tcp.place_changes);
  tcp("place_reversals", totals.tcp.place_reversals);
  tcp("syns_in_stream", totals.tcp.syns_in_stream);
  tcp("resets_in_vain", totals.tcp.resets_in_vain);
  tcp("second_readings", inspection.second_readings);
  tcp("second_readings_limit", inspection.second_readings_limit);
  const auto aside = [&](std::string_view reason, uint64_t count) {
    out.Add(families::kTcpSetAside, reason, static_cast<double>(count));
  };
  aside("outside_window", totals.tcp.out_of_window);
  aside("another_place", totals.tcp.at_candidate);
  aside("no_room", totals.tcp.queue_full);
  aside("padding", totals.tcp.padding);
  out.Add(families::kPayloadAside, static_cast<double>(inspection.payload_bytes_aside));
  out.Add(families::kTcpGapBytes, static_cast<double>(totals.tcp.gap_bytes - inspection.gap_bytes_scan_only));
  out.Add(families::kScanGapBytes, static_cast<double>(inspection.gap_bytes_scan_only));
  out.Add(families::kTcpRepeatedBytes, static_cast<double>(totals.tcp.retransmitted_bytes));
  out.Add(families::kParserGivenUp, "malformed", static_cast<double>(inspection.malformed));
  out.Add(families::kParserGivenUp, "memory", static_cast<double>(inspection.parser_limit_hit));
  out.Add(families::kParserGivenUp, "protocol_changes", static_cast<double>(inspection.hand_over_limit_hit));
  ForEachProtocolCounter([&](const CounterText& counter, ProtocolId protocol, size_t index) {
    out.Add(families::kMessageLimits, counter.name, static_cast<double>(inspection.protocols.Of(protocol, index)));
  });
  out.Add(families::kPayloadInspected, static_cast<double>(totals.payload.payload_bytes));
  out.Add(families::kPayloadSkipped, "depth_or_bypass", static_cast<double>(inspection.payload_bytes_unscanned));
  for (size_t i = 0; i < static_cast<size_t>(kFirstContext); ++i) {
    out.Add(families::kObservables, NameOf(static_cast<ObservableKind>(i)),
            static_cast<double>(workers.observables[i]));
  }
}

}  // namespace

void AppendFigures(const Totals& totals, Figures& out) {
  AppendPackets(totals, out);
  AppendFlows(totals, out);
  out.Add(families::kScanErrors, static_cast<double>(totals.payload.scan_errors + totals.fields.scan_errors));
  out.Add(families::kHitsOverLimit,
          static_cast<double>(totals.payload.hits_over_limit + totals.fields.hits_over_limit));
  out.Add(families::kAlerts, static_cast<double>(totals.alerts.alerts));
  out.Add(families::kAlertsRepeated, static_cast<double>(totals.alerts.repeated));
  out.Add(families::kAlertsUnremembered, static_cast<double>(totals.alerts.unremembered));
  out.Add(families::kAlertsDropped, "queue_full", static_cast<double>(totals.alerts.dropped_queue_full));
  out.Add(families::kAlertsDropped, "too_many_in_one_flow", static_cast<double>(totals.alerts.dropped_flow_limit));
  out.Add(families::kAlertHitsDropped, "queue_full", static_cast<double>(totals.alerts.hits_queue_full));
  out.Add(families::kAlertHitsDropped, "too_many_in_one_flow", static_cast<double>(totals.alerts.hits_flow_limit));
  out.Add(families::kMemory, "flows", static_cast<double>(totals.flow_memory_bytes));
  out.Add(families::kMemory, "parsers", static_cast<double>(totals.inspection.parser_held_bytes));
  out.Add(families::kMemory, "streams", static_cast<double>(totals.inspection.stream_bytes));
  out.Add(families::kMemory, "reassembly",
          static_cast<double>(totals.tcp.held_bytes + totals.tcp.held_segments * kSegmentOverheadBytes +
                              totals.tcp.detour_bytes));
  out.Add(families::kMemory, "alerts", static_cast<double>(totals.alerts.remembered_bytes));
  out.Add(families::kMemory, "fragments", static_cast<double>(totals.fragment_memory_bytes));
  if (totals.delay.count != 0) out.Add(families::kPacketDelay, totals.delay);
  out.Add(families::kWorkerCpu, totals.worker_cpu_seconds);
}

}  // namespace vedette
