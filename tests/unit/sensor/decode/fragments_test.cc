#include "sensor/decode/fragments.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include "tests/unit/sensor/decode/naive_fragments.h"

namespace vedette {
namespace {

using testing::NaiveFragments;
using Status = FragmentTable::Status;

constexpr uint64_t kTimeout = 30'000'000'000;
constexpr FragmentTable::Limits kRoomy{.bytes = 64 << 20, .datagrams = 10000, .timeout_ns = kTimeout};

DatagramKey KeyOf(uint32_t identification, bool v6 = false) {
  return {.source = *IpAddress::Parse(v6 ? "2001:db8::1" : "192.0.2.1"),
          .destination = *IpAddress::Parse(v6 ? "2001:db8::2" : "192.0.2.2"),
          .identification = identification,
          .protocol = static_cast<uint8_t>(v6 ? 0 : 17)};
}

class Fragments : public ::testing::Test {
 protected:
  Status Add(uint32_t offset, const std::string& bytes, bool more, uint64_t time_ns = 0, uint32_t id = 1,
             bool v6 = false) {
    return Table().Add(KeyOf(id, v6),
                       {.offset = offset, .more = more, .protocol = 17, .data = AsBytes(bytes), .time_ns = time_ns},
                       datagram_);
  }
  Status AddV6(uint32_t offset, const std::string& bytes, bool more) { return Add(offset, bytes, more, 0, 1, true); }
  FragmentTable& Table() {
    if (!table_) table_ = std::make_unique<FragmentTable>(limits_, counts_);
    return *table_;
  }
  uint64_t Count(NotDecoded reason) const { return counts_[static_cast<size_t>(reason)]; }
  uint64_t Sum() const { return std::accumulate(counts_.begin(), counts_.end(), uint64_t{0}); }
  std::string Whole() const { return std::string(AsText(datagram_.data)); }

  FragmentTable::Limits limits_ = kRoomy;
  NotDecodedCounts counts_{};
  std::unique_ptr<FragmentTable> table_;
  FragmentTable::Datagram datagram_;
};

const std::string kA(8, 'a'), kB(8, 'b'), kC(8, 'c'), kD(8, 'd');

TEST_F(Fragments, CompleteInAnyOrder) {
  std::vector<int> order = {0, 1, 2};
  do {
    for (int i : order) {
      const Status status = Add(static_cast<uint32_t>(i) * 8, i == 0 ? kA : i == 1 ? kB : "end", i != 2);
      EXPECT_EQ(status, i == order[0] ? Status::kHeldFirst : i == order[1] ? Status::kHeld : Status::kComplete);
    }
    EXPECT_EQ(Whole(), kA + kB + "end");
    EXPECT_EQ(datagram_.num_frames, 3u);
    EXPECT_EQ(datagram_.protocol, 17);
    EXPECT_EQ(Sum(), 0u);
    EXPECT_EQ(Table().waiting(), 0u);
    EXPECT_EQ(Table().held_bytes(), 0u);
  } while (std::next_permutation(order.begin(), order.end()));
}

TEST_F(Fragments, StaleOnesAreFreedByTheClock) {
  Add(0, kA, true, 100 * kTimeout, 1);  // before the clock was set back
  Add(0, kA, true, 5, 2);
  Add(8, kB, true, 6, 2);
  Add(0, kA, true, kTimeout, 3);
  const size_t before = Table().held_bytes();
  Table().Expire(kTimeout + 5);
  EXPECT_EQ(Table().waiting(), 3u) << "exactly at its time it may still be completed";
  Table().Expire(kTimeout + 6);
  EXPECT_EQ(Table().waiting(), 2u);
  EXPECT_LT(Table().held_bytes(), before);
  EXPECT_EQ(Count(NotDecoded::kFragmentTimeout), 2u);
  EXPECT_EQ(Count(NotDecoded::kFragmentHeld), 2u);
  EXPECT_EQ(Add(8, "end", false, kTimeout + 7, 3), Status::kComplete) << "the others are as they were";
  Table().Expire(UINT64_MAX);
  EXPECT_EQ(Table().held_bytes(), 0u);
  EXPECT_EQ(Count(NotDecoded::kFragmentHeld), 0u);
}

TEST_F(Fragments, DatagramsHoldUntilReleased) {
  Add(0, kA, true);
  ASSERT_EQ(Add(8, "1", false), Status::kComplete);
  const Bytes first = datagram_.data;
  for (uint32_t id = 2; id < 40; ++id) {
    Add(0, kB, true, 0, id);
    Add(8, "2", false, 0, id);
  }
  EXPECT_EQ(AsText(first), kA + "1");
  Table().ReleaseFinished();
}

TEST_F(Fragments, DuplicatesChangeNothing) {
  Add(0, kA, true);
  EXPECT_EQ(Add(0, kA, true), Status::kHeld);
  EXPECT_EQ(Add(8, "end", false), Status::kComplete);
  EXPECT_EQ(Whole(), kA + "end");
  EXPECT_EQ(datagram_.num_frames, 3u);
}

TEST_F(Fragments, FirstBytesWinInIpv4) {
  Add(8, kB + kB, true);
  Add(0, kA + kA + kA + kA, true);  // over both sides of what is there
  EXPECT_EQ(Add(24, kC + "end", false), Status::kComplete);
  EXPECT_EQ(Whole(), kA + kB + kB + kA + "end");
}

TEST_F(Fragments, OverlapSpoilsIpv6) {
  EXPECT_EQ(AddV6(0, kA + kA, true), Status::kHeldFirst);
  EXPECT_EQ(AddV6(8, kB, true), Status::kRefused);
  EXPECT_EQ(Count(NotDecoded::kFragmentBad), 2u);
  EXPECT_EQ(AddV6(16, "end", false), Status::kRefused) << "what follows is spoilt too";
  EXPECT_EQ(Count(NotDecoded::kFragmentBad), 3u);
  EXPECT_EQ(Count(NotDecoded::kFragmentHeld), 0u);
}

TEST_F(Fragments, ExactDuplicateIsFineInIpv6) {
  AddV6(0, kA, true);
  EXPECT_EQ(AddV6(0, kA, true), Status::kHeld);
  EXPECT_EQ(AddV6(8, "end", false), Status::kComplete);
  EXPECT_EQ(AddV6(0, kA, true), Status::kHeldFirst);
  EXPECT_EQ(AddV6(0, kB, true), Status::kRefused) << "the same place, other bytes";
}

TEST_F(Fragments, RefusesWhatCannotBe) {
  EXPECT_EQ(Add(0, "", true), Status::kRefused);
  EXPECT_EQ(Add(0, "seven b", true), Status::kRefused);
  EXPECT_EQ(Add(65528, std::string(8, 'x'), false), Status::kRefused) << "65536 bytes";
  EXPECT_EQ(Count(NotDecoded::kFragmentBad), 3u);
  EXPECT_EQ(Table().waiting(), 0u);
  EXPECT_EQ(Add(65528, std::string(7, 'x'), false), Status::kHeldFirst) << "65535 bytes";
}

TEST_F(Fragments, RefusesWhatContradictsTheEnd) {
  EXPECT_EQ(Add(16, "end", false), Status::kHeldFirst);
  EXPECT_EQ(Add(24, kA, true), Status::kRefused) << "behind the end";
  EXPECT_EQ(Add(8, "end", false), Status::kRefused) << "another end";
  EXPECT_EQ(Add(0, kA + kA, true), Status::kComplete);
  EXPECT_EQ(Whole(), kA + kA + "end");
  EXPECT_EQ(Sum(), Count(NotDecoded::kFragmentBad));
}

TEST_F(Fragments, TimeoutIsJudgedAtTheNextFragment) {
  Add(0, kA, true, 100);
  EXPECT_EQ(Add(8, "old", false, 101 + kTimeout), Status::kHeldFirst) << "begins another datagram";
  EXPECT_EQ(Count(NotDecoded::kFragmentTimeout), 1u);
  EXPECT_EQ(Add(0, kB, true, 102 + kTimeout), Status::kComplete);
  EXPECT_EQ(Whole(), kB + "old");
  // Other datagrams make nobody old, and time that runs backwards neither.
  Add(0, kA, true, 1000, 5);
  Add(0, kA, true, 1000 + 10 * kTimeout, 6);
  EXPECT_EQ(Add(8, "x", false, 1000 + kTimeout, 5), Status::kComplete);
  EXPECT_EQ(Add(8, "x", false, 0, 6), Status::kComplete);
}

TEST_F(Fragments, TheOldestIsGivenUpFirst) {
  limits_.datagrams = 3;
  for (uint32_t id = 1; id <= 4; ++id) Add(0, kA, true, id, id);
  EXPECT_EQ(Table().waiting(), 3u);
  EXPECT_EQ(Count(NotDecoded::kFragmentLimit), 1u);
  EXPECT_EQ(Count(NotDecoded::kFragmentHeld), 3u);
  EXPECT_EQ(Add(8, "x", false, 5, 2), Status::kComplete);
  EXPECT_EQ(Add(8, "x", false, 5, 1), Status::kHeldFirst) << "1 was given up";
}

TEST_F(Fragments, WhatTimedOutIsNoLimitHit) {
  limits_.datagrams = 1;
  Add(0, kA, true, 0, 1);
  Add(0, kA, true, kTimeout + 1, 2);
  EXPECT_EQ(Count(NotDecoded::kFragmentTimeout), 1u);
  EXPECT_EQ(Count(NotDecoded::kFragmentLimit), 0u);
}

TEST_F(Fragments, HoldsTheByteBound) {
  limits_.bytes = 10000;
  for (uint32_t id = 0; id < 100; ++id) {
    Add(0, std::string(1024, 'x'), true, id, id);
    EXPECT_LE(Table().held_bytes(), limits_.bytes);
  }
  EXPECT_EQ(Count(NotDecoded::kFragmentLimit) + Count(NotDecoded::kFragmentHeld), 100u);
  EXPECT_EQ(Add(0, std::string(20000, 'x'), true, 200, 200), Status::kRefused) << "too large by itself";
  EXPECT_EQ(Table().held_bytes(), 0u);
}

TEST_F(Fragments, BoundsPieces) {
  uint32_t offset = 0;
  for (size_t i = 0; i < FragmentTable::kMaxPieces; ++i, offset += 16) {
    ASSERT_NE(Add(offset, kA, true), Status::kRefused);
  }
  EXPECT_EQ(Add(offset, kA, true), Status::kRefused);
  EXPECT_EQ(Count(NotDecoded::kFragmentLimit), FragmentTable::kMaxPieces + 1);
  EXPECT_EQ(Table().held_bytes(), 0u);
}

TEST_F(Fragments, FinishGivesUpTheRest) {
  Add(0, kA, true);
  Add(0, kA, true, 0, 2);
  Add(8, kB, true, 0, 2);
  Table().Finish();
  EXPECT_EQ(Count(NotDecoded::kFragmentTimeout), 3u);
  EXPECT_EQ(Sum(), 3u);
  EXPECT_EQ(Table().held_bytes(), 0u);
}

TEST_F(Fragments, KeysAreApart) {
  DatagramKey key = KeyOf(1);
  const auto add = [&](uint32_t offset, const std::string& bytes, bool more) {
    return Table().Add(key, {.offset = offset, .more = more, .protocol = 17, .data = AsBytes(bytes)}, datagram_);
  };
  EXPECT_EQ(add(0, kA, true), Status::kHeldFirst);
  key.vlan[0] = 7;
  EXPECT_EQ(add(8, "x", false), Status::kHeldFirst);
  key.vlan[0] = 0;
  key.protocol = 6;
  EXPECT_EQ(add(8, "x", false), Status::kHeldFirst);
  key.protocol = 17;
  std::swap(key.source, key.destination);
  EXPECT_EQ(add(8, "x", false), Status::kHeldFirst);
  std::swap(key.source, key.destination);
  EXPECT_EQ(add(8, "x", false), Status::kComplete);
}

// Datagrams cut at random places, with overlaps, duplicates, contradictions and losses, in random order.
TEST_F(Fragments, AgreesWithTheNaiveWay) {
  struct Part {
    DatagramKey key;
    uint32_t offset;
    bool more;
    std::string bytes;
  };
  std::mt19937 random(42);
  uint64_t num_added = 0, num_completed = 0, num_in_completed = 0;
  for (int round = 0; round < 3000; ++round) {
    NotDecodedCounts counts{};
    FragmentTable table(kRoomy, counts);
    NaiveFragments naive(kTimeout);
    std::vector<Part> parts;
    for (uint32_t id = 0; id < 3; ++id) {
      const DatagramKey key = KeyOf(id, random() % 2 == 0);
      const uint32_t total = 1 + random() % (random() % 10 == 0 ? 3000 : 200);
      for (uint32_t at = 0; at < total;) {
        const uint32_t length = std::min<uint32_t>(total - at, (1 + random() % 8) * 8);
        const bool last = at + length == total;
        if (last || random() % 40 != 0) {
          std::string bytes(length, '\0');
          for (char& c : bytes) c = static_cast<char>(random());
          parts.push_back({key, at, !last, bytes});
          if (random() % 8 == 0) parts.push_back(parts.back());
        }
        at += length;
      }
      if (random() % 3 == 0) {  // something across what is there
        parts.push_back({key, static_cast<uint32_t>(random() % (total + 32)) / 8 * 8, random() % 4 != 0,
                         std::string(8 * (1 + random() % 6), 'o')});
      }
    }
    if (random() % 3 != 0) std::shuffle(parts.begin(), parts.end(), random);
    uint64_t time_ns = 0, accounted = 0;
    for (const Part& part : parts) {
      if (random() % 200 == 0) time_ns += kTimeout + 1;
      const FragmentTable::Fragment fragment{
          .offset = part.offset, .more = part.more, .protocol = 17, .data = AsBytes(part.bytes), .time_ns = time_ns};
      const std::optional<std::string> expected = naive.Add(part.key, fragment);
      FragmentTable::Datagram datagram;
      const Status status = table.Add(part.key, fragment, datagram);
      ++num_added;
      ASSERT_EQ(status == Status::kComplete, expected.has_value()) << "round " << round;
      if (expected) {
        ASSERT_EQ(*expected, AsText(datagram.data)) << "round " << round;
        accounted += datagram.num_frames;
        ++num_completed;
        num_in_completed += datagram.num_frames;
      }
    }
    ASSERT_EQ(accounted + std::accumulate(counts.begin(), counts.end(), uint64_t{0}), parts.size());
    table.Finish();
    ASSERT_EQ(accounted + std::accumulate(counts.begin(), counts.end(), uint64_t{0}), parts.size());
    ASSERT_EQ(counts[static_cast<size_t>(NotDecoded::kFragmentHeld)], 0u);
    ASSERT_EQ(table.held_bytes(), 0u);
  }
  EXPECT_GT(num_completed, 3000u);
  EXPECT_LT(num_in_completed, num_added);
}

}  // namespace
}  // namespace vedette
