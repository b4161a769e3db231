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

}  // namespace

void Add(Totals& sum, const Totals& part, Sharing sharing) {
  AddCounters<CountedTotals>(sum, part, sharing == Sharing::kSameCapture);
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
