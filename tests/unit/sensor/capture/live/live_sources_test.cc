#include "sensor/capture/live/live_sources.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <initializer_list>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace vedette {
namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr uint64_t kMs = 1'000'000;

uint64_t NowNs() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(now).count());
}

// Hands out bursts of what it was given, by their stamps. Its descriptor is readable once it was given something.
class FakeSource final : public LiveSource {
 public:
  explicit FakeSource(uint32_t file) : file_(file) {
    // Full, it says all the same that there is something.
    if (pipe2(ends_, O_NONBLOCK | O_CLOEXEC) != 0) ends_[0] = ends_[1] = -1;
  }
  ~FakeSource() override {
    for (const int end : ends_) close(end);
  }
  PollStatus PollNow(std::span<const Frame>& frames) override {
    ++polls;
    if (!damage_.empty()) return PollStatus::kEnd;
    burst_.clear();
    while (next_ < stamps_.size() && burst_.size() < burst_size) {
      Frame& frame = burst_.emplace_back();
      frame.time_ns = stamps_[next_++];
      frame.file = file_;
      frame.number = ++counters_.frames;
    }
    if (burst_.empty()) return PollStatus::kIdle;
    frames = burst_;
    return PollStatus::kFrames;
  }
  // While it is drained: that, and no more.
  PollStatus Poll(std::span<const Frame>& frames) override {
    return PollNow(frames) == PollStatus::kFrames ? PollStatus::kFrames : PollStatus::kEnd;
  }
  bool Drain() override { return next_ < stamps_.size(); }
  int descriptor() const override { return can_wait ? ends_[0] : -1; }
  uint64_t delay_ns() const override { return delay; }
  uint32_t file() const override { return file_; }
  std::string_view FileName(uint32_t) const override { return file_ == 0 ? "eth0" : "eth1"; }
  CaptureCounters counters() const override { return counters_; }
  void GoOnFrom(const CaptureCounters& before) override { counters_ = before; }
  std::span<const CaptureDamage> damage() const override { return damage_; }

  void Give(std::initializer_list<uint64_t> stamps) {
    stamps_.insert(stamps_.end(), stamps);
    [[maybe_unused]] const ssize_t written = write(ends_[1], "x", 1);
  }
  void Fail() { damage_.push_back({.file = std::string(FileName(0)), .offset = 0, .reason = "went down"}); }

  size_t polls = 0;
  size_t burst_size = 4;
  bool can_wait = true;
  uint64_t delay = 25 * kMs;

 private:
  const uint32_t file_;
  std::vector<uint64_t> stamps_;
  size_t next_ = 0;
  int ends_[2];
  std::vector<Frame> burst_;
  CaptureCounters counters_;
  std::vector<CaptureDamage> damage_;
};

class LiveSourcesTest : public ::testing::Test {
 protected:
  FakeSource& operator[](size_t i) { return *fakes_[i]; }
  void Make(size_t count, bool can_wait = true) {
    std::vector<std::unique_ptr<LiveSource>> sources;
    for (uint32_t file = 0; file < count; ++file) {
      auto source = std::make_unique<FakeSource>(file);
      source->can_wait = can_wait;
      fakes_.push_back(source.get());
      sources.push_back(std::move(source));
    }
    sources_ = std::make_unique<LiveSources>(std::move(sources));
  }
  // In slots; those of `absent` are not there yet.
  void MakeParts(size_t count, const std::vector<size_t>& absent = {}) {
    std::vector<LiveSources::Part> parts;
    fakes_.clear();
    slots_.clear();
    for (uint32_t file = 0; file < count; ++file) {
      slots_.push_back(std::make_shared<SourceSlot>());
      std::unique_ptr<FakeSource> source;
      if (std::find(absent.begin(), absent.end(), file) == absent.end()) source = std::make_unique<FakeSource>(file);
      fakes_.push_back(source.get());
      parts.push_back(
          {.name = "eth" + std::to_string(file), .file = file, .slot = slots_.back(), .source = std::move(source)});
    }
    sources_ = std::make_unique<LiveSources>(std::move(parts));
  }
  FakeSource& Offer(uint32_t file) {
    auto source = std::make_unique<FakeSource>(file);
    FakeSource& known = *source;
    slots_[file]->Offer(std::move(source));
    return known;
  }
  // The frames of one poll as "file:stamp", in order; none where it is idle or at its end.
  std::vector<std::string> Next() {
    std::span<const Frame> frames;
    last_ = sources_->Poll(frames);
    EXPECT_EQ(last_ == PollStatus::kFrames, !frames.empty());
    EXPECT_LE(frames.size(), CaptureSource::kBurst);
    std::vector<std::string> out;
    for (const Frame& frame : frames) out.push_back(std::to_string(frame.file) + ":" + std::to_string(frame.time_ns));
    return out;
  }
  // Until nothing comes.
  std::vector<std::string> All() {
    std::vector<std::string> all;
    for (std::vector<std::string> some; !(some = Next()).empty();) all.insert(all.end(), some.begin(), some.end());
    return all;
  }
  using Texts = std::vector<std::string>;

  std::vector<FakeSource*> fakes_;
  std::vector<std::shared_ptr<SourceSlot>> slots_;
  std::unique_ptr<LiveSources> sources_;
  PollStatus last_ = PollStatus::kFrames;
};

TEST_F(LiveSourcesTest, OneSourcePassesThrough) {
  Make(1);
  (*this)[0].Give({NowNs() + 1'000'000 * kMs, 5, 7});  // whatever its stamps
  EXPECT_EQ(Next().size(), 3u);
  EXPECT_TRUE(Next().empty());
  EXPECT_EQ(last_, PollStatus::kIdle);
}

TEST_F(LiveSourcesTest, PacketsOfSeveralComeInTheOrderOfTheirStamps) {
  Make(3);
  (*this)[0].Give({1, 4, 5, 9, 20, 21, 22, 23, 24});
  (*this)[1].Give({2, 3, 30});
  (*this)[2].Give({6, 7, 8, 10, 11, 25});
  EXPECT_EQ(All(), (Texts{"0:1", "1:2", "1:3", "0:4", "0:5", "2:6", "2:7", "2:8", "0:9", "2:10", "2:11", "0:20", "0:21",
                          "0:22", "0:23", "0:24", "2:25", "1:30"}));
}

// The other interface may have an earlier packet that the kernel has not handed over yet.
TEST_F(LiveSourcesTest, AFreshPacketWaitsForWhatAnotherMayStillHandOver) {
  Make(2);
  const uint64_t now = NowNs();
  (*this)[1].Give({now});
  EXPECT_TRUE(Next().empty());
  EXPECT_EQ(last_, PollStatus::kIdle);
  (*this)[0].Give({now - 1});
  EXPECT_EQ(Next(), Texts{"0:" + std::to_string(now - 1)});
  Texts rest;
  const auto begin = Clock::now();
  while (rest.empty() && Clock::now() - begin < 5s) rest = Next();
  EXPECT_EQ(rest, Texts{"1:" + std::to_string(now)});
  EXPECT_GE(NowNs(), now + 25 * kMs);
}

TEST_F(LiveSourcesTest, AnEmptySourceIsNotPolledForEachBurst) {
  Make(2);
  const uint64_t old = NowNs() - 10'000 * kMs;
  for (uint64_t i = 0; i < 1'000; ++i) (*this)[0].Give({old + i});
  EXPECT_EQ(All().size(), 1'000u);
  EXPECT_LE((*this)[1].polls, 4u);
}

// A clock that was set: what is stamped far ahead comes all the same, and the other one goes on.
TEST_F(LiveSourcesTest, NoStampHoldsAPacketForLong) {
  Make(2);
  const uint64_t now = NowNs();
  (*this)[0].Give({now + 3'600'000 * kMs});
  Texts all;
  const auto begin = Clock::now();
  for (uint64_t i = 0; Clock::now() - begin < 1s && all.empty(); ++i) {
    (*this)[1].Give({now - 1'000 * kMs + i});
    for (const std::string& text : Next()) {
      if (text.starts_with("0:")) all.push_back(text);
    }
  }
  EXPECT_EQ(all.size(), 1u);
  EXPECT_LT(Clock::now() - begin, 1s);
}

TEST_F(LiveSourcesTest, WaitsOnlyWhereAllAreIdleAndUntilTheFirstHasSomething) {
  Make(2);
  auto begin = Clock::now();
  EXPECT_TRUE(Next().empty());
  EXPECT_EQ(last_, PollStatus::kIdle);
  EXPECT_GE(Clock::now() - begin, 15ms);
  (*this)[1].Give({1});
  begin = Clock::now();
  EXPECT_EQ(Next(), Texts{"1:1"});
  EXPECT_LT(Clock::now() - begin, 15ms);
}

TEST_F(LiveSourcesTest, ASourceWithoutADescriptorIsNeverWaitedFor) {
  Make(2, false);
  const auto begin = Clock::now();
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(Next().empty());
  EXPECT_LT(Clock::now() - begin, 500ms);
}

TEST_F(LiveSourcesTest, OneThatFailsIsNamedAndTheOtherGoesOn) {
  MakeParts(2);
  (*this)[0].Give({1, 2, 3, 4, 5, 6});
  EXPECT_EQ(Next(), (Texts{"0:1", "0:2", "0:3", "0:4"}));
  (*this)[1].Fail();
  EXPECT_FALSE(slots_[1]->failed());
  (*this)[0].Give({7});
  EXPECT_EQ(All(), (Texts{"0:5", "0:6", "0:7"})) << "what the other one had received";
  EXPECT_EQ(last_, PollStatus::kIdle);
  ASSERT_EQ(sources_->damage().size(), 1u);
  EXPECT_EQ(sources_->damage()[0].file, "eth1");
  EXPECT_TRUE(slots_[1]->failed());
  EXPECT_FALSE(slots_[0]->failed());
  // Nobody waits for what it may still hand over.
  const uint64_t now = NowNs();
  (*this)[0].Give({now});
  EXPECT_EQ(Next(), Texts{"0:" + std::to_string(now)});
  EXPECT_TRUE(Next().empty());
  EXPECT_EQ(last_, PollStatus::kIdle) << "and stays so";
  EXPECT_EQ(sources_->damage().size(), 1u);
}

TEST_F(LiveSourcesTest, ASourceThatIsNotThereYetHoldsNoOther) {
  MakeParts(2, {1});
  const uint64_t now = NowNs();
  (*this)[0].Give({now});
  EXPECT_EQ(Next(), Texts{"0:" + std::to_string(now)});
  EXPECT_EQ(sources_->FileName(1), "eth1");
  EXPECT_TRUE(Next().empty());
  EXPECT_EQ(last_, PollStatus::kIdle);
  Offer(1).Give({5, 6});
  EXPECT_EQ(All(), (Texts{"1:5", "1:6"}));
  EXPECT_EQ(slots_[1]->TakeReturned(), nullptr);
}

TEST_F(LiveSourcesTest, ASourceAloneThatIsNotThereYet) {
  MakeParts(1, {0});
  const auto begin = Clock::now();
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(Next().empty());
  EXPECT_EQ(last_, PollStatus::kIdle);
  EXPECT_GE(Clock::now() - begin, 45ms) << "it does not spin";
  Offer(0).Give({5});
  EXPECT_EQ(Next(), Texts{"0:5"});
}

// What the old one had comes first, and counts and numbers go on.
TEST_F(LiveSourcesTest, AnOfferedSourceTakesOverOnceTheOldOneIsEmpty) {
  for (const size_t count : {size_t{1}, size_t{2}}) {
    MakeParts(count);
    FakeSource* const old = &(*this)[0];
    old->Give({1, 2, 3, 4, 5, 6});
    Offer(0).Give({7, 8});
    EXPECT_EQ(All(), (Texts{"0:1", "0:2", "0:3", "0:4", "0:5", "0:6", "0:7", "0:8"}));
    EXPECT_EQ(slots_[0]->TakeReturned().get(), old);
    EXPECT_EQ(slots_[0]->TakeReturned(), nullptr);
    EXPECT_EQ(sources_->counters().frames, 8u);
  }
}

TEST_F(LiveSourcesTest, AnOfferedSourceTakesThePlaceOfOneThatFailed) {
  MakeParts(2);
  (*this)[1].Fail();
  EXPECT_TRUE(Next().empty());
  EXPECT_TRUE(slots_[1]->failed());
  Offer(1).Give({3});
  EXPECT_EQ(All(), Texts{"1:3"});
  EXPECT_FALSE(slots_[1]->failed());
}

// A newer one before the lane took the first: that comes back to whoever offered it.
TEST_F(LiveSourcesTest, AnOfferThatWasNotTakenComesBack) {
  MakeParts(1);
  auto first = std::make_unique<FakeSource>(0);
  FakeSource* const known = first.get();
  EXPECT_EQ(slots_[0]->Offer(std::move(first)), nullptr);
  EXPECT_EQ(slots_[0]->Offer(std::make_unique<FakeSource>(0)).get(), known);
}

TEST_F(LiveSourcesTest, DrainsAlsoWhatWasOffered) {
  MakeParts(2, {1});
  (*this)[0].Give({1, 2});
  Offer(1).Give({3, 4});
  ASSERT_TRUE(sources_->Drain());
  EXPECT_EQ(All(), (Texts{"0:1", "0:2", "1:3", "1:4"}));
  EXPECT_EQ(last_, PollStatus::kEnd);
  MakeParts(1);
  (*this)[0].Give({1});
  ASSERT_TRUE(sources_->Drain());
  Offer(0).Give({2});
  EXPECT_EQ(All(), (Texts{"0:1", "0:2"}));
  EXPECT_EQ(last_, PollStatus::kEnd);
}

// A lane and whoever opens, at once: every packet arrives, in order, whenever sources are exchanged.
TEST_F(LiveSourcesTest, ExchangesWhileItIsPolled) {
  MakeParts(1, {0});
  constexpr uint64_t kSources = 200, kEach = 10;
  std::thread opener([&] {
    for (uint64_t i = 0; i < kSources; ++i) {
      auto source = std::make_unique<FakeSource>(0);
      for (uint64_t stamp = 0; stamp < kEach; ++stamp) source->Give({i * kEach + stamp});
      std::unique_ptr<LiveSource> back = slots_[0]->Offer(std::move(source));
      ASSERT_EQ(back, nullptr);
      while (slots_[0]->has_offer()) std::this_thread::yield();
      slots_[0]->TakeReturned();
    }
  });
  uint64_t expected = 0;
  std::span<const Frame> frames;
  while (expected < kSources * kEach) {
    if (sources_->Poll(frames) != PollStatus::kFrames) continue;
    for (const Frame& frame : frames) ASSERT_EQ(frame.time_ns, expected++);
  }
  opener.join();
  EXPECT_EQ(expected, kSources * kEach);
  EXPECT_EQ(sources_->counters().frames, kSources * kEach);
}

TEST_F(LiveSourcesTest, DrainsWhatEachStillHasInOrder) {
  Make(3);
  (*this)[0].Give({1, 2, 3, 7, 8});
  (*this)[2].Give({4, 5, 9, 10, 11});
  EXPECT_EQ(Next(), (Texts{"0:1", "0:2", "0:3", "2:4", "2:5", "0:7"}));
  ASSERT_TRUE(sources_->Drain());
  EXPECT_EQ(All(), (Texts{"0:8", "2:9", "2:10", "2:11"}));
  EXPECT_EQ(last_, PollStatus::kEnd);
}

TEST_F(LiveSourcesTest, NothingToDrainIsSaidSo) {
  Make(2);
  EXPECT_FALSE(sources_->Drain());
}

TEST_F(LiveSourcesTest, AddsUpWhatItsSourcesCount) {
  Make(2);
  (*this)[0].Give({1, 2, 3});
  (*this)[1].Give({4, 5});
  All();
  EXPECT_EQ(sources_->counters().frames, 5u);
  EXPECT_EQ(sources_->FileName(0), "eth0");
  EXPECT_EQ(sources_->FileName(1), "eth1");
  EXPECT_EQ(sources_->FileName(2), "");
}

}  // namespace
}  // namespace vedette
