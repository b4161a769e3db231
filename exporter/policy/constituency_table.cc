#include "exporter/policy/constituency_table.h"

#include <algorithm>
#include <utility>

namespace vedette {

std::string_view NameOf(ConstituencyRule rule) {
  return rule == ConstituencyRule::kPrefix ? "prefix" : rule == ConstituencyRule::kAsn ? "asn" : "country";
}

const Claim* Responsibility::Of(PartnerId partner) const {
  const auto claim = std::lower_bound(claims.begin(), claims.end(), partner,
                                      [](const Claim& a, PartnerId number) { return a.partner < number; });
  return claim != claims.end() && claim->partner == partner ? &*claim : nullptr;
}

template <class Key, class Map>
void ConstituencyTable::Add(Map& map, const Key& key, ConstituencyRule rule, const std::string& matched,
                            PartnerId partner) {
  const auto [place, is_new] = map.try_emplace(key, static_cast<uint32_t>(groups_.size()));
  if (is_new) groups_.push_back({rule, matched, {}});
  std::vector<PartnerId>& claimants = groups_[place->second].partners;
  if (claimants.empty() || claimants.back() != partner) claimants.push_back(partner);
}

ConstituencyTable::ConstituencyTable(const std::vector<Claimant>& claimants, GeoLookup* geo) : geo_(geo) {
  std::map<std::pair<IpAddress, uint8_t>, uint32_t> prefixes;
  for (const auto& [id, clearance] : claimants) {
    const Constituency& own = clearance->constituency;
    partners_[id] = {clearance->partner, !own.asns.empty(), !own.countries.empty()};
    for (const IpPrefix& prefix : own.prefixes) {
      Add(prefixes, std::pair(prefix.network, prefix.length), ConstituencyRule::kPrefix, prefix.ToString(), id);
    }
    for (const uint32_t asn : own.asns) Add(asns_, asn, ConstituencyRule::kAsn, "AS" + std::to_string(asn), id);
    for (const std::string& country : own.countries) Add(countries_, country, ConstituencyRule::kCountry, country, id);
  }
  std::vector<PrefixTable::Prefix> table;
  table.reserve(prefixes.size());
  for (const auto& [prefix, group] : prefixes) table.push_back({prefix.first, prefix.second, group});
  prefixes_.Build(std::move(table));
}

std::optional<uint32_t> ConstituencyTable::Find(const IpAddress& address) {
  std::optional<uint32_t> group;
  prefixes_.ForEachCovering(address, [&group](uint32_t covering) {
    if (!group) group = covering;
  });
  if (group || address.IsSpecial() || (asns_.empty() && countries_.empty())) return group;
  static const GeoRecord kNowhere;
  const GeoRecord& place = geo_ != nullptr ? geo_->Find(address) : kNowhere;
  if (place.asn) {
    if (const auto found = asns_.find(*place.asn); found != asns_.end()) return found->second;
  } else {
    last_.network_unknown = true;
  }
  if (!place.country_code.empty()) {
    if (const auto found = countries_.find(place.country_code); found != countries_.end()) return found->second;
  } else {
    last_.country_unknown = true;
  }
  return std::nullopt;
}

void ConstituencyTable::Claimed(const IpAddress& address, bool affected) {
  const std::optional<uint32_t> number = Find(address);
  if (!number) return;
  const Group& group = groups_[*number];
  for (const PartnerId partner : group.partners) {
    auto claim = std::lower_bound(last_.claims.begin(), last_.claims.end(), partner,
                                  [](const Claim& a, PartnerId b) { return a.partner < b; });
    if (claim == last_.claims.end() || claim->partner != partner) {
      claim = last_.claims.insert(claim, {partner, false, false, group.rule, group.matched});
    }
    (affected ? claim->affected : claim->suspect) = true;
  }
}

const Responsibility& ConstituencyTable::Decide(const IpAddress* affected, const IpAddress* suspect) {
  const IpAddress affected_address = affected != nullptr ? *affected : IpAddress();
  const IpAddress suspect_address = suspect != nullptr ? *suspect : IpAddress();
  const uint64_t version = geo_ != nullptr ? geo_->version() : 0;
  if (has_last_ && version == last_version_ && affected_address == last_affected_ && suspect_address == last_suspect_)
    return last_;
  has_last_ = true;
  last_version_ = version;
  last_affected_ = affected_address;
  last_suspect_ = suspect_address;
  last_.claims.clear();
  last_.network_unknown = last_.country_unknown = false;
  last_.no_role = affected == nullptr && suspect == nullptr;
  if (affected != nullptr) Claimed(*affected, true);
  if (suspect != nullptr) Claimed(*suspect, false);
  return last_;
}

bool ConstituencyTable::IsUndecided(const Responsibility& responsibility, PartnerId partner) const {
  const Partner& asked = partners_.at(partner);
  return responsibility.Of(partner) == nullptr && ((asked.has_asns && responsibility.network_unknown) ||
                                                   (asked.has_countries && responsibility.country_unknown));
}

std::vector<std::string> ConstituencyTable::Warnings() const {
  bool networks = false, countries = false;
  if (geo_ != nullptr) {
    for (const GeoDatabaseInfo& database : geo_->databases()) {
      networks |= database.knows_networks;
      countries |= database.knows_countries;
    }
  }
  std::vector<std::string> out;
  for (const auto& [id, partner] : partners_) {
    const bool lacks_networks = partner.has_asns && !networks, lacks_countries = partner.has_countries && !countries;
    if (!lacks_networks && !lacks_countries) continue;
    const std::string what = lacks_networks && lacks_countries ? "AS numbers and countries"
                             : lacks_networks                  ? "AS numbers"
                                                               : "countries";
    out.push_back("partner `" + partner.name + "` claims " + what +
                  ", which no open geolocation database knows: nothing matches it that way; name a database with "
                  "`geo`, or put one into /var/lib/vedette/geo");
  }
  return out;
}

}  // namespace vedette
