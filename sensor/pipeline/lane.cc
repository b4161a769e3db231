#include "sensor/pipeline/lane.h"

#include <time.h>

#include <span>
#include <utility>

#include "sensor/capture/cpu.h"

namespace vedette {
namespace {

// A stream that brought nothing for so long is over for the moment: frames that wait for those behind them do not.
constexpr auto kQuiet = std::chrono::seconds(1);
constexpr uint64_t kLookBursts = 64;  // a lane looks at the clock after so many bursts: some 0.2 ms of work

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

}  // namespace

Lane::Lane(LaneSetup setup, Sharing sharing) : setup_(std::move(setup)), sharing_(sharing) {
  setup_.options.filter = setup_.filter.get();
  worker_ = std::make_unique<Worker>(setup_.options, *setup_.consumer, std::move(setup_.kit), &exchange_);
}

Lane::~Lane() = default;

Totals Lane::Report() const {
  Totals report;
  report.capture = setup_.source->counters();
  report.decode = worker_->decode_counters();
  report.workers = worker_->counters();
  report.inspection = worker_->inspection_counters();
  report.tcp = worker_->tcp_counters();
  report.loss = worker_->loss_counters();
  report.payload = worker_->payload_match_counters();
  report.fields = worker_->field_match_counters();
  report.alerts = setup_.consumer->alert_counters();
  report.delay = delay_;
  report.flow_memory_bytes = worker_->flow_memory_bytes();
  report.fragment_memory_bytes = worker_->fragment_bytes_held();
  report.worker_cpu_seconds = ThreadCpuSeconds() - cpu_before_;
  return report;
}

void Lane::TryPublish() {
  Totals report = Report();
  position_.input_bytes.store(report.capture.input_bytes_read, std::memory_order_relaxed);
  position_.total_bytes.store(report.capture.total_input_bytes, std::memory_order_relaxed);
  position_.packets.store(report.decode.received, std::memory_order_relaxed);
  // Who reads it holds the lock for a copy's time; then the next report does as well.
  const std::unique_lock<std::mutex> lock(mutex_, std::try_to_lock);
  if (lock.owns_lock()) published_ = std::move(report);
}

void Lane::Process(std::span<const Frame> frames) {
  if (sharing_ == Sharing::kOwnPackets) {
    const uint64_t now = WallClockNs(), captured = frames.back().time_ns;
    delay_.Record(now > captured ? static_cast<double>(now - captured) * 1e-9 : 0);
  }
  worker_->Process(frames);
}

void Lane::Walk(const std::atomic<bool>& stop) {
  CaptureSource& source = *setup_.source;
  uint64_t bursts = 0;
  auto next_report = std::chrono::steady_clock::now();
  std::span<const Frame> frames;
  bool draining = false;
  auto last_frames = next_report;
  for (;;) {
    if (!draining && stop.load(std::memory_order_relaxed)) {
      draining = source.Drain();
      if (!draining) return;
    }
    const PollStatus status = source.Poll(frames);
    if (status == PollStatus::kEnd) return;
    if (status == PollStatus::kFrames) Process(frames);
    if (status == PollStatus::kIdle) worker_->SweepByClock(WallClockNs());
    if (setup_.options.keeper != nullptr) setup_.options.keeper->Serve();
    if (++bursts % kLookBursts != 0 && status == PollStatus::kFrames) continue;
    const auto now = std::chrono::steady_clock::now();
    if (status == PollStatus::kFrames || status == PollStatus::kWorking) {
      last_frames = now;
    } else if (now - last_frames >= kQuiet) {
      worker_->ProcessWaiting();
    }
    if (now < next_report) continue;
    next_report = now + kPublishInterval;
    // A busy link is never idle; a replay's time is that of its packets alone.
    if (sharing_ == Sharing::kOwnPackets) worker_->SweepByClock(WallClockNs());
    TryPublish();
  }
}

void Lane::Run(const std::atomic<bool>& stop) {
  // A CPU that was taken off since then is no reason to stop.
  if (setup_.cpu >= 0) PinThread(static_cast<uint32_t>(setup_.cpu));
  cpu_before_ = ThreadCpuSeconds();
  Walk(stop);
  worker_->Finish();
  Totals report = Report();
  const std::span<const CaptureDamage> damage = setup_.source->damage();
  report.damage.assign(damage.begin(), damage.end());
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    published_ = std::move(report);
  }
  if (setup_.options.keeper != nullptr) setup_.options.keeper->Ended();
  if (setup_.alerts != nullptr) setup_.alerts->Close();
  // The indicators that it used go with the worker, and a reload waits for it no longer.
  worker_.reset();
  exchange_.End();
  if (setup_.on_end) setup_.on_end();
}

Totals Lane::Snapshot() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return published_;
}

Lane::Progress Lane::progress() const {
  return {.input_bytes = position_.input_bytes.load(std::memory_order_relaxed),
          .total_bytes = position_.total_bytes.load(std::memory_order_relaxed),
          .packets = position_.packets.load(std::memory_order_relaxed)};
}

}  // namespace vedette
