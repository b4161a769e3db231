#include "signatures/indicator_rows.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstring>
#include <map>
#include <unordered_map>
#include <utility>

#include "parsers/base/digest.h"
#include "parsers/base/hash.h"
#include "parsers/base/hash_index.h"

namespace vedette {
namespace {

constexpr char kFull[] = "no room: all indicators together hold more than 4 GiB of text";

template <class Integer>
void AppendNumber(Integer value, std::string& out) {
  for (size_t i = 0; i < sizeof value; ++i) out += static_cast<char>(static_cast<uint64_t>(value) >> (8 * i));
}

void AppendText(std::string_view text, std::string& out) {
  AppendNumber(static_cast<uint32_t>(text.size()), out);
  out += text;
}

}  // namespace

std::string_view BaseName(std::string_view path) { return path.substr(path.find_last_of('/') + 1); }

std::string_view Stem(std::string_view path) {
  const std::string_view name = BaseName(path);
  const size_t dot = name.find_last_of('.');
  return dot == std::string_view::npos || dot == 0 ? name : name.substr(0, dot);
}

std::string_view SourceOf(const Indicator& indicator) {
  return indicator.source.empty() ? Stem(indicator.file) : std::string_view(indicator.source);
}

std::string_view OriginatorOf(const Indicator& indicator) {
  return indicator.originator.empty() ? SourceOf(indicator) : std::string_view(indicator.originator);
}

IndicatorRows::Shared IndicatorRows::SharedOf(StringPool::Ref ref) const {
  Shared shared;
  std::memcpy(static_cast<void*>(&shared), pool_.at(ref).data(), sizeof shared);
  return shared;
}

std::vector<std::string_view> IndicatorRows::ListOf(StringPool::Ref ref) const {
  const std::string_view bytes = pool_.at(ref);
  std::vector<std::string_view> out(bytes.size() / sizeof(StringPool::Ref));
  for (size_t i = 0; i < out.size(); ++i) {
    StringPool::Ref text;
    std::memcpy(&text, bytes.data() + i * sizeof text, sizeof text);
    out[i] = pool_.at(text);
  }
  return out;
}

ObservableMask IndicatorRows::places(uint32_t index) const {
  ObservableMask in;
  std::memcpy(static_cast<void*>(&in), pool_.at(rows_[index].shared).data() + offsetof(Shared, in), sizeof in);
  return in;
}

bool IndicatorRows::SameBesidesValue(uint32_t a, uint32_t b) const {
  const Row &first = rows_[a], &second = rows_[b];
  if (first.type != second.type || first.direction != second.direction || first.id_given != second.id_given) {
    return false;
  }
  // Texts that rows share are stored once: equal references are equal texts.
  const Shared x = SharedOf(first.shared), y = SharedOf(second.shared);
  if (!(x.in == y.in) || x.source != y.source || x.originator != y.originator || x.sharing_group != y.sharing_group ||
      x.recipients != y.recipients) {
    return false;
  }
  // An id that was made tells the file's name without its folder.
  return pool_.at(first.id) == pool_.at(second.id) || (!first.id_given && x.file == y.file);
}

Tlp IndicatorRows::TlpOf(uint32_t index) const {
  return std::max(static_cast<Tlp>(SharedOf(rows_[index].shared).tlp), rows_[index].tlp_at_least);
}

void IndicatorRows::TakeTlp(uint32_t kept, uint32_t dropped) {
  if (TlpOf(dropped) > TlpOf(kept)) rows_[kept].tlp_at_least = TlpOf(dropped);
}

void IndicatorRows::ShareTlps() {
  // Most originators mark all their rows alike: there is nothing to share among those.
  struct Marks {
    uint8_t seen = 0;  // a bit for each
    uint32_t rows = 0;
  };
  std::unordered_map<uint64_t, Marks> by_owner;
  // The originator, or the source where none is named: references of equal texts are equal.
  const auto owner_of = [&](const Shared& shared) {
    return shared.originator != 0 ? uint64_t{shared.originator} : uint64_t{1} << 32 | shared.source;
  };
  Marks* last = nullptr;
  StringPool::Ref last_shared = 0;
  for (uint32_t i = 0; i < rows_.size(); ++i) {
    if (!rows_[i].id_given) continue;
    if (last == nullptr || rows_[i].shared != last_shared) {
      last_shared = rows_[i].shared;
      const Shared shared = SharedOf(last_shared);
      last = &by_owner[owner_of(shared)];
      last->seen = static_cast<uint8_t>(last->seen | 1u << shared.tlp);
    }
    ++last->rows;
  }
  size_t num_mixed = 0;
  for (const auto& [owner, marks] : by_owner) num_mixed += std::popcount(marks.seen) > 1 ? marks.rows : 0;
  if (num_mixed == 0) return;

  // The first row of an indicator stands for it.
  HashIndex firsts(num_mixed);
  std::unordered_map<uint32_t, Tlp> strictest;         // by first row, where it is not the first row's own
  std::vector<std::pair<uint32_t, uint32_t>> rows_of;  // row and first row
  rows_of.reserve(num_mixed);
  for (uint32_t i = 0; i < rows_.size(); ++i) {
    if (!rows_[i].id_given) continue;
    const uint64_t owner = owner_of(SharedOf(rows_[i].shared));
    if (std::popcount(by_owner[owner].seen) < 2) continue;
    const std::string_view id = pool_.at(rows_[i].id);
    const uint32_t first = firsts.FindOrInsert(FinishHash(HashText(id, owner)), i, [&](uint32_t other) {
      return pool_.at(rows_[other].id) == id && owner_of(SharedOf(rows_[other].shared)) == owner;
    });
    rows_of.emplace_back(i, first);
    if (first == i) continue;
    Tlp& mark = strictest.try_emplace(first, TlpOf(first)).first->second;
    mark = std::max(mark, TlpOf(i));
  }
  for (const auto& [row, first] : rows_of) {
    const auto at = strictest.find(first);
    if (at == strictest.end()) continue;
    const Tlp own = TlpOf(row);
    if (own == Tlp::kNone ? at->second > Tlp::kAmberStrict : own < at->second) rows_[row].tlp_at_least = at->second;
  }
}

uint64_t IndicatorRows::HashBesidesValue(uint32_t index) const {
  const Row& row = rows_[index];
  const Shared shared = SharedOf(row.shared);
  uint64_t hash = row.id_given ? HashText(pool_.at(row.id), 1) : 0;
  for (const uint64_t part :
       {uint64_t{shared.source} << 32 | shared.originator, uint64_t{shared.sharing_group} << 32 | shared.recipients,
        uint64_t{static_cast<uint8_t>(row.type)} << 8 | static_cast<uint8_t>(row.direction)}) {
    hash = Mix64(hash ^ part);
  }
  return hash;
}

std::string IndicatorRows::AudienceText(const Shared& shared, Tlp tlp) const {
  std::string text;
  AppendText(pool_.at(shared.originator), text);
  AppendNumber(static_cast<uint8_t>(tlp), text);
  AppendText(pool_.at(shared.sharing_group), text);
  AppendText(tlp == Tlp::kNone ? pool_.at(shared.source) : std::string_view(), text);
  std::vector<std::string_view> recipients = ListOf(shared.recipients);
  std::sort(recipients.begin(), recipients.end());
  recipients.erase(std::unique(recipients.begin(), recipients.end()), recipients.end());
  for (const std::string_view recipient : recipients) AppendText(recipient, text);
  return text;
}

void IndicatorRows::FindAudiences() {
  audiences_.clear();
  // References of equal texts are equal, so that few rows need their texts to be looked at. The same recipients in
  // another order are the same audience.
  using Parts = std::array<StringPool::Ref, 5>;
  std::map<Parts, uint32_t> by_parts;
  std::unordered_map<uint64_t, uint32_t> by_key;
  Parts last{};
  uint32_t last_number = IndicatorRows::kNone;
  for (uint32_t i = 0; i < rows_.size(); ++i) {
    const Shared shared = SharedOf(rows_[i].shared);
    const Tlp tlp = TlpOf(i);
    const Parts parts = {shared.originator, shared.sharing_group, shared.recipients,
                         tlp == Tlp::kNone ? shared.source : StringPool::Ref{0}, static_cast<StringPool::Ref>(tlp)};
    if (parts != last || last_number == kNone) {
      const auto [at, is_new] = by_parts.try_emplace(parts, 0);
      if (is_new) {
        const std::string digest =
            Digester(DigestAlgorithm::kSha256).Of(AsBytes(AudienceText(shared, tlp))).Hex().substr(0, 16);
        uint64_t key = 0;
        std::from_chars(digest.data(), digest.data() + digest.size(), key, 16);
        const auto [number, is_first] = by_key.try_emplace(key, static_cast<uint32_t>(audiences_.size()));
        if (is_first) audiences_.push_back({key, {}, i});
        at->second = number->second;
      }
      last = parts;
      last_number = at->second;
    }
    rows_[i].audience = last_number;
    audiences_[last_number].places.Add(shared.in);
  }
}

IndicatorRecord IndicatorRows::Record(uint32_t index) const {
  const Row& row = rows_[index];
  const Shared shared = SharedOf(row.shared);
  IndicatorRecord out;
  out.index = index;
  out.type = row.type;
  out.direction = row.direction;
  out.tlp = TlpOf(index);
  out.in = shared.in;
  out.value = pool_.at(row.value);
  out.id = pool_.at(row.id);
  out.source = pool_.at(shared.source);
  out.originator = pool_.at(shared.originator);
  out.description = pool_.at(shared.description);
  out.pap = pool_.at(shared.pap);
  out.sharing_group = pool_.at(shared.sharing_group);
  out.reference = pool_.at(shared.reference);
  out.file = pool_.at(shared.file);
  out.tags = ListOf(shared.tags);
  out.recipients = ListOf(shared.recipients);
  if (shared.present & kHasConfidence) out.confidence = shared.confidence;
  if (shared.present & kHasFrom) out.valid_from_ns = shared.valid_from_ns;
  if (shared.present & kHasUntil) out.valid_until_ns = shared.valid_until_ns;
  out.line = row.line;
  return out;
}

void IndicatorRows::AppendForDigest(const Shared& shared, std::string& out) const {
  for (size_t i = 0; i < kObservableKinds; ++i) {
    const auto kind = static_cast<ObservableKind>(i);
    if (!IsContext(kind) && shared.in.Has(kind)) AppendText(NameOf(kind), out);
  }
  AppendText({}, out);
  AppendNumber(shared.valid_from_ns, out);
  AppendNumber(shared.valid_until_ns, out);
  AppendNumber(shared.tlp, out);
  AppendNumber(shared.confidence, out);
  AppendNumber(shared.present, out);
  for (const StringPool::Ref ref :
       {shared.source, shared.originator, shared.description, shared.pap, shared.sharing_group, shared.reference}) {
    AppendText(pool_.at(ref), out);
  }
  for (const StringPool::Ref list : {shared.tags, shared.recipients}) {
    const std::vector<std::string_view> texts = ListOf(list);
    AppendNumber(static_cast<uint32_t>(texts.size()), out);
    for (const std::string_view text : texts) AppendText(text, out);
  }
}

std::string IndicatorRows::Digest(size_t count) const {
  constexpr size_t kPieceBytes = size_t{64} * 1024;  // hashed at a time
  Digester digester(DigestAlgorithm::kSha256);
  std::string piece, shared_text, last_shared_text;
  StringPool::Ref last_shared = 0;
  const auto flush = [&] {
    digester.Update(AsBytes(piece));
    piece.clear();
  };
  for (size_t i = 0; i < count; ++i) {
    const Row& row = rows_[i];
    if (row.shared != last_shared) {
      last_shared = row.shared;
      shared_text.clear();
      AppendForDigest(SharedOf(row.shared), shared_text);
      if (shared_text != last_shared_text) {  // what rows share is hashed where it changes
        AppendNumber(uint8_t{1}, piece);
        piece += shared_text;
        last_shared_text.swap(shared_text);
      }
    }
    AppendNumber(uint8_t{2}, piece);
    AppendText(NameOf(row.type), piece);
    AppendNumber(static_cast<uint8_t>(row.direction), piece);
    AppendText(pool_.at(row.value), piece);
    AppendText(pool_.at(row.id), piece);
    if (row.tlp_at_least != Tlp::kNone) {
      AppendNumber(uint8_t{3}, piece);
      AppendNumber(static_cast<uint8_t>(row.tlp_at_least), piece);
    }
    if (piece.size() >= kPieceBytes) flush();
  }
  flush();
  return digester.Finish().Hex();
}

void IndicatorRows::Remove(const std::vector<uint32_t>& ascending) {
  size_t kept = 0;
  auto removed = ascending.begin();
  for (uint32_t i = 0; i < rows_.size(); ++i) {
    if (removed != ascending.end() && *removed == i) {
      ++removed;
    } else {
      rows_[kept++] = rows_[i];
    }
  }
  Truncate(kept);
}

void IndicatorRows::Truncate(size_t size) {
  rows_.resize(size);
  rows_.shrink_to_fit();
}

bool IndicatorRowsBuilder::InternColumn(size_t column, std::string_view text, StringPool::Ref& ref) {
  Column& last = columns_[column];
  if (last.text != text) {
    const std::optional<StringPool::Ref> interned = interner_.Intern(text);
    if (!interned) return false;
    last.text = text;
    last.ref = *interned;
  }
  ref = last.ref;
  return true;
}

bool IndicatorRowsBuilder::InternList(const std::vector<std::string>& texts, StringPool::Ref& ref) {
  buffer_.clear();
  for (const std::string& text : texts) {
    // An empty element has reference 0 and stays an element.
    const std::optional<StringPool::Ref> interned = interner_.Intern(text);
    if (!interned) return false;
    buffer_.append(reinterpret_cast<const char*>(&*interned), sizeof *interned);
  }
  const std::optional<StringPool::Ref> list = interner_.Intern(buffer_);
  if (!list) return false;
  ref = *list;
  return true;
}

bool IndicatorRowsBuilder::Append(const Indicator& indicator, IndicatorType type, ObservableMask places,
                                  std::string_view normal, std::string& reason) {
  if (rows_.size() == IndicatorRows::kMaxRows) {
    reason = "no room: more than " + std::to_string(IndicatorRows::kMaxRows) + " indicators";
    return false;
  }
  IndicatorRows::Shared shared;
  shared.in = places;
  shared.tlp = static_cast<uint8_t>(indicator.tlp);
  if (indicator.confidence) {
    shared.confidence = *indicator.confidence;
    shared.present |= IndicatorRows::kHasConfidence;
  }
  if (indicator.valid_from_ns) {
    shared.valid_from_ns = *indicator.valid_from_ns;
    shared.present |= IndicatorRows::kHasFrom;
  }
  if (indicator.valid_until_ns) {
    shared.valid_until_ns = *indicator.valid_until_ns;
    shared.present |= IndicatorRows::kHasUntil;
  }
  const std::string_view source = SourceOf(indicator), originator = OriginatorOf(indicator);
  const uint64_t before = rows_.pool_.used_bytes();
  if (!InternColumn(1, originator, shared.originator)) {
    reason = kFull;
    return false;
  }
  uint64_t& text = text_of_[shared.originator];
  if (text >= max_text_of_originator_) {
    reason = "no room: the indicators of this originator hold more than " +
             std::to_string(max_text_of_originator_ >> 20) + " MiB of text";
    return false;
  }
  IndicatorRows::Row row;
  bool stored =
      InternColumn(0, source, shared.source) && InternColumn(2, indicator.description, shared.description) &&
      InternColumn(3, indicator.pap, shared.pap) && InternColumn(4, indicator.sharing_group, shared.sharing_group) &&
      InternColumn(5, indicator.reference, shared.reference) && InternColumn(6, indicator.file, shared.file) &&
      InternList(indicator.tags, shared.tags) && InternList(indicator.recipients, shared.recipients);
  const std::string_view shared_bytes(reinterpret_cast<const char*>(&shared), sizeof shared);
  if (stored && last_shared_ != shared_bytes) {
    const std::optional<StringPool::Ref> ref = interner_.Intern(shared_bytes);
    stored = ref.has_value();
    if (stored) {
      last_shared_ = shared_bytes;
      last_shared_ref_ = *ref;
    }
  }
  row.shared = last_shared_ref_;
  row.line = indicator.line;
  row.type = type;
  row.direction = indicator.direction;
  row.id_given = !indicator.id.empty();
  if (stored) {
    std::string_view id = indicator.id;
    if (!row.id_given) {
      buffer_ = BaseName(indicator.file);
      buffer_ += ':';
      buffer_ += std::to_string(indicator.line);
      id = buffer_;
    }
    const std::optional<StringPool::Ref> id_ref = rows_.pool_.Add(id), value_ref = rows_.pool_.Add(normal);
    stored = id_ref && value_ref;
    if (stored) {
      row.id = *id_ref;
      row.value = *value_ref;
    }
  }
  if (!stored) {
    reason = kFull;
    return false;
  }
  text += rows_.pool_.used_bytes() - before;
  rows_.rows_.push_back(row);
  return true;
}

}  // namespace vedette
