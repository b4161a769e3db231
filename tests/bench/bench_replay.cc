// bench_replay CAPTURE PAYLOAD.csv FIELDS.csv [ROUNDS]
//
// The replay loop of one worker against the physical floor, on the same capture, alternating in one run:
//
//   payload  PAYLOAD.csv (literals on payload, and names): CPU of the loop / CPU of the floor's scan, same literals
//   fields   FIELDS.csv (names and addresses, no literals): CPU of the loop / CPU of the floor's decode
//
// CPU of the loop: thread CPU time of the worker and of the exporter, which writes JSON lines to /dev/null. It excludes
// start-up and the compilation of patterns. Medians over the rounds. Then the stages: the same loop with its later
// parts omitted, one by one.
#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
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
#include "tests/bench/floor.h"

namespace vedette::bench {
namespace {

std::string CpuName() {
  std::ifstream file("/proc/cpuinfo");
  std::string line, name = "unknown CPU";
  bool avx512 = false, avx2 = false;
  while (std::getline(file, line)) {
    if (line.rfind("model name", 0) == 0) name = line.substr(line.find(':') + 2);
    if (line.rfind("flags", 0) == 0) {
      avx512 = line.find(" avx512vbmi") != std::string::npos;
      avx2 = line.find(" avx2") != std::string::npos;
    }
  }
  return name + (avx512 ? ", AVX-512 VBMI" : avx2 ? ", AVX2" : "");
}

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

class NullConsumer : public BurstConsumer {
 public:
  void OnBurst(const ObservableBatch&, std::span<const EmissionContext>, std::span<const EndedFlow>) override {}
  void OnProgress(uint32_t, uint64_t) override {}
};

struct Input {
  std::shared_ptr<const CaptureList> capture;
  std::shared_ptr<const IndicatorSet> set;
};

struct LoopResult {
  double worker_seconds = 0, exporter_seconds = 0;
  uint64_t alerts = 0, flows = 0, packets = 0;
  double total() const { return worker_seconds + exporter_seconds; }
};

void Drive(CaptureSource& source, Worker& worker) {
  std::span<const Frame> frames;
  while (source.Poll(frames) != PollStatus::kEnd) worker.Process(frames);
  worker.Finish();
}

// The whole loop, as `vedette replay --workers 1` runs it.
LoopResult RunLoop(const Input& input) {
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
  Worker worker(WorkerOptions(), consumer, MatchKit::Make(input.set, 0, EmittedFor(input.set->wanted())));
  const double before = ThreadCpuSeconds();
  Drive(source, worker);
  result.worker_seconds = ThreadCpuSeconds() - before;
  result.flows = worker.counters().flows;
  result.packets = worker.decode_counters().received;
  queue.Close();
  exporter.join();
  return result;
}

double WalkOnly(const Input& input) {
  CaptureFiles source(input.capture);
  std::span<const Frame> frames;
  uint64_t sum = 0;
  const double before = ThreadCpuSeconds();
  while (source.Poll(frames) != PollStatus::kEnd) sum += frames.empty() ? 0 : frames.back().time_ns;
  const double seconds = ThreadCpuSeconds() - before;
  if (sum == 1) std::printf(" ");
  return seconds;
}

double WalkAndDecode(const Input& input) {
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

// Without matching; `parse`: with parsers; `scan`: with the payload scan.
double WithoutMatching(const Input& input, bool parse, bool scan) {
  CaptureFiles source(input.capture);
  NullConsumer consumer;
  WorkerOptions options;
  options.inspector.parse = parse;
  options.wanted = EmittedFor(input.set->wanted());
  Worker worker(options, consumer, scan ? MatchKit::Make(input.set, 0, options.wanted) : nullptr);
  const double before = ThreadCpuSeconds();
  Drive(source, worker);
  return ThreadCpuSeconds() - before;
}

bool Load(const std::string& path, Input& input) {
  const LoadedIndicators loaded = LoadIndicators({path}, {}, "");
  input.set = loaded.set;
  return loaded.set != nullptr;
}

std::vector<std::string> LiteralsOf(const IndicatorSet& set) {
  std::vector<std::string> literals;
  for (uint32_t i = 0; i < set.size(); ++i) {
    const IndicatorRecord record = set.at(i);
    if (record.type == IndicatorType::kContent) literals.emplace_back(record.value);
  }
  return literals;
}

void PrintRatio(const char* name, const char* base, const std::vector<double>& product,
                const std::vector<double>& floor, const LoopResult& last) {
  std::vector<double> ratios;
  for (size_t i = 0; i < product.size(); ++i) ratios.push_back(product[i] / floor[i]);
  std::printf(
      "%-8s loop %.3f s (%.1f ns a packet), floor's %s %.3f s, ratio %.2f (%.2f to %.2f); exporter's part %.3f s; %lu "
      "alerts, %lu flows\n",
      name, Median(product), Median(product) / static_cast<double>(last.packets) * 1e9, base, Median(floor),
      Median(ratios), *std::min_element(ratios.begin(), ratios.end()), *std::max_element(ratios.begin(), ratios.end()),
      last.exporter_seconds, last.alerts, last.flows);
}

void PrintStages(const char* name, const Input& input, size_t rounds, bool scan) {
  const std::vector<std::pair<const char*, std::function<double()>>> stages = {
      {"walk", [&] { return WalkOnly(input); }},
      {"decode", [&] { return WalkAndDecode(input); }},
      {"flows, reassembly", [&] { return WithoutMatching(input, false, false); }},
      {"parse", [&] { return WithoutMatching(input, true, false); }},
      {"payload scan", [&] { return scan ? WithoutMatching(input, true, true) : 0.0; }},
      {"match, alerts, export", [&] { return RunLoop(input).total(); }},
  };
  std::vector<std::vector<double>> seconds(stages.size());
  for (size_t round = 0; round < rounds; ++round) {
    for (size_t i = 0; i < stages.size(); ++i) seconds[i].push_back(stages[i].second());
  }
  std::printf("%s by stage:\n", name);
  double before = 0;
  const double all = Median(seconds.back());
  for (size_t i = 0; i < stages.size(); ++i) {
    const double upto = Median(seconds[i]);
    if (upto == 0) continue;
    std::printf("  %-22s %7.3f s  %5.1f %%\n", stages[i].first, upto - before, (upto - before) / all * 100);
    before = upto;
  }
}

int Main(int argc, char** argv) {
  if (argc < 4) {
    std::fprintf(stderr, "usage: bench_replay CAPTURE PAYLOAD.csv FIELDS.csv [ROUNDS]\n");
    return 2;
  }
  const size_t rounds = argc > 4 ? std::max(1ul, std::strtoul(argv[4], nullptr, 10)) : 5;
  std::string error;
  Input payload, fields;
  const std::vector<std::string> paths = {argv[1]};
  payload.capture = fields.capture = CaptureList::Resolve(paths, {}, error);
  if (payload.capture == nullptr) {
    std::fprintf(stderr, "%s\n", error.c_str());
    return 2;
  }
  if (!Load(argv[2], payload) || !Load(argv[3], fields)) return 2;
  const std::unique_ptr<Floor> floor = Floor::Open(argv[1], LiteralsOf(*payload.set), error);
  if (floor == nullptr) {
    std::fprintf(stderr, "%s\n", error.c_str());
    return 2;
  }
  std::printf("%s; %zu literals and names on payload, %zu names and addresses on fields; %zu rounds\n",
              CpuName().c_str(), payload.set->size(), fields.set->size(), rounds);
  std::vector<double> decode, scan, payload_loop, fields_loop;
  LoopResult last_payload, last_fields;
  floor->Decode();  // the capture into memory
  for (size_t round = 0; round < rounds; ++round) {
    decode.push_back(floor->Decode().cpu_seconds);
    last_fields = RunLoop(fields);
    fields_loop.push_back(last_fields.total());
    scan.push_back(floor->Scan().cpu_seconds);
    last_payload = RunLoop(payload);
    payload_loop.push_back(last_payload.total());
  }
  PrintRatio("payload", "scan", payload_loop, scan, last_payload);
  PrintRatio("fields", "decode", fields_loop, decode, last_fields);
  PrintStages("payload", payload, rounds, true);
  PrintStages("fields", fields, rounds, false);
  return 0;
}

}  // namespace
}  // namespace vedette::bench

int main(int argc, char** argv) { return vedette::bench::Main(argc, argv); }
