#include "signatures/readers/metadata.h"

#include <gtest/gtest.h>

namespace vedette {
namespace {

TEST(Timestamp, ReadsRfc3339) {
  EXPECT_EQ(ParseTimestamp("1970-01-01T00:00:00Z"), 0);
  EXPECT_EQ(ParseTimestamp("2026-11-23T10:00:00Z"), 1795428000'000'000'000);
  EXPECT_EQ(ParseTimestamp("2026-11-23t10:00:00.25z"), 1795428000'250'000'000);
  EXPECT_EQ(ParseTimestamp("2026-11-23 11:30:00+01:30"), 1795428000'000'000'000);
  EXPECT_EQ(ParseTimestamp("2026-11-23T10:00:00.1234567899Z"), 1795428000'123'456'789);
  EXPECT_EQ(ParseTimestamp("2016-12-31T23:59:60Z"), ParseTimestamp("2016-12-31T23:59:59Z"));
}

// As those write it who mean always, or never.
TEST(Timestamp, KeepsWhatLiesBeyondItsBounds) {
  for (const char* text : {"9999-12-31T23:59:59Z", "9999-12-31T23:59:59.999+01:00", "2262-01-01T00:00:00Z",
                           "9999-12-31", "9999-12-31T23:59:59.9999999", "9999-12-31 23:59:59"}) {
    EXPECT_EQ(ParseBound(text), kLatestTimestamp) << text;
    EXPECT_EQ(ParseTimestamp(text), std::nullopt) << text;
  }
  for (const char* text : {"1969-12-31T23:59:59Z", "0001-01-01T00:00:00Z"}) {
    EXPECT_EQ(ParseBound(text), kEarliestTimestamp) << text;
    EXPECT_EQ(ParseTimestamp(text), std::nullopt) << text;
  }
}

TEST(Timestamp, RefusesAnythingElse) {
  for (const char* text : {"", "2026", "2026-11-23", "2026-11-23T10:00Z", "2026-11-23T10:00:00", "2026-13-01T00:00:00Z",
                           "2026-02-29T00:00:00Z", "2026-11-23T24:00:00Z", "2026-11-23T10:00:00.Z",
                           "2026-11-23T10:00:00Zjunk", "2026-11-23T10:00:00+25:00", "9999-12-32", "9999-12-31T",
                           "2026-11-23T10:00:00", "9999-12-31T24:00:00", "1795428000"}) {
    EXPECT_EQ(ParseTimestamp(text), std::nullopt) << text;
    EXPECT_EQ(ParseBound(text), std::nullopt) << text;
  }
  EXPECT_EQ(ParseBound("2026-11-23T10:00:00Z"), ParseTimestamp("2026-11-23T10:00:00Z"));
}

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
