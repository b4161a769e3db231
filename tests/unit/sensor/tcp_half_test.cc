#include "sensor/flow/tcp_half.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>

namespace vedette {
namespace {

// What came out of a half: bytes with '.' for each byte of a gap, and whether it started and ended.
struct Stream {
  TcpHalf half;
  TcpCounters counters;
  TcpLimits limits;
  std::string out;
  int starts = 0, ends = 0;

  auto Sink() {
    return [this](Bytes data, uint64_t gap, bool start, bool end) {
      out.append(gap, '.');
      out.append(AsText(data));
      starts += start;
      ends += end;
    };
  }
  void Send(uint32_t sequence, std::string_view text, bool fin = false, uint32_t missing = 0) {
    const std::vector<uint8_t> exact(text.begin(), text.end());
    half.OnSegment(sequence, exact, missing, fin, limits, counters, Sink());
  }
  void Finish() { half.Finish(counters, Sink()); }
};

TEST(TcpHalf, PassesInOrderSegments) {
  Stream s;
  s.half.Start(99);
  s.Send(100, "hello ");
  s.Send(106, "world", true);
  EXPECT_EQ(s.out, "hello world");
  EXPECT_EQ(s.starts, 1);
  EXPECT_EQ(s.ends, 1);
  s.Finish();
  EXPECT_EQ(s.ends, 1) << "the end comes once";
}

TEST(TcpHalf, HoldsWhatIsAheadOfItsTurn) {
  Stream s;
  s.half.Start(99);
  s.Send(106, "world");
  EXPECT_EQ(s.out, "");
  EXPECT_EQ(s.counters.held_bytes, 5u);
  s.Send(100, "hello ");
  EXPECT_EQ(s.out, "hello world");
  EXPECT_EQ(s.counters.held_bytes, 0u);
}

TEST(TcpHalf, DropsRetransmissionsAndKeepsTheirNewPart) {
  Stream s;
  s.half.Start(99);
  s.Send(100, "abc");
  s.Send(100, "abc");
  s.Send(101, "XXde");
  EXPECT_EQ(s.out, "abcde");
  EXPECT_EQ(s.counters.retransmitted_bytes, 5u);
}

TEST(TcpHalf, FirstBytesWinWhereSegmentsOverlap) {
  Stream s;
  s.half.Start(99);
  s.Send(103, "333");
  s.Send(101, "22222222");  // around the held one
  s.Send(100, "1");
  EXPECT_EQ(s.out, "122333222");
}

TEST(TcpHalf, FirstBytesWinAlsoAgainstALaterInOrderSegment) {
  Stream s;
  s.half.Start(99);
  s.Send(103, "33");
  s.Send(100, "1111111");
  EXPECT_EQ(s.out, "1113311");
}

TEST(TcpHalf, SequenceNumbersWrap) {
  Stream s;
  s.half.Start(0xfffffffd);
  s.Send(1, "de");
  s.Send(0xfffffffe, "abc");
  EXPECT_EQ(s.out, "abcde");
}

TEST(TcpHalf, MidStreamBeginsWithTheFirstSegment) {
  Stream s;
  s.Send(5000, "abc");
  s.Send(5003, "def");
  EXPECT_EQ(s.out, "abcdef");
  EXPECT_EQ(s.starts, 0) << "nobody saw the beginning";
}

TEST(TcpHalf, MidStreamBeginsWithTheQuestionBehindItsAnswer) {
  Stream s;
  s.half.StartAt(105, false);  // the answer acknowledged everything before 105
  s.Send(100, "hello");
  s.Send(100, "hello");
  s.Send(105, " world");
  EXPECT_EQ(s.out, "hello world");
  Stream keep_alive;
  keep_alive.half.StartAt(105, false);
  keep_alive.Send(104, "x");
  keep_alive.Send(105, "y");
  EXPECT_EQ(keep_alive.out, "y");
  Stream apart;
  apart.half.StartAt(105, false);
  apart.Send(90, "old");
  apart.Send(105, "new");
  EXPECT_EQ(apart.out, "new");
  Stream opened;  // the handshake was seen: nothing came before
  opened.half.StartAt(105, true);
  opened.Send(100, "hello");
  EXPECT_EQ(opened.out, "");
}

TEST(TcpHalf, ReportsAGapAtTheEnd) {
  Stream s;
  s.half.Start(99);
  s.Send(100, "ab");
  s.Send(105, "fg");
  s.Finish();
  EXPECT_EQ(s.out, "ab...fg");
  EXPECT_EQ(s.counters.gaps, 1u);
  EXPECT_EQ(s.counters.gap_bytes, 3u);
  EXPECT_EQ(s.ends, 1);
}

TEST(TcpHalf, WaitsForAcknowledgedBytesOnlySoLong) {
  Stream s;
  s.limits.acknowledged_segments = 4;
  s.half.Start(99);
  s.Send(100, "a");
  s.half.Acknowledge(120);
  for (uint32_t i = 0; i < 3; ++i) s.Send(110 + i, "x");
  EXPECT_EQ(s.out, "a");
  s.Send(113, "x");
  EXPECT_EQ(s.out, "a.........xxxx");
}

TEST(TcpHalf, HoldsNoMoreThanItsLimit) {
  Stream s;
  s.limits.half_bytes = 100;
  s.half.Start(99);
  for (uint32_t i = 0; i < 20; ++i) {
    s.Send(110 + i * 20, std::string(10, 'x'));
    EXPECT_LE(s.counters.held_bytes, 110u);
  }
  EXPECT_GT(s.counters.flow_limit_hit, 0u);
  s.Finish();
  EXPECT_EQ(s.counters.held_bytes, 0u);
}

TEST(TcpHalf, HoldsNoMoreThanTheLimitOfAllFlows) {
  Stream s;
  s.limits.total_bytes = 10;
  s.half.Start(99);
  s.Send(200, std::string(11, 'x'));
  EXPECT_EQ(s.counters.total_limit_hit, 1u);
  EXPECT_EQ(s.counters.held_bytes, 0u);
}

TEST(TcpHalf, CutCaptureLeavesAGap) {
  Stream s;
  s.half.Start(99);
  s.Send(100, "abc", false, 7);
  s.Send(110, "def");
  EXPECT_EQ(s.out, "abc.......def");
}

TEST(TcpHalf, IgnoresWhatCannotBelongToTheConnection) {
  Stream s;
  s.half.Start(99);
  s.Send(100, "abc");
  s.Send(103 + (1u << 30) + 1, "zzz");
  s.Send(103, "def");
  EXPECT_EQ(s.out, "abcdef");
  EXPECT_EQ(s.counters.out_of_window, 1u);
}

TEST(TcpHalf, FinAheadOfItsTurnEndsWhenReached) {
  Stream s;
  s.half.Start(99);
  s.Send(103, "def", true);
  EXPECT_EQ(s.ends, 0);
  s.Send(100, "abc");
  EXPECT_EQ(s.out, "abcdef");
  EXPECT_EQ(s.ends, 1);
}

TEST(TcpHalf, AbandonReleasesWhatIsHeld) {
  Stream s;
  s.half.Start(99);
  s.Send(200, "abc");
  s.half.Abandon(s.counters);
  EXPECT_EQ(s.counters.held_bytes, 0u);
}

TEST(TcpHalf, ALateSynDoesNotMoveThePlace) {
  Stream s;
  s.Send(5000, "abc");
  s.half.Start(77);
  s.Send(5003, "def");
  EXPECT_EQ(s.out, "abcdef");
}

TEST(TcpHalf, FindsItsPlaceAgainBehindAForgedSyn) {
  Stream s;
  s.half.Start(99);
  for (uint32_t i = 0; i < 12; ++i) s.Send(0x80000000u + i * 2, "xy");
  EXPECT_EQ(s.counters.out_of_window, 8u);
  EXPECT_EQ(s.out, ".xyxyxyxyxy");
  EXPECT_EQ(s.starts, 0);
}

TEST(TcpHalf, SingleStraysDoNotMoveThePlace) {
  Stream s;
  s.half.Start(99);
  for (uint32_t i = 0; i < 50; ++i) {
    s.Send(100 + i, "a");
    s.Send(0x80000000u + i, "x");
  }
  EXPECT_EQ(s.out, std::string(50, 'a'));
}

TEST(TcpHalf, AFinFromElsewhereIsNoEnd) {
  Stream s;
  s.half.Start(99);
  s.Send(0x80000000u, "", true);
  s.Send(50, "", true);
  EXPECT_FALSE(s.half.fin_seen());
  s.Send(100, "abc", true);
  EXPECT_EQ(s.ends, 1);
}

TEST(TcpHalf, SmallSegmentsCountWithWhatTheyCost) {
  Stream s;
  s.limits.total_bytes = 10 * (kSegmentOverheadBytes + 1);
  s.half.Start(99);
  for (uint32_t i = 0; i < 100; ++i) {
    s.Send(200 + i * 2, "x");
    EXPECT_LE(s.counters.held_segments, 10u);
  }
  EXPECT_GT(s.counters.total_limit_hit, 0u);
  s.Finish();
  EXPECT_EQ(s.counters.held_segments, 0u);
}

// The naive way: every byte that came first at its place, in a map.
TEST(TcpHalf, AgreesWithANaiveReassemblerOnRandomSegments) {
  for (uint32_t seed = 0; seed < 2000; ++seed) {
    std::mt19937 random(seed);
    const uint32_t base = seed % 3 == 0 ? 0xffffff00u : static_cast<uint32_t>(random());
    Stream s;
    s.half.Start(base - 1);
    std::map<uint32_t, char> naive;
    const int segments = 1 + static_cast<int>(random() % 40);
    for (int i = 0; i < segments; ++i) {
      const uint32_t offset = random() % 300;
      std::string text;
      for (uint32_t n = 1 + random() % 30; n > 0; --n) text += static_cast<char>('a' + random() % 26);
      s.Send(base + offset, text);
      // A byte that was passed on or is held stays as it was; the model keeps the first byte of each place.
      for (uint32_t j = 0; j < text.size(); ++j) naive.emplace(offset + j, text[j]);
    }
    s.Finish();
    std::string expected;
    if (!naive.empty()) {
      for (uint32_t at = 0; at <= naive.rbegin()->first; ++at) expected += naive.count(at) != 0 ? naive[at] : '.';
    }
    ASSERT_EQ(s.out, expected) << "seed " << seed;
    ASSERT_EQ(s.counters.held_bytes, 0u);
  }
}

}  // namespace
}  // namespace vedette
