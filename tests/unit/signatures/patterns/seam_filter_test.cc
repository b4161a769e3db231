#include "signatures/patterns/seam_filter.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace vedette {
namespace {

TEST(SeamFilter, NeverRulesOutALiteralThatCrosses) {
  std::mt19937_64 random(7);
  const auto bytes = [&](size_t length) {
    std::string out(length, ' ');
    for (char& c : out) c = static_cast<char>(random());
    return out;
  };
  for (int round = 0; round < 300; ++round) {
    std::vector<std::string> literals;
    for (int i = 0; i < 20; ++i) literals.push_back(bytes(3 + random() % 30));
    const std::vector<std::string_view> views(literals.begin(), literals.end());
    const SeamFilter filter(views);
    for (const std::string& literal : literals) {
      for (size_t cut = 1; cut < literal.size(); ++cut) {
        std::string other_case = literal;
        for (char& c : other_case) {
          if (random() % 2 == 0 && c >= 'a' && c <= 'z') c = static_cast<char>(c - 32);
        }
        const std::string before = bytes(20) + other_case.substr(0, cut), after = other_case.substr(cut) + bytes(20);
        EXPECT_TRUE(filter.MayCross(AsBytes(before), AsBytes(after))) << literal.size() << ' ' << cut;
      }
    }
  }
}

TEST(SeamFilter, RulesMostOthersOut) {
  std::mt19937_64 random(8);
  const auto word = [&](size_t length) {
    std::string out(length, ' ');
    for (char& c : out) c = static_cast<char>('a' + random() % 26);
    return out;
  };
  std::vector<std::string> literals;
  for (int i = 0; i < 10'000; ++i) literals.push_back(word(8 + random() % 20));
  const std::vector<std::string_view> views(literals.begin(), literals.end());
  const SeamFilter filter(views);
  int crossing = 0;
  for (int i = 0; i < 10'000; ++i) crossing += filter.MayCross(AsBytes(word(20)), AsBytes(word(20))) ? 1 : 0;
  EXPECT_LT(crossing, 1000);
}

TEST(SeamFilter, SaysYesWhereTooLittleIsThere) {
  const std::vector<std::string_view> literals = {"abcdef"};
  const SeamFilter filter(literals);
  EXPECT_TRUE(filter.MayCross(AsBytes("ab"), AsBytes("cdefghijklmn")));
  EXPECT_TRUE(filter.MayCross(AsBytes("xxxxxxxxxxxab"), AsBytes("cdef")));
  EXPECT_FALSE(SeamFilter().MayCross(AsBytes("ab"), AsBytes("cdef")));
}

}  // namespace
}  // namespace vedette
