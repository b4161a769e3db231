#include "signatures/set/indicator_set.h"

#include <algorithm>
#include <chrono>
#include <functional>
#include <map>
#include <new>
#include <utility>

#include "parsers/base/hash.h"
#include "signatures/canary.h"
#include "signatures/indicator_rows.h"
#include "signatures/patterns/regex_limits.h"
#include "signatures/patterns/regex_parser.h"
#include "signatures/remarks.h"
#include "signatures/set/exact_table.h"
#include "signatures/set/field_matcher.h"
#include "signatures/set/payload_matcher.h"
#include "signatures/value.h"

namespace vedette {
namespace {

constexpr size_t kMaxProblemValueBytes = 200;  // of a value in a report

// Hyperscan takes 2.4 KB and 50 us a literal: a set that holds more contents than this holds names or addresses as
// contents, which have types of their own. Of one originator, as the next two, so that none takes another's room.
constexpr size_t kMaxContents = 200'000;
// An expression takes up to half a millisecond for each of its positions; these compile within minutes, once.
constexpr size_t kMaxRegexes = 50'000;
constexpr size_t kMaxAllRegexPositions = 1'000'000;

double SecondsSince(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

std::string NamesOf(ObservableMask mask) {
  std::string out;
  for (size_t i = 0; i < static_cast<size_t>(kFirstContext); ++i) {
    const auto kind = static_cast<ObservableKind>(i);
    if (mask.Has(kind)) out.append(out.empty() ? "" : ", ").append(NameOf(kind));
  }
  return out;
}

bool Wants(IndicatorDirection wanted, Direction direction) {
  return wanted == IndicatorDirection::kAny ||
         (wanted == IndicatorDirection::kSrc) == (direction == Direction::kToServer);
}

// Of two observables in a row, the second a part of a pattern: whether both are parts of one hit.
bool IsPartOfTheSame(const PatternOwners& owners, const Observable& before, const Observable& part) {
  return before.kind == ObservableKind::kPayload && owners.IsKnown(before.pattern) &&
         owners.AudienceOf(before.pattern) != PatternOwners::kAll &&
         owners.PatternOf(before.pattern) == owners.PatternOf(part.pattern) && before.direction == part.direction &&
         before.context == part.context && before.text == part.text;
}

}  // namespace

struct MatchScratch::State {
  std::vector<ExactTable::Found> exact;
  std::vector<FieldMatcher::Found> in_fields;
  FieldMatcher::Scratch fields;
  PayloadMatcher::Scratch payload;
};

MatchScratch::MatchScratch() = default;
MatchScratch::~MatchScratch() = default;
MatchScratch::MatchScratch(MatchScratch&&) noexcept = default;
MatchScratch& MatchScratch::operator=(MatchScratch&&) noexcept = default;

struct IndicatorSet::Impl {
  IndicatorRows rows;
  ExactTable exact;
  std::unique_ptr<const FieldMatcher> fields;     // null: no patterns in fields
  std::unique_ptr<const PayloadMatcher> payload;  // null: no patterns in payload
  ObservableMask wanted;
  std::string digest;
  std::optional<uint32_t> canary;

  // Appends the rows that share the key of `first` and apply to the observable, of one audience or of all.
  void AppendRows(uint32_t first, uint32_t observable, ObservableKind kind, Direction direction, bool whole,
                  std::vector<Hit>& hits, uint32_t audience = PatternOwners::kAll) const {
    for (uint32_t at = first; at != IndicatorRows::kNone; at = rows.row(at).next) {
      const IndicatorRows::Row& row = rows.row(at);
      if (!whole && row.type != IndicatorType::kDomain) continue;
      if (audience != PatternOwners::kAll && row.audience != audience) continue;
      if (Wants(row.direction, direction) && rows.places(at).Has(kind)) hits.push_back({observable, at});
    }
  }
};

IndicatorSet::IndicatorSet(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
IndicatorSet::~IndicatorSet() = default;

size_t IndicatorSet::size() const { return impl_->rows.size(); }
const std::string& IndicatorSet::digest() const { return impl_->digest; }
IndicatorRecord IndicatorSet::at(uint32_t index) const { return impl_->rows.Record(index); }
std::optional<uint32_t> IndicatorSet::canary() const { return impl_->canary; }
uint64_t IndicatorSet::ValueKey(uint32_t index) const {
  return HashText(impl_->rows.value(index), static_cast<uint64_t>(impl_->rows.row(index).type) + 1);
}
uint32_t IndicatorSet::AudienceOf(uint32_t index) const { return impl_->rows.row(index).audience; }
const std::vector<Audience>& IndicatorSet::audiences() const { return impl_->rows.audiences(); }
ObservableMask IndicatorSet::wanted() const { return impl_->wanted; }
bool IndicatorSet::scans_payload() const { return impl_->payload != nullptr; }

bool IndicatorSet::PrepareScratch(MatchScratch& scratch) const {
  scratch.state = std::make_unique<MatchScratch::State>();
  return (impl_->fields == nullptr || impl_->fields->PrepareScratch(scratch.state->fields)) &&
         (impl_->payload == nullptr || impl_->payload->PrepareScratch(scratch.state->payload));
}

void IndicatorSet::Find(const ObservableBatch& batch, MatchScratch& scratch, std::vector<Hit>& hits) const {
  const std::vector<Observable>& observables = batch.observables();
  scratch.counters.observables += observables.size();
  const size_t before = hits.size();
  MatchScratch::State& state = *scratch.state;

  state.exact.clear();
  impl_->exact.Find(impl_->rows, observables, state.exact);
  for (const ExactTable::Found& found : state.exact) {
    const Observable& observable = observables[found.observable];
    impl_->AppendRows(found.row, found.observable, observable.kind, observable.direction, found.whole, hits);
  }
  if (impl_->fields != nullptr) {
    state.in_fields.clear();
    impl_->fields->Find(observables, state.fields, scratch.counters, state.in_fields);
    for (const FieldMatcher::Found& found : state.in_fields) {
      const Observable& observable = observables[found.observable];
      impl_->AppendRows(found.row, found.observable, observable.kind, observable.direction, true, hits, found.audience);
    }
  }
  if (impl_->payload != nullptr) {
    const PatternOwners& owners = impl_->payload->owners();
    uint32_t whole = 0;  // the first of the observables that are parts of one
    for (uint32_t i = 0; i < observables.size(); ++i) {
      const Observable& observable = observables[i];
      if (observable.kind != ObservableKind::kPayload || !owners.IsKnown(observable.pattern)) continue;
      const uint32_t pattern = owners.PatternOf(observable.pattern), audience = owners.AudienceOf(observable.pattern);
      if (audience == PatternOwners::kAll || i == 0 || !IsPartOfTheSame(owners, observables[i - 1], observable)) {
        whole = i;
      }
      impl_->AppendRows(impl_->payload->pattern(pattern).row, whole, observable.kind, observable.direction, true, hits,
                        audience);
    }
  }
  if (hits.size() - before < 2) return;
  const auto from = hits.begin() + static_cast<std::ptrdiff_t>(before);
  std::sort(from, hits.end(), [](const Hit& a, const Hit& b) {
    return a.observable != b.observable ? a.observable < b.observable : a.indicator < b.indicator;
  });
  hits.erase(std::unique(
                 from, hits.end(),
                 [](const Hit& a, const Hit& b) { return a.observable == b.observable && a.indicator == b.indicator; }),
             hits.end());
}

void IndicatorSet::ScanPayload(Bytes data, Direction direction, PayloadTail* tail, MatchScratch& scratch,
                               std::vector<PayloadHit>& hits) const {
  if (impl_->payload == nullptr) return;
  impl_->payload->Scan(data, direction, tail, scratch.state->payload, scratch.counters, hits);
}

std::string_view IndicatorSet::TailText(const PayloadTail& tail, std::string& storage) const {
  return impl_->payload == nullptr ? std::string_view() : AsText(impl_->payload->BytesOf(tail, storage));
}

struct IndicatorSetBuilder::Impl {
  IndicatorRowsBuilder rows;
  ObservableMask supported = ObservableMask::All();
  std::vector<IndicatorProblem> problems;
  uint64_t problems_total = 0;
  ProblemTally tally;
  ProblemTally* source_tally = nullptr;
  size_t kept[2] = {0, 0};  // of rows that are not used, and that are
  Remarks remarks;
  size_t kept_problems = kKeptProblems;
  // What an originator has used of its room for patterns.
  struct PatternRoom {
    size_t contents = 0, regexes = 0, regex_positions = 0;
  };
  std::map<std::string, PatternRoom, std::less<>> pattern_rooms;  // by originator
  std::string cache_folder;
  bool canary = false;
  std::string normal, reason;  // kept, so that a row allocates nothing

  void Report(IndicatorProblem problem) {
    if (problem.value.size() > kMaxProblemValueBytes) problem.value.resize(kMaxProblemValueBytes);
    ++problems_total;
    if (problem.line != 0) {
      tally.Add(problem);
      if (source_tally != nullptr) source_tally->Add(problem);
    }
    if (kept[problem.used ? 1 : 0]++ < kept_problems) problems.push_back(std::move(problem));
  }
  void Report(std::string_view file, uint32_t line, std::string_view value, std::string why, bool used = false) {
    Report(IndicatorProblem{std::string(file), line, std::string(value.substr(0, kMaxProblemValueBytes)),
                            std::move(why), used});
  }

  // The places in which the row can be looked for; none, with `reason`, where it cannot.
  ObservableMask PlacesOf(const Indicator& indicator, IndicatorType type) {
    const ObservableMask possible = PossiblePlacesOf(type);
    const ObservableMask asked =
        indicator.in.empty() ? DefaultPlacesOf(type) : ObservableMask::Intersection(indicator.in, possible);
    const ObservableMask places = ObservableMask::Intersection(asked, supported);
    if (!places.empty()) return places;
    reason = NameOf(type);
    if (possible.empty()) {
      reason += " values are not seen in traffic yet";
    } else if (asked.empty()) {
      reason += " is looked for in " + NamesOf(possible) + ", and not in " + NamesOf(indicator.in);
    } else {
      reason += " is looked for in " + NamesOf(asked) + ", which is not seen here";
    }
    return {};
  }

  bool Add(const Indicator& indicator) {
    IndicatorType type = indicator.type;
    reason.clear();
    ObservableMask places;
    size_t positions = 0;
    const bool is_pattern = type == IndicatorType::kContent || type == IndicatorType::kRegex;
    PatternRoom* const room = is_pattern ? &RoomOf(indicator) : nullptr;
    const bool usable = NormaliseValue(type, indicator.value, normal, reason) &&
                        !(places = PlacesOf(indicator, type)).empty() &&
                        (type != IndicatorType::kContent || HasRoomForContent(*room)) &&
                        (type != IndicatorType::kRegex || TakesRegex(*room, places, positions)) &&
                        rows.Append(indicator, type, places, normal, reason);
    if (!usable) return false;
    if (const std::string_view remark = remarks.On(type, normal); !remark.empty())
      Report(indicator.file, indicator.line, indicator.value, std::string(remark), true);
    if (room == nullptr) return true;
    room->contents += type == IndicatorType::kContent ? 1 : 0;
    room->regexes += type == IndicatorType::kRegex ? 1 : 0;
    room->regex_positions += positions;
    return true;
  }

  size_t CompileExact(IndicatorSet::Impl& set, ExactTable::BuildResult& built, uint64_t& num_crowded);
  bool CompilePatterns(IndicatorSet::Impl& set, const ExactTable::BuildResult& built, uint64_t& num_refused,
                       CompileReport& report);

  PatternRoom& RoomOf(const Indicator& indicator) {
    const std::string_view originator = OriginatorOf(indicator);
    const auto at = pattern_rooms.find(originator);
    return at != pattern_rooms.end() ? at->second : pattern_rooms[std::string(originator)];
  }

  bool TakesRegex(const PatternRoom& room, ObservableMask places, size_t& positions) {
    const std::optional<Regex> regex = ParseRegex(normal, false, reason);
    if (!regex || (places.Has(ObservableKind::kPayload) && !FitsPayload(*regex, reason))) return false;
    positions = regex->positions();
    if (room.regexes < kMaxRegexes && room.regex_positions + positions <= kMaxAllRegexPositions) return true;
    reason =
        "no room: all expressions of this originator together take too long to be compiled; use content, or a type of "
        "exact values";
    return false;
  }

  // The rows of expressions that Hyperscan does not take; each once. How many they are.
  uint64_t ReportRefused(const IndicatorRows& all, std::vector<std::pair<uint32_t, std::string>>& refused) {
    std::sort(refused.begin(), refused.end());
    uint64_t count = 0;
    for (size_t i = 0; i < refused.size(); ++i) {
      if (i > 0 && refused[i].first == refused[i - 1].first) continue;
      for (uint32_t at = refused[i].first; at != IndicatorRows::kNone; at = all.row(at).next, ++count) {
        const IndicatorRecord record = all.Record(at);
        Report(record.file, record.line, record.value, refused[i].second);
      }
    }
    return count;
  }

  bool AppendCanary() {
    Indicator indicator;
    indicator.type = IndicatorType::kDomain;
    indicator.value = kCanaryDomain;
    indicator.in = ObservableMask{ObservableKind::kDnsQuery};
    indicator.id = indicator.source = indicator.originator = kCanarySource;
    indicator.description = "the sensor's test of itself";
    indicator.tlp = Tlp::kClear;
    return rows.Append(indicator, indicator.type, indicator.in, kCanaryDomain, reason);
  }

  bool HasRoomForContent(const PatternRoom& room) {
    if (room.contents < kMaxContents) return true;
    reason = "more than " + std::to_string(kMaxContents) +
             " contents of one originator: give names, addresses and URLs their own type";
    return false;
  }
};

IndicatorSetBuilder::IndicatorSetBuilder() : impl_(std::make_unique<Impl>()) {}
IndicatorSetBuilder::~IndicatorSetBuilder() = default;

void IndicatorSetBuilder::set_supported(ObservableMask kinds) { impl_->supported = kinds; }

void IndicatorSetBuilder::set_cache_folder(std::string path) { impl_->cache_folder = std::move(path); }

void IndicatorSetBuilder::set_kept_problems(size_t count) { impl_->kept_problems = count; }

void IndicatorSetBuilder::AddCanary() { impl_->canary = true; }

void IndicatorSetBuilder::AddProblem(IndicatorProblem problem) { impl_->Report(std::move(problem)); }

void IndicatorSetBuilder::set_tally(ProblemTally* tally) { impl_->source_tally = tally; }

void IndicatorSetBuilder::GiveUp(CompileReport& report) {
  report.problems = std::move(impl_->problems);
  report.problems_total = impl_->problems_total;
  report.kinds = impl_->tally.ByCount();
  impl_ = std::make_unique<Impl>();
}

bool IndicatorSetBuilder::Add(const Indicator& indicator) {
  const bool usable = impl_->Add(indicator);
  if (!usable) impl_->Report(indicator.file, indicator.line, indicator.value, impl_->reason);
  return usable;
}

bool IndicatorSetBuilder::TryAdd(const Indicator& indicator, std::string& reason) {
  const bool usable = impl_->Add(indicator);
  if (!usable) reason = impl_->reason;
  return usable;
}

namespace {

struct Patterns {
  std::vector<PayloadMatcher::Pattern> in_payload;
  std::vector<FieldMatcher::Pattern> in_fields;
};

// Where, in which directions and for whom the rows that share a pattern want it looked for.
struct Wanted {
  ObservableMask places;
  bool directions[2] = {false, false};  // in payload
  std::vector<PatternOwner> owners;

  Wanted(const IndicatorRows& rows, uint32_t first) {
    std::map<uint32_t, PatternOwner> by_audience;
    for (uint32_t at = first; at != IndicatorRows::kNone; at = rows.row(at).next) {
      const ObservableMask in = rows.places(at);
      places.Add(in);
      PatternOwner& owner = by_audience[rows.row(at).audience];
      owner.audience = rows.row(at).audience;
      owner.places.Add(in);
      for (const Direction direction : {Direction::kToServer, Direction::kToClient}) {
        if (!Wants(rows.row(at).direction, direction)) continue;
        owner.directions[static_cast<size_t>(direction)] = true;
        if (in.Has(ObservableKind::kPayload)) directions[static_cast<size_t>(direction)] = true;
      }
    }
    for (const auto& [audience, owner] : by_audience) owners.push_back(owner);
  }
  bool InPayload() const { return directions[0] || directions[1]; }
  bool InFields() const { return places.Intersects(FieldMatcher::Places()); }
};

uint64_t OrderOf(const IndicatorRows& rows, uint32_t first) {
  return HashText(rows.value(first), static_cast<uint64_t>(rows.row(first).type) + 1);
}

void AddContent(const IndicatorRows& rows, uint32_t first, Patterns& out) {
  std::string bytes, error;
  if (!DecodeContent(rows.value(first), bytes, error)) return;  // it was decoded before
  const Wanted wanted(rows, first);
  const uint64_t order = OrderOf(rows, first);
  if (wanted.InPayload()) {
    out.in_payload.push_back(
        {bytes, first, {wanted.directions[0], wanted.directions[1]}, std::nullopt, order, wanted.owners});
  }
  if (wanted.InFields()) out.in_fields.push_back({bytes, first, wanted.places, {}, {}, order, wanted.owners});
}

void AddRegex(const IndicatorRows& rows, uint32_t first, Patterns& out) {
  std::string error;
  std::optional<Regex> regex = ParseRegex(rows.value(first), false, error);
  if (!regex) return;  // it was parsed before
  const Wanted wanted(rows, first);
  if (wanted.InFields()) {
    FieldMatcher::Pattern& pattern = out.in_fields.emplace_back();
    pattern.row = first;
    pattern.places = wanted.places;
    pattern.order = OrderOf(rows, first);
    pattern.owners = wanted.owners;
    pattern.regex = pattern.caseless_regex = regex->ForHyperscan();
    if (wanted.places.Intersects(FieldMatcher::LowerCasePlaces())) {
      const std::optional<Regex> caseless = ParseRegex(rows.value(first), true, error);
      if (caseless) pattern.caseless_regex = caseless->ForHyperscan();
    }
  }
  if (wanted.InPayload()) {
    out.in_payload.push_back({{},
                              first,
                              {wanted.directions[0], wanted.directions[1]},
                              std::move(regex),
                              OrderOf(rows, first),
                              wanted.owners});
  }
}

// The first row of an expression that Hyperscan refuses, and why.
using RefusedRows = std::vector<std::pair<uint32_t, std::string>>;

// Takes the matcher of `compiled` over, and what was refused. False, with `error`: there is none.
template <class Pattern, class Built, class Matcher>
bool TakeBuilt(const std::vector<Pattern>& patterns, Built compiled, Matcher& matcher, RefusedRows& refused,
               CompileReport& report, std::string& error) {
  for (PatternDatabase::Refused& one : compiled.refused) {
    refused.emplace_back(patterns[one.pattern].row, std::move(one.reason));
  }
  matcher = std::move(compiled.matcher);
  report.patterns_cached = report.patterns_cached && compiled.from_cache;
  error = std::move(compiled.error);
  return error.empty();
}

}  // namespace

// What is compared as it is. How many of the rows were read: all but the canary's. `num_crowded`: too many of a value.
size_t IndicatorSetBuilder::Impl::CompileExact(IndicatorSet::Impl& set, ExactTable::BuildResult& built,
                                               uint64_t& num_crowded) {
  const bool with_canary = canary && AppendCanary();
  set.rows = rows.Take();
  num_crowded = 0;
  built = set.exact.Build(set.rows, [&](uint32_t row, std::string why) {
    ++num_crowded;
    const IndicatorRecord record = set.rows.Record(row);
    Report(record.file, record.line, record.value, std::move(why));
  });
  // Behind all others still, unless a row that was read is the same.
  const size_t size = set.rows.size();
  const bool has_canary = with_canary && set.rows.Record(static_cast<uint32_t>(size - 1)).source == kCanarySource;
  const size_t num_read = has_canary ? size - 1 : size;
  if (has_canary) set.canary = static_cast<uint32_t>(num_read);
  for (uint32_t i = 0; i < size; ++i) set.wanted.Add(set.rows.places(i));
  set.digest = set.rows.Digest(num_read);
  return num_read;
}

// What Hyperscan looks for. False: it cannot. `num_refused`: rows that it does not take.
bool IndicatorSetBuilder::Impl::CompilePatterns(IndicatorSet::Impl& set, const ExactTable::BuildResult& built,
                                                uint64_t& num_refused, CompileReport& report) {
  Patterns patterns;
  for (const uint32_t first : built.contents) AddContent(set.rows, first, patterns);
  for (const uint32_t first : built.regexes) AddRegex(set.rows, first, patterns);
  DatabaseCache cache(std::move(cache_folder));
  RefusedRows refused;
  std::string error;
  report.patterns = built.contents.size() + built.regexes.size();
  report.patterns_cached = report.patterns != 0;
  bool compiled = true;
  if (!patterns.in_payload.empty()) {
    compiled =
        TakeBuilt(patterns.in_payload, PayloadMatcher::Compile(patterns.in_payload, HashText(set.digest, 0), cache),
                  set.payload, refused, report, error);
  }
  if (compiled && !patterns.in_fields.empty()) {
    compiled = TakeBuilt(patterns.in_fields, FieldMatcher::Compile(patterns.in_fields, cache), set.fields, refused,
                         report, error);
  }
  num_refused = ReportRefused(set.rows, refused);
  if (!compiled) Report({}, 0, {}, error);
  report.cache_problem = cache.problem();
  return compiled;
}

std::shared_ptr<const IndicatorSet> IndicatorSetBuilder::Compile(CompileReport& report) {
  auto set = std::make_unique<IndicatorSet::Impl>();
  ExactTable::BuildResult built;
  uint64_t num_crowded = 0, num_refused = 0;
  const auto start = std::chrono::steady_clock::now();
  const size_t num_read = impl_->CompileExact(*set, built, num_crowded);
  report.exact_seconds = SecondsSince(start);
  const auto patterns_start = std::chrono::steady_clock::now();
  const bool compiled = impl_->CompilePatterns(*set, built, num_refused, report);
  report.patterns_seconds = SecondsSince(patterns_start);

  report.loaded = num_read - num_refused;
  report.refused = num_crowded + num_refused;
  report.duplicates = built.duplicates;
  report.memory_bytes = set->rows.memory_bytes() + set->exact.memory_bytes() +
                        (set->payload ? set->payload->memory_bytes() : 0) +
                        (set->fields ? set->fields->memory_bytes() : 0);
  GiveUp(report);
  if (!compiled) return nullptr;
  return std::shared_ptr<const IndicatorSet>(new IndicatorSet(std::move(set)));
}

}  // namespace vedette
