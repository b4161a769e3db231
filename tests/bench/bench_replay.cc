// bench_replay CAPTURE PAYLOAD.csv FIELDS.csv [ROUNDS] [--depth BYTES] [--fields LIST.csv]… [--storm HITS.csv CALM.csv]
//              [--json]
//
// The replay loop of one worker against the physical floor, on the same capture, alternating in one run:
//
//   payload  PAYLOAD.csv (literals on payload, and names): CPU of the loop / CPU of the floor's scan, same literals
//   depth    the same where only the first BYTES of each direction are scanned, by the loop and by the floor
//   fields   FIELDS.csv and each LIST.csv (names and addresses, no literals): CPU of the loop / of the floor's decode
//
// CPU of the loop: thread CPU time of the worker and of the exporter, which writes JSON lines to /dev/null. It excludes
// start-up and the compilation of patterns. Medians over the rounds. Then the stages: the same loop with its later
// parts omitted, one by one. Then what an alert costs: HITS.csv lists names of most flows, CALM.csv as many of none; the
// difference of the worker's time, and the exporter's time, per alert. --json: rows for tests/bench/run.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tests/bench/floor.h"
#include "tests/bench/replay_loop.h"
#include "tests/bench/report.h"

namespace vedette::bench {
namespace {

struct Arguments {
  std::string capture, payload, fields, storm, calm;
  std::vector<std::string> more_fields;
  size_t rounds = 5;
  uint64_t depth = 0;
  bool json = false;
};

bool Read(int argc, char** argv, Arguments& out) {
  std::vector<std::string> plain;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (argument == "--json") {
      out.json = true;
    } else if (argument == "--depth" && i + 1 < argc) {
      out.depth = std::strtoull(argv[++i], nullptr, 10);
    } else if (argument == "--fields" && i + 1 < argc) {
      out.more_fields.emplace_back(argv[++i]);
    } else if (argument == "--storm" && i + 2 < argc) {
      out.storm = argv[++i];
      out.calm = argv[++i];
    } else {
      plain.push_back(argument);
    }
  }
  if (plain.size() < 3 || plain.size() > 4) return false;
  out.capture = plain[0];
  out.payload = plain[1];
  out.fields = plain[2];
  if (plain.size() > 3) out.rounds = std::max(1ul, std::strtoul(plain[3].c_str(), nullptr, 10));
  return true;
}

std::vector<std::string> LiteralsOf(const IndicatorSet& set) {
  std::vector<std::string> literals;
  for (uint32_t i = 0; i < set.size(); ++i) {
    const IndicatorRecord record = set.at(i);
    if (record.type == IndicatorType::kContent) literals.emplace_back(record.value);
  }
  return literals;
}

// One ratio: the product's loop, and the part of the floor with which it is compared, in each round one after the other.
struct Contest {
  std::string name;
  const char* base;
  ReplayInput input;
  std::function<double()> floor;
  std::vector<double> loop_seconds = {}, floor_seconds = {};
  LoopResult last = {};

  void Round() {
    floor_seconds.push_back(floor());
    last = RunLoop(input);
    loop_seconds.push_back(last.total());
  }
  void Tell(const Report& report) const {
    std::vector<double> ratios;
    for (size_t i = 0; i < loop_seconds.size(); ++i) ratios.push_back(loop_seconds[i] / floor_seconds[i]);
    const auto [least, most] = std::minmax_element(ratios.begin(), ratios.end());
    const double packets = static_cast<double>(last.packets);
    report.Row("ratio to the floor", name + " / " + base,
               {{"loop s", Median(loop_seconds)},
                {"ns per packet", Median(loop_seconds) / packets * 1e9},
                {"floor s", Median(floor_seconds)},
                {"ratio", Median(ratios)},
                {"least", *least},
                {"most", *most},
                {"alerts", static_cast<double>(last.alerts)}});
    if (report.json()) return;
    std::printf(
        "%-8s loop %.3f s (%.1f ns a packet), floor's %s %.3f s, ratio %.2f (%.2f to %.2f); exporter's part %.3f s; "
        "%lu alerts, %lu flows\n",
        name.c_str(), Median(loop_seconds), Median(loop_seconds) / packets * 1e9, base, Median(floor_seconds),
        Median(ratios), *least, *most, last.exporter_seconds, last.alerts, last.flows);
  }
};

void TellStages(const char* name, const ReplayInput& input, size_t rounds, bool scan, uint64_t packets,
                const Report& report) {
  const std::vector<std::pair<const char*, std::function<double()>>> stages = {
      {"reader", [&] { return WalkOnly(input); }},
      {"+ decode", [&] { return WalkAndDecode(input); }},
      {"+ flows, reassembly", [&] { return WithoutMatching(input, false, false); }},
      {"+ parsers", [&] { return WithoutMatching(input, true, false); }},
      {"+ payload scan", [&] { return scan ? WithoutMatching(input, true, true) : 0.0; }},
      {"+ match, alerts, export", [&] { return RunLoop(input).total(); }},
  };
  std::vector<std::vector<double>> seconds(stages.size());
  for (size_t round = 0; round < rounds; ++round) {
    for (size_t i = 0; i < stages.size(); ++i) seconds[i].push_back(stages[i].second());
  }
  if (!report.json()) std::printf("%s by stage:\n", name);
  double before = 0;
  const double all = Median(seconds.back());
  for (size_t i = 0; i < stages.size(); ++i) {
    const double upto = Median(seconds[i]);
    if (upto == 0) continue;
    report.Row("stages", std::string(name) + ": " + stages[i].first,
               {{"up to here s", upto},
                {"ns per packet", upto / static_cast<double>(packets) * 1e9},
                {"own ns", (upto - before) / static_cast<double>(packets) * 1e9},
                {"share %", (upto - before) / all * 100}});
    if (!report.json())
      std::printf("  %-24s %7.3f s  %5.1f %%\n", stages[i].first, upto - before, (upto - before) / all * 100);
    before = upto;
  }
}

bool TellStorm(const Arguments& arguments, const std::shared_ptr<const CaptureList>& capture, const Report& report) {
  ReplayInput storm{.capture = capture, .set = {}}, calm = storm;
  if (!LoadSet(arguments.storm, storm) || !LoadSet(arguments.calm, calm)) return false;
  std::vector<double> worker, exporter;
  LoopResult last;
  for (size_t round = 0; round < arguments.rounds; ++round) {
    const LoopResult quiet = RunLoop(calm);
    last = RunLoop(storm);
    const double alerts = std::max(1.0, static_cast<double>(last.alerts));
    worker.push_back((last.worker_seconds - quiet.worker_seconds) / alerts * 1e6);
    exporter.push_back((last.exporter_seconds - quiet.exporter_seconds) / alerts * 1e6);
  }
  report.Row("alert storm", "one alert",
             {{"worker us", Median(worker)},
              {"exporter us", Median(exporter)},
              {"alerts", static_cast<double>(last.alerts)},
              {"flows", static_cast<double>(last.flows)}});
  if (!report.json()) {
    std::printf("alert    %.2f us of the worker, %.2f us of the exporter; %lu alerts in %lu flows\n", Median(worker),
                Median(exporter), last.alerts, last.flows);
  }
  return true;
}

int Main(int argc, char** argv) {
  Arguments arguments;
  if (!Read(argc, argv, arguments)) {
    std::fprintf(stderr,
                 "usage: bench_replay CAPTURE PAYLOAD.csv FIELDS.csv [ROUNDS] [--depth BYTES] [--fields LIST.csv]… "
                 "[--storm HITS.csv CALM.csv] [--json]\n");
    return 2;
  }
  const Report report(arguments.json);
  std::string error;
  const std::vector<std::string> paths = {arguments.capture};
  const std::shared_ptr<const CaptureList> capture = CaptureList::Resolve(paths, {}, error);
  ReplayInput payload{.capture = capture, .set = {}}, fields = payload;
  if (capture != nullptr && (!LoadSet(arguments.payload, payload) || !LoadSet(arguments.fields, fields))) return 2;
  const std::unique_ptr<Floor> floor =
      capture == nullptr ? nullptr : Floor::Open(arguments.capture, LiteralsOf(*payload.set), error);
  if (floor == nullptr) {
    std::fprintf(stderr, "%s\n", error.c_str());
    return 2;
  }
  std::vector<Contest> contests;
  const auto decode = [&] { return floor->Decode().cpu_seconds; };
  contests.push_back({"payload", "scan", payload, [&] { return floor->Scan().cpu_seconds; }});
  contests.push_back({"fields", "decode", fields, decode});
  if (arguments.depth != 0) {
    ReplayInput shallow = payload;
    shallow.depth = arguments.depth;
    contests.push_back({"payload, " + std::to_string(arguments.depth) + " bytes deep", "scan as deep", shallow,
                        [&] { return floor->ScanTo(arguments.depth).cpu_seconds; }});
  }
  for (const std::string& path : arguments.more_fields) {
    ReplayInput more{.capture = capture, .set = {}};
    if (!LoadSet(path, more)) return 2;
    contests.push_back({"fields, " + std::to_string(more.set->size()) + " indicators", "decode", more, decode});
  }
  if (!report.json()) {
    std::printf("%s; %zu literals and names on payload, %zu names and addresses on fields; %zu rounds\n",
                CpuName().c_str(), payload.set->size(), fields.set->size(), arguments.rounds);
  }
  floor->Decode();  // the capture into memory
  for (size_t round = 0; round < arguments.rounds; ++round) {
    for (Contest& contest : contests) contest.Round();
  }
  for (const Contest& contest : contests) contest.Tell(report);
  const uint64_t packets = contests.front().last.packets;
  TellStages("payload", payload, arguments.rounds, true, packets, report);
  TellStages("fields", fields, arguments.rounds, false, packets, report);
  return arguments.storm.empty() || TellStorm(arguments, capture, report) ? 0 : 2;
}

}  // namespace
}  // namespace vedette::bench

int main(int argc, char** argv) { return vedette::bench::Main(argc, argv); }
