// One alert as a line of JSON, for the operator. VEDETTE_ALERTS_OUT names a file that gets every line rendered here.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>

#include "exporter/policy/partners.h"
#include "tests/unit/exporter/handmade_alerts.h"
#include "tests/unit/exporter/mmdb_files.h"

namespace vedette {

class AlertJson : public testing::Test {
 protected:
  AlertJson() {
    std::string error;
    EXPECT_TRUE(geo_.Open(
        folder_.Write(
            "places.mmdb",
            MmdbFile(
                {{"89.160.20.0", 24,
                  CityValue("SE", "Sweden", "EU", "Link\xc3\xb6ping", 58.4167, 15.6167, 29518, "Bredband2 AB")},
                 {"81.2.69.0", 24,
                  CityValue("GB", "United Kingdom", "EU", "London", 51.5142, -0.0931, 20712, "Andrews & Arnold Ltd")},
                 {"2a02:cf40::", 29,
                  MapOf({{"country", MapOf({{"iso_code", Text("NO")}})}, {"is_anycast", MmdbValue::Bool(true)}})}},
                TestMetadata())),
        error))
        << error;
  }

  std::string Line(const Alert& alert, const HitFilter& filter = nullptr) {
    const auto interface_name = [](uint32_t) -> std::string_view { return "eth0"; };
    AlertPolicy policy(
        records_.Catalogue(),
        {.sensor = sensor_,
         .file_name = sensor_.replay ? std::function<std::string_view(uint32_t)>(TestFileName) : interface_name,
         .geo = &geo_});
    Reader reader = Reader::Operator();
    reader.permits = filter;
    ViewOutcome outcome = ViewOutcome::kNotTaken;
    const std::string out = TextOf(alert, policy, reader, *MakeJsonRenderer(), &outcome);
    EXPECT_EQ(outcome == ViewOutcome::kShown, !out.empty());
    Keep(out);
    return out;
  }
  static void Keep(const std::string& line) {
    if (const char* path = std::getenv("VEDETTE_ALERTS_OUT")) {
      std::ofstream(path, std::ios::binary | std::ios::app) << line;
    }
  }
  nlohmann::json Parsed(const Alert& alert, const HitFilter& filter = nullptr) {
    return nlohmann::json::parse(Line(alert, filter));
  }

  void ExpectGolden(const std::string& name, const Alert& alert) {
    const std::string line = Line(alert);
    EXPECT_TRUE(nlohmann::json::accept(line));
    EXPECT_EQ(line.find('\n'), line.size() - 1);
    const std::string path = std::string(VEDETTE_SOURCE_DIR "/tests/unit/exporter/render/golden/") + name + ".jsonl";
    if (std::getenv("VEDETTE_UPDATE_GOLDEN") != nullptr) std::ofstream(path, std::ios::binary) << line;
    std::ifstream file(path, std::ios::binary);
    EXPECT_EQ(line, std::string((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>())) << path;
  }

  TestFolder folder_;
  GeoLookup geo_;
  RecordList records_;
  SensorIdentity sensor_ = TestSensor();
};

}  // namespace vedette
