#include "signatures/set/payload_matcher.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "parsers/base/text.h"
#include "signatures/value.h"

namespace vedette {
namespace {

// A tail that knows which long literal is under way: its length says so, its bytes hold this.
constexpr uint8_t kUnderWay = 0xff;
struct UnderWay {
  uint64_t identity = 0;
  uint32_t pattern = 0;
  uint32_t matched = 0;  // bytes of the literal that the stream ends with
  // Of each of them, the last at bit 0 of the first: whether the stream has the capital. With the literal, whose
  // letters are small, that is every byte.
  std::array<uint64_t, kMaxLiteralBytes / 64> capitals{};

  bool IsCapital(size_t from_the_end) const { return (capitals[from_the_end / 64] >> from_the_end % 64 & 1) != 0; }
  void SetCapital(size_t from_the_end) { capitals[from_the_end / 64] |= uint64_t{1} << from_the_end % 64; }
};
static_assert(sizeof(UnderWay) <= PayloadTail::kMaxBytes);
static_assert(kMaxLiteralBytes <= 0xffff);

// Of a stream before a segment. Always as many: a literal that was there already is not reported again where it crosses
// the seam, and whether it is must not depend on how long others' literals are.
constexpr size_t kKeptBytes = PayloadTail::kMaxBytes;

// Segments up to this are scanned together with the tail: one scan of twice the bytes costs less than two.
constexpr size_t kShortSegment = 128;

}  // namespace

PayloadMatcher::Built PayloadMatcher::Compile(std::vector<Pattern> patterns, uint64_t identity, DatabaseCache& cache) {
  std::unique_ptr<PayloadMatcher> out(new PayloadMatcher);
  out->patterns_ = std::move(patterns);
  out->identity_ = identity;
  std::vector<PatternDatabase::Pattern> expressions;
  std::vector<std::string_view> pieces;
  for (const Pattern& pattern : out->patterns_) {
    out->owners_.Add(pattern.order, pattern.owners);
    PatternDatabase::Pattern& expression = expressions.emplace_back();
    if (pattern.regex) {
      expression.expression = pattern.regex->ForHyperscan();
      expression.regex = true;
      out->any_regex_ = true;
      continue;
    }
    const std::string_view piece = std::string_view(pattern.bytes).substr(0, kPieceBytes);
    expression.expression = PatternDatabase::Literal(piece);
    expression.caseless = true;
    // The first place of a piece need not be where its whole literal is.
    expression.every = pattern.bytes.size() > kPieceBytes;
    pieces.push_back(piece);
  }
  out->seams_ = SeamFilter(pieces);
  PatternDatabase::Built built = PatternDatabase::Compile(expressions, cache);
  out->database_ = std::move(built.database);
  if (out->database_ == nullptr) out = nullptr;
  return {std::move(out), std::move(built.refused), built.from_cache, std::move(built.error)};
}

bool PayloadMatcher::PrepareScratch(Scratch& scratch) const {
  scratch.last_call.assign(patterns_.size(), 0);
  scratch.last_hit.assign(patterns_.size(), 0);
  scratch.call = 0;
  return database_->PrepareScratch(scratch.patterns);
}

size_t PayloadMatcher::memory_bytes() const {
  size_t bytes = patterns_.capacity() * sizeof(Pattern) + owners_.memory_bytes() + seams_.memory_bytes() +
                 database_->memory_bytes();
  for (const Pattern& pattern : patterns_) {
    bytes += pattern.bytes.capacity() + pattern.owners.capacity() * sizeof(PatternOwner) +
             (pattern.regex ? pattern.regex->memory_bytes() : 0);
  }
  return bytes;
}

// One call of Scan.
class PayloadMatcher::Call {
 public:
  Call(const PayloadMatcher& matcher, Bytes segment, Direction direction, Scratch& scratch, MatchCounters& counters,
       std::vector<PayloadHit>& hits)
      : matcher_(matcher),
        segment_(segment),
        direction_(static_cast<size_t>(direction)),
        scratch_(scratch),
        counters_(counters),
        hits_(hits) {
    ++scratch_.call;
    scratch_.found.clear();
  }

  // Scans `before` followed by `after`, which is the segment or its beginning; what ends in `before` is not reported:
  // it was when that piece of the stream was scanned.
  void ScanJoined(Bytes before, Bytes after) {
    uint8_t joined[kMaxLiteralBytes + kShortSegment];
    std::memcpy(joined, before.data(), before.size());
    std::memcpy(joined + before.size(), after.data(), after.size());
    before_ = before;
    Scan({joined, before.size() + after.size()});
    before_ = {};
  }

  void ScanSegment() { Scan(segment_); }

  // Every long literal whose first kPieceBytes lie in `before`.
  void ScanBefore(Bytes before) {
    before_ = before;
    Scan(before);
    before_ = {};
  }

  // Reports what was found; `before` is all that is known of the stream before the segment.
  void Report(Bytes before) {
    std::vector<PayloadHit>& found = scratch_.found;
    const PatternOwners& owners = matcher_.owners_;
    const size_t first = hits_.size();
    // Scans find in an order that depends on all patterns: which of them lies across a seam, and how Hyperscan goes.
    if (found.size() > 1) {
      std::sort(found.begin(), found.end(), [&](const PayloadHit& a, const PayloadHit& b) {
        return a.end_offset != b.end_offset ? a.end_offset < b.end_offset
                                            : owners.order(a.pattern) < owners.order(b.pattern);
      });
    }
    if (found.size() <= kMaxHitsPerScan) {
      hits_.insert(hits_.end(), found.begin(), found.end());
    } else {
      for (PayloadHit& hit : found) {
        counters_.hits_over_limit +=
            owners.Spend(hit.pattern, ObservableKind::kPayload, static_cast<Direction>(direction_), kMaxHitsPerScan,
                         scratch_.used, [&](uint32_t number) {
                           hits_.push_back({number, hit.end_offset, hit.length});
                         });
      }
      PatternOwners::Forget(scratch_.used);
    }
    if (matcher_.any_regex_) MeasureMatches(first, before);
  }

  const UnderWay& under_way() const { return under_way_; }

 private:
  // How long the matches of expressions are.
  void MeasureMatches(size_t first, Bytes before) {
    for (size_t i = first; i < hits_.size(); ++i) {
      PayloadHit& hit = hits_[i];
      const std::optional<Regex>& regex = matcher_.patterns_[matcher_.owners_.PatternOf(hit.pattern)].regex;
      if (!regex) continue;
      const auto end = static_cast<size_t>(hit.end_offset);
      if (end >= regex->max_width() || before.empty()) {
        hit.length = static_cast<uint32_t>(regex->LongestEndingAt(segment_.first(end)));
        continue;
      }
      uint8_t joined[2 * kPieceBytes];
      const Bytes last = before.last(std::min(before.size(), kPieceBytes));
      std::memcpy(joined, last.data(), last.size());
      std::memcpy(joined + last.size(), segment_.data(), end);
      hit.length = static_cast<uint32_t>(regex->LongestEndingAt({joined, last.size() + end}));
    }
  }

  void Scan(Bytes data) {
    ++counters_.payload_scans;
    if (!matcher_.database_->Scan(data, scratch_.patterns, &Call::OnMatch, this)) ++counters_.scan_errors;
  }

  static int OnMatch(unsigned pattern, unsigned long long, unsigned long long to, unsigned, void* context) {
    static_cast<Call*>(context)->OnPattern(pattern, to);
    return 0;
  }

  void OnPattern(uint32_t index, uint64_t to) {
    const Pattern& pattern = matcher_.patterns_[index];
    if (!pattern.directions[direction_]) return;
    auto end = static_cast<int64_t>(to) - static_cast<int64_t>(before_.size());
    if (scratch_.last_call[index] == scratch_.call) {
      if (pattern.regex) MoveForward(index, end);
      return;
    }
    if (!pattern.regex && pattern.bytes.size() > kPieceBytes) {
      const size_t matched = Confirm(index, end);
      if (matched < pattern.bytes.size()) return;
      end += static_cast<int64_t>(matched - kPieceBytes);
    }
    if (end <= 0) return;
    scratch_.last_call[index] = scratch_.call;
    scratch_.last_hit[index] = static_cast<uint32_t>(scratch_.found.size());
    scratch_.found.push_back({index, end, static_cast<uint32_t>(pattern.bytes.size())});
  }

  // A match of an expression that lies across the seam may end behind one that does not.
  void MoveForward(uint32_t index, int64_t end) {
    int64_t& found = scratch_.found[scratch_.last_hit[index]].end_offset;
    found = std::min(found, end);
  }

  // How many bytes of a long literal the stream has, given that its first kPieceBytes end at `end`. A literal that
  // reaches the end of the segment is under way.
  size_t Confirm(uint32_t index, int64_t end) {
    const std::string& literal = matcher_.patterns_[index].bytes;
    size_t matched = kPieceBytes;
    for (; matched < literal.size(); ++matched, ++end) {
      if (end >= static_cast<int64_t>(segment_.size())) {
        // The longest one tells where all others stand, too: what they matched is the end of what it matched.
        if (matched > under_way_.matched) {
          under_way_.matched = static_cast<uint32_t>(matched);
          under_way_.pattern = index;
        }
        break;
      }
      const uint8_t byte =
          end < 0 ? before_[before_.size() - static_cast<size_t>(-end)] : segment_[static_cast<size_t>(end)];
      if (LowerAscii(static_cast<char>(byte)) != literal[matched]) break;
    }
    return matched;
  }

  const PayloadMatcher& matcher_;
  Bytes segment_;
  Bytes before_;  // what precedes the segment in the data under the scanner
  size_t direction_;
  Scratch& scratch_;
  MatchCounters& counters_;
  std::vector<PayloadHit>& hits_;
  UnderWay under_way_;
};

Bytes PayloadMatcher::BytesOf(const PayloadTail& tail, std::string& storage) const {
  if (tail.length <= PayloadTail::kMaxBytes) return {tail.bytes, tail.length};
  UnderWay under_way;
  std::memcpy(&under_way, tail.bytes, sizeof under_way);
  if (under_way.identity != identity_) return {};  // another set's literal: the bytes are not known
  const std::string_view literal = patterns_[under_way.pattern].bytes;
  storage = literal.substr(0, under_way.matched);
  for (size_t i = 0; i < storage.size(); ++i) {
    if (under_way.IsCapital(i)) storage[storage.size() - 1 - i] ^= 'a' ^ 'A';
  }
  return AsBytes(storage);
}

void PayloadMatcher::Scan(Bytes data, Direction direction, PayloadTail* tail, Scratch& scratch, MatchCounters& counters,
                          std::vector<PayloadHit>& hits) const {
  if (data.empty()) return;
  counters.payload_bytes += data.size();
  Call call(*this, data, direction, scratch, counters, hits);
  if (tail == nullptr) {
    call.ScanSegment();
    call.Report({});
    return;
  }

  const Bytes known = BytesOf(*tail, scratch.tail);
  Bytes before = known;
  if (before.size() > PayloadTail::kMaxBytes) {
    call.ScanBefore(before);
    before = before.last(kKeptBytes);
  }

  if (before.empty()) {
    call.ScanSegment();
  } else if (data.size() <= kShortSegment) {
    call.ScanJoined(before, data);
  } else {
    if (any_regex_ || seams_.MayCross(before, data)) {
      call.ScanJoined(before, data.first(std::min(kKeptBytes, data.size())));
    }
    call.ScanSegment();
  }
  call.Report(before);

  if (call.under_way().matched > 0) {
    UnderWay under_way = call.under_way();
    under_way.identity = identity_;
    const size_t matched = std::min<size_t>(under_way.matched, data.size() + known.size());
    for (size_t i = 0; i < matched; ++i) {
      const uint8_t byte = i < data.size() ? data[data.size() - 1 - i] : known[known.size() - 1 - (i - data.size())];
      if (byte >= 'A' && byte <= 'Z') under_way.SetCapital(i);
    }
    std::memcpy(tail->bytes, &under_way, sizeof under_way);
    tail->length = kUnderWay;
  } else if (data.size() >= kKeptBytes) {
    std::memcpy(tail->bytes, data.data() + data.size() - kKeptBytes, kKeptBytes);
    tail->length = static_cast<uint8_t>(kKeptBytes);
  } else {
    const Bytes kept = before.last(std::min(before.size(), kKeptBytes - data.size()));
    if (!kept.empty()) std::memmove(tail->bytes, kept.data(), kept.size());
    std::memcpy(tail->bytes + kept.size(), data.data(), data.size());
    tail->length = static_cast<uint8_t>(kept.size() + data.size());
  }
}

}  // namespace vedette
