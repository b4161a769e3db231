#include "sensor/flow/tcp_half.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace vedette {
namespace {

// What came out of a half: bytes with '.' for each byte of a gap, '|' where the place changed ('<' back), and whether
// it started and ended; copies and what was set aside.
struct Stream : TcpSink {
  TcpHalf half;
  TcpCounters counters;
  TcpLimits limits;
  std::string out;
  int starts = 0, ends = 0, repeats = 0;
  uint64_t time_ns = 1;
  std::vector<std::pair<std::string, uint32_t>> copies;  // and how far behind the place they begin
  std::vector<std::string> aside;

  void OnData(Bytes data, uint64_t gap, bool start, bool end) override {
    out.append(gap, '.');
    out.append(AsText(data));
    starts += start;
    ends += end;
  }
  void OnCopy(Bytes data, uint32_t behind, bool) override { copies.emplace_back(AsText(data), behind); }
  void OnExactRepeat() override { ++repeats; }
  void OnAside(Bytes data) override { aside.emplace_back(AsText(data)); }
  void OnPlaceChange(bool back) override { out += back ? '<' : '|'; }

  void Start(uint32_t syn) { half.OnSyn(syn, counters); }
  void Send(uint32_t sequence, std::string_view text, bool fin = false, uint32_t missing = 0, bool padding = false) {
    const std::vector<uint8_t> exact(text.begin(), text.end());
    TcpSegment segment;
    segment.sequence = sequence;
    segment.payload = exact;
    segment.missing_bytes = missing;
    segment.fin = fin;
    segment.may_be_padding = padding;
    segment.time_ns = time_ns;
    half.OnSegment(segment, limits, counters, *this);
  }
  void Pad(uint32_t sequence) { Send(sequence, std::string(6, '\0'), false, 0, true); }
  void Acknowledge(uint32_t sequence) { half.Acknowledge(sequence, counters, *this); }
  void Finish() { half.Finish(counters, *this); }
};

constexpr uint32_t kFar = 0x20000000;  // outside any window

TEST(TcpHalf, PassesInOrderSegments) {
  Stream s;
  s.Start(99);
  s.Send(100, "hello ");
  s.Send(106, "world", true);
  EXPECT_EQ(s.out, "hello world");
  EXPECT_EQ(s.starts, 1);
  EXPECT_EQ(s.ends, 0) << "a FIN that nobody acknowledged";
  s.Acknowledge(112);
  EXPECT_EQ(s.ends, 1);
  s.Finish();
  EXPECT_EQ(s.ends, 1) << "the end comes once";
}

TEST(TcpHalf, HoldsWhatIsAheadOfItsTurn) {
  Stream s;
  s.Start(99);
  s.Send(106, "world");
  EXPECT_EQ(s.out, "");
  EXPECT_EQ(s.counters.held_bytes, 5u);
  s.Send(100, "hello ");
  EXPECT_EQ(s.out, "hello world");
  EXPECT_EQ(s.counters.held_bytes, 0u);
}

TEST(TcpHalf, DropsRetransmissionsAndKeepsTheirNewPart) {
  Stream s;
  s.Start(99);
  s.Send(100, "abc");
  s.Send(100, "abc");
  s.Send(101, "XXde");
  EXPECT_EQ(s.out, "abcde");
  EXPECT_EQ(s.counters.retransmitted_bytes, 5u);
}

TEST(TcpHalf, FirstBytesWinWhereSegmentsOverlap) {
  Stream s;
  s.Start(99);
  s.Send(103, "333");
  s.Send(101, "22222222");  // around the held one
  s.Send(100, "1");
  EXPECT_EQ(s.out, "122333222");
}

TEST(TcpHalf, WhatComesInItsTurnWinsAgainstWhatWasSentAhead) {
  Stream s;
  s.Start(99);
  s.Send(103, "33");
  s.Send(100, "1111111");
  EXPECT_EQ(s.out, "1111111");
  ASSERT_EQ(s.copies.size(), 1u) << "the other copy is told";
  EXPECT_EQ(s.copies[0], std::pair(std::string("33"), 4u));
}

TEST(TcpHalf, SequenceNumbersWrap) {
  Stream s;
  s.Start(0xfffffffd);
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
  s.Start(99);
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
  s.Start(99);
  s.Send(100, "a");
  s.Acknowledge(120);
  for (uint32_t i = 0; i < 3; ++i) s.Send(110 + i, "x");
  EXPECT_EQ(s.out, "a");
  s.Send(113, "x");
  EXPECT_EQ(s.out, "a.........xxxx");
}

TEST(TcpHalf, AQueueThatIsFullDropsWhatIsFarthest) {
  Stream s;
  s.limits.half_bytes = 100;
  s.Start(99);
  s.Acknowledge(100);
  for (uint32_t i = 0; i < 20; ++i) {
    s.Send(110 + i * 20, std::string(10, 'x'));
    s.Acknowledge(100);  // the receiver waits for what is missing
    EXPECT_LE(s.counters.held_bytes, 100u);
  }
  EXPECT_EQ(s.counters.queue_full, 10u);
  EXPECT_EQ(s.aside.size(), 10u);
  s.Send(100, "0123456789");
  EXPECT_EQ(s.out, "0123456789xxxxxxxxxx");
  s.Finish();
  EXPECT_EQ(s.counters.held_bytes, 0u);
}

TEST(TcpHalf, AHoleIsPassedWhereTheReceiverIsNotHeardAndThereIsNoRoom) {
  Stream s;
  s.limits.half_bytes = 100;
  s.Start(99);
  s.Send(105, "lone");
  for (uint32_t i = 0; i < 10; ++i) s.Send(120 + i * 10, "0123456789");
  EXPECT_EQ(s.out.substr(0, 30), ".....lone...........0123456789");
  EXPECT_EQ(s.counters.queue_full, 0u);
}

TEST(TcpHalf, HoldsNoMoreThanTheLimitOfAllFlows) {
  Stream s;
  s.limits.total_bytes = 10;
  s.Start(99);
  s.Send(200, std::string(11, 'x'));
  EXPECT_EQ(s.counters.total_limit_hit, 1u);
  EXPECT_EQ(s.counters.held_bytes, 0u);
  EXPECT_EQ(s.aside.size(), 1u);
}

TEST(TcpHalf, CutCaptureLeavesAGap) {
  Stream s;
  s.Start(99);
  s.Send(100, "abc", false, 7);
  s.Send(110, "def");
  EXPECT_EQ(s.out, "abc.......def");
}

TEST(TcpHalf, IgnoresWhatCannotBelongToTheConnection) {
  Stream s;
  s.Start(99);
  s.Send(100, "abc");
  s.Send(103 + (1u << 30) + 1, "zzz");
  s.Send(103, "def");
  EXPECT_EQ(s.out, "abcdef");
  EXPECT_EQ(s.counters.out_of_window, 1u);
  EXPECT_EQ(s.aside, std::vector<std::string>{"zzz"});
}

TEST(TcpHalf, TheWindowIsTwiceWhatTheReceiverAnnounced) {
  for (const auto& [shift, window, bytes] :
       {std::tuple{0, 65535, TcpHalf::kMinWindowBytes}, std::tuple{7, 40000, 2u * 40000 * 128},
        std::tuple{14, 65535, TcpHalf::kMaxWindowBytes}}) {
    Stream s;
    s.Start(99);
    s.half.SetWindowScale(static_cast<uint8_t>(shift));
    s.half.SeeWindow(static_cast<uint16_t>(window));
    s.half.SeeWindow(0);
    EXPECT_TRUE(s.half.InWindow(100 + bytes));
    EXPECT_FALSE(s.half.InWindow(100 + bytes + 1));
    EXPECT_TRUE(s.half.InWindow(100 - bytes));
    EXPECT_FALSE(s.half.InWindow(100 - bytes - 1));
  }
}

TEST(TcpHalf, FinAheadOfItsTurnEndsWhenReached) {
  Stream s;
  s.Start(99);
  s.Send(103, "def", true);
  s.Acknowledge(107);
  EXPECT_EQ(s.ends, 0);
  s.Send(100, "abc");
  s.Acknowledge(107);
  EXPECT_EQ(s.out, "abcdef");
  EXPECT_EQ(s.ends, 1);
}

TEST(TcpHalf, AFinInTheMiddleEndsNothing) {
  Stream s;
  s.Start(99);
  s.Send(100, "abc");
  s.Send(103, "", true);
  s.Acknowledge(103);
  s.Send(103, "def");
  EXPECT_EQ(s.out, "abcdef");
  EXPECT_FALSE(s.half.fin_seen());
  s.Send(106, "", true);
  s.Acknowledge(107);
  EXPECT_EQ(s.ends, 1);
}

TEST(TcpHalf, AnEndThatWasNoneIsTakenBack) {
  Stream s;
  s.Start(99);
  s.Send(100, "abc", true);
  s.Acknowledge(104);  // both forged
  s.Send(103, "def");
  EXPECT_EQ(s.out, "abc|def") << "what follows is read anew";
  EXPECT_FALSE(s.half.ended());
}

TEST(TcpHalf, AbandonReleasesWhatIsHeld) {
  Stream s;
  s.Start(99);
  s.Send(200, "abc");
  s.half.Abandon(s.counters);
  EXPECT_EQ(s.counters.held_bytes, 0u);
}

TEST(TcpHalf, ALateSynDoesNotMoveThePlace) {
  Stream s;
  s.Send(5000, "abc");
  s.Start(77);
  s.Send(5003, "def");
  EXPECT_EQ(s.out, "abcdef");
}

TEST(TcpHalf, AnotherSynBeforeAnyDataIsDecidedByAcknowledgments) {
  Stream s;
  s.Start(kFar);
  s.Start(99);
  EXPECT_EQ(s.counters.syns_in_stream, 1u);
  s.Acknowledge(100);
  s.Acknowledge(100);
  s.Send(100, "abc");
  EXPECT_EQ(s.out, "abc") << "nothing came at the other place: no change, no gap";
  EXPECT_EQ(s.starts, 1);
  Stream other;
  other.Start(99);
  other.Start(kFar);
  other.Acknowledge(100);
  other.Acknowledge(100);
  other.Send(100, "abc");
  EXPECT_EQ(other.out, "abc");
}

TEST(TcpHalf, AnotherSynIsDecidedByItsDataWhereThePeerIsNotHeard) {
  Stream s;
  s.Start(kFar);
  s.Start(99);
  s.Send(100, "abc");
  EXPECT_EQ(s.out, "abc");
}

TEST(TcpHalf, ASynInTheStreamIsJudgedByWhoAnswersIt) {
  Stream s;
  s.Start(99);
  s.Send(100, "abc");
  s.Start(kFar);
  EXPECT_TRUE(s.half.SynIsAcknowledged(kFar + 1));
  EXPECT_FALSE(s.half.SynIsAcknowledged(103));
  EXPECT_TRUE(s.half.SynIsContinued(kFar + 1));
  s.Acknowledge(103);
  EXPECT_FALSE(s.half.SynIsContinued(kFar + 1)) << "the peer is heard: it has to answer";
  EXPECT_TRUE(s.half.SynIsAcknowledged(kFar + 1));
  s.Send(103, "def");
  EXPECT_FALSE(s.half.SynIsAcknowledged(kFar + 1)) << "the stream went on";
  EXPECT_EQ(s.out, "abcdef");
}

TEST(TcpHalf, ThePlaceChangesWhenThePeerAcknowledgesIntoTheOther) {
  Stream s;
  s.Start(99);
  s.Send(100, "abc");
  s.Acknowledge(103);
  for (uint32_t i = 0; i < 5; ++i) s.Send(kFar + i * 4, "wxyz");
  EXPECT_EQ(s.out, "abc") << "the peer is heard: segments alone decide nothing";
  EXPECT_EQ(s.aside.size(), 5u);
  s.Acknowledge(kFar + 8);
  s.Acknowledge(103);
  s.Acknowledge(kFar + 8);
  EXPECT_EQ(s.out, "abc") << "not twice in a row";
  s.Acknowledge(kFar + 8);
  EXPECT_EQ(s.out, "abc|." + std::string("wxyzwxyzwxyzwxyzwxyz"));
  EXPECT_EQ(s.counters.place_changes, 1u);
  EXPECT_EQ(s.counters.held_bytes, 0u);
}

TEST(TcpHalf, ThePlaceChangesWhenAPeerThatWasHeardFallsSilent) {
  Stream s;
  s.Start(99);
  s.Send(100, "abc");
  s.Acknowledge(103);
  for (uint32_t i = 0; i < 200; ++i) s.Send(kFar + i, "x");
  EXPECT_EQ(s.out, "abc") << "a burst";
  s.time_ns += TcpHalf::kUnansweredNs;
  s.Send(kFar + 200, "x");
  EXPECT_EQ(s.out, "abc|." + std::string(201, 'x'));
}

TEST(TcpHalf, AcknowledgmentsOfBytesThatNobodySawMoveNothing) {
  Stream s;
  s.Start(99);
  s.Send(100, "abc");
  s.Send(kFar, "wxyz");
  for (int i = 0; i < 10; ++i) s.Acknowledge(kFar + 5);
  for (int i = 0; i < 10; ++i) s.Acknowledge(kFar);
  for (int i = 0; i < 10; ++i) s.Acknowledge(5000);
  s.Send(103, "def");
  EXPECT_EQ(s.out, "abcdef");
}

TEST(TcpHalf, ThePlaceChangesBySegmentsWhereThePeerIsNotHeardAndBackAgain) {
  Stream s;
  s.Start(99);
  s.Send(100, "abc");
  s.Send(kFar, "1");
  s.Send(kFar + 1, "2");
  s.Send(103, "def");  // at the place between them
  s.Send(kFar + 2, "3");
  s.Send(kFar + 3, "4");
  EXPECT_EQ(s.out, "abcdef");
  s.Send(kFar + 4, "5");
  EXPECT_EQ(s.out, "abcdef|.12345");
  s.Send(106, "g");
  s.Send(107, "h");
  EXPECT_EQ(s.out, "abcdef|.12345");
  s.Send(108, "i");
  EXPECT_EQ(s.out, "abcdef|.12345<ghi") << "nothing is missing where it goes on";
  EXPECT_EQ(s.counters.place_reversals, 1u);
  EXPECT_EQ(s.counters.held_bytes, 0u);
}

TEST(TcpHalf, WhatWaitsAtTheCandidateComesOutInTheEnd) {
  Stream s;
  s.Start(99);
  s.Send(100, "abc");
  s.Send(kFar, "wxyz");
  s.Finish();
  EXPECT_EQ(s.out, "abc|.wxyz");
  EXPECT_EQ(s.ends, 2);
  EXPECT_EQ(s.counters.held_bytes, 0u);
}

TEST(TcpHalf, WhatWaitsAtTheCandidateIsBounded) {
  Stream s;
  s.limits.half_segments = 8;
  s.limits.half_bytes = 100;
  s.Start(99);
  s.Send(100, "abc");
  std::mt19937 random(1);
  for (uint32_t i = 0; i < 1000; ++i) {
    s.Send(kFar + random() % 1000000 * 2, std::string(1 + random() % 30, 'x'));
    EXPECT_LE(s.counters.held_segments, 8u);
    EXPECT_LE(s.counters.held_bytes, 100u);
  }
  // Ever farther away, a window at a time: the order of sequence numbers must not be lost.
  for (uint32_t i = 0; i < 2000; ++i) s.Send(kFar + i * TcpHalf::kMinWindowBytes, std::string(1 + i % 7, 'y'));
  s.Send(103, "def");
  EXPECT_EQ(s.out, "abcdef");
  s.Finish();
  EXPECT_EQ(s.counters.held_segments, 0u);
}

TEST(TcpHalf, BytesBeforeTheFirstOneAreNoRepeat) {
  Stream s;
  s.Send(5000, "abc");
  s.Send(4000, "early");
  EXPECT_EQ(s.out, "abc");
  EXPECT_EQ(s.aside, std::vector<std::string>{"early"});
  EXPECT_TRUE(s.copies.empty());
  s.Acknowledge(4003);
  s.Acknowledge(4005);
  EXPECT_EQ(s.out, "abc|.early") << "the peer says that the stream is there";
}

TEST(TcpHalf, PaddingThatIsContradictedIsNoData) {
  Stream s;
  s.Start(99);
  s.Pad(100);
  s.Pad(100);
  EXPECT_EQ(s.out, "");
  s.Send(100, "real data");
  EXPECT_EQ(s.out, "real data");
  EXPECT_EQ(s.counters.padding, 1u);
  s.Pad(103);  // a late one
  s.Send(109, "!");
  EXPECT_EQ(s.out, "real data!");
  EXPECT_TRUE(s.copies.empty());
}

TEST(TcpHalf, ZerosThatTheNextSegmentConfirmsAreData) {
  const std::string zeros(6, '\0');
  Stream s;
  s.Start(99);
  s.Pad(100);
  s.Send(106, "next");
  EXPECT_EQ(s.out, zeros + "next");
  s.Pad(110);
  s.Send(110, zeros + "!");
  EXPECT_EQ(s.out, zeros + "next" + zeros + "!");
  s.Pad(117);
  s.Finish();
  EXPECT_EQ(s.out, zeros + "next" + zeros + "!" + zeros);
  EXPECT_EQ(s.counters.padding, 0u);
}

TEST(TcpHalf, ExactRepeatsAreToldFromOtherCopies) {
  Stream s;
  s.Start(99);
  s.Send(100, "abc");
  s.Send(100, "abc");  // the first copy was not remembered: it may differ
  EXPECT_EQ(s.counters.other_copies, 1u);
  s.Send(103, "def");
  s.Send(103, "def");
  EXPECT_EQ(s.repeats, 1);
  s.Send(103, "dEf");
  s.Send(100, "ab");
  EXPECT_EQ(s.counters.exact_repeats, 1u);
  ASSERT_EQ(s.copies.size(), 3u);
  EXPECT_EQ(s.copies[1], std::pair(std::string("dEf"), 3u));
  EXPECT_EQ(s.copies[2], std::pair(std::string("ab"), 6u));
  s.Send(105, "g");  // a keep-alive
  EXPECT_EQ(s.copies.size(), 3u);
  EXPECT_EQ(s.out, "abcdef");
}

TEST(TcpHalf, ACopyOfWhatIsHeldIsToldWhenItsTurnCame) {
  Stream s;
  s.Start(99);
  s.Send(103, "def");
  s.Send(103, "DEF");
  EXPECT_TRUE(s.copies.empty());
  s.Send(100, "abc");
  EXPECT_EQ(s.out, "abcdef");
  s.Send(100, "ABC");  // a copy of what came before it is told before it …
  ASSERT_EQ(s.copies.size(), 2u);
  EXPECT_EQ(s.copies[0], std::pair(std::string("ABC"), 6u));
  EXPECT_EQ(s.copies[1], std::pair(std::string("DEF"), 3u));

  Stream answered;
  answered.Start(99);
  answered.Send(103, "def");
  answered.Send(103, "DEF");
  answered.Send(100, "abc");
  answered.Acknowledge(106);  // … and both before the answer
  ASSERT_EQ(answered.copies.size(), 1u);
  EXPECT_EQ(answered.copies[0], std::pair(std::string("DEF"), 3u));
}

// Where nothing was passed on yet, what came ahead of a forged opening lies ahead of the real one as well.
TEST(TcpHalf, WhatCameAheadOfAForgedOpeningIsNotLostWithIt) {
  for (const uint32_t forged : {uint32_t{0}, uint32_t{9000}}) {
    Stream s;
    s.half.OnSyn(forged + 999, s.counters);
    s.half.OnSyn(1999, s.counters);
    s.Send(2003, "def");
    s.Send(2006, "ghi");
    s.Send(2000, "abc");
    s.Finish();
    EXPECT_EQ(s.out, "abcdefghi") << forged;
  }
}

TEST(TcpHalf, StraysDoNotMoveThePlace) {
  Stream s;
  s.Start(99);
  for (uint32_t i = 0; i < 50; ++i) {
    s.Send(100 + i, "a");
    s.Send(0x80000000u + i, "x");
  }
  EXPECT_EQ(s.out, std::string(50, 'a'));
}

TEST(TcpHalf, AFinFromElsewhereIsNoEnd) {
  Stream s;
  s.Start(99);
  s.Send(0x80000000u, "", true);
  s.Send(50, "", true);
  EXPECT_FALSE(s.half.fin_seen());
  s.Send(100, "abc", true);
  s.Acknowledge(104);
  EXPECT_EQ(s.ends, 1);
}

TEST(TcpHalf, SmallSegmentsCountWithWhatTheyCost) {
  Stream s;
  s.limits.total_bytes = 10 * (kSegmentOverheadBytes + 1);
  s.Start(99);
  for (uint32_t i = 0; i < 100; ++i) {
    s.Send(200 + i * 2, "x");
    EXPECT_LE(s.counters.held_segments, 10u);
  }
  EXPECT_GT(s.counters.total_limit_hit, 0u);
  s.Finish();
  EXPECT_EQ(s.counters.held_segments, 0u);
}

// A stranger's segment ahead of its turn reaches beyond the real one that comes in its turn, and differs from it.
TEST(TcpHalf, WhatFollowsAContradictedSegmentIsDoubted) {
  Stream s;
  s.Start(99);
  s.Send(104, "XXXXXX");
  s.Send(100, "abcdef");
  s.Acknowledge(106);
  EXPECT_EQ(s.out, "abcdef");
  s.Send(106, "ghijkl");
  s.Acknowledge(112);
  EXPECT_EQ(s.out, "abcdefghijkl");
  ASSERT_EQ(s.copies.size(), 1u);
  EXPECT_EQ(s.copies[0], std::pair(std::string("XXXXXX"), 8u));
  s.Finish();
  EXPECT_EQ(s.counters.detour_bytes, 0u);
}

TEST(TcpHalf, ADoubtedSegmentIsPassedOnWhenItIsAcknowledgedOrInsteadOfAHole) {
  for (const bool acknowledged : {false, true}) {
    Stream s;
    s.Start(99);
    s.Send(104, "efghij");
    s.Send(100, "XXXXXX");
    if (acknowledged) {
      s.Acknowledge(110);
    } else {
      s.Send(110, "kl");
      s.Finish();
    }
    EXPECT_EQ(s.out, acknowledged ? "XXXXXXghij" : "XXXXXXghijkl");
    ASSERT_EQ(s.copies.size(), 1u);
    EXPECT_EQ(s.copies[0], std::pair(std::string("ef"), 2u));
    s.Finish();
    EXPECT_EQ(s.counters.detour_bytes, 0u);
    EXPECT_EQ(s.counters.gaps, 0u);
  }
}

TEST(TcpHalf, KnowsWhatIsNotAcknowledged) {
  Stream s;
  s.Start(99);
  s.Send(100, "abcdef");
  EXPECT_EQ(s.half.unacknowledged(), 0u);  // nobody was heard
  s.Acknowledge(102);
  EXPECT_EQ(s.half.unacknowledged(), 4u);
  s.Acknowledge(106);
  EXPECT_EQ(s.half.unacknowledged(), 0u);
  s.Acknowledge(200);
  EXPECT_EQ(s.half.unacknowledged(), 0u);
}

// The naive way, in a map: the bytes that some segment brought come out, in order. Where segments differ, each byte is
// one of those that came for its place.
TEST(TcpHalf, AgreesWithANaiveReassemblerOnRandomSegments) {
  for (uint32_t seed = 0; seed < 4000; ++seed) {
    std::mt19937 random(seed);
    const bool differ = seed % 2 == 0;
    const uint32_t base = seed % 3 == 0 ? 0xffffff00u : static_cast<uint32_t>(random());
    Stream s;
    s.Start(base - 1);
    std::string stream;
    while (stream.size() < 330) stream += static_cast<char>('a' + random() % 26);
    std::map<uint32_t, std::string> naive;
    const int segments = 1 + static_cast<int>(random() % 40);
    for (int i = 0; i < segments; ++i) {
      const uint32_t offset = random() % 300;
      std::string text = stream.substr(offset, 1 + random() % 30);
      if (differ && random() % 3 == 0) {
        for (char& c : text) c = static_cast<char>('A' + random() % 26);
      }
      s.Send(base + offset, text);
      for (uint32_t j = 0; j < text.size(); ++j) naive[offset + j] += text[j];
    }
    s.Finish();
    ASSERT_EQ(s.out.size(), naive.rbegin()->first + 1) << "seed " << seed;
    for (uint32_t at = 0; at < s.out.size(); ++at) {
      if (naive.count(at) == 0) {
        ASSERT_EQ(s.out[at], '.') << "seed " << seed << " at " << at;
      } else {
        ASSERT_NE(naive[at].find(s.out[at]), std::string::npos) << "seed " << seed << " at " << at;
      }
    }
    ASSERT_EQ(s.counters.held_bytes, 0u);
    ASSERT_EQ(s.counters.detour_bytes, 0u);
  }
}

}  // namespace
}  // namespace vedette
