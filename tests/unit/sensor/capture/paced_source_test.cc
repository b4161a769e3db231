#include "sensor/capture/paced_source.h"

#include <gtest/gtest.h>

#include <chrono>
#include <random>
#include <vector>

namespace vedette {
namespace {

constexpr uint64_t kSecond = 1'000'000'000, kPause = 60 * kSecond, kBegin = 1'700'000'000 * kSecond;

std::vector<uint64_t> DuesOf(std::vector<uint64_t> times, double factor = 1) {
  RecordedPace pace(factor, kPause);
  for (uint64_t& time : times) time = pace.DueNs(time);
  return times;
}

TEST(RecordedPace, IsThatOfTheStamps) {
  EXPECT_EQ(DuesOf({kBegin, kBegin + 5, kBegin + 5, kBegin + 30 * kSecond}),
            (std::vector<uint64_t>{0, 5, 5, 30 * kSecond}));
  EXPECT_EQ(DuesOf({kBegin, kBegin + 30 * kSecond}, 10), (std::vector<uint64_t>{0, 3 * kSecond}));
  EXPECT_EQ(DuesOf({kBegin, kBegin + kSecond}, 0.5), (std::vector<uint64_t>{0, 2 * kSecond}));
}

// Packets of two queues: what is late is due at once, and holds nothing up.
TEST(RecordedPace, OutOfOrderStampsTakeNoTime) {
  EXPECT_EQ(DuesOf({kBegin, kBegin + 100, kBegin + 40, kBegin + 120}), (std::vector<uint64_t>{0, 100, 100, 120}));
}

TEST(RecordedPace, PausesAreBounded) {
  EXPECT_EQ(DuesOf({kBegin, kBegin + 10'000 * kSecond, kBegin + 10'001 * kSecond}),
            (std::vector<uint64_t>{0, kPause, kPause + kSecond}));
  EXPECT_EQ(DuesOf({kBegin, kBegin + 10'000 * kSecond}, 1000), (std::vector<uint64_t>{0, 10 * kSecond}));
}

// The next capture of a folder was recorded before; a clock that was set back.
TEST(RecordedPace, AJumpBackTakesNoTime) {
  EXPECT_EQ(DuesOf({kBegin, kBegin + kSecond, kBegin - 9000 * kSecond, kBegin - 8999 * kSecond}),
            (std::vector<uint64_t>{0, kSecond, kSecond, 2 * kSecond}));
}

// A stamp of 2038, or of 1970, is one pause at most. What follows goes on as if that had not been.
TEST(RecordedPace, OneWrongStampIsOnePause) {
  for (const uint64_t wrong : {uint64_t{0}, uint64_t{2'147'483'647} * kSecond, UINT64_MAX}) {
    const std::vector<uint64_t> dues =
        DuesOf({kBegin, kBegin + kSecond / 2, wrong, kBegin + kSecond, kBegin + 2 * kSecond});
    EXPECT_LE(dues[2] - dues[1], kPause);
    EXPECT_EQ(dues[3], std::max(dues[2], kSecond));
    EXPECT_EQ(dues[4], std::max(dues[2], 2 * kSecond));
  }
}

// Two clocks an hour apart, merged: the recording took ten seconds.
TEST(RecordedPace, TwoClocksGoOnBesideEachOther) {
  std::vector<uint64_t> times;
  for (uint64_t i = 0; i < 1000; ++i) times.push_back(kBegin + i * kSecond / 100 + (i % 3 == 0 ? 3600 * kSecond : 0));
  EXPECT_LE(DuesOf(times).back(), 10 * kSecond);
  EXPECT_GE(DuesOf(times).back(), 9 * kSecond);
}

// Whatever the stamps are: a turn never comes before the one before it, and each waits for one pause at most.
TEST(RecordedPace, AnyStamps) {
  std::mt19937_64 random(1);
  for (int round = 0; round < 200; ++round) {
    RecordedPace pace(1 + static_cast<double>(random() % 50), kPause);
    uint64_t before = 0;
    for (int i = 0; i < 500; ++i) {
      const uint64_t time =
          random() % 3 == 0 ? random() : kBegin + random() % (random() % 2 == 0 ? kSecond : 9999 * kSecond);
      const uint64_t due = pace.DueNs(time);
      ASSERT_GE(due, before);
      ASSERT_LE(due - before, kPause);
      before = due;
    }
  }
}

class Bursts final : public CaptureSource {
 public:
  explicit Bursts(std::vector<uint64_t> times) {
    for (const uint64_t time : times) {
      Frame frame;
      frame.time_ns = time;
      frame.number = frames_.size() + 1;
      frames_.push_back(frame);
    }
  }
  PollStatus Poll(std::span<const Frame>& frames) override {
    if (next_ == frames_.size()) return PollStatus::kEnd;
    frames = std::span<const Frame>(frames_).subspan(next_, std::min(kBurst, frames_.size() - next_));
    next_ += frames.size();
    return PollStatus::kFrames;
  }
  std::string_view FileName(uint32_t) const override { return "bursts"; }
  CaptureCounters counters() const override { return {}; }
  std::span<const CaptureDamage> damage() const override { return {}; }

 private:
  std::vector<Frame> frames_;
  size_t next_ = 0;
};

TEST(PacedSource, HandsOutEveryFrameInOrderAndNotTooEarly) {
  std::vector<uint64_t> times;
  for (uint64_t i = 0; i < 100; ++i) times.push_back(kBegin + i * kSecond / 100);
  const auto clock = std::make_shared<PaceClock>(PaceClock::Options{.factor = 4});
  PacedSource source(std::make_unique<Bursts>(times), clock);
  const auto begin = std::chrono::steady_clock::now();
  uint64_t number = 0;
  for (;;) {
    std::span<const Frame> frames;
    const PollStatus status = source.Poll(frames);
    if (status == PollStatus::kEnd) break;
    EXPECT_EQ(status == PollStatus::kFrames, !frames.empty());
    EXPECT_TRUE(status == PollStatus::kFrames || status == PollStatus::kWorking);
    const auto elapsed = std::chrono::steady_clock::now() - begin;
    for (const Frame& frame : frames) {
      EXPECT_EQ(frame.number, ++number);
      EXPECT_GE(std::chrono::nanoseconds(elapsed).count(), static_cast<int64_t>((frame.time_ns - kBegin) / 4));
    }
  }
  EXPECT_EQ(number, times.size());
  EXPECT_EQ(clock->recorded_ns(), times.back());
}

// Nobody waits for what --since and --until leave out.
TEST(PacedSource, ExcludedFramesTakeNoTime) {
  const auto clock = std::make_shared<PaceClock>(
      PaceClock::Options{.since_ns = kBegin + 1000 * kSecond, .until_ns = kBegin + 1001 * kSecond});
  PacedSource source(
      std::make_unique<Bursts>(std::vector<uint64_t>{kBegin, kBegin + 50 * kSecond, kBegin + 1000 * kSecond,
                                                     kBegin + 1000 * kSecond + 5, kBegin + 2000 * kSecond}),
      clock);
  const auto begin = std::chrono::steady_clock::now();
  size_t count = 0;
  for (std::span<const Frame> frames; source.Poll(frames) != PollStatus::kEnd;) count += frames.size();
  EXPECT_EQ(count, 5u);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(30));
}

}  // namespace
}  // namespace vedette
