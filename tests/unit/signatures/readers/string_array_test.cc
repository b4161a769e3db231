#include "signatures/readers/string_array.h"

#include <gtest/gtest.h>

namespace vedette {
namespace {

TEST(StringArray, ReadsJson) {
  using Texts = std::vector<std::string>;
  EXPECT_EQ(ParseStringArray("[]"), Texts{});
  EXPECT_EQ(ParseStringArray(R"( [ "two words" , "a,b" ] )"), (Texts{"two words", "a,b"}));
  EXPECT_EQ(ParseStringArray(R"(["\"\\\/\b\f\n\r\t","\u00e9\u20ac\ud83d\ude00"])"),
            (Texts{"\"\\/\b\f\n\r\t", "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"}));
}

TEST(StringArray, RefusesAnythingElse) {
  for (const char* text : {"", "tag", "[", "[\"a\"", "[\"a\",]", "[\"a\" \"b\"]", "[1]", "[null]", "[[\"a\"]]",
                           "[\"a\"]x", R"(["\x"])", R"(["\u12"])", R"(["\ud83d"])", R"(["\ude00"])", "[\"\n\"]"}) {
    EXPECT_EQ(ParseStringArray(text), std::nullopt) << text;
  }
  std::string many = "[\"a\"";
  for (size_t i = 0; i < kMaxArrayElements; ++i) many += ",\"a\"";
  EXPECT_EQ(ParseStringArray(many + ']'), std::nullopt);
}

}  // namespace
}  // namespace vedette
