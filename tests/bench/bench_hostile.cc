// bench_hostile [--packets N] [--rounds N] [--only TEXT] [--seconds N] [--max-ratio X] [--json yes]
//
// What hostile traffic costs one worker, compared with ordinary traffic of the same run: decode, flows, reassembly,
// parse, payload scan with 2,000 literals, match with 20,000 names. Each case (tests/bench/hostile_traffic.cc) sends
// --packets (200,000) packets in its own process, so that none sees another's memory. Of --rounds (3),
// the fastest is shown:
//
//   ns          thread CPU time per packet, the end of all flows included; ratio: to that of ordinary traffic
//   share       of ordinary traffic's throughput: packets per CPU second where frames are small (200 bytes on average and
//               less), else bytes
//   dearest     the burst of 32 packets that took longest, in that round; sweep: of those after a pause in which a million
//               flows became idle
//   flows       peak of the flow table's memory; held, fragments, parsers: peaks of what is held for later
//   process     by how much the process grew
//
// A case gets --seconds (60) of CPU time. Exit status 1 if one did not end within them, or is above --max-ratio.
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "exporter/alert/alert_queue.h"
#include "parsers/base/arena.h"
#include "sensor/decode/link.h"
#include "sensor/pipeline/match_consumer.h"
#include "sensor/pipeline/worker.h"
#include "signatures/readers/read_indicators.h"
#include "tests/bench/hostile_traffic.h"
#include "tests/bench/report.h"

namespace vedette::bench {
namespace {

uint64_t ThreadCpuNs() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(now.tv_nsec);
}

uint64_t PeakMemory() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<uint64_t>(usage.ru_maxrss) * 1024;
}

struct Cost {
  uint64_t packets = 0, cpu_ns = 0, dearest_ns = 0;
  uint64_t flow_bytes = 0, held_bytes = 0, fragment_bytes = 0, parser_bytes = 0, process_bytes = 0;
  uint64_t flows_peak = 0, frame_bytes = 0;
  uint64_t sweep_ns = 0;  // the dearest burst after the pause
  double ns() const { return packets == 0 ? 0 : static_cast<double>(cpu_ns) / static_cast<double>(packets); }
  double mean_bytes() const {
    return packets == 0 ? 0 : static_cast<double>(frame_bytes) / static_cast<double>(packets);
  }
};

// Of ordinary traffic's throughput.
double ShareOf(const Cost& ordinary, const Cost& cost) {
  constexpr double kSmallBytes = 200;
  const double by_packets = ordinary.ns() / cost.ns();
  return cost.mean_bytes() <= kSmallBytes ? by_packets : by_packets * cost.mean_bytes() / ordinary.mean_bytes();
}

// Collects frames into bursts and times what the worker does with them; making them is not timed.
class Feed {
 public:
  Feed(Worker& worker, Cost& cost, uint64_t pause_after) : worker_(worker), cost_(cost), pause_after_(pause_after) {}
  void Take(const std::vector<uint8_t>& bytes) {
    constexpr uint64_t kBegin = 1'700'000'000'000'000'000, kBetween = 10'000, kPause = 720'000'000'000;
    Frame& frame = frames_.emplace_back();
    frame.data = reinterpret_cast<const uint8_t*>(arena_.Copy(AsText(bytes)).data());
    frame.captured_bytes = frame.wire_bytes = static_cast<uint32_t>(bytes.size());
    frame.number = ++cost_.packets;
    frame.time_ns = kBegin + frame.number * kBetween + (paused() ? kPause : 0);
    cost_.frame_bytes += bytes.size();
    frame.link_type = kLinkEthernet;
    if (frames_.size() == CaptureSource::kBurst) Flush();
  }
  void Finish() {
    Flush();
    Timed([&] { worker_.Finish(); }, false);
  }

 private:
  void Flush() {
    Timed([&] { worker_.Process(frames_); }, true);
    frames_.clear();
    arena_.Reset();
  }
  template <class Work>
  void Timed(Work&& work, bool is_burst) {
    const uint64_t before = ThreadCpuNs();
    work();
    const uint64_t spent = ThreadCpuNs() - before;
    cost_.cpu_ns += spent;
    if (is_burst) cost_.dearest_ns = std::max(cost_.dearest_ns, spent);
    if (is_burst && paused()) cost_.sweep_ns = std::max(cost_.sweep_ns, spent);
    const TcpCounters& tcp = worker_.tcp_counters();
    const auto raise = [](uint64_t& peak, uint64_t now) { peak = std::max(peak, now); };
    raise(cost_.flow_bytes, worker_.flow_memory_bytes());
    raise(cost_.held_bytes, tcp.held_bytes + tcp.held_segments * kSegmentOverheadBytes);
    raise(cost_.fragment_bytes, worker_.fragment_bytes_held());
    raise(cost_.parser_bytes, worker_.inspection_counters().parser_held_bytes);
    cost_.flows_peak = worker_.counters().flows_peak;
  }

  bool paused() const { return pause_after_ != 0 && cost_.packets > pause_after_; }

  Worker& worker_;
  Cost& cost_;
  const uint64_t pause_after_;  // 0: there is none
  std::vector<Frame> frames_;
  Arena arena_;
};

Cost Measure(const HostileCase& hostile, uint64_t packets, const std::shared_ptr<const IndicatorSet>& set) {
  Cost cost;
  const uint64_t before = PeakMemory();
  Doorbell doorbell;
  AlertQueue queue(doorbell);
  MatchConsumer consumer(queue, false);  // nobody takes alerts: what does not fit is dropped
  Worker worker(WorkerOptions(), consumer, MatchKit::Make(set, 0, ObservableMask::All()));
  Feed feed(worker, cost, hostile.pause_after);
  hostile.send(std::max(packets, hostile.least_packets), [&](const std::vector<uint8_t>& frame) { feed.Take(frame); });
  feed.Finish();
  cost.process_bytes = PeakMemory() - before;
  return cost;
}

// In a child of its own. False: it did not end in its time, or crashed.
bool MeasureOnce(const HostileCase& hostile, uint64_t packets, rlim_t seconds,
                 const std::shared_ptr<const IndicatorSet>& set, Cost& cost) {
  int ends[2];
  if (pipe(ends) != 0) return false;
  std::fflush(stdout);
  const pid_t child = fork();
  if (child == 0) {
    close(ends[0]);
    const rlimit limit{seconds, seconds};
    setrlimit(RLIMIT_CPU, &limit);
    const Cost own = Measure(hostile, packets, set);
    const bool written = write(ends[1], &own, sizeof own) == static_cast<ssize_t>(sizeof own);
    _exit(written ? 0 : 1);
  }
  close(ends[1]);
  const bool whole = child > 0 && read(ends[0], &cost, sizeof cost) == static_cast<ssize_t>(sizeof cost);
  close(ends[0]);
  if (child > 0) waitpid(child, nullptr, 0);
  return whole;
}

// The cheapest of some rounds. False: one of them did not end, or crashed.
bool MeasureRounds(const HostileCase& hostile, uint64_t packets, uint64_t rounds, rlim_t seconds,
                   const std::shared_ptr<const IndicatorSet>& set, Cost& least) {
  for (uint64_t round = 0; round < rounds; ++round) {
    Cost cost;
    if (!MeasureOnce(hostile, packets, seconds, set, cost)) return false;
    if (round == 0 || cost.cpu_ns < least.cpu_ns) least = cost;
  }
  return true;
}

double Mb(uint64_t bytes) { return static_cast<double>(bytes) / 1e6; }

void TellHead() {
  std::printf("%-16s %9s %7s %6s %6s %8s %8s %9s %7s %6s %6s %7s %7s\n", "", "packets", "ns", "ratio", "share",
              "dearest", "sweep", "flows", "flows", "held", "frag", "parsers", "process");
  std::printf("%-16s %9s %7s %6s %6s %8s %8s %9s %7s %6s %6s %7s %7s\n", "", "", "a pkt", "", "", "us", "us", "", "MB",
              "MB", "MB", "MB", "MB");
}

void Tell(const HostileCase& hostile, const Cost& cost, const Cost& ordinary, const Report& report) {
  const double ratio = cost.ns() / ordinary.ns(), share = ShareOf(ordinary, cost);
  const double dearest_us = static_cast<double>(cost.dearest_ns) / 1e3,
               sweep_us = static_cast<double>(cost.sweep_ns) / 1e3;
  report.Row("hostile traffic", hostile.name,
             {{"ns per packet", cost.ns()},
              {"share of normal", share},
              {"dearest burst us", dearest_us},
              {"sweep us", sweep_us},
              {"flows MB", Mb(cost.flow_bytes)},
              {"held MB", Mb(cost.held_bytes + cost.fragment_bytes + cost.parser_bytes)},
              {"process MB", Mb(cost.process_bytes)}},
             hostile.about);
  if (report.json()) return;
  std::printf("%-16s %9lu %7.0f %6.1f %6.2f %8.0f %8.0f %9lu %7.1f %6.1f %6.1f %7.1f %7.1f  %s\n", hostile.name.c_str(),
              cost.packets, cost.ns(), ratio, share, dearest_us, sweep_us, cost.flows_peak, Mb(cost.flow_bytes),
              Mb(cost.held_bytes), Mb(cost.fragment_bytes), Mb(cost.parser_bytes), Mb(cost.process_bytes),
              hostile.about.c_str());
}

int Main(int argc, char** argv) {
  uint64_t packets = 200'000, rounds = 3;
  rlim_t seconds = 60;
  double max_ratio = 0;
  std::string only;
  bool json = false;
  for (int i = 1; i < argc; i += 2) {
    const std::string option = argv[i];
    const char* value = i + 1 < argc ? argv[i + 1] : nullptr;
    if (option == "--packets" && value != nullptr) {
      packets = std::strtoull(value, nullptr, 10);
    } else if (option == "--rounds" && value != nullptr) {
      rounds = std::max(1ull, std::strtoull(value, nullptr, 10));
    } else if (option == "--seconds" && value != nullptr) {
      seconds = std::strtoul(value, nullptr, 10);
    } else if (option == "--max-ratio" && value != nullptr) {
      max_ratio = std::strtod(value, nullptr);
    } else if (option == "--only" && value != nullptr) {
      only = value;
    } else if (option == "--json" && value != nullptr) {
      json = true;
    } else {
      std::fprintf(stderr,
                   "usage: bench_hostile [--packets N] [--rounds N] [--only TEXT] [--seconds N] [--max-ratio X] "
                   "[--json yes]\n");
      return 2;
    }
  }
  IndicatorSetBuilder builder;
  std::string error;
  for (const std::string& text : HostileIndicators()) {
    if (!AddFromText(text, builder, error)) {
      std::fprintf(stderr, "%s\n", error.c_str());
      return 2;
    }
  }
  CompileReport compiled;
  const std::shared_ptr<const IndicatorSet> set = builder.Compile(compiled);
  const Report report(json);
  if (!json) TellHead();
  bool well = true;
  Cost ordinary;
  for (const HostileCase& hostile : HostileCases()) {
    const bool is_base = ordinary.packets == 0;
    if (!is_base && hostile.name.find(only) == std::string::npos) continue;
    Cost cost;
    if (!MeasureRounds(hostile, packets, rounds, seconds, set, cost)) {
      std::fprintf(json ? stderr : stdout, "%-16s did not end within %lu s of CPU, or crashed\n", hostile.name.c_str(),
                   static_cast<unsigned long>(seconds));
      well = false;
      if (is_base) return 1;
      continue;
    }
    if (is_base) ordinary = cost;
    Tell(hostile, cost, ordinary, report);
    const double ratio = cost.ns() / ordinary.ns();
    if (max_ratio != 0 && ratio > max_ratio) well = false;
  }
  return well ? 0 : 1;
}

}  // namespace
}  // namespace vedette::bench

int main(int argc, char** argv) { return vedette::bench::Main(argc, argv); }
