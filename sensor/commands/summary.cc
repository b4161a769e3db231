#include "sensor/commands/summary.h"

#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <numeric>

#include "sensor/commands/progress.h"

namespace vedette {
namespace {

constexpr size_t kIndicatorsShown = 20;

std::string TimeText(uint64_t ns) {
  const auto seconds = static_cast<time_t>(ns / 1'000'000'000);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text;
}

// "  name            1,234" for each that is not zero.
void AppendLine(std::string& out, std::string_view name, std::string_view value) {
  out += fmt::format("  {:<28} {:>15}\n", name, value);
}
void AppendCount(std::string& out, std::string_view name, uint64_t count, bool always = false) {
  if (count != 0 || always) AppendLine(out, name, Thousands(count));
}

}  // namespace

std::string SummaryOfCapture(const Totals& totals) {
  std::string out;
  const DecodeCounters& decode = totals.decode;
  const WorkerCounters& workers = totals.workers;
  const uint64_t not_decoded = std::accumulate(decode.not_decoded.begin(), decode.not_decoded.end(), uint64_t{0});
  out += fmt::format("packets{}\n", totals.interrupted ? "  (interrupted: up to here)" : "");
  AppendCount(out, "received", decode.received, true);
  AppendCount(out, "decoded", decode.decoded, true);
  AppendCount(out, "not decoded", not_decoded, true);
  for (size_t i = 0; i < decode.not_decoded.size(); ++i) {
    AppendCount(out, fmt::format("  {}", NameOf(static_cast<NotDecoded>(i))), decode.not_decoded[i]);
  }
  AppendCount(out, "excluded by the filter", workers.excluded_by_filter);
  AppendCount(out, "excluded by time", workers.excluded_by_time);
  AppendCount(out, "dropped by the kernel", totals.capture.dropped_by_kernel);
  AppendCount(out, "dropped by the interface", totals.capture.dropped_by_interface);
  AppendCount(out, "cut by the snap length", decode.truncated);
  AppendLine(out, "bytes", ByteSize(workers.bytes));
  if (workers.first_ns <= workers.last_ns) {
    AppendLine(out, "first", TimeText(workers.first_ns));
    AppendLine(out, "last", TimeText(workers.last_ns));
  }

  out += "flows\n";
  AppendCount(out, "all", workers.flows, true);
  for (size_t i = 1; i < totals.inspection.flows_by_protocol.size(); ++i) {
    AppendCount(out, NameOf(static_cast<ProtocolId>(i)), totals.inspection.flows_by_protocol[i]);
  }
  AppendCount(out, "TCP, protocol not known", totals.inspection.flows_unrecognised);
  AppendCount(out, "with broken messages", totals.inspection.malformed);
  AppendCount(out, "datagrams reassembled", decode.datagrams_reassembled);
  AppendCount(out, "TCP segments out of order", totals.tcp.out_of_order);
  AppendCount(out, "TCP bytes seen before", totals.tcp.retransmitted_bytes);
  AppendCount(out, "TCP gaps", totals.tcp.gaps);
  AppendCount(out, "TCP bytes missing in gaps", totals.tcp.gap_bytes);
  AppendCount(out, "TCP outside the window", totals.tcp.out_of_window);

  out += "observables\n";
  for (size_t i = 0; i < static_cast<size_t>(kFirstContext); ++i) {
    AppendCount(out, NameOf(static_cast<ObservableKind>(i)), workers.observables[i]);
  }

  std::string limits;
  AppendCount(limits, "flows given up (table full)", workers.flows_evicted);
  AppendCount(limits, "gaps: one direction too long", totals.tcp.flow_limit_hit);
  AppendCount(limits, "gaps: reassembly memory", totals.tcp.total_limit_hit);
  AppendCount(limits, "parsers: memory", totals.inspection.parser_limit_hit);
  AppendCount(limits, "parsers: protocol changes", totals.inspection.hand_over_limit_hit);
  AppendCount(limits, "payload bytes not scanned", totals.inspection.payload_bytes_unscanned);
  out += limits.empty() ? "limits hit: none\n" : "limits hit\n" + limits;

  const double seconds = std::max(totals.seconds, 1e-6);
  out += fmt::format("took {}, {} packets/s, {:.2f} Gbit/s\n", Span(totals.seconds),
                     Thousands(static_cast<uint64_t>(static_cast<double>(decode.received) / seconds)),
                     static_cast<double>(workers.bytes) * 8 / seconds / 1e9);
  return out;
}

std::string SummaryOfAlerts(const LoadedIndicators& loaded, const MatchTally& tally, const Totals& totals) {
  const AlertCounters& alerts = totals.alerts;
  std::string out = "indicators\n";
  AppendCount(out, "loaded", loaded.report.loaded, true);
  AppendCount(out, "unusable", loaded.report.problems_total);
  AppendCount(out, "scan errors", totals.payload.scan_errors + totals.fields.scan_errors);
  AppendCount(out, "hits beyond one scan's limit", totals.payload.hits_over_limit + totals.fields.hits_over_limit);
  out += "alerts\n";
  AppendCount(out, "all", tally.alerts(), true);
  AppendCount(out, "seen before in their flow", alerts.repeated);
  AppendCount(out, "dropped: queue full", alerts.dropped_queue_full);
  AppendCount(out, "dropped: too many in one flow", alerts.dropped_flow_limit);
  const std::vector<MatchTally::Entry> entries = tally.ByIndicator();
  for (size_t i = 0; i < entries.size() && i < kIndicatorsShown; ++i) {
    const MatchTally::Key& key = entries[i].key;
    out +=
        fmt::format("  {:>9}  {} {} ({}, {})\n", Thousands(entries[i].alerts), key.type, key.value, key.source, key.id);
  }
  if (entries.size() > kIndicatorsShown)
    out += fmt::format("  … and {} more indicators\n", Thousands(entries.size() - kIndicatorsShown));
  return out;
}

void ReportDamage(const Totals& totals) {
  for (const CaptureDamage& damage : totals.damage) {
    fmt::print(stderr, "warning: {}: damaged at byte {}{}: {}; everything before it was used\n", damage.file,
               damage.offset, damage.decompressed ? " of its decompressed content" : "", damage.reason);
  }
}

}  // namespace vedette
