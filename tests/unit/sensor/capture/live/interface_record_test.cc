// A made-up clock.
#include "sensor/capture/live/interface_record.h"

#include <gtest/gtest.h>

namespace vedette {
namespace {

constexpr uint64_t kSecond = 1'000'000'000, kUnix = 1'795'428'000 * kSecond;

InterfaceRecord::Now At(uint64_t second) {
  return {.steady_ns = second * kSecond, .unix_ns = kUnix + second * kSecond};
}

TEST(InterfaceRecord, CountsWhatItDidNotSee) {
  InterfaceRecord record(At(0));
  EXPECT_EQ(record.Set(InterfaceState::kUp, At(1)), std::nullopt);
  EXPECT_EQ(record.since_unix_ns(), kUnix) << "nothing changed";
  EXPECT_EQ(record.Set(InterfaceState::kDown, At(10)), std::nullopt);
  EXPECT_EQ(record.BlindSeconds(At(13)), 3);
  ASSERT_TRUE(record.blind_since());
  EXPECT_EQ(record.blind_since()->unix_ns, kUnix + 10 * kSecond);
  EXPECT_EQ(record.Set(InterfaceState::kAbsent, At(14)), std::nullopt);
  EXPECT_EQ(record.since_unix_ns(), kUnix + 14 * kSecond);
  EXPECT_EQ(record.blind_since()->unix_ns, kUnix + 10 * kSecond) << "one outage, whatever it goes through";
  EXPECT_EQ(record.Set(InterfaceState::kNoCarrier, At(15)), std::nullopt);
  const auto ended = record.Set(InterfaceState::kUp, At(16));
  ASSERT_TRUE(ended);
  EXPECT_EQ(ended->seconds, 6);
  EXPECT_EQ(ended->from_ns, kUnix + 10 * kSecond);
  EXPECT_EQ(ended->until_ns, kUnix + 16 * kSecond);
  EXPECT_EQ(ended->why, InterfaceState::kAbsent);
  EXPECT_EQ(record.num_outages(), 1u);
  EXPECT_EQ(record.BlindSeconds(At(100)), 6);
  EXPECT_FALSE(record.blind_since());
}

TEST(InterfaceRecord, ARenamedOneIsSeen) {
  InterfaceRecord record(At(0));
  record.Set(InterfaceState::kDown, At(1));
  EXPECT_TRUE(record.Set(InterfaceState::kRenamed, At(2)));
  EXPECT_EQ(record.Set(InterfaceState::kUp, At(3)), std::nullopt);
  EXPECT_EQ(record.BlindSeconds(At(5)), 1);
  EXPECT_EQ(record.num_outages(), 1u);
}

// The wall clock may be set while an interface is out.
TEST(InterfaceRecord, SpansAreOfTheClockThatIsNeverSet) {
  InterfaceRecord record(At(0));
  record.Set(InterfaceState::kDown, At(1));
  const auto ended = record.Set(InterfaceState::kUp, {.steady_ns = 3 * kSecond, .unix_ns = 5});
  ASSERT_TRUE(ended);
  EXPECT_EQ(ended->seconds, 2);
  EXPECT_EQ(record.BlindSeconds({.steady_ns = 0, .unix_ns = 0}), 2);
}

TEST(InterfaceRecord, KeepsTheLastOutages) {
  InterfaceRecord record(At(0));
  for (uint64_t i = 0; i < 100; ++i) {
    record.Set(InterfaceState::kDown, At(2 * i + 1));
    record.Set(InterfaceState::kUp, At(2 * i + 2));
  }
  EXPECT_EQ(record.num_outages(), 100u);
  EXPECT_EQ(record.BlindSeconds(At(1'000)), 100);
  ASSERT_EQ(record.outages().size(), InterfaceRecord::kMaxOutages);
  EXPECT_EQ(record.outages().back().until_ns, kUnix + 200 * kSecond);
}

}  // namespace
}  // namespace vedette
