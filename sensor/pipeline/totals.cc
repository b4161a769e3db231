#include "sensor/pipeline/totals.h"

#include <algorithm>
#include <array>

namespace vedette {
namespace {

template <size_t N>
void AddAll(std::array<uint64_t, N>& sum, const std::array<uint64_t, N>& part) {
  for (size_t i = 0; i < N; ++i) sum[i] += part[i];
}

void Add(DecodeCounters& sum, const DecodeCounters& part) {
  sum.received += part.received;
  sum.decoded += part.decoded;
  AddAll(sum.not_decoded, part.not_decoded);
  sum.other_types.Add(part.other_types);
  sum.unknown_link_types.Add(part.unknown_link_types);
  sum.datagrams_reassembled += part.datagrams_reassembled;
  sum.ipv4 += part.ipv4;
  sum.ipv6 += part.ipv6;
  sum.tcp += part.tcp;
  sum.udp += part.udp;
  sum.icmp += part.icmp;
  sum.other_transport += part.other_transport;
  sum.vlan_tagged += part.vlan_tagged;
  sum.truncated += part.truncated;
}

void Add(CaptureCounters& sum, const CaptureCounters& part) {
  sum.frames += part.frames;
  sum.captured_bytes += part.captured_bytes;
  sum.wire_bytes += part.wire_bytes;
  sum.dropped_by_kernel += part.dropped_by_kernel;
  sum.dropped_by_interface += part.dropped_by_interface;
  sum.total_input_bytes += part.total_input_bytes;
  sum.input_bytes_read += part.input_bytes_read;
}

void Add(WorkerCounters& sum, const WorkerCounters& part) {
  sum.excluded_by_filter += part.excluded_by_filter;
  sum.fragments_excluded_by_filter += part.fragments_excluded_by_filter;
  sum.excluded_by_time += part.excluded_by_time;
  sum.flows += part.flows;
  sum.flows_evicted += part.flows_evicted;
  sum.flows_crowded_out += part.flows_crowded_out;
  sum.stamps_disbelieved += part.stamps_disbelieved;
  sum.flows_peak += part.flows_peak;
  sum.flows_now += part.flows_now;
  sum.flows_timed_out += part.flows_timed_out;
  sum.tcp_both_ways += part.tcp_both_ways;
  sum.tcp_one_way += part.tcp_one_way;
  sum.bytes += part.bytes;
  sum.first_ns = std::min(sum.first_ns, part.first_ns);
  sum.last_ns = std::max(sum.last_ns, part.last_ns);
  AddAll(sum.observables, part.observables);
}

void Add(InspectionCounters& sum, const InspectionCounters& part) {
  AddAll(sum.flows_by_protocol, part.flows_by_protocol);
  sum.flows_unrecognised += part.flows_unrecognised;
  sum.udp_unrecognised += part.udp_unrecognised;
  AddAll(sum.tunnels, part.tunnels);
  sum.malformed += part.malformed;
  sum.payload_bytes += part.payload_bytes;
  sum.payload_bytes_unscanned += part.payload_bytes_unscanned;
  sum.gap_bytes_scan_only += part.gap_bytes_scan_only;
  sum.payload_bytes_aside += part.payload_bytes_aside;
  sum.second_readings += part.second_readings;
  sum.second_readings_limit += part.second_readings_limit;
  sum.parser_held_bytes += part.parser_held_bytes;
  sum.stream_bytes += part.stream_bytes;
  sum.parser_limit_hit += part.parser_limit_hit;
  sum.hand_over_limit_hit += part.hand_over_limit_hit;
  sum.protocols.Add(part.protocols);
}

void Add(TcpCounters& sum, const TcpCounters& part) {
  sum.segments += part.segments;
  sum.out_of_order += part.out_of_order;
  sum.retransmitted_bytes += part.retransmitted_bytes;
  sum.gaps += part.gaps;
  sum.gap_bytes += part.gap_bytes;
  sum.out_of_window += part.out_of_window;
  sum.at_candidate += part.at_candidate;
  sum.queue_full += part.queue_full;
  sum.checksum_wrong += part.checksum_wrong;
  sum.padding += part.padding;
  sum.exact_repeats += part.exact_repeats;
  sum.other_copies += part.other_copies;
  sum.place_changes += part.place_changes;
  sum.place_reversals += part.place_reversals;
  sum.syns_in_stream += part.syns_in_stream;
  sum.resets_in_vain += part.resets_in_vain;
  sum.flow_limit_hit += part.flow_limit_hit;
  sum.total_limit_hit += part.total_limit_hit;
  sum.held_bytes += part.held_bytes;
  sum.held_segments += part.held_segments;
  sum.detour_bytes += part.detour_bytes;
}

void Add(MatchCounters& sum, const MatchCounters& part) {
  sum.observables += part.observables;
  sum.field_scans += part.field_scans;
  sum.payload_scans += part.payload_scans;
  sum.payload_bytes += part.payload_bytes;
  sum.scan_errors += part.scan_errors;
  sum.hits_over_limit += part.hits_over_limit;
}

void Add(AlertCounters& sum, const AlertCounters& part) {
  sum.alerts += part.alerts;
  sum.flows += part.flows;
  sum.repeated += part.repeated;
  sum.dropped_queue_full += part.dropped_queue_full;
  sum.dropped_flow_limit += part.dropped_flow_limit;
  sum.hits_queue_full += part.hits_queue_full;
  sum.hits_flow_limit += part.hits_flow_limit;
  sum.ends_queue_full += part.ends_queue_full;
  sum.unremembered += part.unremembered;
  sum.remembered_bytes += part.remembered_bytes;
}

}  // namespace

void Add(Totals& sum, const Totals& part, Sharing sharing) {
  if (sharing == Sharing::kOwnPackets) {
    Add(sum.capture, part.capture);
    Add(sum.workers, part.workers);
  } else {
    // Every worker sees the whole capture, every stamp and every packet that is excluded.
    const uint64_t by_filter = std::max(sum.workers.excluded_by_filter, part.workers.excluded_by_filter);
    const uint64_t fragments =
        std::max(sum.workers.fragments_excluded_by_filter, part.workers.fragments_excluded_by_filter);
    const uint64_t by_time = std::max(sum.workers.excluded_by_time, part.workers.excluded_by_time);
    const uint64_t disbelieved = std::max(sum.workers.stamps_disbelieved, part.workers.stamps_disbelieved);
    Add(sum.workers, part.workers);
    sum.workers.stamps_disbelieved = disbelieved;
    sum.workers.excluded_by_filter = by_filter;
    sum.workers.fragments_excluded_by_filter = fragments;
    sum.workers.excluded_by_time = by_time;
    if (part.capture.frames >= sum.capture.frames) sum.capture = part.capture;
  }
  Add(sum.decode, part.decode);
  Add(sum.inspection, part.inspection);
  Add(sum.tcp, part.tcp);
  Add(sum.payload, part.payload);
  Add(sum.fields, part.fields);
  Add(sum.alerts, part.alerts);
  sum.delay.Add(part.delay);
  sum.flow_memory_bytes += part.flow_memory_bytes;
  sum.fragment_memory_bytes += part.fragment_memory_bytes;
  sum.worker_cpu_seconds += part.worker_cpu_seconds;
}

}  // namespace vedette
