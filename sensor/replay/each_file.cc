#include "sensor/replay/each_file.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "sensor/capture/files/capture_files.h"
#include "sensor/capture/packet_filter.h"
#include "sensor/pipeline/match_consumer.h"
#include "sensor/pipeline/run_threads.h"

namespace vedette {
namespace {

void AddWithDamage(Totals& sum, const Totals& part) {
  Add(sum, part, Sharing::kOwnPackets);
  sum.damage.insert(sum.damage.end(), part.damage.begin(), part.damage.end());
}

}  // namespace

EachFile::EachFile(Options options, Doorbell& doorbell) : options_(std::move(options)) {
  const size_t files = std::max<size_t>(options_.captures->files().size(), 1);
  threads_.resize(std::min<size_t>(options_.threads, files));
  for (Thread& thread : threads_) thread.alerts = std::make_unique<AlertQueue>(doorbell);
}

EachFile::~EachFile() = default;

std::vector<AlertQueue*> EachFile::alert_queues() const {
  std::vector<AlertQueue*> queues;
  for (const Thread& thread : threads_) queues.push_back(thread.alerts.get());
  return queues;
}

std::shared_ptr<Lane> EachFile::LaneFor(uint32_t file, Thread& thread, std::string& error) const {
  LaneSetup setup;
  setup.source = CaptureFiles::OfOne(options_.captures, file);
  setup.options = options_.worker;
  if (!options_.filter.empty() && (setup.filter = PacketFilter::Compile(options_.filter, error)) == nullptr)
    return nullptr;
  setup.kit = MatchKit::Make(options_.set, options_.matching.generation, EmittedFor(options_.set->wanted()));
  if (setup.kit == nullptr) {
    error = "no memory for the matcher; use fewer workers";
    return nullptr;
  }
  auto consumer = std::make_unique<MatchConsumer>(*thread.alerts, options_.matching.wait_when_full);
  if (options_.matching.tell_ends) consumer->TellEnds();
  consumer->set_first_file(file);
  setup.consumer = std::move(consumer);
  return std::make_shared<Lane>(std::move(setup), Sharing::kSameCapture);
}

void EachFile::Work(Thread& thread, const std::atomic<bool>& stop) {
  const auto num_files = static_cast<uint32_t>(options_.captures->files().size());
  while (!stop.load(std::memory_order_relaxed)) {
    const uint32_t file = next_.fetch_add(1);
    if (file >= num_files) break;
    // All of the files before is pushed.
    thread.alerts->SetWatermark(PacketPosition(file, 0));
    std::string error;
    const std::shared_ptr<Lane> lane = LaneFor(file, thread, error);
    if (lane == nullptr) {
      Totals failed;
      failed.damage.push_back({.file = options_.captures->file(file).name, .reason = error});
      End(file, thread, std::move(failed));
      continue;
    }
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      thread.lane = lane;
    }
    lane->Run(stop);
    End(file, thread, lane->Snapshot());
  }
  thread.alerts->Close();
}

// In the order of the files, so that the sum does not depend on which ended first.
void EachFile::End(uint32_t file, Thread& thread, Totals totals) {
  const std::lock_guard<std::mutex> lock(mutex_);
  thread.lane.reset();
  early_.emplace(file, std::move(totals));
  for (auto at = early_.begin(); at != early_.end() && at->first == num_added_; at = early_.erase(at)) {
    AddWithDamage(sum_, at->second);
    ++num_added_;
  }
}

Totals EachFile::Snapshot() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  Totals totals = sum_;
  for (const auto& [file, part] : early_) AddWithDamage(totals, part);
  for (const Thread& thread : threads_) {
    if (thread.lane != nullptr) AddWithDamage(totals, thread.lane->Snapshot());
  }
  totals.capture.total_input_bytes = options_.captures->total_bytes();
  return totals;
}

ProgressReport EachFile::Progress() const {
  const Totals totals = Snapshot();
  return {.capture = totals.capture, .packets = totals.decode.received};
}

Totals EachFile::Run(const std::atomic<bool>& stop, const std::function<void(const ProgressReport&)>& on_progress) {
  const double seconds = RunThreads(
      threads_.size(), [&](size_t i) { Work(threads_[i], stop); },
      [&] {
        if (on_progress) on_progress(Progress());
      });
  Totals totals = Snapshot();
  totals.seconds = seconds;
  totals.interrupted = stop.load();
  return totals;
}

}  // namespace vedette
