#include "signatures/indicator_rows.h"

#include <openssl/evp.h>

#include <cstring>
#include <memory>
#include <utility>

#include "parsers/text.h"

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

struct FreeDigest {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};

}  // namespace

std::string_view BaseName(std::string_view path) { return path.substr(path.find_last_of('/') + 1); }

std::string_view Stem(std::string_view path) {
  const std::string_view name = BaseName(path);
  const size_t dot = name.find_last_of('.');
  return dot == std::string_view::npos || dot == 0 ? name : name.substr(0, dot);
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

bool IndicatorRows::SameIndicator(uint32_t a, uint32_t b) const {
  const Row &first = rows_[a], &second = rows_[b];
  if (!first.id_given || !second.id_given || pool_.at(first.id) != pool_.at(second.id)) return false;
  const Shared x = SharedOf(first.shared), y = SharedOf(second.shared);
  return x.originator == y.originator && (!pool_.at(x.originator).empty() || x.source == y.source);
}

Tlp IndicatorRows::TlpOf(uint32_t index) const {
  return std::max(static_cast<Tlp>(SharedOf(rows_[index].shared).tlp), rows_[index].tlp_at_least);
}

void IndicatorRows::TakeTlp(uint32_t kept, uint32_t dropped) {
  if (TlpOf(dropped) > TlpOf(kept)) rows_[kept].tlp_at_least = TlpOf(dropped);
}

void IndicatorRows::ShareTlp(uint32_t a, uint32_t b) {
  const Tlp strictest = std::max(TlpOf(a), TlpOf(b));
  for (const uint32_t row : {a, b}) {
    const Tlp own = TlpOf(row);
    if (own == Tlp::kNone ? strictest > Tlp::kAmberStrict : own < strictest) rows_[row].tlp_at_least = strictest;
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
  const std::unique_ptr<EVP_MD_CTX, FreeDigest> context(EVP_MD_CTX_new());
  EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr);
  std::string piece, shared_text, last_shared_text;
  StringPool::Ref last_shared = 0;
  const auto flush = [&] {
    EVP_DigestUpdate(context.get(), piece.data(), piece.size());
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
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned length = 0;
  EVP_DigestFinal_ex(context.get(), digest, &length);
  return ToHex({reinterpret_cast<const char*>(digest), length});
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
  const std::string_view source = indicator.source.empty() ? Stem(indicator.file) : std::string_view(indicator.source);
  const std::string_view originator = indicator.originator.empty() ? source : std::string_view(indicator.originator);
  IndicatorRows::Row row;
  bool stored =
      InternColumn(0, source, shared.source) && InternColumn(1, originator, shared.originator) &&
      InternColumn(2, indicator.description, shared.description) && InternColumn(3, indicator.pap, shared.pap) &&
      InternColumn(4, indicator.sharing_group, shared.sharing_group) &&
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
  rows_.rows_.push_back(row);
  return true;
}

}  // namespace vedette
