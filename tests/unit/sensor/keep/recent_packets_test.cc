#include "sensor/keep/recent_packets.h"

#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "parsers/base/address.h"

namespace vedette {
namespace {

Frame FrameOf(const std::string& bytes, uint64_t time_ns) {
  Frame frame;
  frame.data = reinterpret_cast<const uint8_t*>(bytes.data());
  frame.captured_bytes = static_cast<uint32_t>(bytes.size());
  frame.wire_bytes = frame.captured_bytes + 4;
  frame.time_ns = time_ns;
  frame.file = 3;
  frame.link_type = 1;
  return frame;
}

std::string TextOf(const RecentPackets::Record& record) { return std::string(AsText(record.bytes())); }

class Ring : public ::testing::Test {
 protected:
  void Open(size_t bytes) {
    std::string error;
    ring_ = RecentPackets::Make(bytes, error);
    ASSERT_NE(ring_, nullptr) << error;
  }
  void Add(uint64_t key, const std::string& bytes, uint64_t ordinal, uint32_t most = UINT32_MAX) {
    RecentPackets::Entry* const entry = ring_->Take(key);
    ASSERT_NE(entry, nullptr);
    ring_->Add(*entry, FrameOf(bytes, ordinal), most, ordinal);
  }
  std::unique_ptr<RecentPackets> ring_;
};

TEST_F(Ring, HoldsWhatWasAdded) {
  Open(RecentPackets::kLeastBytes);
  Add(Mix64(1), "one", 1);
  Add(Mix64(2), "other", 1);
  Add(Mix64(1), "two and more", 2, 3);
  const RecentPackets::Record* record = ring_->At(ring_->Find(Mix64(1))->newest);
  ASSERT_NE(record, nullptr);
  EXPECT_EQ(TextOf(*record), "two");
  EXPECT_EQ(record->wire_bytes, 16u);
  EXPECT_EQ(record->interface, 3u);
  record = ring_->At(record->prev);
  ASSERT_NE(record, nullptr);
  EXPECT_EQ(TextOf(*record), "one");
  EXPECT_EQ(record->prev, 0u);
  EXPECT_EQ(ring_->At(0), nullptr);
  EXPECT_EQ(ring_->Find(Mix64(3)), nullptr);
}

// A set whose keys are all marked takes no other.
TEST_F(Ring, MarkedKeysStay) {
  Open(RecentPackets::kLeastBytes);
  for (uint64_t i = 1; i <= RecentPackets::kWays; ++i) {
    Add(i << 32, "x", 1);
    ring_->Find(i << 32)->marked = 1;
  }
  EXPECT_EQ(ring_->Take(uint64_t{9} << 32), nullptr);
  ring_->Find(uint64_t{2} << 32)->marked = 0;
  ASSERT_NE(ring_->Take(uint64_t{9} << 32), nullptr);
  EXPECT_EQ(ring_->Find(uint64_t{2} << 32), nullptr);
  EXPECT_NE(ring_->Find(uint64_t{1} << 32), nullptr);
}

// Against a list that holds everything: a chain is the newest packets of its key without a gap, each as it was, and all
// of those that the last `bytes` of the ring hold.
TEST_F(Ring, AgainstAListThatHoldsEverything) {
  for (const size_t bytes : {RecentPackets::kLeastBytes, RecentPackets::kLeastBytes + 16 * 1237}) {
    Open(bytes);
    std::mt19937_64 random(bytes);
    std::map<uint64_t, std::vector<std::string>> all;
    std::deque<std::pair<uint64_t, size_t>> newest;  // key and size, as far back as is certainly held
    size_t held = 0;
    for (int i = 0; i < 60'000; ++i) {
      const uint64_t key = Mix64(1 + random() % 200);
      std::string packet(random() % 20 == 0 ? random() % 60'000 : random() % 1500, '\0');
      for (size_t at = 0; at + 8 <= packet.size(); at += 64) std::memcpy(packet.data() + at, &i, sizeof i);
      all[key].push_back(packet);
      Add(key, packet, all[key].size());
      newest.emplace_back(key, packet.size());
      held += packet.size() + sizeof(RecentPackets::Record) + RecentPackets::kUnit;
      // A packet may leave as much unused as it is long.
      while (held + 61'000 > bytes) {
        held -= newest.front().second + sizeof(RecentPackets::Record) + RecentPackets::kUnit;
        newest.pop_front();
      }
      if (i % 997 != 0) continue;
      std::map<uint64_t, size_t> expected;
      for (const auto& [of, size] : newest) ++expected[of];
      for (const auto& [of, packets] : all) {
        size_t found = 0;
        const RecentPackets::Entry* const entry = ring_->Find(of);
        if (entry == nullptr) continue;
        for (const RecentPackets::Record* record = ring_->At(entry->newest); record != nullptr;
             record = ring_->At(record->prev)) {
          const size_t place = packets.size() - ++found;
          ASSERT_EQ(record->ordinal, place + 1);
          ASSERT_EQ(TextOf(*record), packets[place]);
        }
        ASSERT_GE(found, expected[of]);
      }
    }
  }
}

}  // namespace
}  // namespace vedette
