// StreamInspector's second readings: see stream_state.h for what they are.
#include <algorithm>

#include "sensor/flow/stream_inspector.h"

namespace vedette {
namespace {

// Chunks of a flow without another copy until the last copies need no reading of their own.
constexpr uint32_t kMaxChunksSinceCopy = 64;

// Exact repeats behind no more than two copies until they are a mirror's.
constexpr uint32_t kMirrorRepeats = 16;
// And chunks of a stream that moved until it is not expected to come back.
constexpr uint32_t kMaxChunksSincePlaceChange = 1024;

}  // namespace

void StreamState::SwapEnds() {
  reading.SwapEnds();
  if (second != nullptr) {
    second->reading.SwapEnds();
    std::swap(second->direction[0], second->direction[1]);
    if (second->suspended != SecondReading::kNone) second->suspended = 1 - second->suspended;
  }
  std::swap(scanned[0], scanned[1]);
  if (tails != nullptr) std::swap((*tails)[0], (*tails)[1]);
  flip_pending = false;
}

size_t StreamState::memory_bytes() const {
  size_t bytes = sizeof(StreamState) + reading.memory_bytes();
  if (tails != nullptr) bytes += sizeof(*tails);
  if (second == nullptr) return bytes;
  bytes += sizeof(SecondReading) + second->reading.memory_bytes();
  for (const SecondReading::Direction& direction : second->direction) bytes += direction.waiting.capacity();
  return bytes;
}

void StreamInspector::OnCopy(Flow& flow, size_t index, Chunk chunk, uint32_t behind) {
  StreamState& state = StateOf(flow);
  if (!options_.parse) return;
  const bool suspended = state.second != nullptr && state.second->suspended != SecondReading::kNone;
  // A reading that the stream may come back to is worth more than one of a copy.
  if (suspended && state.second->was_leading) return;
  // One that gave up, or read another copy of these bytes and knew no protocol in it, is no use for this one.
  const bool no_use = state.second != nullptr && !state.second->reading.complete &&
                      !state.second->reading.identified() &&
                      (state.second->reading.over || behind > state.second->direction[index].behind);
  if (state.second == nullptr || suspended || no_use) {
    if (state.reading.complete) return;  // nothing more to learn
    if (!BeginSecondReading(state)) return;
    state.second->direction[index].behind = behind;
  }
  SecondReading& second = *state.second;
  SecondReading::Direction& direction = second.direction[index];
  ++second.copies;
  second.chunks_since = 0;
  if (behind > direction.behind) {
    // It begins with bytes that were read.
    const uint32_t read = behind - direction.behind;
    if (read >= chunk.data.size()) return;
    chunk.data = chunk.data.subspan(read);
    chunk.start = false;
    behind = direction.behind;
  }
  const auto waiting = static_cast<uint32_t>(direction.waiting.size());
  if (behind > waiting) {
    // Bytes that came before this reading began, and have not been read.
    chunk.gap_bytes = direction.behind - behind;
    Chunk front = chunk;
    front.data = chunk.data.first(std::min<size_t>(chunk.data.size(), behind - waiting));
    direction.behind = behind - static_cast<uint32_t>(front.data.size());
    chunk.data = chunk.data.subspan(front.data.size());
    FeedSecond(flow, state, index, front);
    if (state.second == nullptr || chunk.data.empty()) return;
    behind = waiting;
  }
  direction.waiting.replace(waiting - behind, std::min<size_t>(behind, chunk.data.size()), AsText(chunk.data));
  FeedWaiting(flow, state, index, waiting - behind + chunk.data.size(), chunk.time_ns);
}

// A mirror that shows every packet twice: the first repeat of each direction was taken for another copy, because what
// it repeats was not remembered.
void StreamInspector::OnExactRepeat(StreamState& state) {
  if (state.second == nullptr || state.second->suspended != SecondReading::kNone || state.second->copies > 2) return;
  if (++state.second->exact_repeats >= kMirrorRepeats) EndSecondReading(state);
}

bool StreamInspector::BeginSecondReading(StreamState& state) {
  if (state.second_readings >= kMaxSecondReadings) {
    ++counters_.second_readings_limit;
    return false;
  }
  if (state.second != nullptr) EndSecondReading(state);
  ++state.second_readings;
  ++counters_.second_readings;
  state.second = std::make_unique<SecondReading>();
  return true;
}

void StreamInspector::EndSecondReading(StreamState& state) {
  reader_.Stop(state.second->reading);
  state.second.reset();
  Count(state);
}

void StreamInspector::FeedSecond(Flow& flow, StreamState& state, size_t index, Chunk chunk) {
  const size_t shown = state.flip_pending ? 1 - index : index;
  chunk.direction = shown == 0 ? Direction::kToServer : Direction::kToClient;
  reader_.Feed(flow, state.second->reading, index, chunk, state.flip_pending, false);
}

// The first bytes that wait, at most `count`.
void StreamInspector::FeedWaiting(Flow& flow, StreamState& state, size_t index, size_t count, uint64_t time_ns) {
  SecondReading::Direction& direction = state.second->direction[index];
  if (direction.waiting.empty()) return;
  const std::string waiting = std::move(direction.waiting);
  count = std::min(count, waiting.size());
  Chunk chunk;
  chunk.data = AsBytes(waiting).first(count);
  chunk.gap_bytes = direction.behind - static_cast<uint32_t>(waiting.size()) + direction.gap_bytes;
  chunk.time_ns = time_ns;
  direction.waiting = waiting.substr(count);
  direction.behind = static_cast<uint32_t>(direction.waiting.size());
  direction.gap_bytes = 0;
  FeedSecond(flow, state, index, chunk);
}

// What the leading reading is about to see.
void StreamInspector::FollowSecond(Flow& flow, StreamState& state, size_t index, const Chunk& chunk) {
  SecondReading& second = *state.second;
  if (second.suspended != SecondReading::kNone) {
    if (second.suspended != static_cast<int>(index)) FeedSecond(flow, state, index, chunk);
    if (state.second != nullptr && ++second.chunks_since == kMaxChunksSincePlaceChange) second.was_leading = false;
    return;
  }
  // An answer means that what was asked has arrived: no other copy of it counts any more.
  for (const size_t side : {1 - index, index}) FeedWaiting(flow, state, side, SIZE_MAX, chunk.time_ns);
  if (chunk.end) {
    FeedSecond(flow, state, index, chunk);
    return;
  }
  SecondReading::Direction& direction = second.direction[index];
  direction.gap_bytes = chunk.gap_bytes;
  direction.behind += static_cast<uint32_t>(chunk.data.size());
  direction.waiting.assign(AsText(chunk.data));
  if (++second.chunks_since < kMaxChunksSinceCopy) return;
  const bool leading_is_lost = !state.reading.complete && !state.reading.identified();
  if (leading_is_lost && second.reading.identified()) {
    FeedWaiting(flow, state, index, SIZE_MAX, chunk.time_ns);
    std::swap(state.reading, second.reading);
  }
  EndSecondReading(state);
}

}  // namespace vedette
