#include "sensor/live/log.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <regex>
#include <sstream>

namespace vedette {
namespace {

std::vector<std::string> LinesOf(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

class LogTest : public testing::Test {
 protected:
  void SetUp() override { unsetenv("JOURNAL_STREAM"); }
  void TearDown() override { unsetenv("JOURNAL_STREAM"); }
  // As systemd does for a service whose standard error is the journal.
  static void NameStream(ino_t more = 0) {
    struct stat own {};
    ASSERT_EQ(fstat(2, &own), 0);
    setenv("JOURNAL_STREAM", fmt::format("{}:{}", own.st_dev, own.st_ino + more).c_str(), 1);
  }
};

TEST_F(LogTest, ALineHasItsTimeAndLevel) {
  testing::internal::CaptureStderr();
  NameStream(1);  // somebody else's, as a child inherits it
  {
    Log log;
    log.Info("one");
    log.Warn("two\nlines");
    log.Error("three");
  }
  const auto lines = LinesOf(testing::internal::GetCapturedStderr());
  ASSERT_EQ(lines.size(), 3u);
  const std::string time = R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ )";
  EXPECT_TRUE(std::regex_match(lines[0], std::regex(time + "info     one"))) << lines[0];
  EXPECT_TRUE(std::regex_match(lines[1], std::regex(time + "warning  two lines"))) << lines[1];
  EXPECT_TRUE(std::regex_match(lines[2], std::regex(time + "error    three"))) << lines[2];
}

TEST_F(LogTest, InTheJournalItHasAPriorityAndNoTime) {
  testing::internal::CaptureStderr();
  NameStream();
  {
    Log log;
    log.Info("one");
    log.Warn("two\nlines");
    log.Error("three");
  }
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "<6>one\n<4>two lines\n<3>three\n");
}

TEST_F(LogTest, AFloodOfOneKindHidesNoOther) {
  testing::internal::CaptureStderr();
  NameStream();
  {
    Log log;
    for (int i = 0; i < 1000; ++i) log.Warn(fmt::format("flood {}", i));
    log.Warn("another place");
    for (int i = 0; i < 100; ++i) {
      for (const char* name : {"alpha", "beta"}) log.Info(fmt::format("alarm {} {}", name, i), name);
    }
    log.Tick();
    log.Error("third");
    log.Tick(MessageLimiter::Clock::now() + std::chrono::seconds(61));
    for (int i = 0; i < 40; ++i) log.Write(Log::Level::kInfo, "limited elsewhere");
  }
  const std::string text = testing::internal::GetCapturedStderr();
  const auto count = [&](const std::string& what) {
    size_t found = 0;
    for (const std::string& line : LinesOf(text)) found += line.find(what) == 0 ? 1 : 0;
    return found;
  };
  EXPECT_EQ(count("<4>flood "), 30u);
  EXPECT_EQ(count("<4>another place"), 1u);
  EXPECT_EQ(count("<6>alarm alpha"), 30u);
  EXPECT_EQ(count("<6>alarm beta"), 30u);
  EXPECT_EQ(count("<3>third"), 1u);
  EXPECT_EQ(count("<4>970 more of this kind within a minute; the last: flood 999"), 1u) << text;
  EXPECT_EQ(count("<4>70 more of this kind within a minute; the last: alarm beta 99"), 1u);
  EXPECT_EQ(count("<6>limited elsewhere"), 40u);
}

TEST_F(LogTest, TheEndTellsWhatWasLeftOut) {
  testing::internal::CaptureStderr();
  NameStream();
  {
    Log log;
    for (int i = 0; i < 31; ++i) log.Warn("again");
  }
  EXPECT_EQ(LinesOf(testing::internal::GetCapturedStderr()).back(),
            "<4>1 more of this kind within a minute; the last: again");
}

TEST(MessageLimiter, EachMinuteBeginsAnew) {
  MessageLimiter limiter;
  const auto begin = MessageLimiter::Clock::now();
  std::vector<MessageLimiter::LeftOut> told;
  uint64_t admitted = 0;
  for (int second = 0; second < 120; ++second)
    admitted += limiter.Admit("kind", std::to_string(second), begin + std::chrono::seconds(second), told) ? 1 : 0;
  EXPECT_EQ(admitted, 60u);
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].count, 30u);
  EXPECT_EQ(told[0].last, "59");
}

TEST(MessageLimiter, KindsAreBounded) {
  MessageLimiter limiter;
  const auto now = MessageLimiter::Clock::now();
  std::vector<MessageLimiter::LeftOut> told;
  uint64_t admitted = 0;
  for (size_t i = 0; i < 10 * MessageLimiter::kMaxKinds; ++i)
    admitted += limiter.Admit("kind " + std::to_string(i), "", now, told) ? 1 : 0;
  EXPECT_EQ(admitted, MessageLimiter::kMaxKinds + MessageLimiter::kPerMinute);
}

}  // namespace
}  // namespace vedette
