// Which partners are responsible for an address, and so for an alert.
//
// The most specific statement decides, over all partners: the longest prefix that covers the address, whoever claims
// it; where none does, its AS number; where nobody claims that, its country. Several partners may claim the same.
//
// One thread uses a table (it remembers the last answer).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "exporter/geo/geo.h"
#include "exporter/policy/constituency.h"
#include "exporter/policy/partner.h"
#include "signatures/prefix_table.h"

namespace vedette {

enum class ConstituencyRule : uint8_t { kPrefix, kAsn, kCountry };
std::string_view NameOf(ConstituencyRule rule);  // prefix, asn, country

// That one partner is responsible.
struct Claim {
  PartnerId partner = 0;
  bool affected = false, suspect = false;             // for which of the two; for both maybe
  ConstituencyRule rule = ConstituencyRule::kPrefix;  // that decided, for the affected address where it is both
  std::string_view matched;  // what of its constituency: "192.0.2.0/24", "AS3333", "NL"; holds as long as the table
};

// Who is responsible for an alert.
struct Responsibility {
  std::vector<Claim> claims;  // by partner, each once
  bool no_role = false;       // nobody is affected and nobody suspect, so nobody is responsible
  // An address that no more specific rule gave to anybody, and whose AS number, country no database knows.
  bool network_unknown = false, country_unknown = false;

  const Claim* Of(PartnerId partner) const;
};

class ConstituencyTable {
 public:
  struct Claimant {
    PartnerId id;
    const Clearance* clearance;  // its name and constituency, which are copied
  };
  // In ascending order of their ids. `geo` outlives the table; null: nobody is found by AS number or country.
  ConstituencyTable(const std::vector<Claimant>& claimants, GeoLookup* geo);
  ConstituencyTable(const ConstituencyTable&) = delete;
  ConstituencyTable& operator=(const ConstituencyTable&) = delete;

  // By the addresses of who is affected and who is suspect; null where nobody is. Holds until the next call.
  const Responsibility& Decide(const IpAddress* affected, const IpAddress* suspect);
  // Whether `partner` might be responsible if the databases knew more; only where it is not.
  bool IsUndecided(const Responsibility& responsibility, PartnerId partner) const;

  // No partner has a constituency: nobody is responsible for anything.
  bool empty() const { return groups_.empty(); }
  std::string_view NameOfPartner(PartnerId partner) const { return partners_.at(partner).name; }
  // One sentence for each partner that claims AS numbers or countries which no open database knows.
  std::vector<std::string> Warnings() const;

 private:
  struct Partner {
    std::string name;
    bool has_asns = false, has_countries = false;
  };
  // Those who claim the same.
  struct Group {
    ConstituencyRule rule;
    std::string matched;
    std::vector<PartnerId> partners;  // ascending
  };

  template <class Key, class Map>
  void Add(Map& map, const Key& key, ConstituencyRule rule, const std::string& matched, PartnerId partner);
  // Index into groups_, or nothing where nobody claims it.
  std::optional<uint32_t> Find(const IpAddress& address);
  void Claimed(const IpAddress& address, bool affected);

  GeoLookup* geo_;
  std::map<PartnerId, Partner> partners_;
  std::vector<Group> groups_;
  PrefixTable prefixes_;
  std::unordered_map<uint32_t, uint32_t> asns_;
  std::map<std::string, uint32_t, std::less<>> countries_;

  // The last answer and what it was asked for: an alert is shown to several partners.
  Responsibility last_;
  IpAddress last_affected_, last_suspect_;
  uint64_t last_version_ = 0;  // of the databases
  bool has_last_ = false;
};

}  // namespace vedette
