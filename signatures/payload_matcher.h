// Literals in streams and datagrams, found wherever the stream was cut.
//
// A segment is scanned where it lies. What a literal may have lost to the seam in front of it is looked for in the tail
// (the last bytes before the segment) and the first bytes of the segment, if the seam filter does not rule it out.
// Literals longer than kPieceBytes are searched by their first kPieceBytes and confirmed from there; where the stream
// ends before the literal does, the tail remembers which one is under way: everything before the seam is then known.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "parsers/bytes.h"
#include "parsers/observable.h"
#include "signatures/indicator_set.h"
#include "signatures/literal_database.h"
#include "signatures/seam_filter.h"

namespace vedette {

class PayloadMatcher {
 public:
  static constexpr size_t kPieceBytes = PayloadTail::kMaxBytes + 1;

  struct Pattern {
    std::string bytes;                    // lower case, 3 to kMaxLiteralBytes
    uint32_t row = 0;                     // the first row that has it
    bool directions[2] = {false, false};  // in which some row wants it
  };
  // `identity` tells sets apart, so that a tail is not read with another set's patterns. nullptr: see LiteralDatabase.
  static std::unique_ptr<const PayloadMatcher> Compile(std::vector<Pattern> patterns, uint64_t identity,
                                                       std::string& error);

  // What a worker keeps for one matcher.
  struct Scratch {
    LiteralScratch literals;
    std::vector<uint64_t> last_call;  // of each pattern, the call that reported it last
    uint64_t call = 0;
  };
  [[nodiscard]] bool PrepareScratch(Scratch& scratch) const;

  // See IndicatorSet::ScanPayload.
  void Scan(Bytes data, Direction direction, PayloadTail* tail, Scratch& scratch, MatchCounters& counters,
            std::vector<PayloadHit>& hits) const;

  // See IndicatorSet::TailText.
  Bytes BytesOf(const PayloadTail& tail) const;

  const Pattern& pattern(uint32_t index) const { return patterns_[index]; }
  size_t size() const { return patterns_.size(); }
  size_t memory_bytes() const;

 private:
  class Call;

  PayloadMatcher() = default;

  std::vector<Pattern> patterns_;
  std::unique_ptr<const LiteralDatabase> database_;
  SeamFilter seams_;
  size_t kept_bytes_ = 0;  // of a tail: one less than the longest literal or piece
  uint64_t identity_ = 0;
};

}  // namespace vedette
