#include "exporter/policy/constituency_table.h"

#include <gtest/gtest.h>

#include <random>
#include <set>
#include <tuple>

#include "tests/unit/exporter/mmdb_files.h"

namespace vedette {
namespace {

Clearance Partner(std::string name, std::vector<std::string> prefixes, std::vector<uint32_t> asns = {},
                  std::vector<std::string> countries = {}) {
  Clearance out;
  out.partner = std::move(name);
  for (const std::string& text : prefixes) {
    std::string reason;
    out.constituency.prefixes.push_back(ParseIpPrefix(text, reason).value());
  }
  out.constituency.asns = std::move(asns);
  out.constituency.countries = std::move(countries);
  return out;
}

// Known by their place.
std::vector<ConstituencyTable::Claimant> Claimants(const std::vector<Clearance>& partners) {
  std::vector<ConstituencyTable::Claimant> out;
  for (const Clearance& partner : partners) out.push_back({out.size(), &partner});
  return out;
}

class Constituencies : public testing::Test {
 protected:
  Constituencies() {
    const auto network = [](uint32_t asn, const char* country) {
      return MapOf({{"asn", MmdbValue::Uint32(asn)}, {"country_code", Text(country)}});
    };
    std::string error;
    EXPECT_TRUE(geo_.Open(folder_.Write("geo.mmdb", MmdbFile({{"193.0.0.0", 16, network(3333, "NL")},
                                                              {"8.8.0.0", 16, network(15169, "US")},
                                                              {"2a02:cf40::", 29, network(64500, "NO")},
                                                              {"9.9.0.0", 16, MapOf({{"country_code", Text("NL")}})},
                                                              {"7.7.0.0", 16, MapOf({{"asn", Text("AS64501")}})}},
                                                             TestMetadata())),
                          error))
        << error;
  }
  // "0:affected:prefix:192.0.2.0/24 1:both:…"; `affected` and `suspect` may be empty.
  std::string Decide(ConstituencyTable& table, const char* affected, const char* suspect = "") {
    const IpAddress a = Address(affected), s = Address(suspect);
    const Responsibility& found = table.Decide(a.version() != 0 ? &a : nullptr, s.version() != 0 ? &s : nullptr);
    std::string out;
    for (const Claim& claim : found.claims) {
      if (!out.empty()) out += ' ';
      out += std::to_string(claim.partner) + ':' +
             (claim.affected && claim.suspect ? "both"
              : claim.affected                ? "affected"
                                              : "suspect") +
             ':' + std::string(NameOf(claim.rule)) + ':' + std::string(claim.matched);
      EXPECT_EQ(found.Of(claim.partner), &claim);
    }
    return out;
  }

  TestFolder folder_;
  GeoLookup geo_;
};

TEST_F(Constituencies, TheMostSpecificStatementDecides) {
  const std::vector<Clearance> partners = {Partner("country", {}, {}, {"NL"}), Partner("network", {}, {3333}),
                                           Partner("wide", {"193.0.0.0/20"}), Partner("narrow", {"193.0.2.0/24"}),
                                           Partner("narrow-too", {"193.0.2.0/24", "193.0.2.0/24"})};
  ConstituencyTable table(Claimants(partners), &geo_);
  EXPECT_EQ(Decide(table, "193.0.2.1"), "3:affected:prefix:193.0.2.0/24 4:affected:prefix:193.0.2.0/24");
  EXPECT_EQ(Decide(table, "193.0.3.1"), "2:affected:prefix:193.0.0.0/20");
  EXPECT_EQ(Decide(table, "193.0.99.1"), "1:affected:asn:AS3333");
  EXPECT_EQ(Decide(table, "9.9.9.9"), "0:affected:country:NL");
  EXPECT_EQ(Decide(table, "8.8.8.8"), "");
}

TEST_F(Constituencies, BothVersionsAndPrivateNetworks) {
  ConstituencyTable table(Claimants({Partner("a", {"10.0.0.0/8", "2a02:cf40::/48"}), Partner("b", {}, {}, {"NO"})}),
                          &geo_);
  EXPECT_EQ(Decide(table, "10.1.2.3"), "0:affected:prefix:10.0.0.0/8");
  EXPECT_EQ(Decide(table, "2a02:cf40::1"), "0:affected:prefix:2a02:cf40::/48");
  EXPECT_EQ(Decide(table, "2a02:cf40:1::1"), "1:affected:country:NO");
}

TEST_F(Constituencies, SuspectAndAffectedEachCount) {
  ConstituencyTable table(Claimants({Partner("nl", {}, {}, {"NL"}), Partner("google", {}, {15169})}), &geo_);
  EXPECT_EQ(Decide(table, "193.0.2.1", "8.8.8.8"), "0:affected:country:NL 1:suspect:asn:AS15169");
  EXPECT_EQ(Decide(table, "8.8.8.8", "193.0.2.1"), "0:suspect:country:NL 1:affected:asn:AS15169");
  EXPECT_EQ(Decide(table, "", "193.0.2.1"), "0:suspect:country:NL");
  EXPECT_EQ(Decide(table, "193.0.2.1", "9.9.9.9"), "0:both:country:NL");
  ConstituencyTable mixed(Claimants({Partner("a", {"193.0.2.0/24"}, {15169})}), &geo_);
  EXPECT_EQ(Decide(mixed, "193.0.2.1", "8.8.8.8"), "0:both:prefix:193.0.2.0/24");
  EXPECT_EQ(Decide(mixed, "8.8.8.8", "193.0.2.1"), "0:both:asn:AS15169") << "the rule for who is affected is told";
}

TEST_F(Constituencies, NobodyAffectedOrSuspectIsNobodysAlert) {
  ConstituencyTable table(Claimants({Partner("nl", {}, {}, {"NL"})}), &geo_);
  const Responsibility& found = table.Decide(nullptr, nullptr);
  EXPECT_TRUE(found.no_role);
  EXPECT_TRUE(found.claims.empty());
  EXPECT_FALSE(table.IsUndecided(found, 0));
  const IpAddress address = Address("193.0.2.1");
  EXPECT_FALSE(table.Decide(&address, nullptr).no_role);
}

TEST_F(Constituencies, UndecidedOnlyWhereKnowingMoreCouldMatter) {
  ConstituencyTable table(Claimants({Partner("country", {}, {}, {"NL"}), Partner("network", {}, {3333}),
                                     Partner("prefix", {"5.5.5.0/24"}), Partner("all", {})}),
                          &geo_);
  const auto undecided = [&](const char* affected, const char* suspect = "") {
    const IpAddress a = Address(affected), s = Address(suspect);
    const Responsibility& found = table.Decide(&a, s.version() != 0 ? &s : nullptr);
    std::string out;
    for (uint32_t i = 0; i < 4; ++i) out += table.IsUndecided(found, i) ? 'u' : '-';
    return out;
  };
  EXPECT_EQ(undecided("6.6.6.6"), "uu--") << "nothing known";
  EXPECT_EQ(undecided("8.8.8.8"), "----") << "known, and nobody's";
  EXPECT_EQ(undecided("9.9.9.9"), "-u--") << "its country's, but perhaps the network's";
  EXPECT_EQ(undecided("7.7.7.7"), "u---") << "the network is known";
  EXPECT_EQ(undecided("5.5.5.5"), "----") << "a prefix decides";
  EXPECT_EQ(undecided("10.0.0.1"), "----") << "a private address has no place that could be known";
  EXPECT_EQ(undecided("8.8.8.8", "6.6.6.6"), "uu--");
  EXPECT_EQ(undecided("193.0.2.1", "6.6.6.6"), "u---") << "the network is responsible for one of them";
}

TEST_F(Constituencies, WithoutDatabasesOnlyPrefixesCount) {
  const std::vector<Clearance> partners = {Partner("a", {"193.0.2.0/24"}, {3333}, {"NL"}), Partner("b", {"8.8.8.0/24"}),
                                           Partner("c", {}, {}, {"US"})};
  GeoLookup none;
  for (GeoLookup* geo : {static_cast<GeoLookup*>(nullptr), &none}) {
    ConstituencyTable table(Claimants(partners), geo);
    EXPECT_EQ(Decide(table, "193.0.2.1"), "0:affected:prefix:193.0.2.0/24");
    EXPECT_EQ(Decide(table, "193.0.3.1"), "");
    const std::vector<std::string> warnings = table.Warnings();
    ASSERT_EQ(warnings.size(), 2u);
    EXPECT_EQ(warnings[0].find("partner `a` claims AS numbers and countries, which no open"), 0u) << warnings[0];
    EXPECT_EQ(warnings[1].find("partner `c` claims countries"), 0u) << warnings[1];
  }
  EXPECT_TRUE(ConstituencyTable(Claimants(partners), &geo_).Warnings().empty());
}

TEST_F(Constituencies, AnAnswerIsNotKeptBeyondItsDatabase) {
  ConstituencyTable table(Claimants({Partner("nl", {}, {}, {"NL"})}), &geo_);
  EXPECT_EQ(Decide(table, "6.6.6.6"), "");
  std::string error;
  ASSERT_TRUE(geo_.Open(
      folder_.Write("more.mmdb", MmdbFile({{"6.6.0.0", 16, MapOf({{"country_code", Text("NL")}})}}, TestMetadata())),
      error));
  EXPECT_EQ(Decide(table, "6.6.6.6"), "0:affected:country:NL");
}

TEST_F(Constituencies, EmptyWithoutAnyConstituency) {
  EXPECT_TRUE(ConstituencyTable(Claimants({}), &geo_).empty());
  EXPECT_TRUE(ConstituencyTable(Claimants({Partner("a", {})}), &geo_).empty());
  EXPECT_FALSE(ConstituencyTable(Claimants({Partner("a", {"10.0.0.0/8"})}), &geo_).empty());
}

// Random prefixes in a small space, so that they nest, against a walk over all of them.
TEST_F(Constituencies, AgreesWithTheNaiveWay) {
  std::mt19937 random(7);
  for (int round = 0; round < 30; ++round) {
    std::vector<Clearance> partners;
    for (int i = 0; i < 8; ++i) {
      Clearance partner = Partner("p" + std::to_string(i), {});
      for (int j = 0; j < 40; ++j) {
        uint8_t wire[16] = {0x2a, 0x02, 0xcf, 0x40};
        const bool v4 = random() % 2 == 0;
        for (int k = v4 ? 0 : 4; k < (v4 ? 4 : 8); ++k) wire[k] = static_cast<uint8_t>(random() % 3 * 85);
        const unsigned length = v4 ? 1 + random() % 32 : 33 + random() % 32;
        partner.constituency.prefixes.push_back(
            {MaskAddress(v4 ? IpAddress::V4(wire) : IpAddress::V6(wire), length), static_cast<uint8_t>(length)});
      }
      partners.push_back(partner);
    }
    ConstituencyTable table(Claimants(partners), nullptr);
    for (int i = 0; i < 300; ++i) {
      uint8_t wire[16] = {0x2a, 0x02, 0xcf, 0x40};
      const bool v4 = random() % 2 == 0;
      for (int k = v4 ? 0 : 4; k < (v4 ? 4 : 8); ++k) wire[k] = static_cast<uint8_t>(random() % 3 * 85 + random() % 2);
      const IpAddress address = v4 ? IpAddress::V4(wire) : IpAddress::V6(wire);
      int longest = -1;
      std::set<uint32_t> expected;
      for (uint32_t p = 0; p < partners.size(); ++p) {
        for (const IpPrefix& prefix : partners[p].constituency.prefixes) {
          if (prefix.network.version() != address.version() || MaskAddress(address, prefix.length) != prefix.network)
            continue;
          if (prefix.length > longest) expected.clear();
          if (prefix.length >= longest) expected.insert(p);
          longest = std::max<int>(longest, prefix.length);
        }
      }
      std::set<uint32_t> found;
      for (const Claim& claim : table.Decide(&address, nullptr).claims) {
        found.insert(claim.partner);
        EXPECT_EQ(
            claim.matched,
            (IpPrefix{MaskAddress(address, static_cast<unsigned>(longest)), static_cast<uint8_t>(longest)}.ToString()));
      }
      ASSERT_EQ(found, expected) << address.ToString();
    }
  }
}

}  // namespace
}  // namespace vedette
