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

}  // namespace
}  // namespace vedette
