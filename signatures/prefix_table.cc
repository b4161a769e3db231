#include "signatures/prefix_table.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace vedette {
namespace {

using Wide = std::pair<uint64_t, uint64_t>;

uint64_t BigEndian(const uint8_t* bytes, size_t count) {
  uint64_t out = 0;
  for (size_t i = 0; i < count; ++i) out = out << 8 | bytes[i];
  return out;
}

template <class Key>
Key KeyOf(const IpAddress& address);
template <>
uint32_t KeyOf<uint32_t>(const IpAddress& address) {
  return static_cast<uint32_t>(BigEndian(address.bytes().data() + 12, 4));
}
template <>
Wide KeyOf<Wide>(const IpAddress& address) {
  return {BigEndian(address.bytes().data(), 8), BigEndian(address.bytes().data() + 8, 8)};
}

unsigned Top16(uint32_t key) { return key >> 16; }
unsigned Top16(const Wide& key) { return static_cast<unsigned>(key.first >> 48); }

// The last address of the prefix.
uint32_t LastOf(uint32_t first, unsigned length) {
  return length == 0 ? ~uint32_t{0} : first | static_cast<uint32_t>((uint64_t{1} << (32 - length)) - 1);
}
Wide LastOf(const Wide& first, unsigned length) {
  constexpr uint64_t kOnes = ~uint64_t{0};
  if (length <= 64) return {length == 64 ? first.first : first.first | kOnes >> length, kOnes};
  return {first.first, length == 128 ? first.second : first.second | kOnes >> (length - 64)};
}

// The address after it; there has to be one.
uint32_t NextOf(uint32_t key) { return key + 1; }
Wide NextOf(const Wide& key) { return {key.first + (key.second + 1 == 0 ? 1 : 0), key.second + 1}; }

bool IsHighest(uint32_t key) { return key == ~uint32_t{0}; }
bool IsHighest(const Wide& key) { return key.first == ~uint64_t{0} && key.second == ~uint64_t{0}; }

}  // namespace

// Disjoint intervals: interval i reaches from starts_[i] to before starts_[i + 1].
template <class Key>
class PrefixTable::Intervals {
 public:
  // `prefixes` sorted by network, shorter first; `numbers` are their places. Fills in their parents.
  void Build(const std::vector<Prefix>& prefixes, const std::vector<uint32_t>& numbers,
             std::vector<uint32_t>& parents) {
    std::vector<std::pair<Key, uint32_t>>
        open;  // last address and number of those that cover the place, outermost first
    const auto start = [&](const Key& key, uint32_t number) {
      if (!starts_.empty() && starts_.back() == key) {
        owners_.back() = number;
      } else {
        starts_.push_back(key);
        owners_.push_back(number);
      }
    };
    const auto close = [&] {
      const Key last = open.back().first;
      open.pop_back();
      if (!IsHighest(last)) start(NextOf(last), open.empty() ? kNone : open.back().second);
    };
    for (const uint32_t number : numbers) {
      const Key first = KeyOf<Key>(prefixes[number].network);
      while (!open.empty() && open.back().first < first) close();
      parents[number] = open.empty() ? kNone : open.back().second;
      start(first, number);
      open.emplace_back(LastOf(first, prefixes[number].length), number);
    }
    while (!open.empty()) close();
    starts_.shrink_to_fit();
    owners_.shrink_to_fit();
    top_.assign(kTop + 1, 0);
    size_t at = 0;
    for (unsigned top = 0; top < kTop; ++top) {
      while (at < starts_.size() && Top16(starts_[at]) < top) ++at;
      top_[top] = static_cast<uint32_t>(at);
    }
    top_[kTop] = static_cast<uint32_t>(starts_.size());
  }

  uint32_t Longest(const Key& key) const {
    const unsigned top = Top16(key);
    const auto from = starts_.begin() + top_[top], to = starts_.begin() + top_[top + 1];
    const auto after = std::upper_bound(from, to, key);
    return after == starts_.begin() ? kNone : owners_[static_cast<size_t>(after - starts_.begin()) - 1];
  }

  size_t memory_bytes() const {
    return starts_.capacity() * sizeof(Key) + (owners_.capacity() + top_.capacity()) * sizeof(uint32_t);
  }

 private:
  static constexpr unsigned kTop = 65536;

  std::vector<Key> starts_;
  std::vector<uint32_t> owners_;  // the longest prefix over the interval, or kNone
  std::vector<uint32_t> top_;     // the first interval that starts at or behind these 16 leading bits
};

PrefixTable::PrefixTable() = default;
PrefixTable::~PrefixTable() = default;
PrefixTable::PrefixTable(PrefixTable&&) noexcept = default;
PrefixTable& PrefixTable::operator=(PrefixTable&&) noexcept = default;

void PrefixTable::Build(std::vector<Prefix> prefixes) {
  prefixes_ = std::move(prefixes);
  std::sort(prefixes_.begin(), prefixes_.end(), [](const Prefix& a, const Prefix& b) {
    return std::tie(a.network.bytes(), a.length) < std::tie(b.network.bytes(), b.length);
  });
  parents_.assign(prefixes_.size(), kNone);
  std::vector<uint32_t> v4, v6;
  for (uint32_t i = 0; i < prefixes_.size(); ++i) (prefixes_[i].network.is_v4() ? v4 : v6).push_back(i);
  v4_.reset();
  v6_.reset();
  if (!v4.empty()) {
    v4_ = std::make_unique<Intervals<uint32_t>>();
    v4_->Build(prefixes_, v4, parents_);
  }
  if (!v6.empty()) {
    v6_ = std::make_unique<Intervals<Wide>>();
    v6_->Build(prefixes_, v6, parents_);
  }
}

uint32_t PrefixTable::Longest(const IpAddress& address) const {
  if (address.is_v4()) return v4_ ? v4_->Longest(KeyOf<uint32_t>(address)) : kNone;
  if (address.is_v6()) return v6_ ? v6_->Longest(KeyOf<Wide>(address)) : kNone;
  return kNone;
}

size_t PrefixTable::memory_bytes() const {
  return prefixes_.capacity() * sizeof(Prefix) + parents_.capacity() * sizeof(uint32_t) +
         (v4_ ? v4_->memory_bytes() : 0) + (v6_ ? v6_->memory_bytes() : 0);
}

}  // namespace vedette
