#include <gtest/gtest.h>

#include <random>

#include "exporter/geo/build/ip_ranges.h"
#include "exporter/geo/build/sources.h"
#include "exporter/geo/geo.h"
#include "tests/unit/exporter/mmdb_files.h"

namespace vedette {
namespace {

NetworkFacts Country(const char* code) { return {CountryCode(code[0], code[1]), 0, 0}; }
NetworkFacts Network(uint32_t asn) { return {0, 0, asn}; }

// The slow and obvious answer.
NetworkFacts FactsAt(const std::vector<NetworkRange>& ranges, Place128 place) {
  for (const NetworkRange& range : ranges) {
    if (place >= range.first && place <= range.last) return range.facts;
  }
  return {};
}

TEST(IpRanges, LaterRangesCutEarlierOnes) {
  std::vector<NetworkRange> ranges = {
      {10, 20, Country("AA")}, {15, 30, Country("BB")}, {0, 5, Country("CC")}, {40, 35, Country("DD")}};
  MakeDisjoint(ranges);
  ASSERT_EQ(ranges.size(), 3u);
  EXPECT_EQ(FactsAt(ranges, 5), Country("CC"));
  EXPECT_EQ(FactsAt(ranges, 14), Country("AA"));
  EXPECT_EQ(FactsAt(ranges, 15), Country("BB"));
}

TEST(IpRanges, MergeAgreesWithTheObviousAnswer) {
  std::mt19937 random(5);
  for (int round = 0; round < 300; ++round) {
    std::vector<NetworkRange> a, b;
    for (auto* list : {&a, &b}) {
      Place128 place = random() % 4;
      while (place < 200) {
        const Place128 last = place + random() % 12;
        NetworkFacts facts = list == &a ? Country(random() % 2 != 0 ? "AA" : "BB") : Network(1 + random() % 2);
        if (list == &b && random() % 3 == 0) facts.country = Country("CC").country;
        list->push_back({place, last, facts});
        place = last + 1 + random() % 5;
      }
    }
    if (round % 5 == 0) b.push_back({1000, kLastPlace, Network(9)});
    const std::vector<NetworkRange> merged = Merge(a, b);
    for (size_t i = 1; i < merged.size(); ++i) ASSERT_LT(merged[i - 1].last, merged[i].first);
    for (Place128 place = 0; place < 1100; ++place) {
      NetworkFacts expected = FactsAt(a, place);
      const NetworkFacts second = FactsAt(b, place);
      if (expected.country == 0) expected.country = second.country;
      expected.asn = second.asn;
      ASSERT_EQ(FactsAt(merged, place), expected) << static_cast<uint64_t>(place);
    }
  }
}

TEST(MmdbWriter, IsReadBackAsWritten) {
  TestFolder folder;
  std::mt19937 random(17);
  for (int round = 0; round < 20; ++round) {
    MmdbWriter writer;
    std::vector<NetworkRange> written;
    for (int i = 0; i < 50; ++i) {  // IPv4, overlapping: the later one counts
      const Place128 first = 0x08000000 + random() % 4096;
      const Place128 last = first + random() % 300;
      const NetworkFacts facts = Network(1 + random() % 9);
      writer.Insert(first, last, writer.AddValue(MapOf({{"asn", MmdbValue::Uint32(facts.asn)}})));
      written.insert(written.begin(), {first, last, facts});
    }
    std::string file, error;
    ASSERT_TRUE(writer.Finish(TestMetadata(), file));
    GeoLookup geo;
    ASSERT_TRUE(geo.Open(folder.Write("round.mmdb", file), error)) << error;
    for (uint32_t place = 0x08000000; place < 0x08000000 + 4500; ++place) {
      const uint8_t wire[4] = {static_cast<uint8_t>(place >> 24), static_cast<uint8_t>(place >> 16),
                               static_cast<uint8_t>(place >> 8), static_cast<uint8_t>(place)};
      const uint32_t expected = FactsAt(written, place).asn;
      ASSERT_EQ(geo.Find(IpAddress::V4(wire)).asn.value_or(0), expected) << place;
    }
    EXPECT_EQ(geo.counters().lookup_errors, 0u);
  }
}

TEST(MmdbWriter, FindsIpv4ThroughItsIpv6Forms) {
  TestFolder folder;
  std::string error;
  GeoLookup geo;
  ASSERT_TRUE(geo.Open(
      folder.Write("v4.mmdb", MmdbFile({{"9.9.9.0", 24, MapOf({{"country_code", Text("CH")}})}}, TestMetadata())),
      error))
      << error;
  EXPECT_EQ(geo.Find(Address("2002:909:901::1")).country_code, "CH");
  EXPECT_EQ(geo.Find(Address("2002:909:a01::1")).country_code, "");
}

TEST(MmdbWriter, WritesLargeValuesAndManyOfThem) {
  TestFolder folder;
  MmdbWriter writer;
  // Every form of a length and of a pointer below 2^27.
  for (const size_t length : {28u, 29u, 284u, 285u, 65'820u, 65'821u, 100'000u}) {
    writer.Insert(length, length, writer.AddValue(MapOf({{"city", Text(std::string(length, 'n'))}})));
  }
  for (uint32_t i = 0; i < 60'000; ++i) {
    const Place128 place = 0x09000000 + i;
    writer.Insert(place, place,
                  writer.AddValue(MapOf({{"as_name", Text("organisation number " + std::to_string(i % 50'000))},
                                         {"asn", MmdbValue::Uint32(i + 1)}})));
  }
  std::string file, error;
  ASSERT_TRUE(writer.Finish(TestMetadata(), file));
  EXPECT_LT(file.size(), 4u << 20) << "what is said twice is written once";
  GeoLookup geo;
  ASSERT_TRUE(geo.Open(folder.Write("many.mmdb", file), error)) << error;
  for (const uint32_t i : {0u, 1u, 30'000u, 59'999u}) {
    const uint8_t wire[4] = {9, 0, static_cast<uint8_t>(i >> 8), static_cast<uint8_t>(i)};
    const GeoRecord place = geo.Find(IpAddress::V4(wire));
    EXPECT_EQ(place.asn, i + 1);
    EXPECT_EQ(place.organisation, "organisation number " + std::to_string(i % 50'000));
  }
  EXPECT_EQ(geo.counters().lookup_errors, 0u);
}

TEST(GeoSources, ReadsTorsLists) {
  TestFolder folder;
  GeoSource source;
  std::string error;
  ASSERT_TRUE(ReadTorGeoip(
      folder.Write("geoip",
                   "# Generated: Thu, 25 Jun 2026 04:33:59 GMT\n\n16777216,16777471,AU\n16777472,16778239,??\n"),
      source, error))
      << error;
  ASSERT_TRUE(ReadTorGeoip(folder.Write("geoip6", "2001:2::,2001:2:0:ffff:ffff:ffff:ffff:ffff,JP\n"), source, error))
      << error;
  EXPECT_EQ(source.created, 1'782'362'039u);
  ASSERT_EQ(source.ranges.size(), 2u);
  EXPECT_EQ(FactsAt(source.ranges, PlaceOf(Address("1.0.0.255"))), Country("AU"));
  EXPECT_EQ(FactsAt(source.ranges, PlaceOf(Address("2001:2::1"))), Country("JP"));
}

TEST(GeoSources, NamesTheBadLine) {
  TestFolder folder;
  GeoSource source;
  std::string error;
  for (const char* line : {"16777216,AU", "1,2", "5,4,AU", "x,y,AU", "2001::,4,AU", "4294967296,4294967297,AU"}) {
    const std::string path = folder.Write("geoip", std::string("# list\n") + line + "\n");
    EXPECT_FALSE(ReadTorGeoip(path, source, error)) << line;
    EXPECT_EQ(error.substr(0, path.size() + 3), path + ":2:") << error;
  }
  EXPECT_FALSE(ReadTorGeoip(folder.Path("absent"), source, error));
  EXPECT_NE(error.find("install the package tor-geoipdb"), std::string::npos) << error;
}

void Append(uint64_t number, int bytes, std::string& out) {
  for (int i = bytes - 1; i >= 0; --i) out += static_cast<char>(i < 8 ? number >> (8 * i) : 0);
}

// A network of the format, two entries at most, and a tree made from prefixes.
std::string LiblocFile() {
  constexpr uint32_t kNone = 0xffffffff;
  struct Node {
    uint32_t children[2] = {0, 0};
    uint32_t network = kNone;
  };
  std::vector<Node> nodes(1);
  const auto insert = [&](const IpAddress& address, unsigned length, uint32_t network) {
    uint32_t node = 0;
    for (unsigned depth = 0; depth < length; ++depth) {
      const unsigned bit = address.bytes()[depth / 8] >> (7 - depth % 8) & 1;
      if (nodes[node].children[bit] == 0) {
        nodes[node].children[bit] = static_cast<uint32_t>(nodes.size());
        nodes.emplace_back();
      }
      node = nodes[node].children[bit];
    }
    nodes[node].network = network;
  };
  insert(Address("9.9.0.0"), 96 + 16, 0);  // the mapped form, as libloc has it
  insert(Address("9.9.9.0"), 96 + 24, 1);
  insert(Address("2a02:cf40::"), 29, 1);
  std::string tree, networks, as, countries, pool("\0Example Net\0Switzerland\0", 25);
  for (const Node& node : nodes) {
    Append(node.children[0], 4, tree);
    Append(node.children[1], 4, tree);
    Append(node.network, 4, tree);
  }
  const auto network = [&](const char* country, uint32_t asn, uint16_t flags) {
    networks += country;
    Append(0, 2, networks);
    Append(asn, 4, networks);
    Append(flags, 2, networks);
    Append(0, 2, networks);
  };
  network("CH", 0, 0);
  network("DE", 64'500, kAnycast | 0x8000);
  Append(64'500, 4, as);
  Append(1, 4, as);
  countries = "CHEU";
  Append(13, 4, countries);

  std::string file("LOCDBXX\x01");
  Append(1'667'023'194, 8, file);
  Append(0, 12, file);
  constexpr size_t kHeaderBytes = 4096 + 100;
  size_t offset = kHeaderBytes;
  for (const std::string* section : {&as, &networks, &tree, &countries, &pool}) {
    Append(offset, 4, file);
    Append(section->size(), 4, file);
    offset += section->size();
  }
  file.resize(kHeaderBytes, '\0');
  return file + as + networks + tree + countries + pool;
}

TEST(GeoSources, ReadsLibloc) {
  TestFolder folder;
  GeoSource source;
  std::string error;
  ASSERT_TRUE(ReadLibloc(folder.Write("location.db", LiblocFile()), source, error)) << error;
  EXPECT_EQ(source.created, 1'667'023'194u);
  EXPECT_EQ(source.organisations.at(64'500), "Example Net");
  EXPECT_EQ(source.countries.at(Country("CH").country).name, "Switzerland");
  EXPECT_EQ(source.countries.at(Country("CH").country).continent, "EU");
  MakeDisjoint(source.ranges);
  EXPECT_EQ(FactsAt(source.ranges, PlaceOf(Address("9.9.8.255"))), Country("CH"));
  EXPECT_EQ(FactsAt(source.ranges, PlaceOf(Address("9.9.10.0"))), Country("CH"));
  const NetworkFacts inner = {Country("DE").country, kAnycast, 64'500};
  EXPECT_EQ(FactsAt(source.ranges, PlaceOf(Address("9.9.9.9"))), inner);
  EXPECT_EQ(FactsAt(source.ranges, PlaceOf(Address("2a02:cf47:ffff::"))), inner);
  EXPECT_TRUE(FactsAt(source.ranges, PlaceOf(Address("9.10.0.0"))).empty());
}

TEST(GeoSources, DamagedLiblocEndsWithAnErrorOrAnAnswer) {
  TestFolder folder;
  const std::string good = LiblocFile();
  std::mt19937 random(23);
  std::string error;
  for (int round = 0; round < 2000; ++round) {
    std::string bad = good.substr(0, round % 3 == 0 ? random() % good.size() : good.size());
    for (int i = 0; i < 3 && !bad.empty(); ++i) {
      // The header and the tables, not the room for signatures between them.
      const size_t at =
          random() % 2 == 0 ? random() % 64 : bad.size() - 1 - random() % std::min<size_t>(bad.size(), 2500);
      if (at < bad.size()) bad[at] = static_cast<char>(random());
    }
    GeoSource source;
    (void)ReadLibloc(folder.Write("location.db", bad), source, error);
  }
  GeoSource source;
  EXPECT_FALSE(ReadLibloc(folder.Write("location.db", "hello"), source, error));
  EXPECT_NE(error.find("not a libloc database"), std::string::npos) << error;
}

}  // namespace
}  // namespace vedette
