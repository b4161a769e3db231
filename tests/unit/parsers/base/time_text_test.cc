#include "parsers/base/time_text.h"

#include <gtest/gtest.h>

namespace vedette {
namespace {

TEST(TimeText, EveFormHasSixDigits) {
  EveTime time;
  EXPECT_EQ(time.Format(1'795'428'000'123'456'789), "2026-11-23T10:00:00.123456+0000");
  EXPECT_EQ(time.Format(1'795'428'000'000'000'999), "2026-11-23T10:00:00.000000+0000");
  EXPECT_EQ(time.Format(1'795'428'001'999'999'999), "2026-11-23T10:00:01.999999+0000");
  EXPECT_EQ(time.Format(0), "1970-01-01T00:00:00.000000+0000");
  EXPECT_EQ(time.Format(UINT64_MAX), "2554-07-21T23:34:33.709551+0000");
}

TEST(TimeText, KnowsLeapYears) {
  EXPECT_EQ(Rfc3339(951'782'400'000'000'000), "2000-02-29T00:00:00Z");
  EXPECT_EQ(Rfc3339(4'107'542'399'000'000'000), "2100-02-28T23:59:59Z");
  EXPECT_EQ(Rfc3339(4'107'542'400'000'000'000), "2100-03-01T00:00:00Z");
}

TEST(TimeText, Rfc3339HasAFractionOnlyWhereThereIsOne) {
  EXPECT_EQ(Rfc3339(1'500'000'000), "1970-01-01T00:00:01.5Z");
  EXPECT_EQ(Rfc3339(-1), "1969-12-31T23:59:59.999999999Z");
  EXPECT_EQ(Rfc3339(INT64_MIN), "1677-09-21T00:12:43.145224192Z");
}

TEST(TimeText, DatesEndWithTheYear9999) {
  EXPECT_EQ(DateText(1'782'362'039), "2026-06-25");
  EXPECT_EQ(DateText(253'402'300'799), "9999-12-31");
  EXPECT_EQ(DateText(253'402'300'800), "");
  EXPECT_EQ(DateText(UINT64_MAX), "");
}

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

}  // namespace
}  // namespace vedette
