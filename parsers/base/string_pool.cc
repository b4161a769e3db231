#include "parsers/base/string_pool.h"

#include <cstring>

#include "parsers/base/hash.h"

namespace vedette {

StringPool::StringPool() { (void)Add({}); }  // so that no other text gets reference 0

std::optional<StringPool::Ref> StringPool::Add(std::string_view text) {
  if (text.size() > kMaxTextBytes) return std::nullopt;
  constexpr size_t kMaxPrefix = 3;  // base-128 digits of kMaxTextBytes
  if (used_ + kMaxPrefix + text.size() > kBlockBytes) {
    if ((blocks_.size() + 1) * kBlockBytes > kMaxBytes) return std::nullopt;
    blocks_.push_back(std::make_unique_for_overwrite<char[]>(kBlockBytes));
    used_ = 0;
  }
  const auto ref = static_cast<Ref>((blocks_.size() - 1) * kBlockBytes + used_);
  char* out = blocks_.back().get() + used_;
  size_t length = text.size();
  do {
    *out++ = static_cast<char>((length & 0x7f) | (length > 0x7f ? 0x80 : 0));
    length >>= 7;
  } while (length != 0);
  if (!text.empty()) std::memcpy(out, text.data(), text.size());
  used_ = static_cast<size_t>(out - blocks_.back().get()) + text.size();
  return ref;
}

std::string_view StringPool::at(Ref ref) const {
  const char* at = blocks_[ref >> kBlockBits].get() + (ref & (kBlockBytes - 1));
  size_t length = 0;
  for (unsigned shift = 0;; shift += 7) {
    const auto byte = static_cast<uint8_t>(*at++);
    length |= static_cast<size_t>(byte & 0x7f) << shift;
    if ((byte & 0x80) == 0) break;
  }
  return {at, length};
}

std::optional<StringPool::Ref> StringInterner::Intern(std::string_view text) {
  if (text.empty()) return StringPool::Ref{0};
  if ((count_ + 1) * 4 > slots_.size() * 3) Grow();
  const size_t mask = slots_.size() - 1;
  size_t slot = FinishHash(HashText(text, 0)) & mask;
  for (; slots_[slot] != 0; slot = (slot + 1) & mask) {
    if (pool_.at(slots_[slot]) == text) return slots_[slot];
  }
  const std::optional<StringPool::Ref> ref = pool_.Add(text);
  if (!ref) return std::nullopt;
  slots_[slot] = *ref;
  ++count_;
  return ref;
}

void StringInterner::Grow() {
  std::vector<StringPool::Ref> old = std::move(slots_);
  slots_.assign(old.empty() ? 64 : old.size() * 2, 0);
  const size_t mask = slots_.size() - 1;
  for (const StringPool::Ref ref : old) {
    if (ref == 0) continue;
    size_t slot = FinishHash(HashText(pool_.at(ref), 0)) & mask;
    while (slots_[slot] != 0) slot = (slot + 1) & mask;
    slots_[slot] = ref;
  }
}

}  // namespace vedette
