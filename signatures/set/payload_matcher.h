// Literals and regular expressions in streams and datagrams, found wherever the stream was cut.
//
// A segment is scanned where it lies. What a pattern may have lost to the seam in front of it is looked for in the tail
// (the last bytes before the segment) and the first bytes of the segment, if the seam filter does not rule it out; it
// knows literals only, so that with expressions every seam is scanned. An expression matches at most kPieceBytes.
// Literals longer than kPieceBytes are searched by their first kPieceBytes and confirmed from there; where the stream
// ends before the literal does, the tail remembers which one is under way: everything before the seam is then known.
//
// What is found of an expression does not depend on the cuts either: its match that ends first, and of those that end
// there the longest.
//
// Hits are reported in the order of their ends, and of those that end together in one that does not change from set to
// set. Each audience has at most kMaxHitsPerScan of a scan, the first ones: what it gets does not depend on what others
// look for.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "parsers/base/bytes.h"
#include "parsers/base/observable.h"
#include "signatures/patterns/pattern_database.h"
#include "signatures/patterns/pattern_owners.h"
#include "signatures/patterns/regex.h"
#include "signatures/patterns/seam_filter.h"
#include "signatures/set/indicator_set.h"

namespace vedette {

class PayloadMatcher {
 public:
  static constexpr size_t kPieceBytes = PayloadTail::kMaxBytes + 1;

  struct Pattern {
    std::string bytes;                    // of a literal: lower case, 3 to kMaxLiteralBytes
    uint32_t row = 0;                     // the first row that has it
    bool directions[2] = {false, false};  // in which some row wants it
    std::optional<Regex> regex = {};      // an expression instead; FitsPayload
    uint64_t order = 0;                   // see PatternOwners, as the next
    std::vector<PatternOwner> owners = {};
  };
  struct Built {
    std::unique_ptr<const PayloadMatcher> matcher;  // nullptr: see PatternDatabase::Built
    std::vector<PatternDatabase::Refused> refused;
    bool from_cache = false;
    std::string error;
  };
  // `identity` tells sets apart, so that a tail is not read with another set's patterns.
  static Built Compile(std::vector<Pattern> patterns, uint64_t identity, DatabaseCache& cache);

  // What a worker keeps for one matcher.
  struct Scratch {
    PatternScratch patterns;
    std::vector<uint64_t> last_call;  // of each pattern, the call that found it last
    std::vector<uint32_t> last_hit;   // of each pattern, where that call keeps it
    uint64_t call = 0;
    std::string tail;  // of a literal under way, written out
    std::vector<PayloadHit> found;
    std::vector<uint32_t> used;  // see PatternOwners
  };
  [[nodiscard]] bool PrepareScratch(Scratch& scratch) const;

  // See IndicatorSet::ScanPayload.
  void Scan(Bytes data, Direction direction, PayloadTail* tail, Scratch& scratch, MatchCounters& counters,
            std::vector<PayloadHit>& hits) const;

  // See IndicatorSet::TailText.
  Bytes BytesOf(const PayloadTail& tail, std::string& storage) const;

  const Pattern& pattern(uint32_t index) const { return patterns_[index]; }
  // What PayloadHit::pattern numbers.
  const PatternOwners& owners() const { return owners_; }
  size_t memory_bytes() const;

 private:
  class Call;

  PayloadMatcher() = default;

  std::vector<Pattern> patterns_;
  PatternOwners owners_;
  std::unique_ptr<const PatternDatabase> database_;
  SeamFilter seams_;
  bool any_regex_ = false;
  uint64_t identity_ = 0;
};

}  // namespace vedette
