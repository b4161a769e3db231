#include "signatures/problem_tally.h"

#include <gtest/gtest.h>

namespace vedette {
namespace {

TEST(KindOf, LeavesOutWhatDiffers) {
  EXPECT_EQ(KindOf("a public suffix: everybody registers names below it (com)"),
            "a public suffix: everybody registers names below it");
  EXPECT_EQ(KindOf("not a host name: it holds '('"), "not a host name: it holds …");
  EXPECT_EQ(KindOf("unknown type \"domian\""), "unknown type …");
  EXPECT_EQ(KindOf("3 columns where the header has 2"), "N columns where the header has 2");
  EXPECT_EQ(KindOf("a range (nearest reading: a(b) c) here"), "a range here");
  EXPECT_EQ(KindOf(")("), ")(");
  EXPECT_EQ(KindOf(""), "");
}

TEST(ProblemTally, CountsByReason) {
  ProblemTally tally;
  tally.Add({"f", 1, "a", "used, but x", true});
  tally.Add({"f", 2, "b", "bad (b)", false});
  tally.Add({"f", 3, "c", "worse", false});
  tally.Add({"f", 4, "d", "worse", false});
  tally.Add({"f", 5, "e", "bad (e)", false});
  tally.Add({"f", 6, "g", "worse", false});
  const std::vector<ProblemKind> kinds = tally.ByCount();
  ASSERT_EQ(kinds.size(), 3u);
  EXPECT_EQ(kinds[0].reason, "worse");
  EXPECT_EQ(kinds[0].rows, 3u);
  EXPECT_EQ(kinds[0].first.line, 3u);
  EXPECT_EQ(kinds[1].reason, "bad");
  EXPECT_EQ(kinds[1].rows, 2u);
  EXPECT_TRUE(kinds[2].used);
  EXPECT_EQ(tally.refused(), 5u);
  EXPECT_EQ(tally.warned(), 1u);
}

// A file must not fill the memory with reasons.
TEST(ProblemTally, IsBounded) {
  ProblemTally tally;
  for (uint32_t i = 0; i < 1000; ++i) tally.Add({"f", i, "a", "reason " + std::to_string(i), i % 2 == 0});
  const std::vector<ProblemKind> kinds = tally.ByCount();
  EXPECT_LE(kinds.size(), ProblemTally::kMaxKinds + 2);
  uint64_t rows = 0;
  for (const ProblemKind& kind : kinds) rows += kind.rows;
  EXPECT_EQ(rows, 1000u);
}

}  // namespace
}  // namespace vedette
