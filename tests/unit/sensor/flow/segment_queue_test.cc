#include "sensor/flow/segment_queue.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>
#include <string>

#include "sensor/flow/recent_segments.h"

namespace vedette {
namespace {

// Against a map of bytes: what is held, whether bytes contradict it, and the order in which it comes out.
TEST(SegmentQueue, AgreesWithAMapOfBytes) {
  for (uint32_t seed = 0; seed < 500; ++seed) {
    std::mt19937 random(seed);
    const uint32_t base = seed % 2 == 0 ? 0xffffff80u : 1000u;
    SegmentQueue queue;
    std::map<uint32_t, uint8_t> naive;
    for (int i = 0; i < 30; ++i) {
      const uint32_t at = random() % 200;
      std::vector<uint8_t> bytes(1 + random() % 20);
      for (uint8_t& byte : bytes) byte = static_cast<uint8_t>('a' + random() % 2);
      bool contradicts = false;
      for (uint32_t j = 0; j < bytes.size(); ++j) {
        const auto known = naive.find(at + j);
        contradicts |= known != naive.end() && known->second != bytes[j];
      }
      ASSERT_EQ(queue.Contradicts(base + at, bytes), contradicts) << "seed " << seed;
      queue.Insert(base + at, bytes);
      for (uint32_t j = 0; j < bytes.size(); ++j) naive.emplace(at + j, bytes[j]);
      ASSERT_EQ(queue.bytes(), naive.size());
      if (i % 10 == 9 && queue.size() > 1) {
        const SegmentQueue::Segment last = queue.PopBack();
        for (uint32_t j = 0; j < last.bytes.size(); ++j) naive.erase(last.sequence - base + j);
      }
    }
    std::map<uint32_t, uint8_t> out;
    while (!queue.empty()) {
      const SegmentQueue::Segment segment = queue.PopFront();
      for (uint32_t j = 0; j < segment.bytes.size(); ++j) out.emplace(segment.sequence - base + j, segment.bytes[j]);
      if (!queue.empty()) {
        ASSERT_LE(SequenceDistance(segment.end(), queue.front().sequence), 0);
      }
    }
    ASSERT_EQ(out, naive) << "seed " << seed;
    ASSERT_EQ(queue.bytes(), 0u);
  }
}

TEST(SegmentQueue, FindsTheFirstRun) {
  SegmentQueue queue;
  uint32_t sequence = 0;
  const std::vector<uint8_t> bytes(10, 'x');
  for (const uint32_t at : {100u, 200u, 210u, 300u, 310u, 320u, 330u}) queue.Insert(at, bytes);
  EXPECT_TRUE(queue.FindRun(1, sequence));
  EXPECT_EQ(sequence, 100u);
  EXPECT_TRUE(queue.FindRun(2, sequence));
  EXPECT_EQ(sequence, 200u);
  EXPECT_TRUE(queue.FindRun(3, sequence));
  EXPECT_EQ(sequence, 300u);
  EXPECT_FALSE(queue.FindRun(5, sequence));
}

TEST(RecentSegments, TellsPlaceLengthAndEveryByte) {
  std::set<uint64_t> hashes;
  size_t count = 0;
  for (const uint64_t key : {1ull, 0x9e3779b97f4a7c15ull}) {
    for (const uint32_t sequence : {0u, 100u}) {
      for (size_t length = 0; length < 70; ++length) {
        std::vector<uint8_t> bytes(length, 'a');
        for (size_t changed = 0; changed <= length; ++changed, ++count) {
          if (changed != 0) bytes[changed - 1] ^= 1;
          hashes.insert(RecentSegments::HashOf(sequence, bytes, key));
          if (changed != 0) bytes[changed - 1] ^= 1;
        }
      }
    }
  }
  EXPECT_EQ(hashes.size(), count);
}

TEST(RecentSegments, RemembersTheLast64) {
  RecentSegments recent;
  for (uint64_t hash = 1; hash <= 65; ++hash) recent.Add(hash);
  EXPECT_FALSE(recent.Has(1));
  EXPECT_TRUE(recent.Has(2));
  EXPECT_TRUE(recent.Has(65));
}

}  // namespace
}  // namespace vedette
