#include "signatures/set/field_matcher.h"

#include <algorithm>
#include <string_view>

namespace vedette {
namespace {

constexpr size_t kJoinBelow = 1024;  // longer fields are scanned where they lie
constexpr size_t kMaxJoined =
    size_t{8} * 1024;  // joining more gains nothing, and the text leaves the first-level cache

}  // namespace

FieldMatcher::Class FieldMatcher::ClassOf(ObservableKind kind) {
  switch (TraitsOf(kind).patterns) {
    case PatternField::kHosts:
      return kHosts;
    case PatternField::kUris:
      return kUris;
    case PatternField::kOthers:
    case PatternField::kNone:
      break;
  }
  return kOthers;
}

ObservableMask FieldMatcher::Places() {
  constexpr ObservableMask kPlaces =
      ObservableMask::Where([](const ObservableTraits& kind) { return kind.patterns != PatternField::kNone; });
  return kPlaces;
}

ObservableMask FieldMatcher::LowerCasePlaces() {
  constexpr ObservableMask kPlaces =
      ObservableMask::Where([](const ObservableTraits& kind) { return kind.text_case == TextCase::kLower; });
  return kPlaces;
}

FieldMatcher::Built FieldMatcher::Compile(const std::vector<Pattern>& patterns, DatabaseCache& cache) {
  auto out = std::make_unique<FieldMatcher>();
  std::array<std::vector<PatternDatabase::Pattern>, kClasses> expressions;
  std::array<std::vector<uint32_t>, kClasses> origins;  // of each expression, the pattern
  for (uint32_t index = 0; index < patterns.size(); ++index) {
    const Pattern& pattern = patterns[index];
    const bool regex = !pattern.regex.empty();
    // An expression may be there twice: as it stands, and for places in lower case.
    std::array<std::array<ObservableMask, 2>, kClasses> places;
    for (size_t i = 0; i < kObservableKinds; ++i) {
      const auto kind = static_cast<ObservableKind>(i);
      if (!pattern.places.Has(kind) || FormOf(kind) != ValueForm::kText) continue;
      const bool lower = regex && pattern.regex != pattern.caseless_regex && LowerCasePlaces().Has(kind);
      places[ClassOf(kind)][lower ? 1 : 0].Add(kind);
    }
    for (size_t i = 0; i < kClasses; ++i) {
      for (const bool lower : {false, true}) {
        const ObservableMask in = places[i][lower ? 1 : 0];
        if (in.empty()) continue;
        Part& part = out->parts_[i];
        part.places.Add(in);
        if (regex) part.singles.Add(in);
        part.entries.push_back({regex ? 0 : static_cast<uint32_t>(pattern.bytes.size()), pattern.row, in});
        part.owners.Add(pattern.order, pattern.owners);
        PatternDatabase::Pattern& expression = expressions[i].emplace_back();
        expression.expression =
            !regex ? PatternDatabase::Literal(pattern.bytes) : (lower ? pattern.caseless_regex : pattern.regex);
        expression.caseless = !regex;
        expression.every = !regex;  // the first may span two fields
        expression.regex = regex;
        origins[i].push_back(index);
      }
    }
  }
  Built result;
  result.from_cache = true;
  bool any = false;
  for (size_t i = 0; i < kClasses; ++i) {
    if (expressions[i].empty()) continue;
    PatternDatabase::Built built = PatternDatabase::Compile(expressions[i], cache);
    if (!built.error.empty()) {
      result.error = std::move(built.error);
      return result;
    }
    result.from_cache = result.from_cache && built.from_cache;
    for (PatternDatabase::Refused& refused : built.refused) {
      result.refused.push_back({origins[i][refused.pattern], std::move(refused.reason)});
    }
    any = any || built.database != nullptr;
    out->parts_[i].database = std::move(built.database);
  }
  if (any) result.matcher = std::move(out);
  return result;
}

bool FieldMatcher::PrepareScratch(Scratch& scratch) const {
  scratch.joined.reserve(kMaxJoined);
  size_t most = 0;
  for (const Part& part : parts_) most = std::max(most, part.entries.size());
  scratch.last_seen.assign(most, 0);
  return std::all_of(parts_.begin(), parts_.end(), [&](const Part& part) {
    return part.database == nullptr || part.database->PrepareScratch(scratch.patterns);
  });
}

size_t FieldMatcher::memory_bytes() const {
  size_t bytes = 0;
  for (const Part& part : parts_) {
    bytes += part.entries.capacity() * sizeof(Entry) + part.owners.memory_bytes() +
             (part.database ? part.database->memory_bytes() : 0);
  }
  return bytes;
}

// One pass over a batch for one class of fields.
class FieldMatcher::Call {
 public:
  Call(const Part& part, std::span<const Observable> observables, Scratch& scratch, MatchCounters& counters,
       std::vector<Found>& found)
      : part_(part), observables_(observables), scratch_(scratch), counters_(counters), found_(found) {}

  void Run() {
    Forget();
    for (uint32_t i = 0; i < observables_.size(); ++i) {
      const Observable& observable = observables_[i];
      if (!part_.places.Has(observable.kind)) continue;
      const std::string_view text = observable.text;
      if (text.size() >= kJoinBelow || part_.singles.Has(observable.kind)) {
        single_ = i;
        Scan(text);
        single_ = kJoined;
        continue;
      }
      if (scratch_.joined.size() + text.size() + 1 > kMaxJoined) ScanJoined();
      scratch_.joined += text;
      scratch_.fields.push_back({static_cast<uint32_t>(scratch_.joined.size()), i});
      scratch_.joined += '\n';  // keeps most literals from matching across; OnMatch sees to the others
    }
    ScanJoined();
  }

 private:
  void Forget() {
    scratch_.joined.clear();
    scratch_.fields.clear();
  }
  void ScanJoined() {
    if (!scratch_.joined.empty()) Scan(scratch_.joined);
    Forget();
  }
  void Scan(std::string_view text) {
    ++counters_.field_scans;
    scratch_.matches.clear();
    current_ = kNoField;
    if (!part_.database->Scan(AsBytes(text), scratch_.patterns, &Call::OnMatch, this)) ++counters_.scan_errors;
    for (size_t i = 0; i < scratch_.matches.size();) {
      size_t end = i + 1;
      while (end < scratch_.matches.size() && scratch_.matches[end].observable == scratch_.matches[i].observable) ++end;
      Report(std::span(scratch_.matches).subspan(i, end - i));
      i = end;
    }
  }

  // All that was found in one field.
  void Report(std::span<Match> matches) {
    const uint32_t observable = matches.front().observable;
    if (matches.size() <= kMaxHitsPerScan) {
      for (const Match& match : matches) {
        found_.push_back({observable, part_.entries[match.entry].row, PatternOwners::kAll});
      }
      return;
    }
    // Hyperscan's order of those that end at the same byte depends on all patterns.
    std::sort(matches.begin(), matches.end(), [&](const Match& a, const Match& b) {
      return a.end != b.end ? a.end < b.end : part_.owners.order(a.entry) < part_.owners.order(b.entry);
    });
    for (const Match& match : matches) {
      counters_.hits_over_limit += part_.owners.Spend(
          match.entry, observables_[observable].kind, observables_[observable].direction, kMaxHitsPerScan,
          scratch_.used, [&](uint32_t number) {
            found_.push_back({observable, part_.entries[match.entry].row, part_.owners.AudienceOf(number)});
          });
    }
    PatternOwners::Forget(scratch_.used);
  }

  static int OnMatch(unsigned entry, unsigned long long, unsigned long long to, unsigned, void* context) {
    static_cast<Call*>(context)->OnEntry(entry, to);
    return 0;
  }

  void OnEntry(uint32_t index, uint64_t to) {
    const Entry& entry = part_.entries[index];
    uint32_t observable = single_;
    if (single_ == kJoined) {
      if (entry.length == 0) return;  // an expression: none of the joined fields is asked for it
      const auto field = std::lower_bound(scratch_.fields.begin(), scratch_.fields.end(), to,
                                          [](const Field& candidate, uint64_t end) { return candidate.end < end; });
      if (field == scratch_.fields.end()) return;
      const uint64_t begin = field == scratch_.fields.begin() ? 0 : (field - 1)->end + 1;  // behind the separator
      if (to < begin + entry.length) return;
      observable = field->observable;
    }
    if (!entry.places.Has(observables_[observable].kind)) return;
    // Matches come in the order of their ends, so that those of a field come together. A text of one letter ends a
    // match at every byte: only the first counts.
    if (observable != current_) {
      current_ = observable;
      ++scratch_.fields_seen;
    }
    uint64_t& last_seen = scratch_.last_seen[index];
    if (last_seen == scratch_.fields_seen) return;
    last_seen = scratch_.fields_seen;
    scratch_.matches.push_back({index, observable, to});
  }

  const Part& part_;
  std::span<const Observable> observables_;
  Scratch& scratch_;
  MatchCounters& counters_;
  std::vector<Found>& found_;
  static constexpr uint32_t kJoined = 0xffffffff, kNoField = 0xffffffff;
  uint32_t current_ = kNoField;  // the observable that the last match lay in
  uint32_t single_ = kJoined;    // the observable that is scanned by itself
};

void FieldMatcher::Find(std::span<const Observable> observables, Scratch& scratch, MatchCounters& counters,
                        std::vector<Found>& found) const {
  for (const Part& part : parts_) {
    if (part.database != nullptr) Call(part, observables, scratch, counters, found).Run();
  }
}

}  // namespace vedette
