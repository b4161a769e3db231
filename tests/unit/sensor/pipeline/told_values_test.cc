#include "sensor/pipeline/told_values.h"

#include <gtest/gtest.h>

#include <random>
#include <set>
#include <utility>

namespace vedette {
namespace {

TEST(ToldValues, AgreeWithASet) {
  std::mt19937_64 random(1);
  for (int round = 0; round < 1000; ++round) {
    ToldValues told;
    std::set<uint64_t> naive;
    const size_t values = random() % 12, range = 1 + random() % 20;
    for (size_t i = 0; i < values; ++i) {
      const uint64_t value = random() % range;
      ASSERT_EQ(told.Has(value), naive.contains(value));
      if (naive.insert(value).second) told.Add(value);
      ASSERT_EQ(told.size(), naive.size());
      // As when the flow hears of another audience.
      ToldValues moved = std::move(told);
      told = std::move(moved);
    }
    for (uint64_t value = 0; value < range; ++value) EXPECT_EQ(told.Has(value), naive.contains(value));
  }
}

TEST(ToldValues, FewAllocateNothing) {
  ToldValues told;
  EXPECT_EQ(told.memory_bytes(), 0u);
  told.Add(1);
  EXPECT_EQ(told.memory_bytes(), 0u);
  for (uint64_t value = 2; value < 100; ++value) told.Add(value);
  EXPECT_GT(told.memory_bytes(), 99u * sizeof(uint64_t));
}

}  // namespace
}  // namespace vedette
