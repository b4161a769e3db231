#include "sensor/pipeline/pipeline.h"

#include <time.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <thread>

namespace vedette {
namespace {

constexpr auto kProgressInterval = std::chrono::milliseconds(250);
constexpr uint64_t kReportBursts = 4096;  // a worker says how far it is after so many bursts: some 5 ms of work

double ThreadCpuSeconds() {
  timespec t{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
}

uint64_t WallClockNs() {
  timespec t{};
  clock_gettime(CLOCK_REALTIME, &t);
  return static_cast<uint64_t>(t.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(t.tv_nsec);
}

// How far a worker is, for the progress bar.
struct alignas(64) Position {
  std::atomic<uint64_t> input_bytes{0}, total_bytes{0}, packets{0};
};

template <size_t N>
void AddAll(std::array<uint64_t, N>& sum, const std::array<uint64_t, N>& part) {
  for (size_t i = 0; i < N; ++i) sum[i] += part[i];
}

void Add(DecodeCounters& sum, const DecodeCounters& part) {
  sum.received += part.received;
  sum.decoded += part.decoded;
  AddAll(sum.not_decoded, part.not_decoded);
  sum.datagrams_reassembled += part.datagrams_reassembled;
  sum.ipv4 += part.ipv4;
  sum.ipv6 += part.ipv6;
  sum.tcp += part.tcp;
  sum.udp += part.udp;
  sum.icmp += part.icmp;
  sum.other_transport += part.other_transport;
  sum.vlan_tagged += part.vlan_tagged;
  sum.truncated += part.truncated;
}

void Add(WorkerCounters& sum, const WorkerCounters& part) {
  // Every worker sees every packet that a filter excludes.
  sum.excluded_by_filter = std::max(sum.excluded_by_filter, part.excluded_by_filter);
  sum.excluded_by_time = std::max(sum.excluded_by_time, part.excluded_by_time);
  sum.flows += part.flows;
  sum.flows_evicted += part.flows_evicted;
  sum.flows_peak += part.flows_peak;
  sum.flows_timed_out += part.flows_timed_out;
  sum.bytes += part.bytes;
  sum.first_ns = std::min(sum.first_ns, part.first_ns);
  sum.last_ns = std::max(sum.last_ns, part.last_ns);
  AddAll(sum.observables, part.observables);
}

void Add(InspectionCounters& sum, const InspectionCounters& part) {
  AddAll(sum.flows_by_protocol, part.flows_by_protocol);
  sum.flows_unrecognised += part.flows_unrecognised;
  sum.malformed += part.malformed;
  sum.payload_bytes += part.payload_bytes;
  sum.payload_bytes_unscanned += part.payload_bytes_unscanned;
  sum.parser_held_bytes += part.parser_held_bytes;
  sum.parser_limit_hit += part.parser_limit_hit;
  sum.hand_over_limit_hit += part.hand_over_limit_hit;
}

void Add(TcpCounters& sum, const TcpCounters& part) {
  sum.segments += part.segments;
  sum.out_of_order += part.out_of_order;
  sum.retransmitted_bytes += part.retransmitted_bytes;
  sum.gaps += part.gaps;
  sum.gap_bytes += part.gap_bytes;
  sum.out_of_window += part.out_of_window;
  sum.flow_limit_hit += part.flow_limit_hit;
  sum.total_limit_hit += part.total_limit_hit;
  sum.held_bytes += part.held_bytes;
  sum.held_segments += part.held_segments;
}

void Add(MatchCounters& sum, const MatchCounters& part) {
  sum.observables += part.observables;
  sum.field_scans += part.field_scans;
  sum.payload_scans += part.payload_scans;
  sum.payload_bytes += part.payload_bytes;
  sum.scan_errors += part.scan_errors;
  sum.hits_over_limit += part.hits_over_limit;
}

// One worker's life, in its thread.
void Work(WorkerSetup& setup, Worker& worker, Position& position, const std::atomic<bool>& stop, double& cpu_seconds) {
  const double cpu_before = ThreadCpuSeconds();
  uint64_t bursts = 0;
  std::span<const Frame> frames;
  while (!stop.load(std::memory_order_relaxed)) {
    const PollStatus status = setup.source->Poll(frames);
    if (status == PollStatus::kEnd) break;
    if (status == PollStatus::kFrames) worker.Process(frames);
    if (status == PollStatus::kIdle) worker.Idle(WallClockNs());
    if (++bursts % kReportBursts == 0) {
      const CaptureCounters counters = setup.source->counters();
      position.input_bytes.store(counters.input_bytes_read, std::memory_order_relaxed);
      position.total_bytes.store(counters.total_input_bytes, std::memory_order_relaxed);
      position.packets.store(worker.decode_counters().received, std::memory_order_relaxed);
    }
  }
  worker.Finish();
  if (setup.on_end) setup.on_end();
  cpu_seconds = ThreadCpuSeconds() - cpu_before;
}

}  // namespace

Totals RunPipeline(std::vector<WorkerSetup> setups, const std::atomic<bool>& stop,
                   const std::function<void(const ProgressReport&)>& on_progress) {
  const auto begin = std::chrono::steady_clock::now();
  const size_t count = setups.size();
  std::vector<std::unique_ptr<Worker>> workers;
  std::vector<Position> positions(count);
  std::vector<double> cpu_seconds(count, 0);
  for (size_t i = 0; i < count; ++i) {
    WorkerOptions& options = setups[i].options;
    options.decoder.share = {static_cast<uint32_t>(i), static_cast<uint32_t>(count)};
    options.filter = setups[i].filter.get();
    workers.push_back(std::make_unique<Worker>(options, *setups[i].consumer));
  }

  std::mutex mutex;
  std::condition_variable all_done;
  size_t running = count;
  std::vector<std::thread> threads;
  for (size_t i = 0; i < count; ++i) {
    threads.emplace_back([&, i] {
      Work(setups[i], *workers[i], positions[i], stop, cpu_seconds[i]);
      const std::lock_guard<std::mutex> lock(mutex);
      --running;
      all_done.notify_one();
    });
  }
  {
    std::unique_lock<std::mutex> lock(mutex);
    while (!all_done.wait_for(lock, kProgressInterval, [&] { return running == 0; })) {
      if (!on_progress) continue;
      ProgressReport report;
      report.capture.input_bytes_read = UINT64_MAX;
      for (const Position& position : positions) {
        report.capture.input_bytes_read =
            std::min(report.capture.input_bytes_read, position.input_bytes.load(std::memory_order_relaxed));
        report.capture.total_input_bytes =
            std::max(report.capture.total_input_bytes, position.total_bytes.load(std::memory_order_relaxed));
        report.packets += position.packets.load(std::memory_order_relaxed);
      }
      on_progress(report);
    }
  }
  for (std::thread& thread : threads) thread.join();

  Totals totals;
  totals.capture = setups[0].source->counters();
  totals.damage.assign(setups[0].source->damage().begin(), setups[0].source->damage().end());
  for (size_t i = 0; i < count; ++i) {
    Add(totals.decode, workers[i]->decode_counters());
    Add(totals.workers, workers[i]->counters());
    Add(totals.inspection, workers[i]->inspection_counters());
    Add(totals.tcp, workers[i]->tcp_counters());
    Add(totals.payload, workers[i]->payload_match_counters());
    totals.flow_memory_bytes += workers[i]->flow_memory_bytes();
    totals.worker_cpu_seconds += cpu_seconds[i];
  }
  totals.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  totals.interrupted = stop.load();
  return totals;
}

}  // namespace vedette
