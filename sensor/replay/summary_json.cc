#include "sensor/replay/summary_json.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "exporter/metrics/families.h"
#include "exporter/metrics/figures_json.h"
#include "parsers/base/errno_text.h"
#include "parsers/base/file.h"
#include "parsers/base/time_text.h"
#include "parsers/registry.h"
#include "sensor/pipeline/totals_figures.h"
#include "sensor/replay/carve_folder.h"
#include "sensor/setup/exit_code.h"

namespace vedette {
namespace {

using Json = nlohmann::ordered_json;

// A report quotes some; a year of captures at one a minute must not fill it.
constexpr size_t kMaxCaptures = 10'000;
constexpr size_t kMaxDamage = 10'000;
// Each is a line; more alerts than that are a matter for the alerts themselves.
constexpr size_t kMaxIndicators = 10'000;

// What depends on the machine and on the number of workers. So does every histogram, which is one of durations.
bool IsOfTheRun(const FigureFamily& family) {
  using namespace families;
  for (const FigureFamily* other : {&kMemory, &kWorkerCpu, &kFlowsNow}) {
    if (&family == other) return true;
  }
  return false;
}

uint64_t Count(double value) { return static_cast<uint64_t>(value); }

Json TimeOf(uint64_t ns) {
  EveTime time;
  return std::string(time.Format(ns));
}

std::string_view MeaningOf(int status) {
  switch (status) {
    case kExitDone:
      return "done";
    case kExitMatched:
      return "matched";
    case kExitDamagedInput:
      return "damaged input";
    default:
      return "failed";
  }
}

// The parts of the equation that totals_figures.h states.
Json PacketsOf(const Figures& figures, const Totals& totals) {
  using namespace families;
  Json out = {{"received", Count(figures.Value(kPacketsReceived))},
              {"decoded", Count(figures.Value(kPacketsDecoded))},
              {"not_decoded", Count(figures.Sum(kPacketsNotDecoded))},
              {"excluded", Count(figures.Sum(kPacketsExcluded))},
              {"dropped", Count(figures.Sum(kPacketsDropped))}};
  // Of a run that was stopped: read by one worker, and not reached by the one whose packet it is.
  if (const double waiting = figures.Value(kPacketsWaiting); waiting != 0) out["waiting"] = Count(waiting);
  if (totals.workers.first_ns <= totals.workers.last_ns) {
    out["first_time"] = TimeOf(totals.workers.first_ns);
    out["last_time"] = TimeOf(totals.workers.last_ns);
  }
  return out;
}

// What the capture does not have, judged by what receivers acknowledged (sensor/flow/loss_counters.h).
Json LossBeforeOf(const Totals& totals) {
  const LossShare loss = LossOf(totals.loss);
  return {{"percent", loss.percent()},
          {"seen_bytes", loss.seen},
          {"unseen_bytes", loss.unseen},
          {"one_way_bytes", totals.loss.one_way}};
}

// The names of bounds that were hit, each once.
Json LimitsHit(const Totals& totals, bool of_memory) {
  Json out = Json::array();
  ForEachLimit<CountedTotals>(totals, [&](const CounterLimit& limit, uint64_t count) {
    if (count == 0 || limit.of_memory != of_memory) return;
    if (std::find(out.begin(), out.end(), limit.name) == out.end()) out.push_back(limit.name);
  });
  return out;
}

// Bounds on memory that were reached: what was given up there depends on what else a worker held.
Json MemoryLimitsHit(const Totals& totals) { return LimitsHit(totals, true); }

// All bounds that kept something from being looked at: what stands under "limits hit" on standard error.
Json AllLimitsHit(const Totals& totals) {
  Json out = MemoryLimitsHit(totals);
  for (Json& name : LimitsHit(totals, false)) out.push_back(std::move(name));
  return out;
}

Json OptionsOf(const SummaryInput& input) {
  Json out = Json::object();
  if (!input.options.filter.empty()) out["bpf"] = input.options.filter;
  if (!input.options.since.empty()) out["since"] = TimeOf(input.options.since_ns);
  if (!input.options.until.empty()) out["until"] = TimeOf(input.options.until_ns);
  if (input.payload_depth_bytes != 0) out["payload_depth_bytes"] = input.payload_depth_bytes;
  return out;
}

void AppendCaptures(const SummaryInput& input, Json& out) {
  Json& captures = out["captures"] = Json::array();
  for (const CaptureList::File& file : input.captures.files()) {
    if (captures.size() == kMaxCaptures) break;
    captures.push_back({{"name", file.name}, {"bytes", file.bytes}});
  }
  const size_t files = input.captures.files().size();
  if (files > kMaxCaptures) out["captures_omitted"] = files - kMaxCaptures;
  Json& damage = out["damage"] = Json::array();
  for (const CaptureDamage& entry : input.totals.damage) {
    if (damage.size() == kMaxDamage) break;
    damage.push_back({{"capture", entry.file}, {"offset_bytes", entry.offset}, {"reason", entry.reason}});
  }
  if (input.totals.damage.size() > kMaxDamage) out["damage_omitted"] = input.totals.damage.size() - kMaxDamage;
}

Json IndicatorsOf(const SummaryInput& input) {
  Json sources = Json::array();
  for (const SourceReport& source : input.loaded.sources) {
    sources.push_back({{"path", source.path},
                       {"format", source.format},
                       {"rows", source.rows},
                       {"unusable", source.unusable},
                       {"warned", source.warned}});
  }
  return {{"digest", input.loaded.set->digest()}, {"generation", 0}, {"files", std::move(sources)}};
}

void AppendMatches(const SummaryInput& input, Json& out) {
  const std::vector<MatchTally::Entry> entries = input.tally.ByIndicator();
  Json& matches = out["matches"] = Json::array();
  for (const MatchTally::Entry& entry : entries) {
    if (matches.size() == kMaxIndicators) break;
    matches.push_back({{"alerts", entry.alerts},
                       {"type", entry.key.type},
                       {"value", entry.key.value},
                       {"source", entry.key.source},
                       {"id", entry.key.id}});
  }
  if (entries.size() > kMaxIndicators) out["matches_omitted"] = entries.size() - kMaxIndicators;
}

Json CarvedOf(const CarveSetup& carve) {
  const CarveReport& report = carve.report();
  return {{"folder", carve.folder()},
          {"complete", report.error.empty()},
          {"flows", report.flows},
          {"files", report.files},
          {"packets", report.packets},
          {"bytes", report.bytes},
          {"flows_left_out", carve.flows_left_out()},
          {"fragments_left_out", report.fragments_left_out},
          {"packets_cut", report.packets_cut},
          {"packets_after_2106", report.times_beyond_pcap}};
}

double SecondsOf(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
}

Json CommandLine() {
  std::ifstream file("/proc/self/cmdline", std::ios::binary);
  const std::string all{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  Json out = Json::array();
  for (size_t at = 0; at < all.size(); at = all.find('\0', at) + 1) {
    if (all.find('\0', at) == std::string::npos) break;
    out.push_back(all.substr(at, all.find('\0', at) - at));
  }
  return out;
}

Json RunOf(const SummaryInput& input, const Figures& figures) {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return {{"command", CommandLine()},
          {"started", TimeOf(input.started_ns)},
          {"workers", input.options.workers},
          {"wall_seconds", input.totals.seconds},
          {"process_user_cpu_seconds", SecondsOf(usage.ru_utime)},
          {"process_system_cpu_seconds", SecondsOf(usage.ru_stime)},
          {"process_peak_memory_bytes", static_cast<uint64_t>(usage.ru_maxrss) * 1024},
          {"figures", Json::parse(JsonOf(figures))}};
}

}  // namespace

std::string SummaryJson(const SummaryInput& input) {
  const Figures all = FiguresOf(input.totals, input.loaded, input.tally);
  Figures same, own;
  for (const Figure& figure : all.all()) {
    if (figure.family->kind == FigureKind::kHistogram) {
      own.Add(*figure.family, figure.histogram);
    } else {
      (IsOfTheRun(*figure.family) ? own : same).Add(*figure.family, figure.label_value, figure.value);
    }
  }
  Json out = {{"schema", kSummarySchema},
              {"version", VEDETTE_VERSION},
              {"exit", {{"status", input.exit_status}, {"meaning", MeaningOf(input.exit_status)}}},
              {"interrupted", input.totals.interrupted},
              {"options", OptionsOf(input)}};
  AppendCaptures(input, out);
  out["indicators"] = IndicatorsOf(input);
  out["packets"] = PacketsOf(same, input.totals);
  out["loss_before"] = LossBeforeOf(input.totals);
  out["alerts"] = Count(same.Value(families::kAlerts));
  out["flows_with_alerts"] = input.totals.alerts.flows;
  AppendMatches(input, out);
  if (!input.carve.folder().empty()) out["carved"] = CarvedOf(input.carve);
  out["limits_hit"] = AllLimitsHit(input.totals);
  out["memory_limits_hit"] = MemoryLimitsHit(input.totals);
  out["figures"] = Json::parse(JsonOf(same));
  out["run"] = RunOf(input, own);
  return out.dump(2, ' ', false, Json::error_handler_t::replace) + '\n';
}

bool WriteWholeFile(const std::string& path, const std::string& text, std::string& error, Durability durability) {
  struct stat status {};
  const bool in_place = stat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode);
  const bool to_disk = durability == Durability::kAtOnce && !in_place;
  bool written = false;
  if (in_place) {
    FileDescriptor file(open(path.c_str(), O_WRONLY | O_CLOEXEC));
    written = file.is_open() && WriteAll(file.get(), text) && file.Close();
  } else {
    written = ReplaceFile(path, text, {.suffix = kPartSuffix, .to_disk = to_disk});
  }
  if (written && to_disk && !SyncFolderOf(path)) {
    error = fmt::format("{}: its folder cannot be synced to disk: {}", path, ErrnoText());
    return false;
  }
  if (written) return true;
  error = fmt::format("{}: cannot be written: {}; name a file in a folder that exists, is yours and has free space",
                      path, ErrnoText());
  return false;
}

}  // namespace vedette
