#include "sensor/keep/flow_keeper.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace vedette {
namespace {

constexpr uint64_t kFile = 7;

// A flow as the worker has it, and a list of all of its packets.
struct Twin {
  Flow flow;
  std::vector<std::string> packets;
  bool expected = false, asked = false;
  size_t at_request = 0, at_bypass = 0;  // packets by then
  uint64_t key() const { return KeepKeyOf(flow.first_packet, flow.client_port, flow.server_port); }
};

struct Out {
  KeptPacket packet;
  std::string bytes;
};

class Keeper : public ::testing::Test {
 protected:
  void Open(const FlowKeeper::Options& options) {
    std::string error;
    keeper_ = FlowKeeper::Make(3, options, error);
    ASSERT_NE(keeper_, nullptr) << error;
  }
  Twin& NewFlow(uint64_t number) {
    Twin& twin = flows_[number];
    twin.flow.first_packet = number;
    twin.flow.client_port = static_cast<uint16_t>(1024 + number % 60'000);
    twin.flow.server_port = 443;
    return twin;
  }
  void Send(Twin& twin, const std::string& bytes) {
    Frame frame;
    frame.data = reinterpret_cast<const uint8_t*>(bytes.data());
    frame.captured_bytes = frame.wire_bytes = static_cast<uint32_t>(bytes.size());
    frame.time_ns = ++time_;
    frame.link_type = 1;
    Packet packet;
    packet.frame = &frame;
    twin.packets.push_back(bytes);
    twin.flow.CountPacket(twin.packets.size() % 2);
    keeper_->Add(twin.flow, packet);
  }
  void Ask(uint64_t number, Twin& twin) {
    ASSERT_TRUE(keeper_->Request(twin.key(), number, kFile));
    twin.asked = true;
    twin.at_request = twin.packets.size();
  }
  void Take() {
    KeptPacket packet;
    Bytes bytes;
    while (keeper_->queue().Front(packet, bytes)) {
      out_[packet.flow_id].push_back({packet, std::string(AsText(bytes))});
      keeper_->queue().Pop();
    }
  }
  void Settle() {
    keeper_->Ended();
    while (!keeper_->Served()) {
      keeper_->Serve();
      Take();
    }
    keeper_->Serve();
    Take();
  }
  // What came out of a flow: each packet is the one that the counts of missing ones say. Returns those that came.
  std::set<size_t> Check(uint64_t number) {
    std::set<size_t> came;
    size_t ordinal = 0;
    for (const Out& out : out_[number]) {
      ordinal += out.packet.missing + 1;
      EXPECT_LE(ordinal, flows_[number].packets.size());
      if (ordinal > flows_[number].packets.size()) break;
      EXPECT_EQ(out.bytes, flows_[number].packets[ordinal - 1]);
      EXPECT_EQ(out.packet.begins, came.empty());
      EXPECT_EQ(out.packet.file, kFile);
      came.insert(ordinal - 1);
    }
    return came;
  }
  std::unique_ptr<FlowKeeper> keeper_;
  std::map<uint64_t, Twin> flows_;
  std::map<uint64_t, std::vector<Out>> out_;
  uint64_t time_ = 0;
};

TEST_F(Keeper, KeepsAFlowFromItsBeginningToItsEnd) {
  Open({});
  Twin& flow = NewFlow(1);
  Twin& other = NewFlow(2);
  for (int i = 0; i < 5; ++i) {
    Send(flow, "before " + std::to_string(i));
    Send(other, "other");
  }
  keeper_->Expect(flow.key());
  Send(flow, "between");
  Ask(1, flow);
  keeper_->Serve();
  Take();
  EXPECT_EQ(out_[1].size(), 6u);
  EXPECT_TRUE(out_[1].back().packet.from_ring);
  Send(flow, "after");
  Take();
  ASSERT_EQ(out_[1].size(), 7u);
  EXPECT_FALSE(out_[1].back().packet.from_ring);
  keeper_->End(flow.key());
  Send(flow, "of nobody");
  Settle();
  EXPECT_EQ(Check(1).size(), 7u);
  EXPECT_EQ(out_.size(), 1u);
  EXPECT_EQ(keeper_->counters().flows, 1u);
}

// A request comes by way of the exporter: the flow may be over by then.
TEST_F(Keeper, KeepsAFlowThatHasEnded) {
  Open({});
  Twin& flow = NewFlow(1);
  for (int i = 0; i < 5; ++i) Send(flow, std::to_string(i));
  keeper_->Expect(flow.key());
  keeper_->End(flow.key());
  Ask(1, flow);
  Settle();
  EXPECT_EQ(Check(1).size(), 5u);
}

// Nothing more can be learned of the flow, but an alert of the same burst may still want what follows.
TEST_F(Keeper, HoldsABurstOfABypassedFlow) {
  Open({});
  Twin& flow = NewFlow(1);
  Send(flow, "hello");
  flow.flow.bypass = true;
  for (size_t i = 0; i < FlowKeeper::kHeldOfBypassed; ++i) Send(flow, std::to_string(i));
  Send(flow, "passed over");
  keeper_->Expect(flow.key());
  Send(flow, "held again");
  Ask(1, flow);
  Settle();
  const std::set<size_t> came = Check(1);
  EXPECT_EQ(came.size(), FlowKeeper::kHeldOfBypassed + 2);
  EXPECT_EQ(out_[1].back().bytes, "held again");
  EXPECT_EQ(out_[1].back().packet.missing, 1u);
  EXPECT_EQ(keeper_->counters().lost_between, 1u);
}

TEST_F(Keeper, KeepsTheBoundsOfAFlow) {
  Open({.flow_bytes = uint64_t{1} << 20, .flow_packets = 10});
  Twin& flow = NewFlow(1);
  for (int i = 0; i < 20; ++i) Send(flow, std::to_string(i));
  keeper_->Expect(flow.key());
  Ask(1, flow);
  keeper_->Serve();
  for (int i = 20; i < 40; ++i) Send(flow, std::to_string(i));
  Settle();
  EXPECT_EQ(Check(1).size(), 10u);
  EXPECT_EQ(out_[1].front().packet.missing, 15u) << "half of the bound is before the request";
  EXPECT_TRUE(out_[1].back().packet.ends);
  EXPECT_EQ(keeper_->counters().lost_before, 15u);
  EXPECT_EQ(keeper_->counters().lost_bound, 15u);
}

TEST_F(Keeper, CutsPacketsAsItIsTold) {
  Open({.packet_bytes = 8});
  Twin& flow = NewFlow(1);
  Send(flow, "0123456789");
  keeper_->Expect(flow.key());
  Ask(1, flow);
  keeper_->Serve();
  Send(flow, "abcdefghij");
  Settle();
  ASSERT_EQ(out_[1].size(), 2u);
  EXPECT_EQ(out_[1][0].bytes, "01234567");
  EXPECT_EQ(out_[1][1].bytes, "abcdefgh");
  EXPECT_EQ(out_[1][1].packet.wire_bytes, 10u);
}

// The fragments of a datagram stand under the datagram, and come before what follows it.
TEST_F(Keeper, KeepsFragments) {
  for (const bool live : {false, true}) {
    Open({});
    out_.clear();
    Twin& flow = NewFlow(live ? 2 : 1);
    const uint64_t number = live ? 2 : 1;
    Send(flow, "first");
    keeper_->Expect(flow.key());
    if (live) {
      Ask(number, flow);
      keeper_->Serve();
    }
    std::vector<std::string> parts = {"part a", "part b", "part c"};
    Packet packet;
    Frame frame;
    packet.is_fragment = true;
    packet.identification = 77;
    packet.source = *IpAddress::Parse("192.0.2.1");
    packet.destination = *IpAddress::Parse("192.0.2.2");
    for (const std::string& part : parts) {
      frame.data = reinterpret_cast<const uint8_t*>(part.data());
      frame.captured_bytes = frame.wire_bytes = static_cast<uint32_t>(part.size());
      frame.time_ns = ++time_;
      packet.frame = &frame;
      keeper_->AddFragment(frame, packet);
    }
    packet.reassembled = true;
    flow.flow.CountPacket(0);
    flow.packets.emplace_back("the datagram");
    keeper_->Add(flow.flow, packet);
    Send(flow, "last");
    if (!live) Ask(number, flow);
    Settle();
    std::vector<std::string> bytes;
    for (const Out& out : out_[number]) {
      bytes.push_back(out.bytes);
      EXPECT_EQ(out.packet.missing, 0u);
    }
    EXPECT_EQ(bytes, (std::vector<std::string>{"first", "part a", "part b", "part c", "last"}));
  }
}

// Requests and barriers come out in the order in which they were made.
TEST_F(Keeper, BarriersFollowRequests) {
  Open({});
  Twin& flow = NewFlow(1);
  Send(flow, "x");
  Ask(1, flow);
  ASSERT_TRUE(keeper_->RequestBarrier(8));
  keeper_->Serve();
  KeptPacket packet;
  Bytes bytes;
  ASSERT_TRUE(keeper_->queue().Front(packet, bytes));
  EXPECT_EQ(packet.kind, KeptPacket::Kind::kPacket);
  keeper_->queue().Pop();
  ASSERT_TRUE(keeper_->queue().Front(packet, bytes));
  EXPECT_EQ(packet.kind, KeptPacket::Kind::kBarrier);
  EXPECT_EQ(packet.file, 8u);
}

TEST_F(Keeper, RefusesMoreRequestsThanItHolds) {
  Open({});
  for (size_t i = 0; i < FlowKeeper::kMaxRequests; ++i) ASSERT_TRUE(keeper_->Request(i + 1, i + 1, kFile));
  EXPECT_FALSE(keeper_->Request(1, 1, kFile));
  while (!keeper_->Served()) keeper_->Serve();
  EXPECT_TRUE(keeper_->Request(1, 1, kFile));
}

// Random flows, sizes, alerts and ends. With room for all of it nothing is missing from the first packet to the last;
// with a small ring, or a writer that seldom looks, every packet that is missing is said to be.
TEST_F(Keeper, AgainstAListThatHoldsEverything) {
  for (const bool roomy : {true, false}) {
    for (const int writer_every : {1, 400}) {
      SCOPED_TRACE(roomy ? "roomy" : "small");
      flows_.clear();
      out_.clear();
      Open({.ring_bytes = roomy ? size_t{256} << 20 : RecentPackets::kLeastBytes,
            .flow_bytes = uint64_t{1} << 30,
            .flow_packets = 1'000'000});
      std::mt19937_64 random(writer_every + (roomy ? 1 : 0));
      std::vector<uint64_t> live;
      uint64_t next = 1, sent = 0;
      for (int i = 0; i < 40'000; ++i) {
        if (live.size() < 40) {
          live.push_back(next);
          NewFlow(next++);
        }
        const size_t place = random() % live.size();
        const uint64_t number = live[place];
        Twin& twin = flows_[number];
        const uint64_t what = random() % 1000;
        if (what < 4 && !twin.expected) {
          twin.expected = true;
          keeper_->Expect(twin.key());
        } else if (what < 12 && twin.expected && !twin.asked) {
          Ask(number, twin);
        } else if (what < 15 && (!twin.expected || twin.asked)) {
          if (twin.expected) keeper_->End(twin.key());
          live.erase(live.begin() + static_cast<ptrdiff_t>(place));
        } else {
          Send(twin, std::to_string(++sent) + std::string(random() % 1400, 'x'));
        }
        if (i % 8 == 0) keeper_->Serve();
        if (i % writer_every == 0) Take();
      }
      // Where a flow still goes on, its last packet says what is missing before it.
      for (const uint64_t number : live) {
        Take();
        Send(flows_[number], "the last");
      }
      Settle();
      size_t asked = 0, came_in_all = 0, sent_of_asked = 0;
      for (const auto& [number, twin] : flows_) {
        const std::set<size_t> came = Check(number);
        if (!twin.asked) {
          EXPECT_TRUE(came.empty());
          continue;
        }
        ++asked;
        came_in_all += came.size();
        sent_of_asked += twin.packets.size();
        if (roomy && writer_every == 1) {
          EXPECT_EQ(came.size(), twin.packets.size());
        }
      }
      EXPECT_GT(asked, 30u);
      const KeeperCounters counters = keeper_->counters();
      EXPECT_GE(sent_of_asked, came_in_all);
      if (roomy && writer_every == 1) {
        EXPECT_EQ(counters.lost_before + counters.lost_between + counters.lost_queue, 0u);
      } else if (!roomy) {
        EXPECT_GT(counters.lost_before, 0u);
      }
    }
  }
}

}  // namespace
}  // namespace vedette
