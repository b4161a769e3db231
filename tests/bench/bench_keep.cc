// bench_keep CAPTURE INDICATORS [ROUNDS]
//
// What `capture: keep` costs a worker: the loop of one worker over the capture, without a keeper, and with rings that
// hold whole packets, or their beginning; user and system CPU time of the thread, alternating, medians. Nothing is asked
// for: flows with alerts come on top, by what is kept of them.
#include <time.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "exporter/alert/alert_queue.h"
#include "sensor/capture/files/capture_files.h"
#include "sensor/keep/flow_keeper.h"
#include "sensor/pipeline/match_consumer.h"
#include "sensor/pipeline/worker.h"
#include "sensor/setup/inputs.h"

namespace vedette {
namespace {

struct Way {
  const char* name;
  size_t ring_mebibytes;  // 0: no keeper
  uint32_t packet_bytes;
  std::vector<double> seconds = {};
};

double ThreadSeconds() {
  timespec t{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
}

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

// Returns the packets.
uint64_t Run(const std::shared_ptr<const CaptureList>& captures, const std::shared_ptr<const IndicatorSet>& set,
             Way& way) {
  Doorbell doorbell;
  AlertQueue queue(doorbell, SIZE_MAX);
  MatchConsumer consumer(queue, true);
  std::string error;
  std::unique_ptr<FlowKeeper> keeper;
  WorkerOptions options;
  if (way.ring_mebibytes != 0) {
    FlowKeeper::Options keep;
    keep.ring_bytes = way.ring_mebibytes << 20;
    keep.packet_bytes = way.packet_bytes;
    keeper = FlowKeeper::Make(0, keep, error);
    options.keeper = keeper.get();
    consumer.KeepWith(keeper.get());
  }
  CaptureFiles source(captures);
  Worker worker(options, consumer, MatchKit::Make(set, 0, EmittedFor(set->wanted())));
  std::span<const Frame> frames;
  const double before = ThreadSeconds();
  while (source.Poll(frames) != PollStatus::kEnd) {
    worker.Process(frames);
    if (keeper != nullptr) keeper->Serve();
  }
  worker.Finish();
  way.seconds.push_back(ThreadSeconds() - before);
  return worker.decode_counters().received;
}

int Main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: bench_keep CAPTURE INDICATORS [ROUNDS]\n");
    return 2;
  }
  const int rounds = argc > 3 ? std::atoi(argv[3]) : 7;
  std::string error;
  const std::vector<std::string> paths = {argv[1]};
  const auto captures = CaptureList::Resolve(paths, {}, error);
  const LoadedIndicators loaded = LoadIndicators({argv[2]}, {}, "", "", {.quiet = true});
  if (captures == nullptr || loaded.set == nullptr) {
    std::fprintf(stderr, "%s\n", error.c_str());
    return 1;
  }
  Way ways[] = {{"not kept", 0, 0},
                {"whole packets, 64 MiB", 64, FlowKeeper::kLargestPacket},
                {"whole packets, 1 GiB", 1024, FlowKeeper::kLargestPacket},
                {"256 bytes, 64 MiB", 64, 256},
                {"96 bytes, 64 MiB", 64, 96}};
  uint64_t packets = 0;
  for (int round = 0; round < rounds; ++round) {
    for (Way& way : ways) packets = Run(captures, loaded.set, way);
  }
  const double without = Median(ways[0].seconds);
  for (const Way& way : ways) {
    const double seconds = Median(way.seconds);
    std::printf("%-24s %.3f s  %6.1f ns a packet  %+5.1f ns  %.3f\n", way.name, seconds,
                seconds * 1e9 / static_cast<double>(packets), (seconds - without) * 1e9 / static_cast<double>(packets),
                seconds / without);
  }
  return 0;
}

}  // namespace
}  // namespace vedette

int main(int argc, char** argv) { return vedette::Main(argc, argv); }
