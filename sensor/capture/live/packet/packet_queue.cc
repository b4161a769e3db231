#include "sensor/capture/live/packet/packet_queue.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "sensor/capture/live/packet/packet_socket.h"

namespace vedette {
namespace {

// A block is handed over after the time in which it gathers; with some more for a busy machine, silence means that
// nothing is left.
constexpr int kDrainWaits = 5;

// Bursts in a row that a filter leaves nothing of; then whoever polls gets to look around.
constexpr int kEmptyBursts = 64;

// What it has to tell when its interface goes down or away. It tells it once.
void TakeError(int socket) {
  int reason = 0;
  socklen_t size = sizeof reason;
  getsockopt(socket, SOL_SOCKET, SO_ERROR, &reason, &size);
}

}  // namespace

std::vector<std::unique_ptr<PacketQueue>> PacketQueue::Open(const PacketQueueOptions& options, size_t num_queues,
                                                            OpenFailure& failure) {
  StartedRings started = OpenPacketRings(options, num_queues);
  std::vector<std::unique_ptr<PacketQueue>> queues;
  if (started.rings.empty()) {
    failure = std::move(started.failure);
    return queues;
  }
  for (std::unique_ptr<PacketRing>& ring : started.rings) {
    std::unique_ptr<PacketFilter> filter;
    std::string error;
    if (!started.filter_in_kernel) filter = PacketFilter::Compile(options.filter, error);
    if (!started.filter_in_kernel && filter == nullptr) {
      failure = {InterfaceProblem::kOther, options.interface + ": " + error};
      return {};
    }
    std::unique_ptr<InterfaceDrops> drops;
    if (queues.empty()) drops = std::make_unique<InterfaceDrops>(options.interface);
    queues.push_back(std::make_unique<PacketQueue>(options, std::move(ring), std::move(filter), std::move(drops)));
  }
  return queues;
}

PacketQueue::PacketQueue(const PacketQueueOptions& options, std::unique_ptr<PacketRing> ring,
                         std::unique_ptr<PacketFilter> filter, std::unique_ptr<InterfaceDrops> drops)
    : options_(options), ring_(std::move(ring)), filter_(std::move(filter)), drops_(std::move(drops)) {}

size_t PacketQueue::KeepMatching(size_t count) {
  size_t kept = 0;
  for (size_t i = 0; i < count; ++i) {
    if (filter_->Matches(frames_[i])) frames_[kept++] = frames_[i];
  }
  return kept;
}

// Up to `limit` out of the ring. False: there are none.
bool PacketQueue::Take(size_t limit, std::span<const Frame>& frames) {
  size_t count = ring_->Next({frames_.data(), limit});
  if (count == 0) return false;
  taken_ += count;
  if (filter_ != nullptr) count = KeepMatching(count);
  for (Frame& frame : std::span(frames_.data(), count)) {
    frame.number = ++counters_.frames;
    counters_.captured_bytes += frame.captured_bytes;
    counters_.wire_bytes += frame.wire_bytes;
  }
  frames = {frames_.data(), count};
  return true;
}

PollStatus PacketQueue::PollNow(std::span<const Frame>& frames) {
  frames = {};
  for (int i = 0; i < kEmptyBursts; ++i) {
    if (!Take(kBurst, frames)) {
      // An interface that went down or away: its keeper looks at that. An error that waits would cut each wait short.
      TakeError(ring_->descriptor());
      return PollStatus::kIdle;
    }
    if (!frames.empty()) return PollStatus::kFrames;
  }
  return PollStatus::kWorking;
}

PollStatus PacketQueue::Poll(std::span<const Frame>& frames) {
  frames = {};
  if (draining_) return PollWaiting(frames);
  const PollStatus status = PollNow(frames);
  if (status != PollStatus::kIdle) return status;
  pollfd waiting{.fd = descriptor(), .events = POLLIN, .revents = 0};
  poll(&waiting, 1, kWaitMs);
  return PollNow(frames);
}

uint64_t PacketQueue::delay_ns() const {
  const uint32_t gather_ms = ring_->gather_ms();
  return uint64_t{gather_ms == 0 ? kPacketSlackMs : gather_ms + kTimerSlackMs} * 1'000'000;
}

bool PacketQueue::Drain() {
  drain_until_ = ring_->Statistics().received;
  draining_ = true;
  return true;
}

PollStatus PacketQueue::PollWaiting(std::span<const Frame>& frames) {
  for (int waits = 0; waits <= kDrainWaits && taken_ < drain_until_;) {
    if (Take(std::min<uint64_t>(kBurst, drain_until_ - taken_), frames)) {
      if (!frames.empty()) return PollStatus::kFrames;
      continue;
    }
    ++waits;
    TakeError(descriptor());
    pollfd waiting{.fd = descriptor(), .events = POLLIN, .revents = 0};
    poll(&waiting, 1, kWaitMs);
  }
  return PollStatus::kEnd;
}

void PacketQueue::GoOnFrom(const CaptureCounters& before) {
  before_ = before;
  counters_ = before;
}

CaptureCounters PacketQueue::counters() const {
  CaptureCounters counters = counters_;
  counters.dropped_by_kernel = before_.dropped_by_kernel + ring_->Statistics().dropped;
  if (drops_ != nullptr) counters.dropped_by_interface = before_.dropped_by_interface + drops_->Count();
  return counters;
}

}  // namespace vedette
