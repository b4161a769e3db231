// bench_workers CAPTURE PAYLOAD.csv [ROUNDS] [--json]
//
// What a second core brings, by the clock on the wall: so the machine has to be idle. In each round:
//
//   floor    one process scans the capture (tests/bench/floor.h), then two at the same time; gain = 2 × one / two
//   replay   one worker, then two, of the plain file; gain = one / two
//   rings    the capture's frames lie in memory: in one ring for one worker, and by addresses in two for two workers, as
//            two queues of an interface have them
//
// The floor's two processes share nothing but the machine, so their gain is what could be had.
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "exporter/alert/export_loop.h"
#include "exporter/output/file_sink.h"
#include "sensor/capture/files/capture_files.h"
#include "sensor/pipeline/match_consumer.h"
#include "sensor/pipeline/pipeline.h"
#include "sensor/setup/inputs.h"
#include "tests/bench/floor.h"
#include "tests/bench/replay_loop.h"
#include "tests/bench/report.h"

namespace vedette::bench {
namespace {

using Clock = std::chrono::steady_clock;

double WallSeconds(const std::function<void()>& work) {
  const auto before = Clock::now();
  work();
  return std::chrono::duration<double>(Clock::now() - before).count();
}

// `count` processes do it at the same time, after everything was set up.
double InProcesses(size_t count, const std::function<void()>& work) {
  return WallSeconds([&] {
    std::vector<pid_t> children;
    for (size_t i = 0; i < count; ++i) {
      const pid_t child = fork();
      if (child == 0) {
        work();
        _exit(0);
      }
      children.push_back(child);
    }
    for (const pid_t child : children) {
      if (child > 0) waitpid(child, nullptr, 0);
    }
  });
}

// Frames that lie in memory, given in bursts; what a queue of an interface is when it is never empty.
class RingSource : public CaptureSource {
 public:
  explicit RingSource(std::span<const Frame> frames) : frames_(frames) {}
  PollStatus Poll(std::span<const Frame>& frames) override {
    if (at_ == frames_.size()) return PollStatus::kEnd;
    frames = frames_.subspan(at_, std::min(kBurst, frames_.size() - at_));
    at_ += frames.size();
    return PollStatus::kFrames;
  }
  std::string_view FileName(uint32_t) const override { return "ring"; }
  CaptureCounters counters() const override { return {}; }
  std::span<const CaptureDamage> damage() const override { return {}; }

 private:
  std::span<const Frame> frames_;
  size_t at_ = 0;
};

// The capture in memory, whole and by addresses in two.
struct Rings {
  std::vector<uint8_t> bytes;
  std::vector<Frame> whole, half[2];
};

void Fill(const std::shared_ptr<const CaptureList>& capture, Rings& rings) {
  CaptureFiles source(capture);
  std::span<const Frame> frames;
  rings.bytes.reserve(capture->total_bytes());
  while (source.Poll(frames) != PollStatus::kEnd) {
    for (Frame frame : frames) {
      const size_t at = rings.bytes.size();
      rings.bytes.insert(rings.bytes.end(), frame.data, frame.data + frame.captured_bytes);
      frame.data = rings.bytes.data() + at;  // stays: reserved
      rings.whole.push_back(frame);
      uint32_t ends[2] = {0, 0};
      if (frame.captured_bytes >= 34) std::memcpy(ends, frame.data + 26, sizeof ends);
      const uint32_t both = ends[0] ^ ends[1];  // the same both ways round
      rings.half[(both ^ both >> 8 ^ both >> 16 ^ both >> 24) & 1].push_back(frame);
    }
  }
}

// Runs workers with an exporter that writes to /dev/null. `sources`: one for each.
double RunPipeline(const ReplayInput& input, std::vector<std::unique_ptr<CaptureSource>> sources, Sharing sharing) {
  GeoLookup geo;
  AlertPolicy policy(
      CatalogueOf(input.set),
      {.file_name = [&](uint32_t file) { return std::string_view(input.capture->file(file).name); }, .geo = &geo});
  std::string error;
  const std::unique_ptr<FileSink> sink = FileSink::Open("/dev/null", OutputFormat::kJsonl, policy, error);
  Doorbell doorbell;
  std::vector<LaneSetup> lanes;
  for (std::unique_ptr<CaptureSource>& source : sources) {
    LaneSetup& lane = lanes.emplace_back();
    lane.source = std::move(source);
    lane.kit = MatchKit::Make(input.set, 0, EmittedFor(input.set->wanted()));
    lane.alerts = std::make_unique<AlertQueue>(doorbell);
    lane.consumer = std::make_unique<MatchConsumer>(*lane.alerts, true);
  }
  std::atomic<bool> stop{false};
  Pipeline pipeline(std::move(lanes), sharing);
  ExportLoop loop(doorbell, pipeline.alert_queues(), policy, {sink.get()}, true, stop);
  return WallSeconds([&] {
    std::thread exporter([&] { loop.Run(); });
    pipeline.Run(stop, {});
    exporter.join();
  });
}

double Replay(const ReplayInput& input, size_t workers) {
  std::string error;
  return RunPipeline(input, CaptureFiles::ForWorkers(input.capture, static_cast<uint32_t>(workers), error),
                     Sharing::kSameCapture);
}

double RunRings(const ReplayInput& input, std::initializer_list<std::span<const Frame>> rings) {
  std::vector<std::unique_ptr<CaptureSource>> sources;
  for (const std::span<const Frame> ring : rings) sources.push_back(std::make_unique<RingSource>(ring));
  return RunPipeline(input, std::move(sources), Sharing::kOwnPackets);
}

int Main(int argc, char** argv) {
  std::vector<std::string> plain;
  bool json = false;
  for (int i = 1; i < argc; ++i) {
    if (std::string(argv[i]) == "--json") {
      json = true;
    } else {
      plain.emplace_back(argv[i]);
    }
  }
  if (plain.size() < 2) {
    std::fprintf(stderr, "usage: bench_workers CAPTURE PAYLOAD.csv [ROUNDS] [--json]\n");
    return 2;
  }
  const size_t rounds = plain.size() > 2 ? std::max(1ul, std::strtoul(plain[2].c_str(), nullptr, 10)) : 5;
  const Report report(json);
  std::string error;
  const std::vector<std::string> paths = {plain[0]};
  ReplayInput input{.capture = CaptureList::Resolve(paths, {}, error), .set = {}};
  if (input.capture == nullptr || !LoadSet(plain[1], input)) {
    std::fprintf(stderr, "%s\n", error.c_str());
    return 2;
  }
  std::vector<std::string> literals;
  for (uint32_t i = 0; i < input.set->size(); ++i) {
    if (const IndicatorRecord record = input.set->at(i); record.type == IndicatorType::kContent) {
      literals.emplace_back(record.value);
    }
  }
  const std::unique_ptr<Floor> floor = Floor::Open(plain[0], literals, error);
  if (floor == nullptr) {
    std::fprintf(stderr, "%s\n", error.c_str());
    return 2;
  }
  Rings rings;
  Fill(input.capture, rings);
  const auto scan = [&] { floor->Scan(); };
  struct Row {
    const char* name;
    std::vector<double> one = {}, two = {}, gain = {};
    void Add(double one_s, double two_s, double work_of_two) {
      one.push_back(one_s);
      two.push_back(two_s);
      gain.push_back(work_of_two * one_s / two_s);
    }
  };
  Row rows[] = {{"floor, processes"}, {"replay of a plain file"}, {"two rings in memory"}};
  for (size_t round = 0; round < rounds; ++round) {
    rows[0].Add(InProcesses(1, scan), InProcesses(2, scan), 2);
    rows[1].Add(Replay(input, 1), Replay(input, 2), 1);
    rows[2].Add(RunRings(input, {rings.whole}), RunRings(input, {rings.half[0], rings.half[1]}), 1);
  }
  const double possible = Median(rows[0].gain);
  for (const Row& row : rows) {
    const double gain = Median(row.gain);
    report.Row(
        "workers", row.name,
        {{"one s", Median(row.one)}, {"two s", Median(row.two)}, {"gain", gain}, {"of the floor's", gain / possible}});
    if (!json) {
      std::printf("%-24s one %.3f s, two %.3f s, gain %.2f, %.2f of the floor's\n", row.name, Median(row.one),
                  Median(row.two), gain, gain / possible);
    }
  }
  return 0;
}

}  // namespace
}  // namespace vedette::bench

int main(int argc, char** argv) { return vedette::bench::Main(argc, argv); }
