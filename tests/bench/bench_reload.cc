// bench_reload CAPTURE INDICATORS.csv [RELOADS]
//
// The cost of a reload for the packets that pass meanwhile. One worker replays the capture again and again, as fast as
// it can, while the indicators are read, compiled, tested and handed over RELOADS times (default 5), as in a running
// sensor. Prints for each kind of burst (32 packets) the thread CPU time of the median, of one in ten thousand, and of
// the worst:
//
//   alone      no reload is running
//   beside     one is being read and compiled
//   exchange   the burst in which the worker switches to the new set
//   after      the next thousand bursts, in which running flows are looked up again
#include <time.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "exporter/policy/alert_policy.h"
#include "sensor/capture/files/capture_files.h"
#include "sensor/live/log.h"
#include "sensor/live/reloader.h"
#include "sensor/pipeline/match_consumer.h"
#include "sensor/pipeline/worker.h"
#include "sensor/setup/inputs.h"

namespace vedette::bench {
namespace {

constexpr size_t kBurstsAfter = 1000;

double ThreadCpuMicroseconds() {
  timespec t{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) * 1e6 + static_cast<double>(t.tv_nsec) * 1e-3;
}

void Print(const char* kind, std::vector<double>& costs) {
  if (costs.empty()) {
    std::printf("%-10s none\n", kind);
    return;
  }
  std::sort(costs.begin(), costs.end());
  const auto at = [&](double q) { return costs[static_cast<size_t>(q * static_cast<double>(costs.size() - 1))]; };
  std::printf("%-10s %10zu bursts   median %8.1f us   99.99 %% %8.1f us   worst %8.1f us\n", kind, costs.size(),
              at(0.5), at(0.9999), costs.back());
}

int Run(const std::string& capture, const std::string& indicators, int reloads) {
  std::string error;
  const std::shared_ptr<const CaptureList> list = CaptureList::Resolve(std::vector<std::string>{capture}, {}, error);
  const auto load = [&] {
    LoadedIndicators loaded = LoadIndicators({indicators}, {}, "");
    IndicatorLoad out;
    out.set = loaded.set;
    if (out.set != nullptr) out.indicators = out.set->size();
    out.error = loaded.error;
    if (out.set != nullptr) out.wanted = EmittedFor(out.set->wanted());
    return out;
  };
  const IndicatorLoad first = load();
  if (list == nullptr || first.set == nullptr) {
    std::fprintf(stderr, "bench_reload: %s%s\n", error.c_str(), first.error.c_str());
    return 1;
  }
  Doorbell doorbell;
  AlertQueue queue(doorbell);
  MatchConsumer consumer(queue, false);
  KitExchange exchange;
  std::atomic<bool> stop{false};
  AlertPolicy policy(CatalogueOf(first.set), {});
  ExportLoop loop(doorbell, {&queue}, policy, {}, false, stop);
  std::thread exporter([&] { loop.Run(); });
  Log log;
  Reloader reloader(Reloader::Parts{.load = load,
                                    .exporter = &loop,
                                    .workers = {&exchange},
                                    .add = [](auto, uint64_t) {},
                                    .forget = [](uint64_t) {},
                                    .log = &log},
                    first);

  std::vector<double> alone, beside, taken, after;
  std::thread worker_thread([&] {
    Worker worker({}, consumer, MatchKit::Make(first.set, 1, first.wanted), &exchange);
    uint64_t generation = 1;
    size_t since = kBurstsAfter;
    while (!stop.load()) {
      CaptureFiles source(list);
      std::span<const Frame> frames;
      while (!stop.load() && source.Poll(frames) != PollStatus::kEnd) {
        const bool reloading = reloader.last().running;
        const double before = ThreadCpuMicroseconds();
        worker.Process(frames);
        const double cost = ThreadCpuMicroseconds() - before;
        if (exchange.in_use() != generation) {
          generation = exchange.in_use();
          since = 0;
          taken.push_back(cost);
        } else if (since < kBurstsAfter) {
          ++since;
          after.push_back(cost);
        } else {
          (reloading ? beside : alone).push_back(cost);
        }
      }
    }
    queue.Close();
  });
  for (int i = 0; i < reloads; ++i) {
    std::this_thread::sleep_for(std::chrono::seconds(1));
    const uint64_t number = reloader.Request();
    while (reloader.last().number < number || reloader.last().running)
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    if (!reloader.last().succeeded) break;
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(500));
  stop.store(true);
  worker_thread.join();
  exporter.join();
  std::printf("%zu indicators, %d reloads, the last one took %.2f s until the worker used it\n", first.set->size(),
              reloads, reloader.last().seconds);
  Print("alone", alone);
  Print("beside", beside);
  Print("exchange", taken);
  Print("after", after);
  return reloader.last().succeeded ? 0 : 1;
}

}  // namespace
}  // namespace vedette::bench

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: bench_reload CAPTURE INDICATORS.csv [RELOADS]\n");
    return 2;
  }
  return vedette::bench::Run(argv[1], argv[2], argc > 3 ? std::atoi(argv[3]) : 5);
}
