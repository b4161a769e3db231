#include "sensor/pipeline/capture_clock.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

namespace vedette {
namespace {

constexpr uint64_t kSecond = 1'000'000'000, kHour = 3600, kYear = 31'536'000;
constexpr uint64_t kNow = 1'700'000'000;

struct Judged {
  std::vector<uint64_t> times;  // seconds
  uint64_t disbelieved;
};

// Stamps in seconds; a 0 begins the next file.
Judged JudgeAll(CaptureClock& clock, const std::vector<uint64_t>& stamps, size_t burst = 1000) {
  std::vector<Frame> frames;
  uint32_t file = 0;
  for (const uint64_t stamp : stamps) {
    if (stamp == 0) {
      ++file;
    } else {
      frames.emplace_back().time_ns = stamp * kSecond;
      frames.back().file = file;
    }
  }
  Judged out;
  // As a worker does: what cannot be told waits for the next burst.
  size_t at = 0, given = 0;
  while (at < frames.size()) {
    given = std::min(given + burst, frames.size());
    while (at < given) {
      const auto time = clock.Judge(std::span(frames).subspan(at, given - at), false);
      if (!time && given < frames.size()) break;
      out.times.push_back((time ? *time : *clock.Judge(std::span(frames).subspan(at, given - at), true)) / kSecond);
      ++at;
    }
  }
  out.disbelieved = clock.disbelieved();
  return out;
}

Judged JudgeAll(const std::vector<uint64_t>& stamps, size_t burst = 1000) {
  CaptureClock clock(60 * kSecond);
  return JudgeAll(clock, stamps, burst);
}

using Times = std::vector<uint64_t>;

TEST(CaptureClock, OneWrongStampIsNoTime) {
  for (const uint64_t wrong : {kNow + 10 * kYear, kNow + kHour, kNow - kHour, uint64_t{1}, kNow - 61}) {
    const Judged judged = JudgeAll({kNow, kNow + 1, kNow + 2, wrong, kNow + 3, kNow + 4});
    EXPECT_EQ(judged.times, (Times{kNow, kNow + 1, kNow + 2, kNow + 2, kNow + 3, kNow + 4})) << wrong;
    EXPECT_EQ(judged.disbelieved, 1u);
  }
}

TEST(CaptureClock, TwoWrongStampsAreNoTime) {
  const Judged judged = JudgeAll({kNow, kNow + 1, kNow + kYear, kNow + kYear, kNow + 1, kNow + 2});
  EXPECT_EQ(judged.times, (Times{kNow, kNow + 1, kNow + 1, kNow + 1, kNow + 1, kNow + 2}));
}

TEST(CaptureClock, FramesThatAgreeMoveTheTimeEitherWay) {
  for (const uint64_t there : {kNow + kYear, kNow - kYear, kNow + 1000, kNow - 1000}) {
    const Times stamps = {kNow, kNow + 1, there, there + 1, there + 2, there + 3};
    EXPECT_EQ(JudgeAll(stamps).times, stamps);
    EXPECT_EQ(JudgeAll(stamps).disbelieved, 0u);
  }
}

TEST(CaptureClock, AQuietCaptureGoesOnFrameByFrame) {
  const Times stamps = {kNow, kNow + 1200, kNow + 2400, kNow + 9000, kNow + 90'000};
  EXPECT_EQ(JudgeAll(stamps).times, stamps);
}

TEST(CaptureClock, AFileBeginsAtAnyTime) {
  EXPECT_EQ(JudgeAll({kNow, 0, kNow - 3 * kYear, 0, kNow + kYear}).times,
            (Times{kNow, kNow - 3 * kYear, kNow + kYear}));
}

TEST(CaptureClock, AWrongStampAtAFilesBeginning) {
  for (const uint64_t wrong : {uint64_t{1}, kNow + kYear}) {
    EXPECT_EQ(JudgeAll({wrong, kNow, kNow + 1, kNow + 2}).times, (Times{kNow, kNow, kNow + 1, kNow + 2})) << wrong;
    EXPECT_EQ(JudgeAll({kNow, kNow, kNow, 0, wrong, kNow, kNow + 1}).times,
              (Times{kNow, kNow, kNow, kNow, kNow, kNow + 1}));
  }
  // A query, and half an hour later the next.
  const Times quiet = {kNow, kNow + 1800, kNow + 1801};
  EXPECT_EQ(JudgeAll(quiet).times, quiet);
}

// Two interfaces an hour apart, merged.
TEST(CaptureClock, ClocksThatRunBesideEachOtherPassNoTime) {
  for (const size_t run : {size_t{1}, size_t{2}, size_t{5}, size_t{100}}) {
    CaptureClock clock(60 * kSecond);
    Times stamps;
    for (size_t i = 0; i < 2000; ++i) stamps.push_back(kNow + i / 100 + (i / run % 2 == 0 ? 0 : kHour));
    const Judged judged = JudgeAll(clock, stamps);
    EXPECT_LE(judged.disbelieved, 4u) << run;
    const uint64_t between =
        CaptureClock::Between(judged.times[1999] * kSecond, judged.times[1999 - run] * kSecond, clock.difference_ns());
    EXPECT_LE(between, 60 * kSecond) << run;
    EXPECT_NEAR(static_cast<double>(
                    CaptureClock::Between(kNow * kSecond, (kNow + 3 * kHour) * kSecond, clock.difference_ns())) /
                    kSecond,
                2.0 * kHour, 2);
    // A stamp of neither is still wrong.
    stamps.insert(stamps.begin() + 1500, kNow + kYear);
    EXPECT_LE(JudgeAll(stamps).times[1500], kNow + 2 * kHour);
  }
}

TEST(CaptureClock, TheTimeDoesNotDependOnBursts) {
  std::mt19937 random(1);
  for (int round = 0; round < 300; ++round) {
    Times stamps;
    uint64_t now = kNow;
    for (int i = 0; i < 60; ++i) {
      now += random() % 10;
      if (random() % 20 == 0) now = kNow + random() % 10'000 - 5000;
      if (random() % 20 == 0) stamps.push_back(0);
      stamps.push_back(random() % 8 == 0 ? kNow + random() % 100'000 : now);
    }
    const Judged whole = JudgeAll(stamps);
    for (const size_t burst : {size_t{1}, size_t{2}, size_t{3}, size_t{7}}) {
      const Judged cut = JudgeAll(stamps, burst);
      ASSERT_EQ(cut.times, whole.times);
      ASSERT_EQ(cut.disbelieved, whole.disbelieved);
    }
  }
}

TEST(CaptureClock, AKernelsStampsAreBelievedAtOnce) {
  CaptureClock clock(CaptureClock::kBelieveAll);
  for (const uint64_t stamp : {kNow, kNow + kYear, uint64_t{1}, kNow}) {
    Frame frame;
    frame.time_ns = stamp;
    EXPECT_EQ(clock.Judge({&frame, 1}, false), stamp);
  }
}

}  // namespace
}  // namespace vedette
