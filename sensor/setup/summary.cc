#include "sensor/setup/summary.h"

#include <fmt/format.h>

#include <algorithm>

#include "exporter/metrics/families.h"
#include "parsers/base/time_text.h"
#include "parsers/registry.h"
#include "sensor/pipeline/totals_figures.h"
#include "sensor/setup/complain.h"
#include "sensor/setup/progress.h"

namespace vedette {
namespace {

constexpr size_t kIndicatorsShown = 20;

// To the second.
std::string TimeText(uint64_t ns) { return std::string(EveTime().Format(ns).substr(0, 19)) + 'Z'; }

// "  name            1,234" for each that is not zero.
void AppendLine(std::string& out, std::string_view name, std::string_view value) {
  out += fmt::format("  {:<28} {:>15}\n", name, value);
}
void AppendCount(std::string& out, std::string_view name, double count, bool always = false) {
  if (count != 0 || always) AppendLine(out, name, Thousands(static_cast<uint64_t>(count)));
}
// One line for each label value of the family.
void AppendFamily(std::string& out, std::string_view before, const Figures& figures, const FigureFamily& family) {
  for (const Figure& figure : figures.all()) {
    if (figure.family == &family) AppendCount(out, fmt::format("{}{}", before, figure.label_value), figure.value);
  }
}

}  // namespace

Figures FiguresOf(const Totals& totals) {
  Figures figures;
  AppendFigures(totals, figures);
  return figures;
}

Figures FiguresOf(const Totals& totals, const LoadedIndicators& loaded, const MatchTally& tally) {
  Figures figures = FiguresOf(totals);
  figures.Add(families::kIndicators, static_cast<double>(loaded.report.loaded));
  figures.Add(families::kIndicatorsUnusable, static_cast<double>(loaded.unusable()));
  for (const auto& [source, alerts] : tally.by_source())
    figures.Add(families::kMatches, source, static_cast<double>(alerts));
  return figures;
}

std::string SummaryOfCapture(const Totals& totals) {
  using namespace families;
  const Figures figures = FiguresOf(totals);
  std::string out = fmt::format("packets{}\n", totals.interrupted ? "  (interrupted: up to here)" : "");
  AppendCount(out, "received", figures.Value(kPacketsReceived), true);
  AppendCount(out, "decoded", figures.Value(kPacketsDecoded), true);
  AppendCount(out, "not decoded", figures.Sum(kPacketsNotDecoded), true);
  AppendFamily(out, "  ", figures, kPacketsNotDecoded);
  AppendFamily(out, "    ether type ", figures, kPacketsOfOtherType);
  AppendFamily(out, "    link type ", figures, kPacketsOfUnknownLink);
  AppendCount(out, "excluded by the filter", figures.Value(kPacketsExcluded, "filter"));
  AppendCount(out, "  of them later fragments", static_cast<double>(totals.workers.fragments_excluded_by_filter));
  AppendCount(out, "excluded by time", figures.Value(kPacketsExcluded, "time"));
  AppendCount(out, "dropped by the kernel", figures.Value(kPacketsDropped, "kernel"));
  AppendCount(out, "dropped by the interface", figures.Value(kPacketsDropped, "interface"));
  AppendCount(out, "cut by the snap length", figures.Value(kPacketsTruncated));
  AppendCount(out, "with a time not believed", figures.Value(kPacketTimesDoubted));
  AppendLine(out, "bytes", ByteSize(static_cast<uint64_t>(figures.Value(kBytesDecoded))));
  const WorkerCounters& workers = totals.workers;
  if (workers.first_ns <= workers.last_ns) {
    AppendLine(out, "first", TimeText(workers.first_ns));
    AppendLine(out, "last", TimeText(workers.last_ns));
  }

  out += "flows\n";
  AppendCount(out, "all", figures.Value(kFlows), true);
  for (const Figure& figure : figures.all()) {
    if (figure.family != &kFlowsByProtocol) continue;
    std::string name = figure.label_value;
    if (name == "tcp_unknown") name = "TCP, protocol not known";
    if (name == "udp_unknown") name = "UDP, protocol not known";
    AppendCount(out, name, figure.value);
  }
  AppendFamily(out, "not looked into: ", figures, kTunnelFlows);
  AppendCount(out, "with broken messages", figures.Value(kParserGivenUp, "malformed"));
  AppendCount(out, "datagrams reassembled", figures.Value(kDatagramsReassembled));
  AppendCount(out, "TCP segments out of order", figures.Value(kTcp, "out_of_order"));
  AppendCount(out, "TCP bytes seen before", figures.Value(kTcpRepeatedBytes));
  AppendCount(out, "TCP gaps", figures.Value(kTcp, "gaps"));
  AppendCount(out, "TCP bytes missing in gaps", figures.Value(kTcpGapBytes) + figures.Value(kScanGapBytes));
  if (const LossShare loss = LossOf(totals.loss); loss.unseen != 0) {
    AppendCount(out, "TCP bytes not captured", static_cast<double>(loss.unseen));
    out += fmt::format("    {:.2f} % of those that receivers acknowledged: the capture has holes\n", loss.percent());
  }
  AppendCount(out, "TCP bytes of directions missing", static_cast<double>(totals.loss.one_way));
  AppendCount(out, "TCP segments in other copies", figures.Value(kTcp, "other_copies"));
  AppendCount(out, "TCP segments set aside", figures.Sum(kTcpSetAside));
  AppendFamily(out, "  ", figures, kTcpSetAside);
  AppendCount(out, "TCP streams that moved", figures.Value(kTcp, "place_changes"));
  AppendCount(out, "SYNs within a connection", figures.Value(kTcp, "syns_in_stream"));
  AppendCount(out, "RSTs that ended nothing", figures.Value(kTcp, "resets_in_vain"));

  out += "observables\n";
  AppendFamily(out, "", figures, kObservables);

  std::string limits;
  ForEachLimit<CountedTotals>(totals, [&](const CounterLimit& limit, uint64_t count) {
    if (!limit.text.empty()) AppendCount(limits, limit.text, static_cast<double>(count));
  });
  out += limits.empty() ? "limits hit: none\n" : "limits hit\n" + limits;

  const double seconds = std::max(totals.seconds, 1e-6);
  out += fmt::format("took {}, {} packets/s, {:.2f} Gbit/s\n", Span(totals.seconds),
                     Thousands(static_cast<uint64_t>(figures.Value(kPacketsReceived) / seconds)),
                     figures.Value(kBytesDecoded) * 8 / seconds / 1e9);
  return out;
}

std::string SummaryOfAlerts(const LoadedIndicators& loaded, const MatchTally& tally, const Totals& totals) {
  using namespace families;
  const Figures figures = FiguresOf(totals, loaded, tally);
  std::string out = "indicators\n";
  AppendCount(out, "loaded", figures.Value(kIndicators), true);
  AppendCount(out, "unusable", figures.Value(kIndicatorsUnusable));
  AppendCount(out, "scan errors", figures.Value(kScanErrors));
  AppendCount(out, "hits beyond one scan's limit", figures.Value(kHitsOverLimit));
  out += "alerts\n";
  AppendCount(out, "all", figures.Value(kAlerts), true);
  AppendCount(out, "seen before in their flow", figures.Value(kAlertsRepeated));
  AppendCount(out, "that may come again (too many to remember)", figures.Value(kAlertsUnremembered));
  AppendCount(out, "dropped: queue full", figures.Value(kAlertsDropped, "queue_full"));
  AppendCount(out, "dropped: too many in one flow", figures.Value(kAlertsDropped, "too_many_in_one_flow"));
  const std::vector<MatchTally::Entry> entries = tally.ByIndicator();
  for (size_t i = 0; i < entries.size() && i < kIndicatorsShown; ++i) {
    const MatchTally::Key& key = entries[i].key;
    out += ForTerminal(fmt::format("  {:>9}  {} {} ({}, {})", Thousands(entries[i].alerts), key.type, key.value,
                                   key.source, key.id)) +
           '\n';
  }
  if (entries.size() > kIndicatorsShown)
    out += fmt::format("  … and {} more indicators\n", Thousands(entries.size() - kIndicatorsShown));
  return out;
}

void ReportFragments(const Totals& totals) {
  const uint64_t fragments = totals.workers.fragments_excluded_by_filter;
  if (fragments == 0) return;
  Warn(fmt::format(
      "the filter looks at ports and left out {} later fragment{}, which {} none: their datagrams are incomplete. To "
      "include all fragments: '(FILTER) or ip[6:2] & 0x1fff != 0'",
      Thousands(fragments), fragments == 1 ? "" : "s", fragments == 1 ? "has" : "have"));
}

void ReportDamage(const Totals& totals) {
  for (const CaptureDamage& damage : totals.damage) {
    if (damage.offset == 0) {
      Warn(fmt::format("{}: not read: {}", damage.file, damage.reason));
      continue;
    }
    Warn(fmt::format("{}: damaged at byte {}{}: {}; everything before it was used", damage.file, damage.offset,
                     damage.decompressed ? " of its decompressed content" : "", damage.reason));
  }
}

void ReportInterrupted(const Totals& totals) {
  const auto packets = static_cast<uint64_t>(FiguresOf(totals).Value(families::kPacketsReceived));
  Say("vedette: interrupted after {} packets; what was found until then was written\n", Thousands(packets));
}

}  // namespace vedette
