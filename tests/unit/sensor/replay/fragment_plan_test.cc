// Hand-made fragments: which frames a flow gets, whatever the order.
#include "sensor/replay/fragment_plan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/unit/sensor/decode/packets.h"

namespace vedette {
namespace {

using testing::Ethernet;
using testing::Ipv4;
using testing::OwnedFrame;
using testing::Udp;

constexpr uint64_t kSecond = 1'000'000'000;
using Entries = std::vector<std::pair<uint64_t, uint32_t>>;

CarvedFlow FlowOf(uint16_t source_port, uint16_t destination_port, uint64_t first, uint64_t last) {
  CarvedFlow carved;
  carved.flow.client = *IpAddress::Parse("198.51.100.2");  // the other way round than the packets
  carved.flow.server = *IpAddress::Parse("192.0.2.1");
  carved.flow.client_port = destination_port;
  carved.flow.server_port = source_port;
  carved.flow.protocol = kIpProtoUdp;
  carved.first_packet = first;
  carved.last_packet = last;
  return carved;
}

std::string Part(const std::string& datagram, uint32_t from, uint32_t to, uint16_t identification) {
  Ipv4 ip;
  ip.protocol = kIpProtoUdp;
  ip.identification = identification;
  ip.fragment_offset = from;
  ip.more_fragments = to < datagram.size();
  return Ethernet(0x0800, ip(datagram.substr(from, to - from)));
}

// Frames at positions 1, 2, … a second apart, or at the times given.
Entries PlanOf(const std::vector<CarvedFlow>& flows, const std::vector<std::string>& packets,
               const std::vector<uint64_t>& times = {}) {
  const FlowFinder finder(flows);
  FragmentPlan plan(finder, 30 * kSecond);
  Decoder decoder{Decoder::Options{}};
  Packet packet;
  for (size_t i = 0; i < packets.size(); ++i) {
    const uint64_t time_ns = times.empty() ? i * kSecond : times[i];
    const OwnedFrame frame(packets[i], kLinkEthernet, time_ns);
    decoder.BeginBurst();
    packet.is_fragment = false;
    const DecodeResult result = decoder.Decode(*frame, packet);
    EXPECT_TRUE(packet.is_fragment);
    plan.Add(packet, result, i + 1, time_ns);
  }
  Entries entries;
  for (const FragmentPlan::Entry& entry : plan.Take()) entries.emplace_back(entry.position, entry.flow);
  return entries;
}

const std::string kDatagram = Udp{.source_port = 7, .destination_port = 8}(std::string(40, 'x'));

TEST(FragmentPlan, EveryFragmentInAnyOrder) {
  std::vector<std::string> parts = {Part(kDatagram, 0, 16, 1), Part(kDatagram, 16, 32, 1), Part(kDatagram, 32, 48, 1)};
  std::sort(parts.begin(), parts.end());
  do {
    EXPECT_EQ(PlanOf({FlowOf(7, 8, 3, 3)}, parts), (Entries{{1, 0}, {2, 0}, {3, 0}}));
    EXPECT_EQ(PlanOf({FlowOf(7, 9, 1, 9)}, parts), Entries()) << "another flow's ports";
    EXPECT_EQ(PlanOf({FlowOf(7, 8, 4, 9)}, parts), Entries()) << "a later flow of the same five-tuple";
    // The flow without ports that the first to arrive opens, and both at once.
    EXPECT_EQ(PlanOf({FlowOf(0, 0, 1, 1)}, parts), (Entries{{1, 0}, {2, 0}, {3, 0}}));
    EXPECT_EQ(PlanOf({FlowOf(0, 0, 1, 1), FlowOf(7, 8, 3, 3)}, parts),
              (Entries{{1, 0}, {1, 1}, {2, 0}, {2, 1}, {3, 0}, {3, 1}}));
  } while (std::next_permutation(parts.begin(), parts.end()));
}

TEST(FragmentPlan, DatagramsOfOneIdentificationAreKeptApart) {
  const std::string other = Udp{.source_port = 7, .destination_port = 9}(std::string(40, 'y'));
  EXPECT_EQ(PlanOf({FlowOf(7, 9, 1, 9)}, {Part(kDatagram, 0, 16, 1), Part(kDatagram, 16, 48, 1), Part(other, 0, 16, 1),
                                          Part(other, 16, 48, 1)}),
            (Entries{{3, 0}, {4, 0}}));
  // The first one was never complete, and is too old.
  EXPECT_EQ(PlanOf({FlowOf(7, 9, 1, 9)}, {Part(kDatagram, 0, 16, 1), Part(other, 0, 16, 1), Part(other, 16, 48, 1)},
                   {0, 31 * kSecond, 32 * kSecond}),
            (Entries{{2, 0}, {3, 0}}));
}

TEST(FragmentPlan, CutFragmentsGoWithTheirFirst) {
  // The first one shows its ports although its datagram can never be put together.
  std::string cut = Part(kDatagram, 0, 16, 1);
  cut.resize(cut.size() - 4);
  EXPECT_EQ(PlanOf({FlowOf(7, 8, 1, 9)}, {Part(kDatagram, 16, 48, 1), cut}), (Entries{{1, 0}, {2, 0}}));
}

TEST(FlowFinder, TellsFlowsOfOneFiveTupleApartByPlace) {
  const FlowFinder finder(std::vector<CarvedFlow>{FlowOf(7, 8, 10, 19), FlowOf(7, 8, 30, 39), FlowOf(7, 8, 20, 21)});
  Decoder decoder{Decoder::Options{}};
  Packet packet;
  Ipv4 ip;
  ip.protocol = kIpProtoUdp;
  const OwnedFrame frame(Ethernet(0x0800, ip(kDatagram)));
  ASSERT_EQ(decoder.Decode(*frame, packet), DecodeResult::kPacket);
  for (const auto& [position, flow] : std::vector<std::pair<uint64_t, int>>{
           {9, -1}, {10, 0}, {19, 0}, {20, 2}, {21, 2}, {22, -1}, {29, -1}, {30, 1}, {39, 1}, {40, -1}}) {
    const std::optional<uint32_t> found = finder.Find(packet, position);
    EXPECT_EQ(found ? static_cast<int>(*found) : -1, flow) << position;
  }
}

}  // namespace
}  // namespace vedette
