#include "sensor/flow/flow_table.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <random>
#include <set>
#include <string>
#include <tuple>
#include <vector>

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

Flow* Find(FlowTable& table, const Tuple& tuple, bool& from_client) {
  FlowKey key = tuple.Key();
  return table.Find(key, from_client);
}

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
  EXPECT_EQ(Find(table, tuple, from_client), nullptr);
  Flow& flow = table.Insert(tuple.Key(), 0, [](Flow&) { FAIL(); });
  EXPECT_EQ(Find(table, tuple, from_client), &flow);
  EXPECT_TRUE(from_client);
  EXPECT_EQ(Find(table, tuple.Reversed(), from_client), &flow);
  EXPECT_FALSE(from_client);
  table.Release(flow);
  EXPECT_EQ(Find(table, tuple, from_client), nullptr);
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
    Flow* found = Find(table, tuple, from_client);
    ASSERT_EQ(found, expected);
    if (found == nullptr) {
      naive[tuple] = &table.Insert(tuple.Key(), 0, [](Flow&) { FAIL(); });
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

// Of each part exactly those flows that are there, in the order of their insertion; what was released does not pile up.
TEST(FlowTable, PartsAgreeWithANaiveTwin) {
  std::mt19937 random(7);
  FlowTable table(1'000'000);
  std::map<Tuple, Flow*> flows;
  std::map<uint32_t, std::vector<Flow*>> naive;
  for (int step = 0; step < 50'000; ++step) {
    const Tuple tuple = RandomTuple(random, 5);
    bool from_client = false;
    if (Flow* const found = Find(table, tuple, from_client)) {
      for (auto& [part, members] : naive) std::erase(members, found);
      table.Release(*found);
    } else {
      const uint32_t part = std::array{0u, 7u, FlowTable::kParts - 1}[random() % 3];
      naive[part].push_back(&table.Insert(tuple.Key(), part, [](Flow&) { FAIL(); }));
    }
    if (random() % 500 != 0) continue;
    for (const auto& [part, members] : naive) {
      std::vector<Flow*> visited;
      EXPECT_EQ(table.ForEachOf(part, [&](Flow& flow) { visited.push_back(&flow); }), members.size());
      ASSERT_EQ(visited, members) << part;
    }
    EXPECT_EQ(table.ForEachOf(1, [](Flow&) { FAIL(); }), 0u);
  }
  const size_t before = table.memory_bytes();
  const Tuple tuple = RandomTuple(random, 5);
  for (int i = 0; i < 100'000; ++i) {
    bool from_client = false;
    if (Flow* const found = Find(table, tuple, from_client)) table.Release(*found);
    table.Insert(tuple.Key(), 5, [](Flow&) { FAIL(); });
  }
  EXPECT_LT(table.memory_bytes(), before + 4096);
}

TEST(FlowTable, AFullTableGivesUpAnIdleFlow) {
  FlowTable table(1000);
  std::mt19937 random(2);
  uint64_t evicted = 0, now = 0;
  for (int i = 0; i < 5000; ++i) {
    const Tuple tuple = RandomTuple(random, 60000);
    bool from_client = false;
    if (Find(table, tuple, from_client) != nullptr) continue;
    Flow& flow = table.Insert(tuple.Key(), 0, [&](Flow& old) {
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

// With a seed that is known, all flows of such an address to one server have one hash: one factor of its end is 0.
Tuple Colliding(uint32_t number) {
  const FlowHashSeed known;
  uint8_t bytes[16] = {0x20, 0x01};
  std::memcpy(bytes + 4, &number, sizeof number);
  std::memcpy(bytes + 8, &known.address_low, 8);
  static const IpAddress kServer = *IpAddress::Parse("2001:db8::1");
  return {IpAddress::V6(bytes), kServer, static_cast<uint16_t>(number), 443, 6};
}

TEST(FlowTable, FlowsThatAllCollideCostOneChangeOfSeed) {
  constexpr uint32_t kFlows = 1'000'000;
  FlowTable table(2 * kFlows);
  ASSERT_EQ(Colliding(1).Key().hash, Colliding(2).Key().hash);
  for (uint32_t i = 0; i < kFlows; ++i) table.Insert(Colliding(i).Key(), 0, [](Flow&) { FAIL(); });
  EXPECT_EQ(table.size(), kFlows);
  EXPECT_EQ(table.reseeds(), 1u);
  EXPECT_EQ(table.crowded_out(), 0u);
  bool from_client = false;
  for (uint32_t i = 0; i < kFlows; i += 7) ASSERT_NE(Find(table, Colliding(i), from_client), nullptr);
  EXPECT_EQ(Find(table, Colliding(kFlows), from_client), nullptr);
  for (uint32_t i = 0; i < kFlows; i += 2) table.Release(*Find(table, Colliding(i), from_client));
  EXPECT_EQ(table.size(), kFlows / 2);
  for (uint32_t i = 0; i < 1000; ++i) ASSERT_EQ(Find(table, Colliding(i), from_client) != nullptr, i % 2 == 1);
}

// The last resort: no seed helps.
TEST(FlowTable, WhereNoSeedHelpsTheOneIdleLongestGoes) {
  FlowTable table(1'000'000, {}, [] { return FlowHashSeed(); });
  std::map<Tuple, uint64_t> alive;
  std::mt19937 random(5);
  uint64_t evicted = 0;
  for (uint64_t now = 1; now <= 20'000; ++now) {
    const Tuple tuple = now % 3 == 0 ? RandomTuple(random, 60'000) : Colliding(static_cast<uint32_t>(now));
    bool from_client = false;
    if (Find(table, tuple, from_client) != nullptr) continue;
    Flow& flow = table.Insert(tuple.Key(), 0, [&](Flow& old) {
      ++evicted;
      const auto found =
          std::find_if(alive.begin(), alive.end(), [&](const auto& a) { return a.second == old.last_ns; });
      ASSERT_NE(found, alive.end());
      alive.erase(found);
    });
    flow.last_ns = now;
    alive[tuple] = now;
    ASSERT_EQ(table.size(), alive.size());
  }
  EXPECT_GT(evicted, 10'000u);
  EXPECT_EQ(table.crowded_out(), evicted);
  for (const auto& [tuple, last] : alive) {
    bool from_client = false;
    const Flow* flow = Find(table, tuple, from_client);
    ASSERT_NE(flow, nullptr);
    EXPECT_EQ(flow->last_ns, last);
  }
}

// Every bucket has been passed, and is full: a look-up for what is not there used to go round for ever.
TEST(FlowTable, ALookUpEndsWhereEveryBucketWasPassed) {
  std::mt19937 random(1);
  std::vector<std::vector<Tuple>> by_home(1024);
  const auto missing = [&] {
    for (size_t i = 0; i < by_home.size(); ++i) {
      if (by_home[i].size() < (i == 0 ? 25u : i == 760 ? 14u : 10u)) return true;
    }
    return false;
  };
  while (missing()) {
    for (int i = 0; i < 1000; ++i) {
      Tuple tuple = RandomTuple(random, 65'536);
      tuple.source_port = static_cast<uint16_t>(random());
      tuple.destination_port = static_cast<uint16_t>(random());
      by_home[tuple.Key().hash & 1023].push_back(tuple);
    }
  }
  FlowTable table(1'000'000);
  bool from_client = false;
  const auto put = [&](const Tuple& tuple) {
    if (Find(table, tuple, from_client) == nullptr) table.Insert(tuple.Key(), 0, [](Flow&) { FAIL(); });
  };
  for (size_t home = 0; home < 760; ++home) {
    for (size_t i = 0; i < 10; ++i) put(by_home[home][i]);
  }
  for (size_t i = 10; i < 20; ++i) put(by_home[0][i]);
  for (size_t i = 0; i < 7600; ++i) table.Release(*Find(table, by_home[i / 10][i % 10], from_client));
  for (size_t home = 761; home < 1024; ++home) {
    for (size_t i = 0; i < 10; ++i) put(by_home[home][i]);
  }
  put(by_home[760][0]);
  EXPECT_EQ(Find(table, by_home[760][13], from_client), nullptr);
  EXPECT_NE(Find(table, by_home[0][15], from_client), nullptr);
  EXPECT_EQ(table.crowded_out(), 0u);
}

TEST(FlowTable, WhichFlowGivesWayDoesNotDependOnTheSeed) {
  std::vector<std::vector<uint64_t>> gave_way;
  for (int run = 0; run < 3; ++run) {
    FlowTable table(3000, run == 0 ? FlowHashSeed() : FlowHashSeed::Random());
    std::mt19937 random(2);
    std::vector<uint64_t>& evicted = gave_way.emplace_back();
    for (uint64_t now = 1; now < 30'000; ++now) {
      const Tuple tuple = RandomTuple(random, 60'000);
      bool from_client = false;
      FlowKey key = tuple.Key();
      table.Hash(key);
      if (Flow* known = table.Find(key, from_client)) {
        known->last_ns = now;
        continue;
      }
      table.Insert(key, 0, [&](Flow& old) { evicted.push_back(old.last_ns); }).last_ns = now;
    }
    EXPECT_GT(evicted.size(), 1000u);
  }
  EXPECT_EQ(gave_way[0], gave_way[1]);
  EXPECT_EQ(gave_way[0], gave_way[2]);
}

TEST(FlowTable, OrdinaryFlowsFindRoomWithinReach) {
  std::mt19937_64 random(6);
  FlowTable table(1'800'000);
  // Up to the greatest load of 262,144 buckets.
  for (uint32_t i = 0; i < 1'703'936; ++i) {
    const uint64_t words[2] = {0x0120, random()};
    uint8_t bytes[16];
    std::memcpy(bytes, words, 16);
    FlowKey key{.source = bytes, .destination = bytes, .source_port = static_cast<uint16_t>(random()), .version = 6};
    table.Hash(key);
    table.Insert(key, 0, [](Flow&) { FAIL(); });
  }
  EXPECT_EQ(table.reseeds(), 0u);
}

// Five-tuples of few hosts, some of them within tunnels and VLANs.
struct Scoped {
  Tuple tuple;
  OuterLayers outer;
  uint32_t vlans = 0;

  FlowKey Key(const FlowTable& table) const {
    FlowKey key = tuple.Key();
    if (!outer.empty()) key.outer = &outer;
    key.vlans = vlans;
    key.scope = static_cast<uint8_t>((outer.empty() ? 0 : kScopeTunnel) | (vlans == 0 ? 0 : kScopeVlan));
    table.Hash(key);
    return key;
  }
  std::string Name() const {
    const Tuple same = std::min(tuple, tuple.Reversed());
    std::string name = std::to_string(vlans);
    for (const OuterLayer& layer : outer.layers()) name += "," + std::to_string(layer.identity());
    return name + "," + same.source.ToString() + "," + same.destination.ToString() + "," +
           std::to_string(same.source_port) + "," + std::to_string(same.destination_port) + "," +
           std::to_string(same.protocol);
  }
};

TEST(FlowTable, TunnelsNetworksAndVlansTellFlowsApart) {
  std::mt19937 random(4);
  const uint16_t tags[2] = {7, 9};
  FlowTable table(100'000);
  std::map<std::string, Flow*> naive;
  for (int step = 0; step < 60'000; ++step) {
    Scoped scoped{RandomTuple(random, 6), {}};
    for (size_t depth = random() % 4; depth != 0; --depth) {
      const auto outside = RandomTuple(random, 100);  // addresses do not count
      scoped.outer.Push({outside.source, outside.destination, random() % 2 == 0 ? Tunnel::kGre : Tunnel::kVxlan,
                         static_cast<uint32_t>(random() % 2)});
    }
    if (random() % 3 == 0) scoped.vlans = VlansOf(tags, static_cast<uint8_t>(1 + random() % 2));
    FlowKey key = scoped.Key(table);
    bool from_client = false;
    Flow* const flow = table.Find(key, from_client);
    const auto known = naive.find(scoped.Name());
    ASSERT_EQ(flow, known == naive.end() ? nullptr : known->second);
    if (flow == nullptr) {
      Flow& fresh = table.Insert(key, 0, [](Flow&) { FAIL(); });
      naive[scoped.Name()] = &fresh;
      const std::span<const OuterLayer> kept = table.OuterOf(fresh);
      ASSERT_TRUE(SameTunnels(kept, scoped.outer.layers()));
      if (!kept.empty()) {
        ASSERT_EQ(kept[0].source, scoped.outer.layers()[0].source);
      }
    } else if (random() % 3 == 0) {
      table.Release(*flow);
      naive.erase(known);
    }
  }
  EXPECT_GT(table.size(), 1000u);
}

TEST(FlowTable, PlainFlowsCostNothingForTunnels) {
  FlowTable plain(10'000);
  const size_t empty = plain.memory_bytes();
  std::mt19937 random(1);
  Scoped scoped{RandomTuple(random, 300), {}};
  plain.Insert(scoped.Key(plain), 0, [](Flow&) { FAIL(); });
  const size_t one = plain.memory_bytes();
  EXPECT_GE(one, empty + 1024 * sizeof(Flow)) << "a slab";
  EXPECT_LT(one, empty + 1024 * (sizeof(Flow) + 16)) << "and the order of its flows";
  scoped.outer.Push({{}, {}, Tunnel::kGre, 0});
  plain.Insert(scoped.Key(plain), 0, [](Flow&) { FAIL(); });
  EXPECT_EQ(plain.memory_bytes(), one + 1024 * sizeof(OuterLayers));
}

TEST(Flow, CountsPacketsBeyondFourThousandMillions) {
  Flow flow;
  flow.packets_low[1] = 0xffffffff;
  flow.CountPacket(1);
  EXPECT_EQ(flow.packets(1), uint64_t{1} << 32);
  FlowSnapshot snapshot;
  TakeSnapshot(flow, snapshot);
  EXPECT_EQ(snapshot.packets[1], uint64_t{1} << 32);
  SwapEnds(flow);
  EXPECT_EQ(flow.packets(0), uint64_t{1} << 32);
  EXPECT_EQ(flow.packets(1), 0u);
}

}  // namespace
}  // namespace vedette
