#include "signatures/field_matcher.h"

#include <algorithm>
#include <string_view>

namespace vedette {
namespace {

constexpr size_t kJoinBelow = 1024;  // longer fields are scanned where they lie
constexpr size_t kMaxJoined =
    size_t{8} * 1024;  // joining more gains nothing, and the text leaves the first-level cache

}  // namespace

FieldMatcher::Class FieldMatcher::ClassOf(ObservableKind kind) {
  switch (kind) {
    case ObservableKind::kDnsQuery:
    case ObservableKind::kDnsCname:
    case ObservableKind::kHttpHost:
    case ObservableKind::kTlsSni:
    case ObservableKind::kTlsCertName:
      return kHosts;
    case ObservableKind::kHttpUri:
    case ObservableKind::kHttpUrl:
      return kUris;
    default:
      return kOthers;
  }
}

ObservableMask FieldMatcher::Places() {
  ObservableMask places;
  for (size_t i = 0; i < static_cast<size_t>(kFirstContext); ++i) {
    const auto kind = static_cast<ObservableKind>(i);
    if (FormOf(kind) == ValueForm::kText) places.Add(kind);
  }
  return places;
}

std::unique_ptr<const FieldMatcher> FieldMatcher::Compile(const std::vector<Pattern>& patterns, std::string& error) {
  auto out = std::make_unique<FieldMatcher>();
  std::array<std::vector<LiteralDatabase::Literal>, kClasses> literals;
  for (const Pattern& pattern : patterns) {
    std::array<ObservableMask, kClasses> places;
    for (size_t i = 0; i < kObservableKinds; ++i) {
      const auto kind = static_cast<ObservableKind>(i);
      if (pattern.places.Has(kind) && FormOf(kind) == ValueForm::kText) places[ClassOf(kind)].Add(kind);
    }
    for (size_t i = 0; i < kClasses; ++i) {
      if (places[i].empty()) continue;
      Part& part = out->parts_[i];
      part.places.Add(places[i]);
      part.literals.push_back({static_cast<uint32_t>(pattern.bytes.size()), pattern.row, places[i]});
      literals[i].push_back({pattern.bytes, true});  // every place: the first may span two fields
    }
  }
  for (size_t i = 0; i < kClasses; ++i) {
    if (literals[i].empty()) continue;
    out->parts_[i].database = LiteralDatabase::Compile(literals[i], error);
    if (out->parts_[i].database == nullptr) return nullptr;
  }
  return out;
}

bool FieldMatcher::PrepareScratch(Scratch& scratch) const {
  scratch.joined.reserve(kMaxJoined);
  return std::all_of(parts_.begin(), parts_.end(), [&](const Part& part) {
    return part.database == nullptr || part.database->PrepareScratch(scratch.literals);
  });
}

size_t FieldMatcher::memory_bytes() const {
  size_t bytes = 0;
  for (const Part& part : parts_) {
    bytes += part.literals.capacity() * sizeof(Literal) + (part.database ? part.database->memory_bytes() : 0);
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
      if (text.size() >= kJoinBelow) {
        ScanJoined();
        scratch_.fields.push_back({static_cast<uint32_t>(text.size()), i});
        Scan(text);
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
  }
  void Scan(std::string_view text) {
    ++counters_.field_scans;
    first_ = found_.size();
    if (!part_.database->Scan(AsBytes(text), scratch_.literals, &Call::OnMatch, this)) ++counters_.scan_errors;
    Forget();
  }

  static int OnMatch(unsigned literal, unsigned long long, unsigned long long to, unsigned, void* context) {
    static_cast<Call*>(context)->Report(literal, to);
    return 0;
  }

  void Report(uint32_t index, uint64_t to) {
    const Literal& literal = part_.literals[index];
    const auto field = std::lower_bound(scratch_.fields.begin(), scratch_.fields.end(), to,
                                        [](const Field& candidate, uint64_t end) { return candidate.end < end; });
    if (field == scratch_.fields.end()) return;
    const uint64_t begin = field == scratch_.fields.begin() ? 0 : (field - 1)->end + 1;  // behind the separator
    if (to < begin + literal.length) return;
    if (!literal.places.Has(observables_[field->observable].kind)) return;
    // A text of one letter ends a match at every byte: only what is new counts against the bound.
    for (size_t i = found_.size(); i > first_; --i) {
      const Found& other = found_[i - 1];
      if (other.observable != field->observable) break;
      if (other.row == literal.row) return;
    }
    if (found_.size() - first_ >= kMaxHitsPerScan) {
      ++counters_.hits_over_limit;
      return;
    }
    found_.push_back({field->observable, literal.row});
  }

  const Part& part_;
  std::span<const Observable> observables_;
  Scratch& scratch_;
  MatchCounters& counters_;
  std::vector<Found>& found_;
  size_t first_ = 0;  // of this scan in found_
};

void FieldMatcher::Find(std::span<const Observable> observables, Scratch& scratch, MatchCounters& counters,
                        std::vector<Found>& found) const {
  for (const Part& part : parts_) {
    if (part.database != nullptr) Call(part, observables, scratch, counters, found).Run();
  }
}

}  // namespace vedette
