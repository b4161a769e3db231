#include "parsers/base/string_pool.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace vedette {
namespace {

TEST(StringPool, GivesBackWhatWasPutIn) {
  StringPool pool;
  std::mt19937_64 random(1);
  std::vector<std::pair<StringPool::Ref, std::string>> texts;
  for (int i = 0; i < 3000; ++i) {
    const size_t length = i % 100 == 0 ? StringPool::kMaxTextBytes - random() % 3 : random() % 300;
    std::string text(length, static_cast<char>('a' + i % 26));
    const auto ref = pool.Add(text);
    ASSERT_TRUE(ref.has_value());
    texts.emplace_back(*ref, std::move(text));
  }
  for (const auto& [ref, text] : texts) EXPECT_EQ(pool.at(ref), text);
  EXPECT_EQ(pool.at(0), "");
  EXPECT_EQ(pool.Add(std::string(StringPool::kMaxTextBytes + 1, 'a')), std::nullopt);
}

TEST(StringInterner, GivesEqualTextsOnePlace) {
  StringPool pool;
  StringInterner interner(pool);
  std::vector<StringPool::Ref> refs;
  for (int i = 0; i < 1000; ++i) refs.push_back(interner.Intern("text " + std::to_string(i)).value());
  for (int i = 0; i < 1000; ++i) {
    EXPECT_EQ(interner.Intern("text " + std::to_string(i)), refs[static_cast<size_t>(i)]);
    EXPECT_EQ(pool.at(refs[static_cast<size_t>(i)]), "text " + std::to_string(i));
  }
  EXPECT_EQ(interner.Intern(""), StringPool::Ref{0});
}

}  // namespace
}  // namespace vedette
