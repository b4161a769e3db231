#include "sensor/pipeline/pipeline.h"

#include <time.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <thread>

namespace vedette {
namespace {

constexpr auto kProgressInterval = std::chrono::milliseconds(250);
// A stream that brought nothing for so long is over for the moment: frames that wait for those behind them do not.
constexpr auto kQuiet = std::chrono::seconds(1);
constexpr uint64_t kLookBursts = 64;  // a worker looks at the clock after so many bursts: some 0.2 ms of work

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
  sum.other_types.Add(part.other_types);
  sum.unknown_link_types.Add(part.unknown_link_types);
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

void Add(CaptureCounters& sum, const CaptureCounters& part) {
  sum.frames += part.frames;
  sum.captured_bytes += part.captured_bytes;
  sum.wire_bytes += part.wire_bytes;
  sum.dropped_by_kernel += part.dropped_by_kernel;
  sum.dropped_by_interface += part.dropped_by_interface;
  sum.total_input_bytes += part.total_input_bytes;
  sum.input_bytes_read += part.input_bytes_read;
}

void Add(WorkerCounters& sum, const WorkerCounters& part) {
  sum.excluded_by_filter += part.excluded_by_filter;
  sum.fragments_excluded_by_filter += part.fragments_excluded_by_filter;
  sum.excluded_by_time += part.excluded_by_time;
  sum.flows += part.flows;
  sum.flows_evicted += part.flows_evicted;
  sum.flows_crowded_out += part.flows_crowded_out;
  sum.stamps_disbelieved += part.stamps_disbelieved;
  sum.flows_peak += part.flows_peak;
  sum.flows_now += part.flows_now;
  sum.flows_timed_out += part.flows_timed_out;
  sum.tcp_both_ways += part.tcp_both_ways;
  sum.tcp_one_way += part.tcp_one_way;
  sum.bytes += part.bytes;
  sum.first_ns = std::min(sum.first_ns, part.first_ns);
  sum.last_ns = std::max(sum.last_ns, part.last_ns);
  AddAll(sum.observables, part.observables);
}

void Add(InspectionCounters& sum, const InspectionCounters& part) {
  AddAll(sum.flows_by_protocol, part.flows_by_protocol);
  sum.flows_unrecognised += part.flows_unrecognised;
  sum.udp_unrecognised += part.udp_unrecognised;
  AddAll(sum.tunnels, part.tunnels);
  sum.malformed += part.malformed;
  sum.payload_bytes += part.payload_bytes;
  sum.payload_bytes_unscanned += part.payload_bytes_unscanned;
  sum.gap_bytes_scan_only += part.gap_bytes_scan_only;
  sum.payload_bytes_aside += part.payload_bytes_aside;
  sum.second_readings += part.second_readings;
  sum.second_readings_limit += part.second_readings_limit;
  sum.parser_held_bytes += part.parser_held_bytes;
  sum.stream_bytes += part.stream_bytes;
  sum.parser_limit_hit += part.parser_limit_hit;
  sum.hand_over_limit_hit += part.hand_over_limit_hit;
  sum.http_heads_over_limit += part.http_heads_over_limit;
  sum.http_values_over_limit += part.http_values_over_limit;
}

void Add(TcpCounters& sum, const TcpCounters& part) {
  sum.segments += part.segments;
  sum.out_of_order += part.out_of_order;
  sum.retransmitted_bytes += part.retransmitted_bytes;
  sum.gaps += part.gaps;
  sum.gap_bytes += part.gap_bytes;
  sum.out_of_window += part.out_of_window;
  sum.at_candidate += part.at_candidate;
  sum.queue_full += part.queue_full;
  sum.checksum_wrong += part.checksum_wrong;
  sum.padding += part.padding;
  sum.exact_repeats += part.exact_repeats;
  sum.other_copies += part.other_copies;
  sum.place_changes += part.place_changes;
  sum.place_reversals += part.place_reversals;
  sum.syns_in_stream += part.syns_in_stream;
  sum.resets_in_vain += part.resets_in_vain;
  sum.flow_limit_hit += part.flow_limit_hit;
  sum.total_limit_hit += part.total_limit_hit;
  sum.held_bytes += part.held_bytes;
  sum.held_segments += part.held_segments;
  sum.detour_bytes += part.detour_bytes;
}

void Add(MatchCounters& sum, const MatchCounters& part) {
  sum.observables += part.observables;
  sum.field_scans += part.field_scans;
  sum.payload_scans += part.payload_scans;
  sum.payload_bytes += part.payload_bytes;
  sum.scan_errors += part.scan_errors;
  sum.hits_over_limit += part.hits_over_limit;
}

void Add(AlertCounters& sum, const AlertCounters& part) {
  sum.alerts += part.alerts;
  sum.flows += part.flows;
  sum.repeated += part.repeated;
  sum.dropped_queue_full += part.dropped_queue_full;
  sum.dropped_flow_limit += part.dropped_flow_limit;
  sum.hits_queue_full += part.hits_queue_full;
  sum.hits_flow_limit += part.hits_flow_limit;
  sum.ends_queue_full += part.ends_queue_full;
  sum.unremembered += part.unremembered;
  sum.remembered_bytes += part.remembered_bytes;
}

}  // namespace

void Add(Totals& sum, const Totals& part, Sharing sharing) {
  if (sharing == Sharing::kOwnPackets) {
    Add(sum.capture, part.capture);
    Add(sum.workers, part.workers);
  } else {
    // Every worker sees the whole capture, every stamp and every packet that is excluded.
    const uint64_t by_filter = std::max(sum.workers.excluded_by_filter, part.workers.excluded_by_filter);
    const uint64_t fragments =
        std::max(sum.workers.fragments_excluded_by_filter, part.workers.fragments_excluded_by_filter);
    const uint64_t by_time = std::max(sum.workers.excluded_by_time, part.workers.excluded_by_time);
    const uint64_t disbelieved = std::max(sum.workers.stamps_disbelieved, part.workers.stamps_disbelieved);
    Add(sum.workers, part.workers);
    sum.workers.stamps_disbelieved = disbelieved;
    sum.workers.excluded_by_filter = by_filter;
    sum.workers.fragments_excluded_by_filter = fragments;
    sum.workers.excluded_by_time = by_time;
    if (part.capture.frames >= sum.capture.frames) sum.capture = part.capture;
  }
  Add(sum.decode, part.decode);
  Add(sum.inspection, part.inspection);
  Add(sum.tcp, part.tcp);
  Add(sum.payload, part.payload);
  Add(sum.fields, part.fields);
  Add(sum.alerts, part.alerts);
  sum.delay.Add(part.delay);
  sum.flow_memory_bytes += part.flow_memory_bytes;
  sum.fragment_memory_bytes += part.fragment_memory_bytes;
  sum.worker_cpu_seconds += part.worker_cpu_seconds;
}

// One worker with all it works with.
struct Pipeline::Lane {
  WorkerSetup setup;
  std::unique_ptr<Worker> worker;
  Position position;
  double cpu_before = 0;
  mutable std::mutex mutex;  // of `published`
  Totals published;
  HistogramCounts delay;
};

Totals Pipeline::ReportOf(const Lane& lane) {
  Totals report;
  report.capture = lane.setup.source->counters();
  report.decode = lane.worker->decode_counters();
  report.workers = lane.worker->counters();
  report.inspection = lane.worker->inspection_counters();
  report.tcp = lane.worker->tcp_counters();
  report.payload = lane.worker->payload_match_counters();
  report.fields = lane.worker->field_match_counters();
  report.alerts = lane.setup.consumer->alert_counters();
  report.delay = lane.delay;
  report.flow_memory_bytes = lane.worker->flow_memory_bytes();
  report.fragment_memory_bytes = lane.worker->fragment_bytes_held();
  report.worker_cpu_seconds = ThreadCpuSeconds() - lane.cpu_before;
  return report;
}

// One worker's life, in its thread.
void Pipeline::Work(Lane& lane, const std::atomic<bool>& stop) {
  lane.cpu_before = ThreadCpuSeconds();
  Worker& worker = *lane.worker;
  CaptureSource& source = *lane.setup.source;
  uint64_t bursts = 0;
  auto next_report = std::chrono::steady_clock::now();
  std::span<const Frame> frames;
  bool draining = false;
  auto last_frames = next_report;
  for (;;) {
    if (!draining && stop.load(std::memory_order_relaxed)) {
      draining = source.Drain();
      if (!draining) break;
    }
    const PollStatus status = source.Poll(frames);
    if (status == PollStatus::kEnd) break;
    if (status == PollStatus::kFrames) {
      if (sharing_ == Sharing::kOwnPackets) {
        const uint64_t now = WallClockNs(), captured = frames.back().time_ns;
        lane.delay.Record(now > captured ? static_cast<double>(now - captured) * 1e-9 : 0);
      }
      worker.Process(frames);
    }
    if (status == PollStatus::kIdle) worker.SweepByClock(WallClockNs());
    if (++bursts % kLookBursts != 0 && status == PollStatus::kFrames) continue;
    const auto now = std::chrono::steady_clock::now();
    if (status == PollStatus::kFrames || status == PollStatus::kWorking) {
      last_frames = now;
    } else if (now - last_frames >= kQuiet) {
      worker.ProcessWaiting();
    }
    if (now < next_report) continue;
    next_report = now + kPublishInterval;
    // A busy link is never idle; a replay's time is that of its packets alone.
    if (sharing_ == Sharing::kOwnPackets) worker.SweepByClock(WallClockNs());
    Totals report = ReportOf(lane);
    lane.position.input_bytes.store(report.capture.input_bytes_read, std::memory_order_relaxed);
    lane.position.total_bytes.store(report.capture.total_input_bytes, std::memory_order_relaxed);
    lane.position.packets.store(report.decode.received, std::memory_order_relaxed);
    // Who reads it holds the lock for a copy's time; then the next report does as well.
    const std::unique_lock<std::mutex> lock(lane.mutex, std::try_to_lock);
    if (lock.owns_lock()) lane.published = std::move(report);
  }
  worker.Finish();
  Totals report = ReportOf(lane);
  const std::span<const CaptureDamage> damage = source.damage();
  report.damage.assign(damage.begin(), damage.end());
  {
    const std::lock_guard<std::mutex> lock(lane.mutex);
    lane.published = std::move(report);
  }
  if (lane.setup.on_end) lane.setup.on_end();
}

Pipeline::Pipeline(std::vector<WorkerSetup> setups, Sharing sharing) : sharing_(sharing) {
  const size_t count = setups.size();
  for (size_t i = 0; i < count; ++i) {
    auto lane = std::make_unique<Lane>();
    lane->setup = std::move(setups[i]);
    WorkerOptions& options = lane->setup.options;
    if (sharing == Sharing::kSameCapture) {
      options.decoder.share = {static_cast<uint32_t>(i), static_cast<uint32_t>(count)};
    }
    options.filter = lane->setup.filter.get();
    lane->worker =
        std::make_unique<Worker>(options, *lane->setup.consumer, std::move(lane->setup.kit), lane->setup.exchange);
    lanes_.push_back(std::move(lane));
  }
}

Pipeline::~Pipeline() = default;

Totals Pipeline::Snapshot() const {
  Totals totals;
  for (const std::unique_ptr<Lane>& lane : lanes_) {
    const std::lock_guard<std::mutex> lock(lane->mutex);
    Add(totals, lane->published, sharing_);
    // Each source of the same capture has the same damage.
    if (totals.damage.empty()) totals.damage = lane->published.damage;
  }
  return totals;
}

Totals Pipeline::Run(const std::atomic<bool>& stop, const std::function<void(const ProgressReport&)>& on_progress) {
  const auto begin = std::chrono::steady_clock::now();
  std::mutex mutex;
  std::condition_variable all_done;
  size_t running = lanes_.size();
  std::vector<std::thread> threads;
  for (const std::unique_ptr<Lane>& lane : lanes_) {
    threads.emplace_back([&, lane = lane.get()] {
      Work(*lane, stop);
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
      for (const std::unique_ptr<Lane>& lane : lanes_) {
        const Position& position = lane->position;
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

  Totals totals = Snapshot();
  totals.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  totals.interrupted = stop.load();
  return totals;
}

}  // namespace vedette
