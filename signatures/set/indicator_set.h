// The compiled set of indicators: built once, immutable, shared by all workers without locks.
//
// Build: IndicatorSetBuilder builder; builder.Add(…)…; std::shared_ptr<const IndicatorSet> set =
// builder.Compile(report); Match: each worker owns a MatchScratch made for the set and calls Find once a burst. Cost:
// exact values 50-60 ns an observable at a million entries (64-bit hashes behind a filter, probed in batches, the
//        string compared on a hit); literals on fields by class of field, small fields joined into one scan.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "parsers/base/counter.h"
#include "parsers/base/observable.h"
#include "signatures/indicator.h"
#include "signatures/problem_tally.h"

namespace vedette {

struct Hit {
  uint32_t observable;  // index into the batch
  uint32_t indicator;   // index into the set
};

// Per direction of a flow, for literals that span segments. Owned by the flow, pooled by the worker; zero it to begin.
// A gap in the stream clears it (set length to 0). What it holds is the matcher's: its bytes are read through
// IndicatorSet::TailText only, because a long literal that is under way takes the place of the bytes themselves.
struct PayloadTail {
  static constexpr size_t kMaxBytes = 63;  // one less than the piece by which literals are searched
  uint8_t length = 0;
  uint8_t bytes[kMaxBytes];
};
static_assert(sizeof(PayloadTail) == 64);

struct PayloadHit {
  uint32_t pattern;    // what Observable::pattern carries; of one pattern in a row, several may be parts of one hit
  int64_t end_offset;  // of the first byte after the hit, from the start of the scanned segment
  uint32_t length;     // bytes; the hit may begin in the tail (before offset 0). Of an expression: its longest match
};

namespace families {

inline constexpr FigureFamily kPayloadInspected = {"vedette_payload_bytes_inspected_total", FigureKind::kCounter,
                                                   "payload bytes in which patterns were looked for", ""};
inline constexpr FigureFamily kScanErrors = {"vedette_scan_errors_total", FigureKind::kCounter,
                                             "scans that Hyperscan ended with an error", ""};
inline constexpr FigureFamily kHitsOverLimit = {"vedette_scan_hits_over_limit_total", FigureKind::kCounter,
                                                "hits beyond what a scan may report to their audience", ""};

}  // namespace families

// What one worker's matching counts.
struct MatchCounters {
  uint64_t observables = 0;
  uint64_t field_scans = 0;
  uint64_t payload_scans = 0;
  uint64_t payload_bytes = 0;
  uint64_t scan_errors = 0;      // non-zero results of hs_scan, which are never ignored
  uint64_t hits_over_limit = 0;  // beyond kMaxHitsPerScan, not reported; each counts once for each audience

  static constexpr auto Counters() {
    using namespace families;
    using C = MatchCounters;
    return CounterTable(Count(&C::observables, "values that were compared with indicators"),
                        Count(&C::field_scans, "Hyperscan calls on fields"),
                        Count(&C::payload_scans, "Hyperscan calls on payload, seams included"),
                        Count(&C::payload_bytes, kPayloadInspected), Count(&C::scan_errors, kScanErrors),
                        Count(&C::hits_over_limit, kHitsOverLimit));
  }
};
// Distinct patterns of one audience in one scan of payload, or in one field: one crafted text must not fill a worker's
// memory.
constexpr size_t kMaxHitsPerScan = 256;

// One per worker and set. Not thread safe.
class MatchScratch {
 public:
  MatchScratch();
  ~MatchScratch();
  MatchScratch(MatchScratch&&) noexcept;
  MatchScratch& operator=(MatchScratch&&) noexcept;

  MatchCounters counters;

  struct State;
  std::unique_ptr<State> state;
};

class IndicatorSet {
 public:
  ~IndicatorSet();

  size_t size() const;
  // Lower-case hex SHA-256 over the normal form of all rows in order: names the set in alerts.
  const std::string& digest() const;
  IndicatorRecord at(uint32_t index) const;
  // The indicator of AddCanary; it has no part in the digest, which names what was read.
  std::optional<uint32_t> canary() const;
  // A hash of type and value, the same in every set.
  uint64_t ValueKey(uint32_t index) const;
  // The audience of a row, as its number in audiences().
  uint32_t AudienceOf(uint32_t index) const;
  const std::vector<Audience>& audiences() const;

  // The kinds that any indicator looks in. Parsers skip what nobody asks for.
  ObservableMask wanted() const;
  bool scans_payload() const;

  [[nodiscard]] bool PrepareScratch(MatchScratch& scratch) const;  // false: out of memory

  // Appends every hit, ordered by observable, then by indicator. kPayload observables are resolved from their pattern.
  void Find(const ObservableBatch& batch, MatchScratch& scratch, std::vector<Hit>& hits) const;

  // Scans one in-order piece of a stream, or a whole datagram (tail == nullptr), and keeps the tail up to date. Appends
  // at most one hit a pattern.
  void ScanPayload(Bytes data, Direction direction, PayloadTail* tail, MatchScratch& scratch,
                   std::vector<PayloadHit>& hits) const;
  // The last bytes of the stream that the tail knows: up to 63, or as many of a long literal as are there (letters
  // before the last 63 in lower case). A hit that begins before the segment begins within them. Holds as long as the
  // tail and `storage`.
  std::string_view TailText(const PayloadTail& tail, std::string& storage) const;

 private:
  friend class IndicatorSetBuilder;
  struct Impl;
  explicit IndicatorSet(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

struct CompileReport {
  std::vector<IndicatorProblem> problems;  // bounded; see `problems_total`
  uint64_t problems_total = 0;
  std::vector<ProblemKind> kinds;                  // all of them by reason, whatever is kept of them one by one
  uint64_t loaded = 0;                             // the canary not among them
  uint64_t refused = 0;                            // that had been added: too many of a value, or not to be compiled
  uint64_t duplicates = 0;                         // the same indicator for the same audience twice
  double exact_seconds = 0, patterns_seconds = 0;  // wall time spent building
  uint64_t patterns = 0;                           // contents and regular expressions
  bool patterns_cached = false;                    // all of them came from the cache
  std::string cache_problem;                       // why the cache could not be used; empty: it could, or there is none
  size_t memory_bytes = 0;
};

class IndicatorSetBuilder {
 public:
  static constexpr size_t kKeptProblems = 1000;  // enough to see what is wrong with a file

  IndicatorSetBuilder();
  ~IndicatorSetBuilder();

  // Checks and normalises one row. False: it cannot be used and was dropped; reported with its file, line and reason.
  bool Add(const Indicator& indicator);
  // The same, with the reason to the caller instead of the report.
  [[nodiscard]] bool TryAdd(const Indicator& indicator, std::string& reason);
  // Kinds the build can produce; an indicator whose places are all outside is refused with that reason. Default: all.
  void set_supported(ObservableMask kinds);
  // How many problems the report keeps, of rows refused and of rows used each; all are counted. Default: kKeptProblems.
  void set_kept_problems(size_t count);
  // Where compiled patterns are kept between runs; made where it is not there. Default: nowhere.
  void set_cache_folder(std::string path);
  // Adds the sensor's own test indicator (signatures/canary.h) behind all others.
  void AddCanary();
  // Problems of the readers land in the same report.
  void AddProblem(IndicatorProblem problem);
  // Until the next call: problems of rows are counted there as well. nullptr: nowhere else. Outlives the builder, or is
  // taken back.
  void set_tally(ProblemTally* tally);

  // Only the problems: there will be no set. Leaves an empty builder behind.
  void GiveUp(CompileReport& report);
  // Never fails because of a row, and leaves an empty builder behind. nullptr: out of memory, or Hyperscan refused the
  // machine; `report.problems` says so.
  std::shared_ptr<const IndicatorSet> Compile(CompileReport& report);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace vedette
