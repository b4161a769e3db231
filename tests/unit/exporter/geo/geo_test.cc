#include "exporter/geo/geo.h"

#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

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
  EXPECT_EQ(geo.counters().lookup_errors, 0u);
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
  EXPECT_EQ(geo.counters().lookup_errors, 0u);
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

// More records than the sample reads when a file is opened: damage is refused there or met later.
// As `cp` and `curl -o` do. A look-up in a file that is mapped would end the process.
TEST(Geo, SurvivesThatItsFileIsWrittenOverInPlace) {
  const TestFolder folder;
  const std::string path =
      folder.Write("a.mmdb", MmdbFile({{"1.0.0.0", 24, MapOf({{"country_code", Text("AU")}})}}, TestMetadata()));
  GeoLookup geo;
  OpenOrFail(geo, path);
  folder.Write("a.mmdb", "");
  EXPECT_EQ(geo.Find(IpAddress::Parse("1.0.0.1").value()).country_code, "AU");
}

TEST(Geo, DamageIsRefusedOrCounted) {
  TestFolder folder;
  constexpr uint32_t kNetworks = 2000;
  MmdbWriter writer;
  std::vector<IpAddress> addresses;
  for (uint32_t i = 0; i < kNetworks; ++i) {
    const uint8_t wire[4] = {static_cast<uint8_t>(1 + i % 8), static_cast<uint8_t>(i / 256), static_cast<uint8_t>(i),
                             0};
    addresses.push_back(IpAddress::V4(wire));
    writer.Insert(addresses.back(), 24,
                  CityValue("SE", "Sweden", "EU", "Solna", 59, 18, i + 1, "AB " + std::to_string(i)));
  }
  std::string good;
  ASSERT_TRUE(writer.Finish(TestMetadata(), good));
  std::mt19937 random(11);
  uint64_t errors = 0, refused = 0;
  for (int round = 0; round < 200; ++round) {
    std::string bad = good;
    const int flips = 1 << random() % 10;
    for (int i = 0; i < flips; ++i) bad[random() % bad.size()] = static_cast<char>(random());
    GeoLookup geo;
    std::string error;
    if (!geo.Open(folder.Write("bad.mmdb", bad), error)) {
      EXPECT_NE(error.find("bad.mmdb"), std::string::npos);
      ++refused;
      continue;
    }
    for (const IpAddress& address : addresses) geo.Find(address);
    errors += geo.counters().lookup_errors;
  }
  EXPECT_GT(refused, 0u);
  EXPECT_GT(errors, 0u);
}

TEST(Geo, RefusesAFileWhoseRecordsAreDamaged) {
  TestFolder folder;
  std::string file = MmdbFile({{"1.0.0.0", 8, MapOf({{"country_code", Text("AU")}})}}, TestMetadata());
  const size_t record = file.find(
      "\xe1\x4c"
      "country_code");
  ASSERT_NE(record, std::string::npos);
  file[record] = '\xff';  // a map of some thousand members
  GeoLookup geo;
  std::string error;
  EXPECT_FALSE(geo.Open(folder.Write("bad.mmdb", file), error));
  EXPECT_NE(error.find("bad.mmdb': damaged: "), std::string::npos) << error;
  EXPECT_NE(error.find(" of 256 records that were tried cannot be read"), std::string::npos) << error;
}

TEST(Geo, CountsLookupsAndMemory) {
  TestFolder folder;
  GeoLookup geo;
  geo.Find(Address("1.0.0.1"));
  EXPECT_EQ(geo.counters().looked_up + geo.counters().remembered, 0u) << "no database is open";
  OpenOrFail(
      geo, folder.Write("a.mmdb", MmdbFile({{"1.0.0.0", 24, MapOf({{"country_code", Text("AU")}})}}, TestMetadata())));
  for (int i = 0; i < 3; ++i) geo.Find(Address("1.0.0.1"));
  geo.Find(Address("2.0.0.1"));
  geo.Find(Address("10.0.0.1"));
  EXPECT_EQ(geo.counters().looked_up, 2u);
  EXPECT_EQ(geo.counters().remembered, 2u);
}

TEST(Geo, ToldByASampleWhatADatabaseKnows) {
  TestFolder folder;
  GeoLookup geo;
  OpenOrFail(geo, folder.Write("country.mmdb",
                               MmdbFile({{"1.0.0.0", 24, MapOf({{"country_code", Text("AU")}})}}, TestMetadata())));
  OpenOrFail(geo, folder.Write("network.mmdb",
                               MmdbFile({{"2a02:cf40::", 29, MapOf({{"asn", Text("AS64500")}})}}, TestMetadata())));
  OpenOrFail(geo, folder.Write("empty.mmdb", MmdbFile({}, TestMetadata())));
  EXPECT_TRUE(geo.databases()[0].knows_countries);
  EXPECT_FALSE(geo.databases()[0].knows_networks);
  EXPECT_FALSE(geo.databases()[1].knows_countries);
  EXPECT_TRUE(geo.databases()[1].knows_networks);
  EXPECT_FALSE(geo.databases()[2].knows_countries || geo.databases()[2].knows_networks);
}

TEST(Geo, AgeIsInWholeDaysAndStaleAfterNinety) {
  constexpr int64_t kBuilt = 1'782'362'039, kDay = 86'400;
  GeoDatabaseInfo database;
  database.path = "/var/lib/x.mmdb";
  database.date = "2026-06-25";
  EXPECT_FALSE(AgeDays(database, kBuilt)) << "its date is not known";
  EXPECT_FALSE(IsStale(AgeDays(database, kBuilt)));
  database.build_epoch = kBuilt;
  EXPECT_EQ(AgeDays(database, kBuilt - kDay), 0) << "built after the packet";
  EXPECT_EQ(AgeDays(database, kBuilt + kDay - 1), 0);
  EXPECT_EQ(AgeDays(database, kBuilt + kDay), 1);
  EXPECT_FALSE(IsStale(AgeDays(database, kBuilt + 91 * kDay - 1)));
  EXPECT_TRUE(IsStale(AgeDays(database, kBuilt + 91 * kDay)));
  EXPECT_EQ(StaleWarning(database, kBuilt + 90 * kDay), "");
  const std::string warning = StaleWarning(database, kBuilt + 153 * kDay);
  EXPECT_EQ(warning.find("geolocation database '/var/lib/x.mmdb' was built on 2026-06-25, 153 days ago"), 0u)
      << warning;
}

// A sensor that runs, and its clock.
class GeoRefresh : public testing::Test {
 protected:
  GeoRefresh() {
    geo_.set_log([this](std::string_view line, bool is_problem) {
      log_.push_back((is_problem ? "problem: " : "") + std::string(line));
    });
    OpenOrFail(geo_, folder_.Write("geo.mmdb", Country("AU")));
    EXPECT_EQ(geo_.Find(where_).country_code, "AU");
  }
  static std::string Country(const char* code) {
    return MmdbFile({{"1.0.0.0", 24, MapOf({{"country_code", Text(code)}})}}, TestMetadata());
  }
  // As an updater does it: a new file beside the old one, renamed over it.
  void Replace(std::string_view content) {
    std::filesystem::rename(folder_.Write("new", content), folder_.Path("geo.mmdb"));
  }
  // Two looks, which a change needs.
  void Settle() {
    for (int i = 0; i < 2; ++i) geo_.Refresh(now_ += std::chrono::seconds(5));
  }

  TestFolder folder_;
  GeoLookup geo_;
  std::vector<std::string> log_;
  const IpAddress where_ = Address("1.0.0.1");
  std::chrono::system_clock::time_point now_{std::chrono::seconds(1'782'400'000)};
};

TEST_F(GeoRefresh, TakesInAFileThatWasReplaced) {
  const uint64_t version = geo_.version();
  Settle();
  EXPECT_EQ(geo_.version(), version);
  Replace(Country("NZ"));
  geo_.Refresh(now_ += std::chrono::seconds(1));
  geo_.Refresh(now_ += std::chrono::seconds(4));
  EXPECT_EQ(geo_.Find(where_).country_code, "AU") << "it might still be written to";
  geo_.Refresh(now_ += std::chrono::seconds(4));
  EXPECT_EQ(geo_.counters().reloads, 0u) << "no look at the file before its time";
  geo_.Refresh(now_ += std::chrono::seconds(1));
  EXPECT_EQ(geo_.Find(where_).country_code, "NZ") << "what was remembered is forgotten";
  EXPECT_GT(geo_.version(), version);
  Settle();
  EXPECT_EQ(geo_.counters().reloads, 1u);
  EXPECT_EQ(geo_.counters().failed_reloads, 0u);
  ASSERT_EQ(log_.size(), 1u);
  EXPECT_EQ(log_[0].find("geolocation database '" + folder_.Path("geo.mmdb") + "' was replaced: built on 2026-06-25"),
            0u)
      << log_[0];
}

TEST_F(GeoRefresh, SaysThatANewFileIsOldToo) {
  Settle();
  Replace(Country("NZ"));
  now_ += std::chrono::hours(24 * 200);
  Settle();
  ASSERT_EQ(log_.size(), 1u);
  EXPECT_NE(log_[0].find("200 days ago"), std::string::npos) << log_[0];
}

TEST_F(GeoRefresh, KeepsTheOldOneWhereTheNewOneIsBroken) {
  const std::string good = Country("NZ");
  Replace(std::string_view(good).substr(0, good.size() / 2));
  Settle();
  EXPECT_EQ(geo_.Find(where_).country_code, "AU");
  Settle();
  Settle();
  EXPECT_EQ(geo_.counters().failed_reloads, 1u) << "tried once";
  ASSERT_EQ(log_.size(), 1u) << "and said once";
  EXPECT_EQ(log_[0].find("problem: geolocation database"), 0u) << log_[0];
  EXPECT_NE(log_[0].find("cut short"), std::string::npos) << log_[0];
  EXPECT_NE(log_[0].find("stays in use until the file changes again"), std::string::npos) << log_[0];
  Replace(good);
  Settle();
  EXPECT_EQ(geo_.Find(where_).country_code, "NZ");
  EXPECT_EQ(geo_.counters().reloads, 1u);
}

TEST_F(GeoRefresh, SurvivesThatTheFileIsGoneForAMoment) {
  std::filesystem::rename(folder_.Path("geo.mmdb"), folder_.Path("away"));
  geo_.Refresh(now_ += std::chrono::seconds(5));
  EXPECT_TRUE(log_.empty()) << "an updater may be at work";
  geo_.Refresh(now_ += std::chrono::seconds(5));
  Settle();
  ASSERT_EQ(log_.size(), 1u);
  EXPECT_NE(log_[0].find("is gone"), std::string::npos) << log_[0];
  EXPECT_EQ(geo_.Find(where_).country_code, "AU");
  EXPECT_EQ(geo_.Find(Address("1.0.0.2")).country_code, "AU") << "not remembered: from the file itself";
  EXPECT_EQ(geo_.counters().reloads + geo_.counters().failed_reloads, 0u);
  folder_.Write("geo.mmdb", Country("NZ"));
  Settle();
  EXPECT_EQ(geo_.Find(where_).country_code, "NZ");
}

TEST_F(GeoRefresh, WaitsUntilAFileIsWritten) {
  const std::string good = Country("NZ");
  Replace(std::string_view(good).substr(0, 100));
  std::ofstream file(folder_.Path("geo.mmdb"), std::ios::binary | std::ios::app);
  for (size_t at = 100; at < good.size(); at += 100) {
    geo_.Refresh(now_ += std::chrono::seconds(5));
    file << good.substr(at, 100) << std::flush;
  }
  file.close();
  EXPECT_EQ(geo_.counters().failed_reloads, 0u);
  Settle();
  EXPECT_EQ(geo_.Find(where_).country_code, "NZ");
}

TEST_F(GeoRefresh, OneOfSeveralDatabases) {
  OpenOrFail(geo_,
             folder_.Write("city.mmdb", MmdbFile({{"1.0.0.0", 24, MapOf({{"city", Text("Perth")}})}}, TestMetadata())));
  Replace(Country("NZ"));
  Settle();
  EXPECT_EQ(geo_.Find(where_).country_code, "NZ");
  EXPECT_EQ(geo_.Find(where_).city, "Perth");
  EXPECT_EQ(geo_.counters().reloads, 1u);
  ASSERT_EQ(geo_.databases().size(), 2u);
  EXPECT_EQ(geo_.databases()[0].name, "geo");
}

TEST_F(GeoRefresh, LooksOnAfterTheClockWasSetBack) {
  Settle();
  now_ -= std::chrono::hours(5);
  Replace(Country("NZ"));
  Settle();
  EXPECT_EQ(geo_.Find(where_).country_code, "NZ");
}

// Every hostile file that is kept for the fuzzer, and those of MaxMind where they are there.
TEST_F(GeoRefresh, HostileFilesAreTakenInOrRefused) {
  std::vector<std::filesystem::path> files;
  for (const char* folder : {VEDETTE_SOURCE_DIR "/tests/fuzz/corpus/geo", VEDETTE_SOURCE_DIR "/../shared/corpus/geo"}) {
    std::error_code absent;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder, absent)) {
      if (entry.path().extension() == ".mmdb") files.push_back(entry.path());
    }
  }
  ASSERT_GE(files.size(), 7u);
  uint64_t refused = 0;
  for (const std::filesystem::path& path : files) {
    std::ifstream file(path, std::ios::binary);
    Replace(std::string(std::istreambuf_iterator<char>(file), {}));
    const uint64_t before = geo_.counters().failed_reloads;
    Settle();
    if (geo_.counters().failed_reloads != before) {
      ++refused;
      EXPECT_EQ(geo_.counters().failing, 1u) << path;
      EXPECT_EQ(geo_.Find(where_).country_code, "AU") << path;
    } else {
      for (const char* address : {"1.1.1.1", "81.2.69.142", "2001:218::1", "2a02:cf40::1"}) geo_.Find(Address(address));
    }
    Replace(Country("AU"));
    Settle();
    ASSERT_EQ(geo_.Find(where_).country_code, "AU") << "after " << path;
    EXPECT_EQ(geo_.counters().failing, 0u) << "after " << path;
  }
  EXPECT_GE(refused, 3u);
  EXPECT_EQ(log_.size(), 2 * files.size());
}

}  // namespace
}  // namespace vedette
