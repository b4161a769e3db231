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

// Whether it had an error to tell, as it has when its interface goes down or away. It tells it once.
bool HadError(int socket) {
  int reason = 0;
  socklen_t size = sizeof reason;
  return getsockopt(socket, SOL_SOCKET, SO_ERROR, &reason, &size) == 0 && reason != 0;
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
  if (!error_.empty()) return PollStatus::kEnd;
  for (int i = 0; i < kEmptyBursts; ++i) {
    if (!Take(kBurst, frames)) return StillUp() ? PollStatus::kIdle : PollStatus::kEnd;
    if (!frames.empty()) return PollStatus::kFrames;
  }
  return PollStatus::kWorking;
}

// An interface that is up again by now is none that went down: the kernel goes on with the same ring.
bool PacketQueue::StillUp() {
  went_down_ = HadError(ring_->descriptor()) || went_down_;
  if (!went_down_) return true;
  const InterfaceState state = StateOf(ring_->descriptor(), ring_->interface_index());
  went_down_ = state != InterfaceState::kUp;
  if (!went_down_) return true;
  if (taken_ < ring_->Statistics().received) return true;  // the kernel still gathers the last ones
  if (state == InterfaceState::kGone) {
    Fail("the interface disappeared");
  } else {
    Fail(fmt::format("the interface went down; bring it up and start again: ip link set {} up", options_.interface));
  }
  return false;
}

PollStatus PacketQueue::Poll(std::span<const Frame>& frames) {
  frames = {};
  if (draining_ && error_.empty()) return PollWaiting(frames);
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
  if (!error_.empty()) return false;
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
    went_down_ = HadError(descriptor()) || went_down_;  // else it would cut each wait short
    pollfd waiting{.fd = descriptor(), .events = POLLIN, .revents = 0};
    poll(&waiting, 1, kWaitMs);
  }
  return PollStatus::kEnd;
}

PollStatus PacketQueue::Fail(std::string reason) {
  error_ = fmt::format("{}: capturing ended: {}", options_.interface, reason);
  damage_.push_back({.file = options_.interface, .offset = 0, .reason = std::move(reason)});
  return PollStatus::kEnd;
}

CaptureCounters PacketQueue::counters() const {
  CaptureCounters counters = counters_;
  counters.dropped_by_kernel = ring_->Statistics().dropped;
  if (drops_ != nullptr) counters.dropped_by_interface = drops_->Count();
  return counters;
}

}  // namespace vedette
