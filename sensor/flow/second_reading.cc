// StreamInspector's second readings: see stream_state.h for what they are.
#include <algorithm>

#include "sensor/flow/stream_inspector.h"

namespace vedette {
namespace {

// Chunks of a flow without another copy until the last copies need no reading of their own.
constexpr uint32_t kMaxChunksSinceCopy = 64;
// The same where the leading reading knows its protocol and that of the copies does not: as a rule the first repeat of
// a direction (see OnExactRepeat), in the middle of a body.
constexpr uint32_t kMaxChunksInBody = 4;

// Bytes of a direction that wait for another copy of them. Segments that were held come out many at once, and only then
// are their other copies told.
constexpr size_t kMaxWaitingBytes = size_t{32} << 10;
constexpr size_t kMaxWaitingPieces = 64;
// The same with those that copies cut: each is looked through for each copy.
constexpr size_t kMaxPiecesWithCopies = 4 * kMaxWaitingPieces;

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
  if (scanned_halves != nullptr) std::swap((*scanned_halves)[0], (*scanned_halves)[1]);
  flip_pending = false;
}

size_t StreamState::memory_bytes() const {
  size_t bytes = sizeof(StreamState) + reading.memory_bytes();
  if (tails != nullptr) bytes += sizeof(*tails);
  if (scanned_halves != nullptr) bytes += sizeof(*scanned_halves);
  if (second == nullptr) return bytes;
  bytes += sizeof(SecondReading) + second->reading.memory_bytes();
  for (const SecondReading::Direction& direction : second->direction) {
    bytes += direction.waiting.capacity() + direction.pieces.capacity() * sizeof(SecondReading::Piece);
  }
  return bytes;
}

void StreamInspector::OnCopy(Flow& flow, size_t index, Chunk chunk, uint32_t behind) {
  StreamState& state = StateOf(flow);
  if (!options_.parse || flow.bypass) return;
  const bool suspended = state.second != nullptr && state.second->suspended != SecondReading::kNone;
  // A reading that the stream may come back to is worth more than one of a copy.
  if (suspended && state.second->was_leading) return;
  // One that gave up, or read another copy of these bytes and knew no protocol in it, is no use for this one.
  const bool no_use = state.second != nullptr && !state.second->reading.complete &&
                      !state.second->reading.identified() &&
                      (state.second->reading.over || behind > state.second->direction[index].behind);
  if (state.second == nullptr || suspended || no_use) {
    if (!BeginAtCopy(flow, state, index, behind)) return;
  }
  SecondReading& second = *state.second;
  SecondReading::Direction& direction = second.direction[index];
  ++second.copies;
  second.chunks_since = 0;
  // Of several copies the first counts, beside the one that leads.
  const uint32_t end = behind - static_cast<uint32_t>(chunk.data.size());
  FeedWaiting(flow, state, index, direction.CopiedBefore(behind, end), chunk.time_ns);
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
    if (chunk.data.empty()) return;
    behind = waiting;
  }
  direction.Replace(chunk.data, behind);
  if (direction.pieces.size() > kMaxPiecesWithCopies) FeedWaiting(flow, state, index, SIZE_MAX, chunk.time_ns);
}

// The second reading that the copy needs; false: it needs none, or there may be no more.
bool StreamInspector::BeginAtCopy(Flow& flow, StreamState& state, size_t index, uint32_t behind) {
  const std::string& message = state.reading.message[index];
  const bool within_message = behind <= message.size();
  if (state.reading.complete && !within_message) return false;  // nothing more to learn
  if (!BeginSecondReading(flow, state)) return false;
  if (!EachMessageTells(flow.app)) state.second->reading.parser = MakeStreamParser(flow.app);
  SecondReading::Direction& direction = state.second->direction[index];
  direction.behind = behind;
  if (!within_message) return true;
  state.second->begun_within = true;
  direction.Append(AsBytes(message));
  direction.behind = static_cast<uint32_t>(message.size());
  direction.told_before = direction.behind - behind;
  direction.start = state.reading.message_start[index];
  return true;
}

void SecondReading::Direction::Append(Bytes bytes) {
  waiting.append(AsText(bytes));
  pieces.push_back({static_cast<uint32_t>(bytes.size())});
}

void SecondReading::Direction::Replace(Bytes bytes, uint32_t begin) {
  const size_t at = waiting.size() - begin;
  bytes = bytes.first(std::min<size_t>(begin, bytes.size()));
  waiting.replace(at, bytes.size(), AsText(bytes));
  told_before = std::min(told_before, static_cast<uint32_t>(at));
  Split(at);
  Split(at + bytes.size());
  size_t from = 0;
  for (Piece& piece : pieces) {
    if (from >= at && from < at + bytes.size()) piece.copied = true;
    from += piece.bytes;
  }
}

// A piece begins there.
void SecondReading::Direction::Split(size_t at) {
  size_t from = 0;
  for (size_t i = 0; i < pieces.size(); ++i) {
    const size_t to = from + pieces[i].bytes;
    if (from < at && at < to) {
      Piece rest = pieces[i];
      rest.bytes = static_cast<uint32_t>(to - at);
      pieces[i].bytes = static_cast<uint32_t>(at - from);
      pieces.insert(pieces.begin() + static_cast<std::ptrdiff_t>(i) + 1, rest);
      return;
    }
    from = to;
  }
}

size_t SecondReading::Direction::CopiedBefore(uint32_t begin, uint32_t end) const {
  size_t to = 0, last = 0;
  for (const Piece& piece : pieces) {
    const size_t from = to;
    to += piece.bytes;
    if (piece.copied && waiting.size() - from > end && waiting.size() - to < begin) last = to;
  }
  return last;
}

// A mirror that shows every packet twice: the first repeat of each direction was taken for another copy, because what
// it repeats was not remembered. What waits is read all the same: anybody can repeat segments.
void StreamInspector::OnExactRepeat(Flow& flow) {
  StreamState& state = *flow.stream;
  if (state.second == nullptr || state.second->suspended != SecondReading::kNone || state.second->copies > 2) return;
  if (++state.second->exact_repeats >= kMirrorRepeats) EndSecondReading(flow, state);
}

bool StreamInspector::BeginSecondReading(Flow& flow, StreamState& state) {
  if (state.second_readings >= kMaxSecondReadings) {
    ++counters_.second_readings_limit;
    return false;
  }
  if (state.second != nullptr) EndSecondReading(flow, state);
  ++state.second_readings;
  ++counters_.second_readings;
  state.second = std::make_unique<SecondReading>();
  return true;
}

// What waits is read first.
void StreamInspector::EndSecondReading(Flow& flow, StreamState& state) {
  if (state.second->suspended == SecondReading::kNone) {
    for (const size_t index : {0, 1}) FeedWaiting(flow, state, index, SIZE_MAX, flow.last_ns);
  }
  DropSecondReading(state);
}

void StreamInspector::DropSecondReading(StreamState& state) {
  reader_.Release(state.second->reading);
  state.second.reset();
  Count(state);
}

void StreamInspector::FeedSecond(Flow& flow, StreamState& state, size_t index, Chunk chunk) {
  chunk.direction = DirectionShown(state, index);
  reader_.FeedSecond(flow, state.second->reading, index, chunk, state.flip_pending);
}

// The first bytes that wait, at most `count`, piece by piece.
void StreamInspector::FeedWaiting(Flow& flow, StreamState& state, size_t index, size_t count, uint64_t time_ns) {
  SecondReading::Direction& direction = state.second->direction[index];
  if (direction.waiting.empty() || count == 0) return;
  const std::string waiting = std::move(direction.waiting);
  const std::vector<SecondReading::Piece> pieces = std::move(direction.pieces);
  count = std::min(count, waiting.size());
  Chunk chunk;
  chunk.gap_bytes = direction.behind - static_cast<uint32_t>(waiting.size()) + direction.gap_bytes;
  chunk.start = direction.start;
  chunk.time_ns = time_ns;
  size_t fed = 0, piece = 0, piece_fed = 0;
  const size_t told_before = std::min<size_t>(direction.told_before, count);
  while (fed < count) {
    size_t bytes = std::min<size_t>(pieces[piece].bytes - piece_fed, count - fed);
    const bool quietly = fed < told_before;
    if (quietly) bytes = std::min(bytes, told_before - fed);
    chunk.data = AsBytes(waiting).subspan(fed, bytes);
    if (quietly) {
      chunk.direction = DirectionShown(state, index);
      reader_.FeedQuietly(flow, state.second->reading, index, chunk, state.flip_pending);
    } else {
      FeedSecond(flow, state, index, chunk);
    }
    chunk.gap_bytes = 0;
    chunk.start = false;
    fed += bytes;
    piece_fed += bytes;
    if (piece_fed == pieces[piece].bytes) ++piece, piece_fed = 0;
  }
  direction.waiting = waiting.substr(fed);
  direction.pieces.assign(pieces.begin() + static_cast<std::ptrdiff_t>(piece), pieces.end());
  if (piece_fed != 0) direction.pieces.front().bytes -= static_cast<uint32_t>(piece_fed);
  direction.behind = static_cast<uint32_t>(direction.waiting.size());
  direction.gap_bytes = 0;
  direction.start = false;
  direction.told_before -= std::min(direction.told_before, static_cast<uint32_t>(fed));
}

// What the leading reading is about to see.
void StreamInspector::FollowSecond(Flow& flow, StreamState& state, size_t index, const Chunk& chunk) {
  SecondReading& second = *state.second;
  if (second.suspended != SecondReading::kNone) {
    if (second.suspended != static_cast<int>(index)) FeedSecond(flow, state, index, chunk);
    if (state.second != nullptr && ++second.chunks_since == kMaxChunksSincePlaceChange) second.was_leading = false;
    return;
  }
  if (SettleSecond(flow, state)) return;
  // An answer means that what was asked has arrived, as far as it acknowledges that: no other copy of it counts any
  // more. A stranger's segment may reach beyond what was asked, and the end that answers has nothing of it.
  const size_t waiting = second.direction[1 - index].waiting.size();
  FeedWaiting(flow, state, 1 - index, waiting - std::min<size_t>(waiting, flow.half[1 - index].unacknowledged()),
              chunk.time_ns);
  SecondReading::Direction& direction = second.direction[index];
  if (chunk.gap_bytes != 0 || chunk.end || direction.waiting.size() > kMaxWaitingBytes ||
      direction.pieces.size() >= kMaxWaitingPieces) {
    FeedWaiting(flow, state, index, SIZE_MAX, chunk.time_ns);
  }
  // What it passes over needs no other copy.
  const bool passed_over = direction.behind == 0 && second.reading.skip[index] >= chunk.gap_bytes + chunk.data.size();
  if (chunk.end || passed_over) {
    FeedSecond(flow, state, index, chunk);
  } else {
    if (chunk.gap_bytes != 0) direction.gap_bytes = chunk.gap_bytes;
    direction.behind += static_cast<uint32_t>(chunk.data.size());
    direction.Append(chunk.data);
  }
  if (!chunk.end) ++second.chunks_since;
}

// Whether the second reading ended, or leads now: no copy came for long.
bool StreamInspector::SettleSecond(Flow& flow, StreamState& state) {
  SecondReading& second = *state.second;
  const bool in_a_body = !second.begun_within && !second.reading.identified() && state.reading.identified();
  if (second.chunks_since < (in_a_body ? kMaxChunksInBody : kMaxChunksSinceCopy)) return false;
  second.chunks_since = 0;
  for (const size_t i : {0, 1}) FeedWaiting(flow, state, i, SIZE_MAX, flow.last_ns);
  if (second.reading.identified()) {
    if (!state.reading.complete && !state.reading.identified()) {
      std::swap(state.reading, second.reading);
    } else if (state.reading.identified() &&
               !std::equal(second.reading.skip, second.reading.skip + 2, state.reading.skip)) {
      // One of them is in a body that the other does not know of: a stranger's may be as long as he says.
      return false;
    }
  }
  DropSecondReading(state);
  return true;
}

}  // namespace vedette
