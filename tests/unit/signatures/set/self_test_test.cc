#include "signatures/set/self_test.h"

#include <gtest/gtest.h>

#include "tests/unit/signatures/sets.h"

namespace vedette {
namespace {

TEST(SelfTest, FindsEveryTypeOfASet) {
  const TestSet set(
      {MakeIndicator(IndicatorType::kIp, "198.41.0.4"), MakeIndicator(IndicatorType::kIp, "2001:503:ba3e::2:30"),
       MakeIndicator(IndicatorType::kDomain, "evil.example"),
       MakeIndicator(IndicatorType::kHostname, "www.evil.example"),
       MakeIndicator(IndicatorType::kUrl, "http://evil.example/a?b=c"),
       MakeIndicator(IndicatorType::kUri, "/gate.php?id=1"), MakeIndicator(IndicatorType::kUserAgent, "Evil/1.0"),
       MakeIndicator(IndicatorType::kJa3, "e7d705a3286e19ea42f587b344ee6865"),
       MakeIndicator(IndicatorType::kContent, "evil|00 ff|bytes"),
       MakeIndicator(IndicatorType::kCidr, "198.41.0.0/24")});
  std::string error;
  EXPECT_TRUE(SelfTest(*set.set, error)) << error;
}

TEST(SelfTest, LooksAtRowsAllOverALargeSet) {
  std::vector<Indicator> rows;
  for (int i = 0; i < 5000; ++i)
    rows.push_back(MakeIndicator(IndicatorType::kDomain, "n" + std::to_string(i) + ".example"));
  const TestSet set(rows);
  std::string error;
  EXPECT_TRUE(SelfTest(*set.set, error)) << error;
}

TEST(SelfTest, AnEmptySetIsSound) {
  const TestSet set({});
  std::string error;
  EXPECT_TRUE(SelfTest(*set.set, error)) << error;
}

}  // namespace
}  // namespace vedette
