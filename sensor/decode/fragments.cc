#include "sensor/decode/fragments.h"

#include <algorithm>
#include <cstring>
#include <random>

namespace vedette {
namespace {

constexpr uint32_t kUnitBytes = 8;  // of fragment offsets

uint64_t& Count(NotDecodedCounts& counts, NotDecoded reason) { return counts[static_cast<size_t>(reason)]; }

}  // namespace

DatagramKeyHash DatagramKeyHash::Random() {
  std::random_device device;
  return {static_cast<uint64_t>(device()) << 32 | device()};
}

size_t DatagramKeyHash::operator()(const DatagramKey& key) const {
  const uint64_t words[] = {
      key.source.high(),
      key.source.low(),
      key.destination.high(),
      key.destination.low(),
      static_cast<uint64_t>(key.identification) << 32 | static_cast<uint64_t>(key.vlan[0]) << 16 | key.vlan[1],
      key.protocol,
      static_cast<uint64_t>(key.tunnels[0]) << 32 | key.tunnels[1],
      static_cast<uint64_t>(key.tunnels[2]) << 32 | key.tunnels[3]};
  static_assert(kMaxOuterLayers == 4);
  uint64_t hash = seed;
  for (uint64_t word : words) hash = Mix64(hash ^ word);
  return hash;
}

FragmentTable::FragmentTable(const Limits& limits, NotDecodedCounts& counts)
    : limits_(limits), counts_(counts), by_key_(16, DatagramKeyHash::Random()) {}

// Time may run backwards between captures: that makes nothing stale.
bool FragmentTable::IsStale(const Waiting& waiting, uint64_t time_ns) const {
  return time_ns > waiting.first_time_ns && time_ns - waiting.first_time_ns > limits_.timeout_ns;
}

void FragmentTable::GiveUp(ByAge::iterator waiting, NotDecoded reason) {
  Count(counts_, NotDecoded::kFragmentHeld) -= waiting->num_frames;
  Count(counts_, reason) += waiting->num_frames;
  if (limits_.keep_given_up && reason != NotDecoded::kFragmentHeld) KeepBeginning(*waiting);
  held_bytes_ -= kDatagramOverhead + waiting->covered_bytes + kPieceOverhead * waiting->pieces.size();
  by_key_.erase(waiting->key);
  by_age_.erase(waiting);
}

void FragmentTable::KeepBeginning(Waiting& waiting) {
  if (waiting.pieces.empty() || waiting.pieces.front().offset != 0) return;
  GivenUp& kept = given_up_.emplace_back();
  kept.key = waiting.key;
  kept.head = waiting.head;
  kept.protocol = waiting.protocol;
  for (const Piece& piece : waiting.pieces) {
    if (piece.offset != kept.data.size()) break;
    kept.data.insert(kept.data.end(), piece.data.begin(), piece.data.end());
  }
  const auto kept_bytes = static_cast<uint32_t>(kept.data.size());
  kept.wire_bytes = std::max({waiting.total_bytes, waiting.furthest_bytes, kept_bytes + 1});
}

const FragmentTable::GivenUp* FragmentTable::TakeGivenUp() {
  if (!has_given_up()) return nullptr;
  return &given_up_[num_taken_++];
}

void FragmentTable::ReleaseFinished() {
  finished_.clear();
  if (num_taken_ == 0) return;
  given_up_.erase(given_up_.begin(), given_up_.begin() + static_cast<std::ptrdiff_t>(num_taken_));
  num_taken_ = 0;
}

void FragmentTable::Spoil(Waiting& waiting) {
  Count(counts_, NotDecoded::kFragmentHeld) -= waiting.num_frames;
  Count(counts_, NotDecoded::kFragmentBad) += waiting.num_frames;
  held_bytes_ -= waiting.covered_bytes + kPieceOverhead * waiting.pieces.size();
  waiting.num_frames = 0;
  waiting.covered_bytes = 0;
  waiting.pieces = {};
  waiting.spoilt = true;
}

void FragmentTable::Store(Waiting& waiting, uint32_t offset, Bytes data) {
  const auto after = std::upper_bound(waiting.pieces.begin(), waiting.pieces.end(), offset,
                                      [](uint32_t at, const Piece& piece) { return at < piece.offset; });
  waiting.pieces.insert(after, Piece{offset, {data.begin(), data.end()}});
  waiting.covered_bytes += static_cast<uint32_t>(data.size());
  waiting.furthest_bytes = std::max(waiting.furthest_bytes, offset + static_cast<uint32_t>(data.size()));
  held_bytes_ += data.size() + kPieceOverhead;
}

// Whether the fragment agrees with what is known of the datagram's end.
bool FragmentTable::Fits(const Waiting& waiting, const Fragment& fragment) {
  const uint32_t end = fragment.offset + static_cast<uint32_t>(fragment.data.size());
  if (waiting.has_last) return fragment.more ? end <= waiting.total_bytes : end == waiting.total_bytes;
  return fragment.more || end >= waiting.furthest_bytes;
}

// RFC 791, first wins: the parts that no piece covers yet.
bool FragmentTable::StoreWhatIsNew(Waiting& waiting, const Fragment& fragment) {
  uint32_t at = fragment.offset;
  const uint32_t end = at + static_cast<uint32_t>(fragment.data.size());
  size_t next = 0;  // the first piece that ends behind `at`
  while (next < waiting.pieces.size() && waiting.pieces[next].end() <= at) ++next;
  while (at < end) {
    if (next < waiting.pieces.size() && waiting.pieces[next].offset <= at) {
      at = waiting.pieces[next++].end();
      continue;
    }
    const uint32_t stop = next < waiting.pieces.size() ? std::min(end, waiting.pieces[next].offset) : end;
    if (waiting.pieces.size() == kMaxPieces) return false;
    Store(waiting, at, fragment.data.subspan(at - fragment.offset, stop - at));
    ++next;  // the piece just stored
    at = stop;
  }
  return true;
}

// RFC 5722; false where the datagram is spoilt.
bool FragmentTable::StoreUnlessOverlapping(Waiting& waiting, const Fragment& fragment) {
  const uint32_t end = fragment.offset + static_cast<uint32_t>(fragment.data.size());
  for (const Piece& piece : waiting.pieces) {
    if (piece.end() <= fragment.offset) continue;
    if (piece.offset >= end) break;
    return piece.offset == fragment.offset && piece.end() == end &&
           std::memcmp(piece.data.data(), fragment.data.data(), piece.data.size()) == 0;
  }
  if (waiting.pieces.size() == kMaxPieces) return false;
  Store(waiting, fragment.offset, fragment.data);
  return true;
}

void FragmentTable::Complete(ByAge::iterator waiting, Datagram& datagram) {
  std::vector<uint8_t>& whole = finished_.emplace_back();
  whole.reserve(waiting->total_bytes);
  for (const Piece& piece : waiting->pieces) whole.insert(whole.end(), piece.data.begin(), piece.data.end());
  datagram = {.data = whole, .protocol = waiting->protocol, .num_frames = waiting->num_frames};
  Count(counts_, NotDecoded::kFragmentHeld) -= waiting->num_frames;
  waiting->num_frames = 0;
  GiveUp(waiting, NotDecoded::kFragmentHeld);
}

// Keeps the bounds; false where `keep` itself had to go.
bool FragmentTable::MakeRoom(ByAge::iterator keep, uint64_t time_ns) {
  while (held_bytes_ > limits_.bytes || by_age_.size() > limits_.datagrams) {
    const auto oldest = by_age_.begin();
    const bool gone = oldest == keep;
    GiveUp(oldest, IsStale(*oldest, time_ns) ? NotDecoded::kFragmentTimeout : NotDecoded::kFragmentLimit);
    if (gone) return false;
  }
  return true;
}

FragmentTable::Status FragmentTable::Add(const DatagramKey& key, const Fragment& fragment, Datagram& datagram) {
  const size_t length = fragment.data.size();
  if (length == 0 || fragment.offset + length > kMaxDatagramBytes || (fragment.more && length % kUnitBytes != 0)) {
    Count(counts_, NotDecoded::kFragmentBad) += fragment.num_frames;
    return Status::kRefused;
  }
  auto found = by_key_.find(key);
  if (found != by_key_.end() && IsStale(*found->second, fragment.time_ns)) {
    GiveUp(found->second, NotDecoded::kFragmentTimeout);
    found = by_key_.end();
  }
  const bool is_new = found == by_key_.end();
  if (is_new) {
    by_age_.push_back({});
    by_age_.back().key = key;
    by_age_.back().first_time_ns = fragment.time_ns;
    held_bytes_ += kDatagramOverhead;
    found = by_key_.emplace(key, std::prev(by_age_.end())).first;
  }
  const ByAge::iterator waiting = found->second;
  const bool is_v6 = key.source.is_v6();
  if (waiting->spoilt) {
    Count(counts_, NotDecoded::kFragmentBad) += fragment.num_frames;
    return Status::kRefused;
  }
  if (!Fits(*waiting, fragment)) {
    Count(counts_, NotDecoded::kFragmentBad) += fragment.num_frames;
    if (is_v6) Spoil(*waiting);
    return Status::kRefused;
  }
  waiting->num_frames += fragment.num_frames;
  Count(counts_, NotDecoded::kFragmentHeld) += fragment.num_frames;
  if (is_v6 && !StoreUnlessOverlapping(*waiting, fragment)) {
    Spoil(*waiting);
    return Status::kRefused;
  }
  if (!is_v6 && !StoreWhatIsNew(*waiting, fragment)) {
    GiveUp(waiting, NotDecoded::kFragmentLimit);
    return Status::kRefused;
  }
  if (fragment.offset == 0 && waiting->protocol == 0) {
    waiting->protocol = fragment.protocol;
    waiting->head = fragment.head;
    waiting->head.frame.data = nullptr;
    waiting->head.frame.captured_bytes = 0;
  }
  if (!fragment.more) {
    waiting->has_last = true;
    waiting->total_bytes = fragment.offset + static_cast<uint32_t>(length);
  }
  if (waiting->has_last && waiting->covered_bytes == waiting->total_bytes) {
    Complete(waiting, datagram);
    return Status::kComplete;
  }
  if (!MakeRoom(waiting, fragment.time_ns)) return Status::kRefused;
  return is_new ? Status::kHeldFirst : Status::kHeld;
}

// All are looked at: where the clock was set back, the oldest is not the first to be stale.
void FragmentTable::Expire(uint64_t now_ns) {
  for (auto waiting = by_age_.begin(); waiting != by_age_.end();) {
    const auto one = waiting++;
    if (IsStale(*one, now_ns)) GiveUp(one, NotDecoded::kFragmentTimeout);
  }
}

void FragmentTable::Finish() {
  while (!by_age_.empty()) GiveUp(by_age_.begin(), NotDecoded::kFragmentTimeout);
}

}  // namespace vedette
