#include "exporter/geo.h"

#include <gtest/gtest.h>

#include <random>

#include "tests/unit/exporter/mmdb_files.h"

// libmaxminddb 1.7.1 forgets a list in MMDB_open when the metadata's description is damaged.
extern "C" const char* __lsan_default_suppressions();
extern "C" const char* __lsan_default_suppressions() { return "leak:libmaxminddb"; }
extern "C" const char* __lsan_default_options();
extern "C" const char* __lsan_default_options() { return "print_suppressions=0"; }

namespace vedette {
namespace {

void OpenOrFail(GeoLookup& geo, const std::string& path) {
  std::string error;
  ASSERT_TRUE(geo.Open(path, error)) << error;
}

TEST(Geo, ReadsMaxMindsLayout) {
  TestFolder folder;
  GeoLookup geo;
  OpenOrFail(
      geo, folder.Write(
               "city.mmdb",
               MmdbFile({{"89.160.20.0", 24,
                          CityValue("SE", "Sweden", "EU", "Link\xc3\xb6ping", 58.4167, 15.6167, 29518, "Bredband2 AB")},
                         {"2a02:cf40::", 29,
                          MapOf({{"country", MapOf({{"iso_code", Text("no")}})},
                                 {"traits", MapOf({{"is_anycast", MmdbValue::Bool(true)},
                                                   {"is_satellite_provider", MmdbValue::Bool(true)}})},
                                 {"is_tor_exit_node", MmdbValue::Bool(true)}})}},
                        TestMetadata())));
  const GeoRecord place = geo.Find(Address("89.160.20.112"));
  EXPECT_EQ(place.country_code, "SE");
  EXPECT_EQ(place.country, "Sweden");
  EXPECT_EQ(place.continent_code, "EU");
  EXPECT_EQ(place.city, "Link\xc3\xb6ping");
  EXPECT_DOUBLE_EQ(place.latitude.value(), 58.4167);
  EXPECT_DOUBLE_EQ(place.longitude.value(), 15.6167);
  EXPECT_EQ(place.asn, 29518u);
  EXPECT_EQ(place.organisation, "Bredband2 AB");
  EXPECT_EQ(place.databases, std::vector<std::string>{"city"});
  EXPECT_TRUE(place.flags.empty());

  const GeoRecord v6 = geo.Find(Address("2a02:cf40::5"));
  EXPECT_EQ(v6.country_code, "NO");
  EXPECT_EQ(v6.flags, (std::vector<std::string>{"anycast", "satellite", "tor_exit"}));

  EXPECT_TRUE(geo.Find(Address("89.160.21.1")).empty());
  EXPECT_EQ(geo.lookup_errors(), 0u);
}

TEST(Geo, ReadsFlatLayouts) {
  TestFolder folder;
  GeoLookup geo;
  OpenOrFail(geo, folder.Write("flat.mmdb", MmdbFile({{"1.0.0.0", 24,
                                                       MapOf({{"country_code", Text("AU")},
                                                              {"country", Text("Australia")},
                                                              {"continent_code", Text("OC")},
                                                              {"continent", Text("Oceania")},
                                                              {"asn", Text("AS13335")},
                                                              {"as_name", Text("Cloudflare, Inc.")}})},
                                                      {"2.0.0.0", 24,
                                                       MapOf({{"country", Text("FR")},
                                                              {"country_name", Text("France")},
                                                              {"continent", Text("EU")},
                                                              {"city", Text("Paris")},
                                                              {"lat", Text("48.85")},
                                                              {"lng", Text("2.35")},
                                                              {"hosting", Text("true")},
                                                              {"vpn", Text("")}})},
                                                      {"3.0.0.0", 24,
                                                       MapOf({{"asn", MmdbValue::Uint32(64'500)},
                                                              {"organisation", Text("Example")},
                                                              {"is_drop", MmdbValue::Bool(true)}})}},
                                                     TestMetadata())));
  GeoRecord place = geo.Find(Address("1.0.0.1"));
  EXPECT_EQ(place.country_code, "AU");
  EXPECT_EQ(place.country, "Australia");
  EXPECT_EQ(place.continent_code, "OC");
  EXPECT_EQ(place.asn, 13'335u);
  EXPECT_EQ(place.organisation, "Cloudflare, Inc.");
  place = geo.Find(Address("2.0.0.1"));
  EXPECT_EQ(place.country_code, "FR");
  EXPECT_EQ(place.country, "France");
  EXPECT_EQ(place.city, "Paris");
  EXPECT_DOUBLE_EQ(place.latitude.value(), 48.85);
  EXPECT_EQ(place.flags, std::vector<std::string>{"hosting"});
  place = geo.Find(Address("3.0.0.1"));
  EXPECT_EQ(place.asn, 64'500u);
  EXPECT_EQ(place.organisation, "Example");
  EXPECT_EQ(place.flags, std::vector<std::string>{"drop"});
}

TEST(Geo, EarlierDatabaseWinsFieldByField) {
  TestFolder folder;
  GeoLookup geo;
  OpenOrFail(geo, folder.Write("first.mmdb",
                               MmdbFile({{"89.160.0.0", 16, MapOf({{"country", MapOf({{"iso_code", Text("DK")}})}})}},
                                        TestMetadata())));
  OpenOrFail(
      geo, folder.Write(
               "second.mmdb",
               MmdbFile({{"89.160.20.0", 24, CityValue("SE", "Sweden", "EU", "Solna", 59, 18, 29518, "Bredband2 AB")}},
                        TestMetadata())));
  const GeoRecord place = geo.Find(Address("89.160.20.112"));
  EXPECT_EQ(place.country_code, "DK");
  EXPECT_EQ(place.country, "") << "the name of another country than the code's";
  EXPECT_EQ(place.asn, 29518u);
  EXPECT_EQ(place.databases, (std::vector<std::string>{"first", "second"}));
  EXPECT_EQ(geo.Find(Address("89.160.21.1")).databases, std::vector<std::string>{"first"});
  ASSERT_EQ(geo.databases().size(), 2u);
  EXPECT_EQ(geo.databases()[1].name, "second");
  EXPECT_EQ(geo.databases()[1].type, "Test-City");
  EXPECT_EQ(geo.databases()[1].description, "made by a test");
  EXPECT_EQ(geo.databases()[1].date, "2026-06-25");
}

TEST(Geo, SpecialAddressesHaveNoPlace) {
  TestFolder folder;
  GeoLookup geo;
  OpenOrFail(geo, folder.Write("all.mmdb", MmdbFile({{"0.0.0.0", 1, MapOf({{"country_code", Text("US")}})},
                                                     {"128.0.0.0", 1, MapOf({{"country_code", Text("US")}})}},
                                                    TestMetadata())));
  EXPECT_TRUE(geo.Find(Address("10.1.2.3")).empty());
  EXPECT_TRUE(geo.Find(Address("192.0.2.1")).empty());
  EXPECT_TRUE(geo.Find(Address("::1")).empty());
  EXPECT_TRUE(geo.Find(IpAddress()).empty());
  EXPECT_EQ(geo.Find(Address("9.9.9.9")).country_code, "US");
}

TEST(Geo, RemembersWithoutMixingUp) {
  TestFolder folder;
  GeoLookup geo;
  OpenOrFail(geo, folder.Write("two.mmdb", MmdbFile({{"8.0.0.0", 6, MapOf({{"country_code", Text("US")}})},
                                                     {"16.0.0.0", 4, MapOf({{"country_code", Text("DE")}})}},
                                                    TestMetadata())));
  std::mt19937 random(3);
  for (int i = 0; i < 300'000; ++i) {  // more addresses than the cache has entries
    const uint32_t number = random() & 0x1fffffff;
    const uint8_t wire[4] = {static_cast<uint8_t>(number >> 24), static_cast<uint8_t>(number >> 16),
                             static_cast<uint8_t>(number >> 8), static_cast<uint8_t>(number)};
    const IpAddress address = IpAddress::V4(wire);
    if (address.IsSpecial()) continue;
    ASSERT_EQ(geo.Find(address).country_code, wire[0] >= 16                  ? "DE"
                                              : wire[0] >= 8 && wire[0] < 12 ? "US"
                                                                             : "")
        << address.ToString();
  }
  std::string error;
  OpenOrFail(
      geo, folder.Write("three.mmdb", MmdbFile({{"9.9.9.0", 24, MapOf({{"city", Text("Zurich")}})}}, TestMetadata())));
  EXPECT_EQ(geo.Find(Address("9.9.9.9")).city, "Zurich") << "what was remembered before is looked up again";
}

TEST(Geo, IgnoresWhatIsNoPlaceOnEarth) {
  TestFolder folder;
  GeoLookup geo;
  OpenOrFail(
      geo,
      folder.Write(
          "odd.mmdb",
          MmdbFile(
              {{"1.0.0.0", 24,
                MapOf({{"country", MapOf({{"iso_code", Text("??")}, {"names", Text("flat")}})},
                       {"location", MapOf({{"latitude", MmdbValue::Double(91)}, {"longitude", MmdbValue::Double(0)}})},
                       {"asn", Text("AS-NONE")},
                       {"is_anycast", MmdbValue::Bool(false)}})},
               {"2.0.0.0", 24, Text("just a string")},
               {"3.0.0.0", 24,
                MapOf({{"city", Text(std::string(100'000, 'x'))}, {"lat", Text("nan")}, {"lng", Text("1")}})}},
              TestMetadata())));
  EXPECT_TRUE(geo.Find(Address("1.0.0.1")).empty());
  EXPECT_TRUE(geo.Find(Address("2.0.0.1")).empty());
  const GeoRecord place = geo.Find(Address("3.0.0.1"));
  EXPECT_EQ(place.city.size(), 256u);
  EXPECT_FALSE(place.latitude);
  EXPECT_EQ(geo.lookup_errors(), 0u);
}

TEST(Geo, ErrorsNameTheFileAndSayWhatToDo) {
  TestFolder folder;
  const std::string good = MmdbFile({{"1.0.0.0", 24, MapOf({{"country_code", Text("AU")}})}}, TestMetadata());
  struct Case {
    std::string path, says;
  };
  const Case cases[] = {
      {folder.Path("missing.mmdb"), "No such file"},
      {folder.Path(""), "not a regular file"},
      {folder.Write("empty.mmdb", ""), "the file is empty"},
      {folder.Write("text.mmdb", "hello, world"), "no MaxMind DB metadata"},
      {folder.Write("packed.mmdb", "\x1f\x8b\x08 and so on"), "unpack it"},
      {folder.Write("cut.mmdb", good.substr(0, good.size() / 2)), "no MaxMind DB metadata"},
  };
  for (const Case& c : cases) {
    GeoLookup geo;
    std::string error;
    EXPECT_FALSE(geo.Open(c.path, error));
    EXPECT_NE(error.find(c.path), std::string::npos) << error;
    EXPECT_NE(error.find(c.says), std::string::npos) << error;
    EXPECT_TRUE(geo.databases().empty());
    EXPECT_TRUE(geo.Find(Address("1.0.0.1")).empty());
  }
}

TEST(Geo, DamageIsCountedAndNotFatal) {
  TestFolder folder;
  const std::string good =
      MmdbFile({{"89.160.20.0", 24, CityValue("SE", "Sweden", "EU", "Solna", 59, 18, 29518, "Bredband2 AB")},
                {"1.0.0.0", 8, MapOf({{"country_code", Text("AU")}})},
                {"2a02:cf40::", 29, MapOf({{"country_code", Text("NO")}})}},
               TestMetadata());
  const std::vector<IpAddress> addresses = {Address("89.160.20.1"), Address("1.2.3.4"), Address("2a02:cf40::1"),
                                            Address("9.9.9.9")};
  std::mt19937 random(11);
  uint64_t errors = 0, refused = 0;
  for (int round = 0; round < 3000; ++round) {
    std::string bad = good;
    const int flips = 1 + static_cast<int>(random() % 4);
    for (int i = 0; i < flips; ++i) bad[random() % bad.size()] = static_cast<char>(random());
    GeoLookup geo;
    std::string error;
    if (!geo.Open(folder.Write("bad.mmdb", bad), error)) {
      ++refused;
      continue;
    }
    for (const IpAddress& address : addresses) geo.Find(address);
    errors += geo.lookup_errors();
  }
  EXPECT_GT(refused, 0u);
  EXPECT_GT(errors, 0u);
}

}  // namespace
}  // namespace vedette
