#include "tests/bench/replay_loop.h"

#include <atomic>
#include <cstdio>
#include <span>
#include <thread>

#include "exporter/alert/export_loop.h"
#include "exporter/output/file_sink.h"
#include "sensor/pipeline/match_consumer.h"
#include "sensor/pipeline/worker.h"
#include "sensor/setup/inputs.h"
#include "tests/bench/floor.h"

namespace vedette::bench {
namespace {

class NullConsumer : public BurstConsumer {
 public:
  void OnBurst(const ObservableBatch&, std::span<const EmissionContext>, std::span<const EndedFlow>) override {}
  void OnProgress(uint32_t, uint64_t) override {}
};

void Drive(CaptureSource& source, Worker& worker) {
  std::span<const Frame> frames;
  while (source.Poll(frames) != PollStatus::kEnd) worker.Process(frames);
  worker.Finish();
}

}  // namespace

bool LoadSet(const std::string& path, ReplayInput& input) {
  const LoadedIndicators loaded = LoadIndicators({path}, {}, "");
  input.set = loaded.set;
  return loaded.set != nullptr;
}

LoopResult RunLoop(const ReplayInput& input) {
  LoopResult result;
  GeoLookup geo;
  AlertPolicy policy(
      CatalogueOf(input.set),
      {.file_name = [&](uint32_t file) { return std::string_view(input.capture->file(file).name); }, .geo = &geo});
  std::string error;
  const std::unique_ptr<FileSink> sink = FileSink::Open("/dev/null", OutputFormat::kJsonl, policy, error);
  Doorbell doorbell;
  AlertQueue queue(doorbell);
  std::atomic<bool> stop{false};
  MatchConsumer consumer(queue, true);
  ExportLoop loop(doorbell, {&queue}, policy, {sink.get()}, true, stop);
  std::thread exporter([&] {
    const double before = ThreadCpuSeconds();
    result.alerts = loop.Run().alerts;
    result.exporter_seconds = ThreadCpuSeconds() - before;
  });
  CaptureFiles source(input.capture);
  WorkerOptions options;
  options.inspector.payload_depth = input.depth;
  Worker worker(options, consumer, MatchKit::Make(input.set, 0, EmittedFor(input.set->wanted())));
  const double before = ThreadCpuSeconds();
  Drive(source, worker);
  result.worker_seconds = ThreadCpuSeconds() - before;
  result.flows = worker.counters().flows;
  result.packets = worker.decode_counters().received;
  queue.Close();
  exporter.join();
  return result;
}

double WalkOnly(const ReplayInput& input) {
  CaptureFiles source(input.capture);
  std::span<const Frame> frames;
  uint64_t sum = 0;
  const double before = ThreadCpuSeconds();
  while (source.Poll(frames) != PollStatus::kEnd) sum += frames.empty() ? 0 : frames.back().time_ns;
  const double seconds = ThreadCpuSeconds() - before;
  if (sum == 1) std::printf(" ");
  return seconds;
}

double WalkAndDecode(const ReplayInput& input) {
  CaptureFiles source(input.capture);
  Decoder decoder(Decoder::Options{});
  std::span<const Frame> frames;
  Packet packet;
  const double before = ThreadCpuSeconds();
  while (source.Poll(frames) != PollStatus::kEnd) {
    decoder.BeginBurst();
    for (const Frame& frame : frames) (void)decoder.Decode(frame, packet);
  }
  return ThreadCpuSeconds() - before;
}

double WithoutMatching(const ReplayInput& input, bool parse, bool scan) {
  CaptureFiles source(input.capture);
  NullConsumer consumer;
  WorkerOptions options;
  options.inspector.parse = parse;
  options.inspector.payload_depth = input.depth;
  options.wanted = EmittedFor(input.set->wanted());
  Worker worker(options, consumer, scan ? MatchKit::Make(input.set, 0, options.wanted) : nullptr);
  const double before = ThreadCpuSeconds();
  Drive(source, worker);
  return ThreadCpuSeconds() - before;
}

}  // namespace vedette::bench
