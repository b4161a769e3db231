// bench_packets INDICATORS.csv CAPTURE|DIR... [--limit-ms N] [--top N] [--repeat N]
//
// The cost of a single packet. The replay loop of one worker over each capture separately, one packet per burst, with
// the thread CPU time of each packet: decode, flow, reassembly, parse, payload scan, match, alerts queued. The end
// of the capture (every flow ends) is timed as one more packet, number "end".
//
// Interrupts and first-time cache misses count as well, so a capture with a packet above a tenth of the limit is
// run again, --repeat times in all (5), and the lowest cost of a packet counts. Prints the --top (20) most expensive
// packets with the share of decoding (by a second decoder, of the same frame) and of matching. Exit status 1 if one is
// above --limit-ms (5).
#include <time.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "exporter/alert/export_loop.h"
#include "exporter/output/file_sink.h"
#include "sensor/capture/files/capture_files.h"
#include "sensor/pipeline/match_consumer.h"
#include "sensor/pipeline/worker.h"
#include "sensor/setup/inputs.h"

namespace vedette::bench {
namespace {

uint64_t ThreadCpuNs() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(now.tv_nsec);
}

struct Cost {
  uint64_t all_ns = UINT64_MAX;
  uint64_t match_ns = 0, decode_ns = 0;  // of the run that `all_ns` is of
};

// Times what the consumer behind it takes.
class TimedConsumer : public BurstConsumer {
 public:
  explicit TimedConsumer(BurstConsumer& behind) : behind_(behind) {}
  void Use(MatchKit& kit) override { behind_.Use(kit); }
  void OnBurst(const ObservableBatch& batch, std::span<const EmissionContext> contexts,
               std::span<const EndedFlow> ended_flows) override {
    const uint64_t before = ThreadCpuNs();
    behind_.OnBurst(batch, contexts, ended_flows);
    spent_ns += ThreadCpuNs() - before;
  }
  void OnProgress(uint32_t file, uint64_t packet) override { behind_.OnProgress(file, packet); }
  uint64_t spent_ns = 0;

 private:
  BurstConsumer& behind_;
};

// One run; lowers the costs of the capture's packets, the last of which is its end.
void Run(const std::shared_ptr<const CaptureList>& capture, const std::shared_ptr<const IndicatorSet>& set,
         std::vector<Cost>& costs) {
  GeoLookup geo;
  AlertPolicy policy(
      CatalogueOf(set),
      {.file_name = [&](uint32_t file) { return std::string_view(capture->files()[file].name); }, .geo = &geo});
  std::string error;
  const std::unique_ptr<FileSink> sink = FileSink::Open("/dev/null", OutputFormat::kJsonl, policy, error);
  Doorbell doorbell;
  AlertQueue queue(doorbell);
  std::atomic<bool> stop{false};
  MatchConsumer matcher(queue, true);
  TimedConsumer consumer(matcher);
  ExportLoop loop(doorbell, {&queue}, policy, {sink.get()}, true, stop);
  std::thread exporter([&] { loop.Run(); });
  {
    CaptureFiles source(capture);
    Worker worker(WorkerOptions(), consumer, MatchKit::Make(set, 0, EmittedFor(set->wanted())));
    Decoder decoder(Decoder::Options{});
    Packet packet;
    size_t at = 0;
    const auto lower = [&](uint64_t all_ns, uint64_t decode_ns) {
      if (at == costs.size()) costs.emplace_back();
      if (all_ns < costs[at].all_ns) costs[at] = {all_ns, consumer.spent_ns, decode_ns};
      ++at;
      consumer.spent_ns = 0;
    };
    std::span<const Frame> frames;
    while (source.Poll(frames) != PollStatus::kEnd) {
      for (const Frame& frame : frames) {
        const uint64_t before = ThreadCpuNs();
        worker.Process({&frame, 1});
        const uint64_t between = ThreadCpuNs();
        decoder.BeginBurst();
        (void)decoder.Decode(frame, packet);
        lower(between - before, ThreadCpuNs() - between);
      }
    }
    const uint64_t before = ThreadCpuNs();
    worker.Finish();
    lower(ThreadCpuNs() - before, 0);
  }
  queue.Close();
  exporter.join();
}

struct Dear {
  Cost cost;
  std::string capture;
  uint64_t number;  // 0: the end
};

double Ms(uint64_t ns) { return static_cast<double>(ns) / 1e6; }

int Main(int argc, char** argv) {
  double limit_ms = 5;
  size_t top = 20, repeat = 5;
  std::vector<std::string> paths;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    const bool has_value = i + 1 < argc;
    if (argument == "--limit-ms" && has_value) {
      limit_ms = std::strtod(argv[++i], nullptr);
    } else if (argument == "--top" && has_value) {
      top = std::strtoul(argv[++i], nullptr, 10);
    } else if (argument == "--repeat" && has_value) {
      repeat = std::strtoul(argv[++i], nullptr, 10);
    } else {
      paths.push_back(argument);
    }
  }
  if (paths.size() < 2) {
    std::fprintf(stderr, "usage: bench_packets INDICATORS.csv CAPTURE|DIR... [--limit-ms N] [--top N] [--repeat N]\n");
    return 2;
  }
  const LoadedIndicators loaded = LoadIndicators({paths.front()}, {}, "");
  if (loaded.set == nullptr) return 2;
  paths.erase(paths.begin());
  std::string error;
  const std::shared_ptr<const CaptureList> all = CaptureList::Resolve(paths, {}, error);
  if (all == nullptr) {
    std::fprintf(stderr, "%s\n", error.c_str());
    return 2;
  }
  const auto again_ns = static_cast<uint64_t>(limit_ms * 1e5);
  std::vector<Dear> dearest;
  uint64_t num_packets = 0, num_captures = 0;
  for (const CaptureList::File& file : all->files()) {
    const std::vector<std::string> one = {file.path};
    const std::shared_ptr<const CaptureList> capture = CaptureList::Resolve(one, {}, error);
    if (capture == nullptr) continue;  // found in the folder, and empty
    std::vector<Cost> costs;
    Run(capture, loaded.set, costs);
    const auto is_dear = [&](const Cost& cost) { return cost.all_ns > again_ns; };
    for (size_t run = 1; run < repeat && std::any_of(costs.begin(), costs.end(), is_dear); ++run) {
      Run(capture, loaded.set, costs);
    }
    ++num_captures;
    num_packets += costs.size() - 1;
    for (size_t i = 0; i < costs.size(); ++i) {
      dearest.push_back({costs[i], file.path, i + 1 < costs.size() ? i + 1 : 0});
    }
    const auto dearer = [](const Dear& a, const Dear& b) { return a.cost.all_ns > b.cost.all_ns; };
    std::sort(dearest.begin(), dearest.end(), dearer);
    if (dearest.size() > top) dearest.resize(top);
  }
  std::printf("%lu packets of %lu captures, one a burst\n%9s %9s %9s  packet\n", num_packets, num_captures, "ms",
              "decode", "match");
  for (const Dear& dear : dearest) {
    std::printf("%9.3f %9.3f %9.3f  %s of %s\n", Ms(dear.cost.all_ns), Ms(dear.cost.decode_ns), Ms(dear.cost.match_ns),
                dear.number == 0 ? "end" : std::to_string(dear.number).c_str(), dear.capture.c_str());
  }
  if (dearest.empty() || Ms(dearest.front().cost.all_ns) <= limit_ms) return 0;
  std::printf("above %.1f ms\n", limit_ms);
  return 1;
}

}  // namespace
}  // namespace vedette::bench

int main(int argc, char** argv) { return vedette::bench::Main(argc, argv); }
