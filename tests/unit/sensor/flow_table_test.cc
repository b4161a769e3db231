#include "sensor/flow/flow_table.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>
#include <tuple>

#include "sensor/flow/stream_inspector.h"

namespace vedette {
namespace {

struct Tuple {
  IpAddress source, destination;
  uint16_t source_port, destination_port;
  uint8_t protocol;

  FlowKey Key() const {
    FlowKey key;
    key.source = source.bytes().data();
    key.destination = destination.bytes().data();
    key.source_port = source_port;
    key.destination_port = destination_port;
    key.protocol = protocol;
    key.version = source.version();
    key.ComputeHash({});
    return key;
  }
  Tuple Reversed() const { return {destination, source, destination_port, source_port, protocol}; }
  auto operator<=>(const Tuple&) const = default;
};

Tuple RandomTuple(std::mt19937& random, uint32_t hosts) {
  const auto address = [&] {
    const uint32_t n = random() % hosts;
    const uint8_t bytes[4] = {10, 0, static_cast<uint8_t>(n >> 8), static_cast<uint8_t>(n)};
    return IpAddress::V4(bytes);
  };
  return {address(), address(), static_cast<uint16_t>(random() % 7), static_cast<uint16_t>(random() % 7),
          static_cast<uint8_t>(random() % 2 ? 6 : 17)};
}

TEST(FlowTable, FindsAFlowFromBothEnds) {
  FlowTable table(10);
  const Tuple tuple{*IpAddress::Parse("192.0.2.1"), *IpAddress::Parse("198.51.100.7"), 40000, 443, 6};
  bool from_client = false;
  EXPECT_EQ(table.Find(tuple.Key(), from_client), nullptr);
  Flow& flow = table.Insert(tuple.Key(), [](Flow&) { FAIL(); });
  EXPECT_EQ(table.Find(tuple.Key(), from_client), &flow);
  EXPECT_TRUE(from_client);
  EXPECT_EQ(table.Find(tuple.Reversed().Key(), from_client), &flow);
  EXPECT_FALSE(from_client);
  table.Release(flow);
  EXPECT_EQ(table.Find(tuple.Key(), from_client), nullptr);
  EXPECT_EQ(table.size(), 0u);
}

TEST(FlowTable, AgreesWithAMapOverRandomWork) {
  std::mt19937 random(1);
  FlowTable table(1'000'000);
  std::map<Tuple, Flow*> naive;
  for (int step = 0; step < 200'000; ++step) {
    const Tuple tuple = RandomTuple(random, 300);
    const auto known = naive.find(tuple), reversed = naive.find(tuple.Reversed());
    Flow* expected = known != naive.end() ? known->second : reversed != naive.end() ? reversed->second : nullptr;
    bool from_client = false;
    Flow* found = table.Find(tuple.Key(), from_client);
    ASSERT_EQ(found, expected);
    if (found == nullptr) {
      naive[tuple] = &table.Insert(tuple.Key(), [](Flow&) { FAIL(); });
    } else if (random() % 3 == 0) {
      table.Release(*found);
      naive.erase(known != naive.end() ? known : reversed);
    }
    ASSERT_EQ(table.size(), naive.size());
  }
  std::set<Flow*> visited;
  table.ForEach([&](Flow& flow) { visited.insert(&flow); });
  EXPECT_EQ(visited.size(), naive.size());
}

TEST(FlowTable, AFullTableGivesUpAnIdleFlow) {
  FlowTable table(1000);
  std::mt19937 random(2);
  uint64_t evicted = 0, now = 0;
  for (int i = 0; i < 5000; ++i) {
    const Tuple tuple = RandomTuple(random, 60000);
    bool from_client = false;
    if (table.Find(tuple.Key(), from_client) != nullptr) continue;
    Flow& flow = table.Insert(tuple.Key(), [&](Flow& old) {
      ++evicted;
      EXPECT_LT(old.last_ns, now) << "not the one that came last";
    });
    flow.last_ns = ++now;
    ASSERT_LE(table.size(), 1000u);
  }
  EXPECT_EQ(table.size() + evicted, now);
}

TEST(FlowTable, TheSeedDecidesWhereFlowsStand) {
  std::mt19937 random(3);
  std::set<uint64_t> hashes;
  const Tuple tuple = RandomTuple(random, 300), back = tuple.Reversed();
  for (int i = 0; i < 100; ++i) {
    FlowKey key = tuple.Key(), reversed = back.Key();
    const FlowHashSeed seed = FlowHashSeed::Random();
    key.ComputeHash(seed);
    reversed.ComputeHash(seed);
    EXPECT_EQ(key.hash, reversed.hash);
    hashes.insert(key.hash);
  }
  EXPECT_EQ(hashes.size(), 100u);
}

}  // namespace
}  // namespace vedette
