#include "sensor/setup/time_option.h"

#include <gtest/gtest.h>

namespace vedette {
namespace {

constexpr uint64_t kSecond = 1'000'000'000;
constexpr uint64_t kNine = 1'795'424'400 * kSecond;  // 2026-11-23T09:00:00Z

std::optional<uint64_t> Read(std::string_view text) {
  std::string reason;
  const std::optional<uint64_t> time = ParseTime(text, reason);
  if (!time) {
    EXPECT_FALSE(reason.empty()) << text;
  }
  return time;
}

TEST(TimeOption, ReadsWhatPeopleWrite) {
  for (const char* text :
       {"2026-11-23T09:00:00Z", "2026-11-23T09:00:00", "2026-11-23t09:00z", "2026-11-23 09:00", "2026-11-23T09:00",
        "2026-11-23T10:00:00+01:00", "2026-11-23T10:00+0100", "2026-11-23T04:30-04:30", "1795424400", "1795424400.0"}) {
    EXPECT_EQ(Read(text), kNine) << text;
  }
  EXPECT_EQ(Read("2026-11-23"), kNine - 9 * 3600 * kSecond);
  EXPECT_EQ(Read("2026-11-23T09:00:00.25"), kNine + kSecond / 4);
  EXPECT_EQ(Read("1795424400.25"), kNine + kSecond / 4);
  EXPECT_EQ(Read("0"), 0u);
  EXPECT_EQ(Read("1970-01-01"), 0u);
  EXPECT_EQ(Read("1000"), 1000 * kSecond);
  EXPECT_EQ(Read("20261123.0"), 20'261'123 * kSecond);
  EXPECT_EQ(Read("20269999"), 20'269'999 * kSecond);  // no date
  EXPECT_EQ(Read("2024-02-29"), 1'709'164'800 * kSecond);
}

TEST(TimeOption, RefusesWhatDoesNotFitOrIsNone) {
  for (const char* text : {"",
                           "1795424400000",
                           "1795424400000000000",
                           "99999999999999999999999",
                           "9223372036.9",
                           "2600-01-01",
                           "1969-12-31",
                           "1970-01-01T00:00+01:00",
                           "20261123",
                           "2026",
                           "2026-02-31",
                           "2025-02-29",
                           "2026-13-01",
                           "2026-00-10",
                           "2026-11-23T24:00",
                           "2026-11-23T09:60",
                           "2026-11-23T09",
                           "2026-11-23T",
                           "2026-11-23T09:00:00+1",
                           "2026-11-23T09:00:00+25:00",
                           "2026-11-23x",
                           "2026-11-23T09:00:00Zx",
                           "-1",
                           "1.",
                           ".5",
                           "1e9",
                           " 1",
                           "yesterday",
                           "2026-11-23T09:00:00."}) {
    EXPECT_EQ(Read(text), std::nullopt) << text;
  }
  std::string reason;
  ParseTime("20261123", reason);
  EXPECT_NE(reason.find("2026-11-23"), std::string::npos);
  ParseTime("1795424400000", reason);
  EXPECT_NE(reason.find("milliseconds"), std::string::npos);
}

}  // namespace
}  // namespace vedette
