#include "sensor/capture/live/live_sources.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace vedette {
namespace {

constexpr uint64_t kNanosecondsPerMillisecond = 1'000'000;

template <class Clock>
uint64_t NowNs() {
  return static_cast<uint64_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now().time_since_epoch()).count());
}

}  // namespace

LiveSources::LiveSources(std::vector<Part> parts) {
  for (Part& part : parts) {
    waiting_.push_back({.fd = -1, .events = POLLIN, .revents = 0});
    Input& input = inputs_.emplace_back();
    input.name = std::move(part.name);
    input.file = part.file;
    input.slot = std::move(part.slot);
    input.source = std::move(part.source);
  }
}

LiveSources::LiveSources(std::vector<std::unique_ptr<LiveSource>> sources) : LiveSources(PartsOf(std::move(sources))) {}

std::vector<LiveSources::Part> LiveSources::PartsOf(std::vector<std::unique_ptr<LiveSource>> sources) {
  std::vector<Part> parts;
  for (std::unique_ptr<LiveSource>& source : sources) {
    const uint32_t file = source->file();
    parts.push_back({.name = std::string(source->FileName(file)),
                     .file = file,
                     .slot = std::make_shared<SourceSlot>(),
                     .source = std::move(source)});
  }
  return parts;
}

PollStatus LiveSources::Poll(std::span<const Frame>& frames) {
  const auto poll_once = [&] { return inputs_.size() == 1 ? PassOne(frames) : Merge(frames); };
  const PollStatus status = poll_once();
  if (status != PollStatus::kIdle) return status;
  Wait();
  return poll_once();
}

PollStatus LiveSources::PassOne(std::span<const Frame>& frames) {
  Refill(inputs_[0]);
  frames = std::exchange(inputs_[0].held, {});
  if (!frames.empty()) return PollStatus::kFrames;
  return draining_ && AllEnded() ? PollStatus::kEnd : PollStatus::kIdle;
}

// The source that is offered in place of one that has nothing any more.
bool LiveSources::TakeOffer(Input& input) {
  if (!input.slot->has_offer()) return false;
  const CaptureCounters before = input.source == nullptr ? CaptureCounters{} : input.source->counters();
  input.source = input.slot->Take(std::move(input.source));
  input.source->GoOnFrom(before);
  input.ended = false;
  return true;
}

// What it has next; it holds nothing.
void LiveSources::Refill(Input& input) {
  if (!input.is_there() && (draining_ || !TakeOffer(input))) return;
  const bool alone = inputs_.size() == 1;  // then no time matters
  const uint64_t now_ns = alone ? 0 : NowNs<std::chrono::system_clock>();
  const PollStatus status = draining_ ? input.source->Poll(input.held) : input.source->PollNow(input.held);
  input.was_empty = status != PollStatus::kFrames;
  if (status == PollStatus::kFrames && !alone) input.held_since_ns = NowNs<std::chrono::steady_clock>();
  if (status == PollStatus::kIdle) {
    input.empty_at_ns = now_ns;
    if (!draining_) TakeOffer(input);
  }
  if (status != PollStatus::kEnd) return;
  input.ended = true;
  const std::span<const CaptureDamage> damage = input.source->damage();
  damage_.insert(damage_.end(), damage.begin(), damage.end());
  if (!draining_) {
    input.slot->Fail();
  } else if (TakeOffer(input)) {
    input.ended = !input.source->Drain();
  }
}

void LiveSources::RefillWhere(bool was_empty) {
  for (Input& input : inputs_) {
    if (input.held.empty() && input.was_empty == was_empty) Refill(input);
  }
}

// No packet comes any more that was captured up to then.
uint64_t LiveSources::CompleteUntilNs() const {
  uint64_t until = UINT64_MAX;
  for (const Input& input : inputs_) {
    if (!input.held.empty() || !input.is_there()) continue;
    const uint64_t delay = input.source->delay_ns();
    until = std::min(until, input.empty_at_ns > delay ? input.empty_at_ns - delay : 0);
  }
  return until;
}

LiveSources::Input* LiveSources::Earliest() {
  Input* earliest = nullptr;
  for (Input& input : inputs_) {
    if (input.held.empty()) continue;
    if (earliest == nullptr || input.held.front().time_ns < earliest->held.front().time_ns) earliest = &input;
  }
  return earliest;
}

// A burst's bytes hold until its source is polled again, so that all ends where one is used up.
void LiveSources::TakeInOrder(uint64_t until_ns) {
  num_passed_ = 0;
  while (num_passed_ < passed_.size()) {
    Input* const next = Earliest();
    if (next == nullptr || next->held.front().time_ns > until_ns) return;
    passed_[num_passed_++] = next->held.front();
    next->held = next->held.subspan(1);
    if (next->held.empty()) return;
  }
}

bool LiveSources::PassOverdue(std::span<const Frame>& frames) {
  const uint64_t now_ns = NowNs<std::chrono::steady_clock>();
  for (Input& input : inputs_) {
    if (input.held.empty() || now_ns - input.held_since_ns < kLongestHoldNs) continue;
    frames = std::exchange(input.held, {});
    return true;
  }
  return false;
}

PollStatus LiveSources::Merge(std::span<const Frame>& frames) {
  frames = {};
  if (PassOverdue(frames)) return PollStatus::kFrames;
  // One that was found empty is polled again only where that was too long ago to tell.
  RefillWhere(false);
  TakeInOrder(CompleteUntilNs());
  if (num_passed_ == 0) {
    RefillWhere(true);
    TakeInOrder(CompleteUntilNs());
  }
  frames = {passed_.data(), num_passed_};
  if (num_passed_ != 0) return PollStatus::kFrames;
  return draining_ && AllEnded() ? PollStatus::kEnd : PollStatus::kIdle;
}

bool LiveSources::AllEnded() const {
  return std::all_of(inputs_.begin(), inputs_.end(),
                     [](const Input& input) { return !input.is_there() && input.held.empty(); });
}

// Until one that is empty has something, or the earliest packet at hand can be passed on. What comes to an end cuts it
// short, as frames do.
void LiveSources::Wait() {
  int limit_ms = draining_ ? 0 : kWaitMs;
  const Input* const earliest = Earliest();
  for (size_t i = 0; i < inputs_.size(); ++i) {
    const Input& input = inputs_[i];
    const bool awaited = input.held.empty() && input.is_there();
    waiting_[i].fd = awaited ? input.source->descriptor() : -1;  // poll passes over -1
    if (!awaited) continue;
    if (waiting_[i].fd < 0) limit_ms = 0;
    if (earliest == nullptr) continue;
    const uint64_t ripe_ns = earliest->held.front().time_ns + input.source->delay_ns();
    const uint64_t left_ns = ripe_ns > input.empty_at_ns ? ripe_ns - input.empty_at_ns : 0;
    const uint64_t left_ms = left_ns / kNanosecondsPerMillisecond + 1;
    limit_ms = static_cast<int>(std::min(static_cast<uint64_t>(limit_ms), left_ms));
  }
  if (limit_ms != 0) poll(waiting_.data(), waiting_.size(), limit_ms);
}

bool LiveSources::Drain() {
  if (!std::exchange(draining_, true)) {
    for (Input& input : inputs_) {
      input.ended = !input.is_there() || !input.source->Drain();
      if (input.ended && TakeOffer(input)) input.ended = !input.source->Drain();
    }
  }
  return !AllEnded();
}

std::string_view LiveSources::FileName(uint32_t file) const {
  for (const Input& input : inputs_) {
    if (input.file == file) return input.name;
  }
  return {};
}

CaptureCounters LiveSources::counters() const {
  CaptureCounters sum;
  for (const Input& input : inputs_) {
    if (input.source == nullptr) continue;
    const CaptureCounters part = input.source->counters();
    sum.frames += part.frames;
    sum.captured_bytes += part.captured_bytes;
    sum.wire_bytes += part.wire_bytes;
    sum.dropped_by_kernel += part.dropped_by_kernel;
    sum.dropped_by_interface += part.dropped_by_interface;
  }
  return sum;
}

}  // namespace vedette
