#include "exporter/policy/mutes/mute.h"

#include <gtest/gtest.h>

namespace vedette {
namespace {

constexpr int64_t kNow = 1'795'428'000'000'000'000;  // 2026-11-23T10:00:00Z
constexpr int64_t kDay = int64_t{86'400} * 1'000'000'000;

MuteRequest Request() {
  return {.indicator = "t-1",
          .value = {},
          .source = {},
          .network = {},
          .reason = "red team",
          .by = "ops",
          .until_ns = kNow + kDay,
          .created_ns = kNow};
}

std::string Refused(const MuteRequest& request) {
  std::string error;
  EXPECT_FALSE(MakeMute(request, kNow, error));
  return error;
}

TEST(Mute, NeedsOneIndicatorAndAReason) {
  MuteRequest request = Request();
  request.value = "bad.example";
  EXPECT_NE(Refused(request).find("either by its id or by its value"), std::string::npos);
  request.indicator.clear();
  std::string error;
  EXPECT_TRUE(MakeMute(request, kNow, error)) << error;
  request.value.clear();
  Refused(request);
  request = Request();
  request.reason.clear();
  EXPECT_NE(Refused(request).find("reason"), std::string::npos);
}

TEST(Mute, EndsWithinNinetyDays) {
  MuteRequest request = Request();
  request.until_ns = kNow + 90 * kDay;
  std::string error;
  EXPECT_TRUE(MakeMute(request, kNow, error)) << error;
  request.until_ns += 1;
  EXPECT_NE(Refused(request).find("90 days"), std::string::npos);
  request.until_ns = kNow - kDay;  // over, and a mute nevertheless
  EXPECT_TRUE(MakeMute(request, kNow, error)) << error;
}

TEST(Mute, RefusesTextThatNobodyWrote) {
  for (const std::string& text :
       {std::string("a\nb"), std::string("\xff"), std::string(1025, 'x'), std::string("a\0b", 3)}) {
    MuteRequest request = Request();
    request.reason = text;
    Refused(request);
    request = Request();
    request.indicator = text;
    Refused(request);
  }
}

TEST(Mute, IsNamedAfterWhatItHides) {
  std::string error;
  const Mute first = *MakeMute(Request(), kNow, error);
  MuteRequest request = Request();
  request.reason = "something else";
  request.until_ns += kDay;
  EXPECT_EQ(MakeMute(request, kNow, error)->id, first.id);
  request.network = "10.0.0.0/8";
  const Mute narrower = *MakeMute(request, kNow, error);
  EXPECT_NE(narrower.id, first.id);
  EXPECT_EQ(Describe(narrower), "indicator t-1 in 10.0.0.0/8");
}

TEST(Mute, ComesBackFromItsFile) {
  std::string error;
  MuteRequest by_value = Request();
  by_value.indicator.clear();
  by_value.value = "bücher.example";
  by_value.source = "cert-a";
  by_value.network = "2001:db8::/32";
  const std::vector<Mute> mutes = {*MakeMute(Request(), kNow, error), *MakeMute(by_value, kNow, error)};
  std::vector<Mute> read;
  ASSERT_TRUE(ReadMutes(WriteMutes(mutes), read, error)) << error;
  EXPECT_EQ(read, mutes);
}

// The clock of whoever reads plays no part.
TEST(Mute, InItsFileEndsWithinNinetyDaysOfItsMaking) {
  std::string error;
  MuteRequest request = Request();
  request.until_ns = kNow + 90 * kDay;
  const std::string longest = WriteMutes({*MakeMute(request, kNow, error)});
  std::vector<Mute> read;
  EXPECT_TRUE(ReadMutes(longest, read, error)) << error;
  request.until_ns += kDay;
  request.created_ns += kDay;
  std::string text = WriteMutes({*MakeMute(request, kNow + kDay, error)});
  EXPECT_TRUE(ReadMutes(text, read, error)) << error;
  text.replace(text.find("2026-11-24"), 10, "2026-11-23");
  EXPECT_FALSE(ReadMutes(text, read, error)) << "made a day earlier, it is too long";
  EXPECT_NE(error.find("90 days"), std::string::npos) << error;
  request.created_ns = 0;
  EXPECT_TRUE(ReadMutes(WriteMutes({*MakeMute(request, kNow + kDay, error)}), read, error)) << error;
}

TEST(Mute, NothingInItsFileIsPassedOver) {
  std::string error;
  const std::string good = WriteMutes({*MakeMute(Request(), kNow, error)});
  std::vector<Mute> read;
  ASSERT_TRUE(ReadMutes(good, read, error));
  for (size_t size = 0; size < good.size() - 1; ++size) {
    EXPECT_FALSE(ReadMutes(good.substr(0, size), read, error)) << size;
  }
  const auto with = [&](const std::string& from, const std::string& to) {
    std::string text = good;
    text.replace(text.find(from), from.size(), to);
    return text;
  };
  for (const std::string& text :
       {std::string("[]"), std::string("{}"), with("\"version\": 1", "\"version\": 2"), with("\"mutes\"", "\"mute\""),
        with("\"reason\"", "\"raeson\""), with("\"t-1\"", "\"t-2\""), with("\"t-1\"", "7"),
        with("2026-11-24", "2026-13-24"), with("2026-11-24", "2027-11-24")}) {
    EXPECT_FALSE(ReadMutes(text, read, error)) << text;
    EXPECT_FALSE(error.empty());
  }
}

}  // namespace
}  // namespace vedette
