#include "signatures/set/exact_table.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "parsers/base/network.h"
#include "parsers/base/url.h"
#include "signatures/dot_segments.h"
#include "signatures/host_suffixes.h"

namespace vedette {
namespace {

uint64_t HashAddressPort(const IpAddress& address, uint16_t port) { return Mix64(HashOf(address) + port); }

struct AddressPort {
  IpAddress address;
  uint16_t port = 0;
};

// "1.2.3.4:80" or "[2001:db8::1]:80"; `default_port` where none is written.
std::optional<AddressPort> ParseAddressPort(std::string_view text, uint16_t default_port) {
  const HostAndPort split = SplitHostAndPort(text);
  AddressPort out;
  out.port = default_port;
  if (!split.port.empty()) {
    const char* const last = split.port.data() + split.port.size();
    const auto [end, error] = std::from_chars(split.port.data(), last, out.port);
    if (error != std::errc() || end != last) return std::nullopt;
  }
  const std::optional<IpAddress> address = IpAddress::Parse(split.host);
  if (!address) return std::nullopt;
  out.address = address->Unmapped();
  return out;
}

// The server of a normalised URL, where it is an address.
std::optional<AddressPort> AddressPortOfUrl(std::string_view url) {
  const std::string_view authority = AuthorityOf(url);
  const char first = authority.empty() ? '\0' : authority.front();
  if (first != '[' && (first < '0' || first > '9')) return std::nullopt;
  return ParseAddressPort(authority, url.substr(0, 6) == "https:" ? 443 : 80);
}

// A host name that is an address, an IPv6 one with or without its brackets. Costs a look at two bytes for most names.
std::optional<IpAddress> AddressOfHost(std::string_view host) {
  if (host.empty()) return std::nullopt;
  const char first = host.front(), last = host.back();
  const bool in_brackets = first == '[' && last == ']';
  const bool v4 = first >= '0' && first <= '9' && last >= '0' && last <= '9';
  if (!in_brackets && !v4 && host.find(':') == std::string_view::npos) return std::nullopt;
  const std::optional<IpAddress> address = IpAddress::Parse(in_brackets ? host.substr(1, host.size() - 2) : host);
  return address ? std::optional(address->Unmapped()) : std::nullopt;
}

uint64_t HashKey(KeySpace space, std::string_view value) {
  switch (space) {
    case KeySpace::kHost:
      return HashHost(value);
    case KeySpace::kAddress:
      return HashOf(IpAddress::Parse(value).value_or(IpAddress()));
    case KeySpace::kAddressPort: {
      const AddressPort key = ParseAddressPort(value, 0).value_or(AddressPort());
      return HashAddressPort(key.address, key.port);
    }
    default:
      return FinishHash(HashText(value, 0));
  }
}

}  // namespace

// One pass over the rows: duplicates go, the others are linked.
class ExactTable::Builder {
 public:
  Builder(ExactTable& table, IndicatorRows& rows, BuildResult& result) : table_(table), rows_(rows), result_(result) {}

  // Every row has a key space.
  void Run() {
    MakeIndexes();
    Ahead ahead(table_, rows_);
    uint32_t kept = 0;
    const auto total = static_cast<uint32_t>(rows_.size());
    for (uint32_t i = 0; i < total; ++i) {
      const uint64_t hash = ahead.HashOf(i);
      if (kept != i) rows_.row(kept) = rows_.row(i);
      if (Insert(hash, kept)) {
        ++kept;
      } else {
        ++result_.duplicates;
      }
    }
    rows_.Truncate(kept);
  }

  // Rows that are too many, ascending, each told to `refuse`. Their audiences are known.
  std::vector<uint32_t> TooMany(const Refuse& refuse) const {
    std::vector<uint32_t> out;
    const std::vector<bool> beyond = AudiencesBeyondLimit();
    const bool any_beyond = std::find(beyond.begin(), beyond.end(), true) != beyond.end();
    for (uint32_t row = 0; any_beyond && row < rows_.size(); ++row) {
      if (!beyond[rows_.row(row).audience]) continue;
      out.push_back(row);
      refuse(row, "more than " + std::to_string(kMaxAudiencesPerOriginator) +
                      " combinations of TLP, sharing group and recipients of one originator");
    }
    for (const auto& [head, crowd] : crowds_) {
      std::unordered_map<uint32_t, size_t> by_audience;
      for (uint32_t row = head; row != IndicatorRows::kNone; row = rows_.row(row).next) {
        const uint32_t audience = rows_.row(row).audience;
        if (beyond[audience] || ++by_audience[audience] <= kMaxRowsPerKey) continue;
        out.push_back(row);
        refuse(row, "more than " + std::to_string(kMaxRowsPerKey) + " indicators have this value");
      }
    }
    std::sort(out.begin(), out.end());
    return out;
  }

  // The first row of each pattern, and the prefixes.
  void Collect() {
    std::vector<PrefixTable::Prefix> prefixes;
    std::vector<bool> is_first(rows_.size(), true);
    for (uint32_t row = 0; row < rows_.size(); ++row) {
      if (rows_.row(row).next != IndicatorRows::kNone) is_first[rows_.row(row).next] = false;
      if (!is_first[row]) continue;
      const KeySpace space = SpaceOf(row);
      if (space == KeySpace::kContent) {
        result_.contents.push_back(row);
      } else if (space == KeySpace::kRegex) {
        result_.regexes.push_back(row);
      } else if (space == KeySpace::kPrefix) {
        const Network network = Network::Parse(rows_.value(row)).value_or(Network());
        prefixes.push_back({network.base(), static_cast<uint8_t>(network.prefix_bits()), row});
      }
    }
    table_.prefixes_.Build(std::move(prefixes));
    for (const KeySpace space : {KeySpace::kPrefix, KeySpace::kContent, KeySpace::kRegex}) {
      table_.indexes_[static_cast<size_t>(space)] = HashIndex();  // was there to find what is there twice
    }
  }

 private:
  // A key with so many rows that looking at each of them for every further one takes too long.
  static constexpr size_t kCrowd = 64;
  static_assert(kCrowd <= kMaxRowsPerKey, "only crowds are looked at for too many rows");
  struct Crowd {
    uint32_t last = 0;
    std::unordered_multimap<uint64_t, uint32_t> by_hash;  // of HashBesidesValue
  };

  // Hashes run ahead of the insertions, so that the slots are in the cache when their turn comes. The rows from the one
  // that is asked for on are as they were.
  class Ahead {
   public:
    Ahead(const ExactTable& table, const IndicatorRows& rows) : table_(table), rows_(rows) {}

    // Ascending, each row once.
    uint64_t HashOf(uint32_t row) {
      const auto end = static_cast<uint32_t>(std::min<size_t>(rows_.size(), size_t{row} + kRows));
      for (; next_ < end; ++next_) Prepare(next_);
      return hashes_[row % kRows];
    }

   private:
    static constexpr uint32_t kRows = 16;

    void Prepare(uint32_t row) {
      const KeySpace space = KeySpaceOf(rows_.row(row).type).value_or(KeySpace::kHost);
      const uint64_t hash = HashKey(space, rows_.value(row));
      hashes_[row % kRows] = hash;
      table_.index(space).PrefetchFilter(hash);
      table_.index(space).PrefetchSlot(hash);
    }

    const ExactTable& table_;
    const IndicatorRows& rows_;
    std::array<uint64_t, kRows> hashes_{};
    uint32_t next_ = 0;
  };

  void MakeIndexes() {
    std::array<size_t, kKeySpaces> counts{};
    for (uint32_t i = 0; i < rows_.size(); ++i) ++counts[static_cast<size_t>(SpaceOf(i))];
    for (size_t space = 0; space < kKeySpaces; ++space) table_.indexes_[space] = HashIndex(counts[space]);
    table_.places_ = {};
  }

  // By its key. False: another row says the same.
  bool Insert(uint64_t hash, uint32_t row) {
    rows_.row(row).next = IndicatorRows::kNone;
    const auto space = static_cast<size_t>(SpaceOf(row));
    const std::string_view value = rows_.value(row);
    const uint32_t head =
        table_.indexes_[space].FindOrInsert(hash, row, [&](uint32_t entry) { return rows_.value(entry) == value; });
    if (head != row && !Link(head, row)) return false;
    table_.places_[space].Add(rows_.places(row));
    return true;
  }

  // By number: those of an originator with too many.
  std::vector<bool> AudiencesBeyondLimit() const {
    std::vector<bool> beyond(rows_.audiences().size(), false);
    std::unordered_map<StringPool::Ref, size_t> by_originator;
    for (size_t i = 0; i < beyond.size(); ++i) {
      const StringPool::Ref originator = rows_.OriginatorOf(rows_.audiences()[i].first_row);
      beyond[i] = ++by_originator[originator] > kMaxAudiencesPerOriginator;
    }
    return beyond;
  }

  KeySpace SpaceOf(uint32_t row) const { return KeySpaceOf(rows_.row(row).type).value_or(KeySpace::kHost); }

  // Appends the row to those of its key. False: one of them says the same.
  bool Link(uint32_t head, uint32_t row) {
    const auto known = crowds_.find(head);
    if (known != crowds_.end()) return LinkToCrowd(known->second, row);
    uint32_t at = head;
    for (size_t n = 1; n <= kCrowd; ++n, at = rows_.row(at).next) {
      if (IsTwice(at, row)) return false;
      if (rows_.row(at).next != IndicatorRows::kNone) continue;
      rows_.row(at).next = row;
      return true;
    }
    Crowd& crowd = crowds_[head];
    for (at = head; at != IndicatorRows::kNone; at = rows_.row(at).next) {
      crowd.by_hash.emplace(rows_.HashBesidesValue(at), at);
      crowd.last = at;
    }
    return LinkToCrowd(crowd, row);
  }
  bool LinkToCrowd(Crowd& crowd, uint32_t row) {
    const uint64_t hash = rows_.HashBesidesValue(row);
    const auto [begin, end] = crowd.by_hash.equal_range(hash);
    for (auto at = begin; at != end; ++at) {
      if (IsTwice(at->second, row)) return false;
    }
    crowd.by_hash.emplace(hash, row);
    rows_.row(crowd.last).next = row;
    crowd.last = row;
    return true;
  }
  bool IsTwice(uint32_t kept, uint32_t row) {
    if (!rows_.SameBesidesValue(kept, row)) return false;
    rows_.TakeTlp(kept, row);
    return true;
  }

  ExactTable& table_;
  IndicatorRows& rows_;
  BuildResult& result_;
  std::map<uint32_t, Crowd> crowds_;  // by the key's first row
};

ExactTable::BuildResult ExactTable::Build(IndicatorRows& rows, const Refuse& refuse) {
  BuildResult result;
  std::vector<uint32_t> refused;
  for (uint32_t row = 0; row < rows.size(); ++row) {
    if (KeySpaceOf(rows.row(row).type)) continue;
    refused.push_back(row);
    refuse(row, std::string(NameOf(rows.row(row).type)) + " values are not looked up yet");
  }
  if (!refused.empty()) rows.Remove(refused);
  rows.ShareTlps();
  // A second time only where rows were too many; then none is.
  for (;;) {
    Builder builder(*this, rows, result);
    builder.Run();
    rows.FindAudiences();
    refused = builder.TooMany(refuse);
    if (refused.empty()) {
      builder.Collect();
      return result;
    }
    rows.Remove(refused);
  }
}

size_t ExactTable::memory_bytes() const {
  size_t bytes = prefixes_.memory_bytes();
  for (const HashIndex& index : indexes_) bytes += index.memory_bytes();
  return bytes;
}

class ExactTable::Prober {
 public:
  Prober(const ExactTable& table, const IndicatorRows& rows, std::span<const Observable> observables,
         std::vector<Found>& found)
      : table_(table), rows_(rows), observables_(observables), found_(found) {}

  void Run() {
    for (uint32_t i = 0; i < observables_.size(); ++i) {
      const Observable& observable = observables_[i];
      switch (TraitsOf(observable.kind).lookup) {
        case ExactLookup::kAddressPort:
          if (observable.port != 0) ProbeAddressPort(i, {observable.address.Unmapped(), observable.port});
          [[fallthrough]];
        case ExactLookup::kAddress:
          // Indicators have such addresses as IPv4, too: ::ffff:1.2.3.4 must not be a way round 1.2.3.4.
          ProbeAddress(i, observable.address.Unmapped());
          break;
        case ExactLookup::kHostOrAddress:
          if (LooksForAddresses(observable.kind)) {
            if (const std::optional<IpAddress> address = AddressOfHost(observable.text)) {
              ProbeAddress(i, *address);
              break;
            }
          }
          [[fallthrough]];
        case ExactLookup::kHostName:
          ProbeHost(i, observable.text);
          break;
        case ExactLookup::kAddressText:
          if (LooksForAddresses(observable.kind)) {
            if (const std::optional<IpAddress> address = AddressOfHost(observable.text)) ProbeAddress(i, *address);
          }
          break;
        case ExactLookup::kUrl:
          ProbeUrl(i, observable);
          break;
        case ExactLookup::kWholeText:
          if (const std::optional<KeySpace> space = TextSpaceOf(observable.kind)) ProbeText(i, *space, observable.text);
          break;
        case ExactLookup::kNone:
          break;
      }
    }
    Flush();
  }

 private:
  struct Probe {
    uint64_t hash;
    uint32_t observable;
    uint32_t begin;  // of the key in a host name; or kWithoutDotSegments
    KeySpace space;
  };
  static constexpr uint32_t kWithoutDotSegments = UINT32_MAX;  // the key is the URL without them
  static constexpr size_t kGroup = 64;  // as many cache misses under way as the processor can have, a few times over

  bool LooksForAddresses(ObservableKind kind) const {
    return table_.LooksIn(KeySpace::kAddress, kind) || table_.LooksIn(KeySpace::kPrefix, kind);
  }

  void ProbeAddress(uint32_t i, const IpAddress& address) {
    Add(KeySpace::kAddress, i, HashOf(address), 0);
    if (!table_.prefixes_.empty() && table_.LooksIn(KeySpace::kPrefix, observables_[i].kind)) {
      table_.prefixes_.ForEachCovering(address, [&](uint32_t row) { found_.push_back({i, row, true}); });
    }
  }
  void ProbeAddressPort(uint32_t i, const AddressPort& end) {
    Add(KeySpace::kAddressPort, i, HashAddressPort(end.address, end.port), 0);
  }
  void ProbeHost(uint32_t i, std::string_view host) {
    if (!table_.LooksIn(KeySpace::kHost, observables_[i].kind)) return;
    ForEachSuffix(host, [&](size_t begin, uint64_t hash) { Add(KeySpace::kHost, i, hash, begin); });
  }
  void ProbeUrl(uint32_t i, const Observable& url) {
    ProbeText(i, KeySpace::kUrl, url.text);
    if (HasDotSegments(url.text) && table_.LooksIn(KeySpace::kUrl, url.kind)) {
      Add(KeySpace::kUrl, i, FinishHash(HashText(WithoutDotSegments(url.text), 0)), kWithoutDotSegments);
    }
    if (table_.LooksIn(KeySpace::kAddressPort, url.kind)) {
      if (const std::optional<AddressPort> end = AddressPortOfUrl(url.text)) ProbeAddressPort(i, *end);
    }
  }
  void ProbeText(uint32_t i, KeySpace space, std::string_view text) {
    if (table_.LooksIn(space, observables_[i].kind)) Add(space, i, FinishHash(HashText(text, 0)), 0);
  }

  void Add(KeySpace space, uint32_t observable, uint64_t hash, size_t begin) {
    if (!table_.LooksIn(space, observables_[observable].kind)) return;
    if (count_ == kGroup) Flush();
    table_.index(space).PrefetchFilter(hash);
    probes_[count_++] = {hash, observable, static_cast<uint32_t>(begin), space};
  }

  void Flush() {
    size_t passed = 0;
    for (size_t i = 0; i < count_; ++i) {
      const Probe& probe = probes_[i];
      const HashIndex& index = table_.index(probe.space);
      if (!index.MayHave(probe.hash)) continue;
      index.PrefetchSlot(probe.hash);
      probes_[passed++] = probe;
    }
    count_ = passed;
    passed = 0;
    for (size_t i = 0; i < count_; ++i) {
      const uint32_t row = table_.index(probes_[i].space).Candidate(probes_[i].hash);
      if (row == HashIndex::kNone) continue;
      rows_.PrefetchRow(row);
      candidates_[passed] = row;
      probes_[passed++] = probes_[i];
    }
    for (size_t i = 0; i < passed; ++i) rows_.PrefetchTexts(candidates_[i]);
    for (size_t i = 0; i < passed; ++i) {
      const Probe& probe = probes_[i];
      const uint32_t row =
          table_.index(probe.space).Find(probe.hash, [&](uint32_t entry) { return HasKey(probe, rows_.value(entry)); });
      if (row != HashIndex::kNone)
        found_.push_back({probe.observable, row, probe.begin == 0 || probe.begin == kWithoutDotSegments});
    }
    count_ = 0;
  }

  bool HasKey(const Probe& probe, std::string_view value) const {
    const Observable& observable = observables_[probe.observable];
    switch (probe.space) {
      case KeySpace::kAddress: {
        const std::optional<IpAddress> address = FormOf(observable.kind) == ValueForm::kAddress
                                                     ? std::optional(observable.address.Unmapped())
                                                     : AddressOfHost(observable.text);
        return address && address->ToString() == value;  // which is in its normal form
      }
      case KeySpace::kAddressPort: {
        const std::optional<AddressPort> end =
            FormOf(observable.kind) == ValueForm::kAddress
                ? std::optional(AddressPort{observable.address.Unmapped(), observable.port})
                : AddressPortOfUrl(observable.text);
        const std::optional<AddressPort> key = ParseAddressPort(value, 0);
        return end && key && end->address == key->address && end->port == key->port;
      }
      default:
        if (probe.begin == kWithoutDotSegments) return WithoutDotSegments(observable.text) == value;
        return observable.text.substr(probe.begin) == value;
    }
  }

  const ExactTable& table_;
  const IndicatorRows& rows_;
  std::span<const Observable> observables_;
  std::vector<Found>& found_;
  std::array<Probe, kGroup> probes_;
  std::array<uint32_t, kGroup> candidates_;
  size_t count_ = 0;
};

void ExactTable::Find(const IndicatorRows& rows, std::span<const Observable> observables,
                      std::vector<Found>& found) const {
  Prober(*this, rows, observables, found).Run();
}

}  // namespace vedette
