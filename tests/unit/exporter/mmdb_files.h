// MMDB files made on the spot, for the tests that read them.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "exporter/geo/build/mmdb_writer.h"
#include "tests/unit/exporter/handmade_alerts.h"

namespace vedette {

// A folder of its own for the test that runs, removed afterwards.
class TestFolder {
 public:
  TestFolder() {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    path_ = std::filesystem::temp_directory_path() /
            (std::string("vedette-") + test->test_suite_name() + "-" + test->name() + "-" + std::to_string(::getpid()));
    std::filesystem::create_directories(path_);
  }
  ~TestFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;

  std::string Path(const std::string& name) const { return (path_ / name).string(); }
  std::string Write(const std::string& name, std::string_view content) const {
    std::ofstream file(path_ / name, std::ios::binary);
    file.write(content.data(), static_cast<std::streamsize>(content.size()));
    return Path(name);
  }

 private:
  std::filesystem::path path_;
};

struct MmdbNetwork {
  const char* address;
  unsigned prefix_length;
  MmdbValue value;
};

inline std::string MmdbFile(const std::vector<MmdbNetwork>& networks, const MmdbMetadata& metadata) {
  MmdbWriter writer;
  for (const MmdbNetwork& network : networks)
    writer.Insert(Address(network.address), network.prefix_length, network.value);
  std::string file;
  EXPECT_TRUE(writer.Finish(metadata, file));
  return file;
}

inline MmdbMetadata TestMetadata() {
  return {.database_type = "Test-City", .description = "made by a test", .build_epoch = 1'782'362'039};
}

inline MmdbValue Text(std::string text) { return MmdbValue::String(std::move(text)); }
inline MmdbValue MapOf(std::vector<MmdbEntry> entries) { return MmdbValue::Map(std::move(entries)); }

// In MaxMind's layout: what the rendered examples show.
inline MmdbValue CityValue(std::string code, std::string country, std::string continent, std::string city,
                           double latitude, double longitude, uint32_t asn, std::string organisation) {
  return MapOf(
      {{"autonomous_system_number", MmdbValue::Uint32(asn)},
       {"autonomous_system_organization", Text(std::move(organisation))},
       {"city", MapOf({{"names", MapOf({{"en", Text(std::move(city))}})}})},
       {"continent", MapOf({{"code", Text(std::move(continent))}})},
       {"country", MapOf({{"iso_code", Text(std::move(code))}, {"names", MapOf({{"en", Text(std::move(country))}})}})},
       {"location", MapOf({{"latitude", MmdbValue::Double(latitude)}, {"longitude", MmdbValue::Double(longitude)}})}});
}

}  // namespace vedette
