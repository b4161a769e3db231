// Flows of packets in tunnels, and of VLANs: which they are, and that it does not depend on the number of workers.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "sensor/pipeline/worker.h"
#include "tests/unit/sensor/decode/nested.h"

namespace vedette {
namespace {

using namespace testing;  // NOLINT: the builders of packets.h

std::string PathOf(std::span<const OuterLayer> outer) {
  std::string path;
  for (const OuterLayer& layer : outer)
    path += std::string(NameOf(layer.tunnel)) + " " + std::to_string(layer.network) + " ";
  return path;
}

std::string EndsOf(const std::string& a, const std::string& b) { return std::min(a, b) + " " + std::max(a, b); }

struct Seen {
  uint64_t packet = 0, rank = 0;
  std::string line;   // all of an observable's place, flow and value
  std::string flow;   // tunnels and both ends
  std::string outer;  // addresses around the flow
};

class Collector : public BurstConsumer {
 public:
  void OnBurst(const ObservableBatch& batch, std::span<const EmissionContext> contexts,
               std::span<const EndedFlow> ended_flows) override {
    ended += ended_flows.size();
    for (const Observable& o : batch.observables()) {
      const EmissionContext& context = contexts[o.context];
      const FlowSnapshot& flow = context.flow;
      const auto end = [](const IpAddress& address, uint16_t port) {
        return address.ToString() + ":" + std::to_string(port);
      };
      Seen one{context.packet, context.rank, "", "", ""};
      one.flow = PathOf(flow.outer) + EndsOf(end(flow.client, flow.client_port), end(flow.server, flow.server_port));
      for (const OuterLayer& layer : flow.outer)
        one.outer += layer.source.ToString() + " > " + layer.destination.ToString() + " ";
      one.line = std::to_string(flow.id) + " " + std::string(NameOf(o.kind)) + " " +
                 (o.direction == Direction::kToServer ? "> " : "< ") +
                 (FormOf(o.kind) == ValueForm::kAddress ? o.address.ToString() : std::string(o.text)) + " " + one.flow +
                 " " + one.outer;
      seen.push_back(one);
    }
  }
  void OnProgress(uint32_t, uint64_t) override {}

  std::vector<Seen> seen;
  uint64_t ended = 0;
};

struct Result {
  std::vector<Seen> seen;
  uint64_t flows = 0, ended = 0;

  std::vector<std::string> Lines() const {
    std::vector<std::string> out;
    for (const Seen& one : seen) out.push_back(std::to_string(one.packet) + " " + one.line);
    return out;
  }
};

constexpr uint64_t kMillisecond = 1'000'000;

Result Walk(const std::vector<std::string>& frames, uint32_t count, WorkerOptions options,
            uint64_t apart_ns = kMillisecond) {
  std::vector<std::unique_ptr<OwnedFrame>> owned;
  std::vector<Frame> captured;
  for (const std::string& frame : frames) {
    owned.push_back(std::make_unique<OwnedFrame>(frame, kLinkEthernet, owned.size() * apart_ns));
    captured.push_back(**owned.back());
    captured.back().number = captured.size();
  }
  Result result;
  for (uint32_t i = 0; i < count; ++i) {
    options.decoder.share = {i, count};
    Collector collector;
    Worker worker(options, collector);
    for (std::span<const Frame> rest = captured; !rest.empty();) {
      const size_t n = std::min<size_t>(7, rest.size());
      worker.Process(rest.first(n));
      rest = rest.subspan(n);
    }
    worker.Finish();
    result.flows += worker.counters().flows;
    result.ended += collector.ended;
    result.seen.insert(result.seen.end(), collector.seen.begin(), collector.seen.end());
  }
  std::stable_sort(result.seen.begin(), result.seen.end(), [](const Seen& a, const Seen& b) {
    return std::tie(a.packet, a.rank) < std::tie(b.packet, b.rank);
  });
  EXPECT_EQ(result.ended, result.flows);
  return result;
}

TEST(WorkerLayers, FlowsAreTheNaiveTwinsForAnyNumberOfWorkers) {
  WorkerOptions options;
  options.decoder.opened = NestedKinds();
  for (uint32_t seed = 1; seed <= 10; ++seed) {
    const std::vector<std::string> frames = NestedTraffic(seed).Frames(400);
    std::set<std::string> expected;
    NaiveDecoder naive;
    for (const std::string& frame : frames) {
      const std::string line = naive.Decode(frame);
      if (line.empty()) continue;
      // Tunnels, then "ADDRESS:PORT ADDRESS:PORT payload".
      std::vector<std::string> words;
      for (size_t at = 0; at < line.size();) {
        const size_t space = std::min(line.find(' ', at), line.size());
        words.push_back(line.substr(at, space - at));
        at = space + 1;
      }
      size_t first = 0;
      std::string path;
      for (; words[first].find_first_of(".:") == std::string::npos; ++first) path += words[first] + " ";
      expected.insert(path + EndsOf(words[first], words[first + 1]));
    }
    const Result one = Walk(frames, 1, options);
    std::set<std::string> flows;
    for (const Seen& seen : one.seen) {
      // Datagrams that were not completed are flows without ports, or with what their beginning shows.
      if (expected.count(seen.flow) != 0 || seen.rank == 0) flows.insert(seen.flow);
    }
    for (auto flow = flows.begin(); flow != flows.end();) {
      const bool without_ports = flow->find(":0 ") != std::string::npos && flow->substr(flow->size() - 2) == ":0";
      flow = without_ports ? flows.erase(flow) : std::next(flow);
    }
    EXPECT_EQ(flows, expected) << seed;
    for (const uint32_t count : {2u, 3u}) {
      const Result many = Walk(frames, count, options);
      EXPECT_EQ(many.Lines(), one.Lines()) << seed << " " << count;
      EXPECT_EQ(many.flows, one.flows) << seed << " " << count;
    }
  }
}

// Frames so far apart that datagrams and flows time out between them.
TEST(WorkerLayers, WhatIsGivenUpIsTheSameForAnyNumberOfWorkers) {
  WorkerOptions options;
  options.decoder.opened = NestedKinds();
  for (uint32_t seed = 1; seed <= 10; ++seed) {
    const std::vector<std::string> frames = NestedTraffic(seed).Frames(400);
    const Result one = Walk(frames, 1, options, 15'000 * kMillisecond);
    for (const uint32_t count : {2u, 3u}) {
      const Result many = Walk(frames, count, options, 15'000 * kMillisecond);
      EXPECT_EQ(many.Lines(), one.Lines()) << seed << " " << count;
      EXPECT_EQ(many.flows, one.flows) << seed << " " << count;
    }
  }
}

const std::string kThere = Ipv4{.source = "10.0.0.1", .destination = "10.0.0.2"}(Tcp{}("hello"));
const std::string kBack =
    Ipv4{.source = "10.0.0.2", .destination = "10.0.0.1"}(Tcp{.source_port = 80, .destination_port = 40000}("hello"));

std::string Mirrored(uint32_t network, const std::string& ip, bool back = false) {
  const Ipv4 outer = back ? Ipv4{.source = "198.51.100.2", .destination = "192.0.2.1", .protocol = kIpProtoUdp}
                          : Ipv4{.protocol = kIpProtoUdp};
  return Ethernet(kEtherIpv4, outer(Udp{50000, 4789}(Vxlan(network, ip, false))));
}

TEST(WorkerLayers, BothDirectionsOfATunnelAreOneFlowAndNetworksAreApart) {
  WorkerOptions options;
  options.decoder.opened = NestedKinds();
  const Result result = Walk({Mirrored(1, kThere), Mirrored(1, kBack, true), Mirrored(2, kThere), Mirrored(2, kBack),
                              Ethernet(kEtherIpv4, kThere), Ethernet(kEtherIpv4, kBack)},
                             1, options);
  EXPECT_EQ(result.flows, 3u);
  ASSERT_FALSE(result.seen.empty());
  EXPECT_EQ(result.seen[0].flow, "vxlan 1 10.0.0.1:40000 10.0.0.2:80");
  EXPECT_EQ(result.seen[0].outer, "192.0.2.1 > 198.51.100.2 ");
  EXPECT_EQ(result.seen.back().outer, "");
}

TEST(WorkerLayers, VlansTellFlowsApartOnlyWhereTheOperatorSaysSo) {
  const auto tagged = [](uint16_t id, const std::string& ip) { return Ethernet(kEtherVlan, Vlan(id, kEtherIpv4, ip)); };
  const std::vector<std::string> frames = {tagged(1, kThere), tagged(1, kBack), tagged(2, kThere),
                                           Ethernet(kEtherIpv4, kBack)};
  WorkerOptions options;
  EXPECT_EQ(Walk(frames, 1, options).flows, 1u);
  options.vlan_tells_flows_apart = true;
  EXPECT_EQ(Walk(frames, 1, options).flows, 3u);
  EXPECT_EQ(Walk(frames, 3, options).flows, 3u);
}

}  // namespace
}  // namespace vedette
