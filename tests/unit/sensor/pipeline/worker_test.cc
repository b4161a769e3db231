// Hand-made packets through workers: what they find, and that it does not depend on how many there are.
#include "sensor/pipeline/worker.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <numeric>
#include <random>
#include <string>
#include <tuple>
#include <vector>

#include "parsers/base/text.h"
#include "tests/unit/parsers/tls_build.h"
#include "tests/unit/sensor/decode/packets.h"
#include "tests/unit/signatures/sets.h"

namespace vedette {
namespace {

using testing::ClientHelloBody;
using testing::Ethernet;
using testing::HandshakeRecord;
using testing::Ipv4;
using testing::Message;
using testing::OwnedFrame;
using testing::ServerHelloBody;
using testing::SniExtension;
using testing::Tcp;

constexpr uint64_t kSecond = 1'000'000'000;
constexpr const char* kClient = "192.0.2.1";
constexpr const char* kServer = "198.41.0.4";

// Each line: place, client and server, name, direction, value.
class Collector : public BurstConsumer {
 public:
  void OnBurst(const ObservableBatch& batch, std::span<const EmissionContext> contexts,
               std::span<const EndedFlow> ended_flows) override {
    ended += ended_flows.size();
    for (const Observable& o : batch.observables()) {
      ASSERT_LT(o.context, contexts.size());
      const EmissionContext& context = contexts[o.context];
      const std::string value = o.kind == ObservableKind::kPayload      ? std::string(o.text)
                                : FormOf(o.kind) == ValueForm::kAddress ? o.address.ToString()
                                                                        : Escaped(o.text);
      found.emplace_back(context.packet, context.rank,
                         context.flow.client.ToString() + ":" + std::to_string(context.flow.client_port) + " " +
                             std::string(NameOf(o.kind)) + (o.direction == Direction::kToServer ? " > " : " < ") +
                             value);
    }
  }
  void OnProgress(uint32_t, uint64_t packet) override {
    EXPECT_GE(packet, progress);
    progress = packet;
  }
  std::vector<std::tuple<uint64_t, uint64_t, std::string>> found;
  uint64_t ended = 0, progress = 0;
};

// A capture in memory.
class Capture {
 public:
  void Add(const std::string& ip, uint64_t time_ns, uint32_t wire_bytes = 0) {
    owned_.push_back(std::make_unique<OwnedFrame>(Ethernet(0x0800, ip), kLinkEthernet, time_ns, wire_bytes));
    frames_.push_back(**owned_.back());
    frames_.back().number = frames_.size();
  }
  void Send(bool from_client, uint16_t client_port, Tcp tcp, const std::string& payload, uint64_t time_ns) {
    tcp.source_port = from_client ? client_port : 80;
    tcp.destination_port = from_client ? 80 : client_port;
    Ipv4 ip;
    ip.source = from_client ? kClient : kServer;
    ip.destination = from_client ? kServer : kClient;
    Add(ip(tcp(payload)), time_ns);
  }
  std::span<const Frame> frames() const { return frames_; }

 private:
  std::vector<std::unique_ptr<OwnedFrame>> owned_;
  std::vector<Frame> frames_;
};

struct Result {
  std::vector<std::tuple<uint64_t, uint64_t, std::string>> found;
  uint64_t flows = 0, ended = 0, timed_out = 0;
  // Those with `part` in them, without their place.
  std::vector<std::string> With(const std::string& part) const {
    std::vector<std::string> out;
    for (const auto& [packet, rank, text] : found) {
      if (text.find(part) != std::string::npos) out.push_back(text);
    }
    return out;
  }
};

Result RunWorkers(const Capture& capture, std::shared_ptr<const IndicatorSet> set = nullptr, uint32_t count = 1,
                  size_t burst = 7) {
  Result result;
  uint64_t received = 0;
  for (uint32_t i = 0; i < count; ++i) {
    WorkerOptions options;
    options.decoder.share = {i, count};
    Collector collector;
    Worker worker(options, collector, set == nullptr ? nullptr : MatchKit::Make(set, 0, ObservableMask::All()));
    for (std::span<const Frame> rest = capture.frames(); !rest.empty();) {
      const size_t n = std::min(burst, rest.size());
      worker.Process(rest.first(n));
      rest = rest.subspan(n);
    }
    worker.Finish();
    EXPECT_EQ(worker.tcp_counters().held_bytes, 0u);
    EXPECT_EQ(worker.tcp_counters().held_segments, 0u);
    EXPECT_EQ(worker.inspection_counters().parser_held_bytes, 0u);
    const DecodeCounters& decode = worker.decode_counters();
    EXPECT_EQ(decode.received, std::accumulate(decode.not_decoded.begin(), decode.not_decoded.end(), decode.decoded));
    received += decode.received;
    result.found.insert(result.found.end(), collector.found.begin(), collector.found.end());
    result.flows += worker.counters().flows;
    result.ended += collector.ended;
  }
  // The order of the merger: stable, so that what one packet brought stays as it came.
  std::stable_sort(result.found.begin(), result.found.end(), [](const auto& a, const auto& b) {
    return std::tie(std::get<0>(a), std::get<1>(a)) < std::tie(std::get<0>(b), std::get<1>(b));
  });
  EXPECT_EQ(result.ended, result.flows) << "every flow ends once";
  EXPECT_EQ(received, capture.frames().size()) << "every frame is one worker's";
  return result;
}

const std::string kRequest = "GET /a HTTP/1.1\r\nHost: one.example\r\n\r\n";
const std::string kResponse = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

void Open(Capture& capture, uint16_t port, uint64_t time_ns, uint32_t isn = 999) {
  capture.Send(true, port, {.sequence = isn, .acknowledgment = 0, .flags = kTcpSyn}, "", time_ns);
  capture.Send(false, port, {.sequence = 1999, .acknowledgment = isn + 1, .flags = kTcpSyn | kTcpAck}, "", time_ns);
}

TEST(Worker, FindsTheSameForAnyNumberOfWorkers) {
  std::mt19937 random(4);
  Capture capture;
  for (uint32_t i = 0; i < 200; ++i) {
    Ipv4 ip;
    ip.source = "192.0.2." + std::to_string(1 + random() % 20);
    ip.destination = "198.51.100." + std::to_string(1 + random() % 20);
    Tcp tcp;
    tcp.source_port = static_cast<uint16_t>(40000 + random() % 3);
    const uint32_t cut = static_cast<uint32_t>(random() % kRequest.size());
    tcp.sequence = 1000 + cut;
    capture.Add(ip(tcp(kRequest.substr(cut))), i * kSecond);
    tcp.sequence = 1000;
    capture.Add(ip(tcp(kRequest.substr(0, cut))), i * kSecond);
  }
  const Result one = RunWorkers(capture);
  EXPECT_GE(one.With("http.host").size(), 10u);
  for (uint32_t count : {2u, 3u}) {
    const Result more = RunWorkers(capture, nullptr, count);
    EXPECT_EQ(more.found, one.found) << count << " workers";
    EXPECT_EQ(more.flows, one.flows);
  }
}

TEST(Worker, AnOpeningPacketWithAnotherNumberIsANewFlow) {
  Capture capture;
  Open(capture, 40000, 0);
  capture.Send(true, 40000, {.sequence = 1000, .acknowledgment = 2000}, kRequest, 1);
  Open(capture, 40000, kSecond, 5'000'000);
  Open(capture, 40000, kSecond, 5'000'000);  // seen twice: still one
  capture.Send(true, 40000, {.sequence = 5'000'001, .acknowledgment = 2000}, kRequest, kSecond + 1);
  const Result result = RunWorkers(capture);
  EXPECT_EQ(result.flows, 2u);
  EXPECT_EQ(result.With("http.host").size(), 2u);
}

// A stranger's end of a head says that a long body follows; the requests behind it are found all the same.
TEST(Worker, AForgedLongBodyHidesNoRequest) {
  constexpr uint32_t kRequests = 200;
  Capture capture;
  Open(capture, 40000, 0);
  const size_t cut = 18;
  capture.Send(true, 40000, {.sequence = 1000, .acknowledgment = 2000}, kRequest.substr(0, cut), 1);
  capture.Send(true, 40000, {.sequence = static_cast<uint32_t>(1000 + cut), .acknowledgment = 2000},
               "X: y\r\nContent-Length: 99999999\r\n\r\n", 2);
  capture.Send(true, 40000, {.sequence = static_cast<uint32_t>(1000 + cut), .acknowledgment = 2000},
               kRequest.substr(cut), 3);
  uint32_t asked = 1000 + static_cast<uint32_t>(kRequest.size()), answered = 2000;
  for (uint32_t i = 0; i < kRequests; ++i) {
    capture.Send(false, 40000, {.sequence = answered, .acknowledgment = asked}, kResponse, 4 + i);
    answered += static_cast<uint32_t>(kResponse.size());
    capture.Send(true, 40000, {.sequence = asked, .acknowledgment = answered}, kRequest, 4 + i);
    asked += static_cast<uint32_t>(kRequest.size());
  }
  EXPECT_EQ(RunWorkers(capture).With("http.host > one.example").size(), kRequests + 1);
}

// Whoever forges a copy can repeat the real one as well, as a doubled mirror would.
TEST(Worker, RepeatsDoNotHideTheCopyThatTheyRepeat) {
  Capture capture;
  Open(capture, 40000, 0);
  const size_t cut = 18;
  const auto end = static_cast<uint32_t>(1000 + cut);
  capture.Send(true, 40000, {.sequence = 1000, .acknowledgment = 2000}, kRequest.substr(0, cut), 1);
  capture.Send(true, 40000, {.sequence = end, .acknowledgment = 2000}, std::string(kRequest.size() - cut, 'z'), 2);
  for (uint64_t i = 0; i < 40; ++i)
    capture.Send(true, 40000, {.sequence = end, .acknowledgment = 2000}, kRequest.substr(cut), 3 + i);
  EXPECT_EQ(RunWorkers(capture).With("http.host > one.example").size(), 1u);
}

// Copies of single bytes cost no more the more of them wait.
TEST(Worker, ManySmallCopiesAreReadInTime) {
  Capture capture;
  Open(capture, 40000, 0);
  const std::string head = "GET /" + std::string(3000, 'a');
  capture.Send(true, 40000, {.sequence = 1000, .acknowledgment = 2000}, head, 1);
  for (uint32_t i = 0; i < 1400; ++i) {
    const uint32_t sequence = 1005 + 2 * ((i * 701) % 1400);
    capture.Send(true, 40000, {.sequence = sequence, .acknowledgment = 2000}, "b", 2 + i);
  }
  const auto end = static_cast<uint32_t>(1000 + head.size());
  capture.Send(true, 40000, {.sequence = end, .acknowledgment = 2000}, " HTTP/1.1\r\nHost: one.example\r\n\r\n", 5000);
  EXPECT_GE(RunWorkers(capture).With("http.host > one.example").size(), 1u);
}

TEST(Worker, PickedUpInMidStreamTheBytesTellWhoIsTheClient) {
  Capture capture;
  // Both ports are high: the sender of the first packet passes for the client, until its response shows the server.
  Tcp tcp{.source_port = 50001, .destination_port = 50002, .sequence = 2000, .acknowledgment = 1000};
  capture.Add(Ipv4{.source = kServer, .destination = kClient}(tcp(kResponse)), 0);
  tcp = {.source_port = 50002, .destination_port = 50001, .sequence = 1000, .acknowledgment = 2038};
  capture.Add(Ipv4{.source = kClient, .destination = kServer}(tcp(kRequest)), 1);
  const Result result = RunWorkers(capture);
  EXPECT_EQ(result.flows, 1u);
  const auto hosts = result.With("http.host");
  ASSERT_EQ(hosts.size(), 1u);
  EXPECT_EQ(hosts[0], "192.0.2.1:50002 http.host > one.example");
}

TEST(Worker, JudgesATcpFlowAtItsSixteenthPacket) {
  Capture capture;
  const auto send = [&](uint16_t port, int to_server, int to_client) {
    uint32_t sequence = 1000;
    for (int i = 0; i < to_server; ++i)
      capture.Send(true, port, {.sequence = sequence++, .acknowledgment = 1, .flags = kTcpAck}, "x", kSecond);
    for (int i = 0; i < to_client; ++i)
      capture.Send(false, port, {.sequence = sequence++, .acknowledgment = 1, .flags = kTcpAck}, "x", kSecond);
  };
  send(40'001, 100, 0);  // one way, judged once
  send(40'002, 0, 16);   // one way, the other one
  send(40'003, 15, 1);   // an answer came in time
  send(40'004, 16, 50);  // … and here it did not
  send(40'005, 15, 0);   // too short to be judged
  Collector collector;
  Worker worker({}, collector);
  worker.Process(capture.frames());
  worker.Finish();
  EXPECT_EQ(worker.counters().tcp_one_way, 3u);
  EXPECT_EQ(worker.counters().tcp_both_ways, 1u);
}

TEST(Worker, AFlowIdleForLongIsOver) {
  Capture capture;
  capture.Send(true, 40000, {}, "x", kSecond);
  capture.Send(true, 40000, {}, "x", 600 * kSecond);
  capture.Send(true, 40000, {}, "x", 1201 * kSecond);
  EXPECT_EQ(RunWorkers(capture).flows, 2u);
}

TEST(Worker, ASweepEndsIdleFlows) {
  Capture capture;
  capture.Send(true, 40000, {}, "x", kSecond);
  Collector collector;
  Worker worker({}, collector);
  worker.Process(capture.frames());
  worker.SweepByClock(500 * kSecond);
  EXPECT_EQ(collector.ended, 0u);
  worker.SweepByClock(700 * kSecond);
  EXPECT_EQ(collector.ended, 1u);
  EXPECT_EQ(worker.counters().flows_timed_out, 1u);
}

// Flows that began at different times: none is forgotten, and no call looks at all of them.
TEST(Worker, ASweepByTheClockIsSpread) {
  constexpr size_t kFlows = 5000;
  Capture capture;
  for (size_t i = 0; i < kFlows; ++i) capture.Send(true, static_cast<uint16_t>(10'000 + i), {}, "x", kSecond);
  Collector collector;
  WorkerOptions options;
  options.believe_stamps = true;
  Worker worker(options, collector);
  worker.Process(capture.frames());
  size_t calls = 0, most = 0;
  for (uint64_t ended = 0; ended < kFlows && calls < 2 * kFlows; ++calls) {
    worker.SweepByClock(700 * kSecond + calls);
    most = std::max<size_t>(most, collector.ended - ended);
    ended = collector.ended;
  }
  EXPECT_EQ(collector.ended, kFlows);
  EXPECT_EQ(worker.counters().flows_now, 0u);
  EXPECT_LE(most, 512u);

  // Bursts that come meanwhile take it further.
  Collector ends;
  Worker busy(options, ends);
  busy.Process(capture.frames());
  busy.SweepByClock(700 * kSecond);
  Capture later;
  later.Send(true, 9'000, {}, "x", 700 * kSecond);
  Frame frame = later.frames()[0];
  frame.number = kFlows;
  for (int i = 0; i < 100 && ends.ended < kFlows; ++i) {
    ++frame.number;
    busy.Process({&frame, 1});
  }
  EXPECT_EQ(ends.ended, kFlows);
  EXPECT_EQ(busy.counters().flows_now, 1u);
}

TEST(Worker, ASweepFreesStaleFragments) {
  Capture capture;
  Ipv4 ip;
  ip.more_fragments = true;
  capture.Add(ip(std::string(64, 'a')), kSecond);
  Collector collector;
  WorkerOptions options;
  options.believe_stamps = true;
  Worker worker(options, collector);
  worker.Process(capture.frames());
  EXPECT_GT(worker.fragment_bytes_held(), 0u);
  worker.SweepByClock(20 * kSecond);
  EXPECT_GT(worker.fragment_bytes_held(), 0u);
  worker.SweepByClock(40 * kSecond);
  EXPECT_EQ(worker.fragment_bytes_held(), 0u) << "no other fragment has to come for that";
  EXPECT_EQ(worker.decode_counters().not_decoded[static_cast<size_t>(NotDecoded::kFragmentTimeout)], 1u);
}

TEST(Worker, AClockThatWasAheadDoesNotMakeFlowsIdle) {
  Capture capture;
  capture.Send(true, 40000, {}, "x", 10 * kSecond);
  Collector collector;
  Worker live({}, collector);
  live.SweepByClock(100'000 * kSecond);
  live.Process(capture.frames());
  live.SweepByClock(20 * kSecond);
  EXPECT_EQ(collector.ended, 0u);
  live.SweepByClock(700 * kSecond);
  EXPECT_EQ(collector.ended, 1u);

  // A replay: one frame of a flow of its own a day ahead, then enough for a sweep.
  Capture ahead;
  ahead.Send(true, 40001, {}, "y", 86'400 * kSecond);
  Worker replay({}, collector);
  replay.Process(ahead.frames());
  const std::vector<Frame> frames(1024, capture.frames()[0]);
  for (int i = 0; i <= 1024; ++i) replay.Process(frames);
  EXPECT_EQ(replay.counters().flows_timed_out, 0u);
}

// Streams cut bursts anywhere: the sweep comes at the same packet.
TEST(Worker, ASweepComesAtTheSamePacketHoweverBurstsAreCut) {
  class Ends : public BurstConsumer {
   public:
    void OnBurst(const ObservableBatch&, std::span<const EmissionContext>, std::span<const EndedFlow> ended) override {
      pending_ = !ended.empty();
    }
    void OnProgress(uint32_t, uint64_t packet) override {
      if (pending_) at.push_back(packet);
      pending_ = false;
    }
    std::vector<uint64_t> at;

   private:
    bool pending_ = false;
  };
  constexpr uint64_t kSweep = uint64_t{1} << 20;
  Capture capture;
  capture.Send(true, 40000, {}, "x", kSecond);
  for (const size_t burst : {size_t{7}, size_t{32}, size_t{1000}}) {
    Ends ends;
    Worker worker({}, ends);
    std::vector<Frame> frames(burst, capture.frames()[0]);
    for (uint64_t number = 1; number <= kSweep + 100;) {
      for (Frame& frame : frames) {
        frame.number = number++;
        frame.link_type = frame.number == 1 ? kLinkEthernet : 0xffff;  // the others are no packets of any flow
        frame.time_ns = frame.number * kSecond;
      }
      worker.Process(frames);
    }
    EXPECT_EQ(ends.at, std::vector<uint64_t>{kSweep}) << burst;
  }
}

TEST(Worker, AFragmentOnItsOwnShowsItsAddressesOnly) {
  Capture capture;
  Ipv4 ip;
  ip.more_fragments = true;
  ip.fragment_offset = 64;
  capture.Add(ip(Tcp{}(std::string(44, 'x'))), 0);
  const Result result = RunWorkers(capture);
  EXPECT_EQ(result.With(" ip ").size(), 2u);
  EXPECT_EQ(result.found.size(), 2u);
}

// The rest never comes: what the first one holds is read when the datagram is given up, here at the capture's end.
TEST(Worker, AFirstFragmentOnItsOwnShowsItsContent) {
  Capture capture;
  capture.Send(true, 40000, {}, "GET /a HTTP/1.0\r\n", kSecond);
  Ipv4 ip;
  ip.source = kClient;
  ip.destination = kServer;
  ip.more_fragments = true;
  const std::string segment =
      Tcp{.source_port = 50000}("GET /whole HTTP/1.0\r\nHost: evil.example\r\nUser-Agent: cut" + std::string(40, 'x'));
  capture.Add(ip(segment.substr(0, 88)), 2 * kSecond);
  capture.Send(true, 40001, {}, "GET /b HTTP/1.0\r\n", 3 * kSecond);
  for (const uint32_t workers : {1u, 3u}) {
    const Result result = RunWorkers(capture, nullptr, workers);
    EXPECT_EQ(result.With("http.host").size(), 1u);
    EXPECT_EQ(result.With("http.uri > /whole").size(), 1u);
    EXPECT_EQ(result.With("http.user_agent").size(), 0u);
  }
}

TEST(Worker, FindsALiteralAcrossSegmentsButNotAcrossAGap) {
  const TestSet set({MakeIndicator(IndicatorType::kContent, "BOTNET-HELLO", "1")});
  for (const bool gap : {false, true}) {
    Capture capture;
    Open(capture, 40000, 0);
    capture.Send(true, 40000, {.sequence = 1000, .acknowledgment = 2000}, "xxBOTNE", 1);
    capture.Send(true, 40000, {.sequence = 1007u + gap, .acknowledgment = 2000}, "T-HELLOyy", 2);
    EXPECT_EQ(RunWorkers(capture, set.set).With("payload").size(), gap ? 0u : 1u);
  }
}

TEST(Worker, WhatIsBehindConnectIsReadAnew) {
  Capture capture;
  Open(capture, 40000, 0);
  const std::string connect = "CONNECT two.example:80 HTTP/1.1\r\nHost: two.example:80\r\n\r\n",
                    established = "HTTP/1.1 200 OK\r\n\r\n";
  const auto end = static_cast<uint32_t>(1000 + connect.size());
  capture.Send(true, 40000, {.sequence = 1000, .acknowledgment = 2000}, connect, 1);
  capture.Send(false, 40000, {.sequence = 2000, .acknowledgment = end}, established, 2);
  capture.Send(true, 40000, {.sequence = end, .acknowledgment = 2019}, kRequest, 3);
  const Result result = RunWorkers(capture);
  EXPECT_EQ(result.With("http.host > two.example").size(), 1u);
  EXPECT_EQ(result.With("http.host > one.example").size(), 1u);
}

// PostgreSQL: the client asks for TLS in 8 bytes, the server answers with one letter.
TEST(Worker, TlsBehindAShortPreludeOfAnotherProtocol) {
  const std::string client_hello =
      HandshakeRecord(Message(1, ClientHelloBody(0x0303, {0xc02f}, SniExtension("db.example"))));
  const std::string server_hello = HandshakeRecord(Message(2, ServerHelloBody(0x0303, 0xc02f, "")));
  // The second pair looks like the beginning of an HTTP method for as long as nothing follows.
  for (const auto& [request, answer] : std::vector<std::pair<std::string, std::string>>{
           {std::string("\0\0\0\x08\x04\xd2\x16\x2f", 8), "S"}, {"NXSH-8.10.1", "NXD-8.11.0"}}) {
    Capture capture;
    Open(capture, 40000, 0);
    uint32_t sequence[2] = {1000, 2000};
    const auto send = [&](bool from_client, const std::string& payload) {
      uint32_t& own = sequence[from_client ? 0 : 1];
      capture.Send(from_client, 40000,
                   {.sequence = own, .acknowledgment = sequence[from_client ? 1 : 0], .flags = kTcpAck}, payload, 1);
      own += static_cast<uint32_t>(payload.size());
    };
    send(true, request);
    send(false, answer);
    send(true, client_hello);
    send(false, server_hello);
    const Result result = RunWorkers(capture);
    EXPECT_EQ(result.With("tls.sni"), (std::vector<std::string>{"192.0.2.1:40000 tls.sni > db.example"})) << answer;
    EXPECT_EQ(result.With("tls.ja3s").size(), 1u) << answer;
  }
}

TEST(Worker, NothingIsReadBehindTheEnd) {
  Capture capture;
  Open(capture, 40000, 0);
  capture.Send(true, 40000, {.sequence = 1000, .acknowledgment = 2000, .flags = kTcpAck | kTcpFin}, "", 1);
  capture.Send(false, 40000, {.sequence = 2000, .acknowledgment = 1001}, "", 2);
  capture.Send(true, 40000, {.sequence = 1001, .acknowledgment = 2000}, kRequest, 3);
  EXPECT_TRUE(RunWorkers(capture).With("http.host").empty());
  Capture no_end;  // nobody acknowledged the FIN, and something else comes in its place
  Open(no_end, 40000, 0);
  no_end.Send(true, 40000, {.sequence = 1000, .acknowledgment = 2000, .flags = kTcpAck | kTcpFin}, "", 1);
  no_end.Send(true, 40000, {.sequence = 1000, .acknowledgment = 2000}, kRequest, 2);
  EXPECT_EQ(RunWorkers(no_end).With("http.host").size(), 1u);
}

// What a burst is matched with, and what was found of it.
class Matcher : public BurstConsumer {
 public:
  void Use(MatchKit& kit) override { kit_ = &kit; }
  void OnBurst(const ObservableBatch& batch, std::span<const EmissionContext>, std::span<const EndedFlow>) override {
    std::vector<Hit> hits;
    kit_->set->Find(batch, kit_->fields, hits);
    for (const Hit& hit : hits) {
      found.push_back(std::to_string(kit_->generation) + " " + std::string(kit_->set->at(hit.indicator).value));
    }
  }
  void OnProgress(uint32_t, uint64_t) override {}
  std::vector<std::string> found;

 private:
  MatchKit* kit_ = nullptr;
};

TEST(WorkerReload, FindsANewAddressInARunningFlowAndKeepsCounting) {
  Capture capture;
  Open(capture, 4000, kSecond);
  capture.Send(true, 4000, {.sequence = 1000, .acknowledgment = 2000, .flags = kTcpAck}, "GET /a HT", 2 * kSecond);
  capture.Send(true, 4000, {.sequence = 1009, .acknowledgment = 2000, .flags = kTcpAck},
               "TP/1.1\r\nHost: one.example\r\n\r\n", 3 * kSecond);
  TestSet before({MakeIndicator(IndicatorType::kContent, "GET /a H")});
  TestSet after({MakeIndicator(IndicatorType::kIp, kServer), MakeIndicator(IndicatorType::kDomain, "one.example"),
                 MakeIndicator(IndicatorType::kContent, "a HTTP")});
  Matcher matcher;
  KitExchange exchange;
  Worker worker({}, matcher, MatchKit::Make(before.set, 1, ObservableMask::All()), &exchange);
  EXPECT_EQ(exchange.in_use(), 1u);
  worker.Process(capture.frames().first(capture.frames().size() - 1));
  EXPECT_EQ(matcher.found, std::vector<std::string>{"1 get /a h"});
  const uint64_t scanned = worker.payload_match_counters().payload_bytes;
  EXPECT_EQ(scanned, 9u);

  exchange.Offer(MatchKit::Make(after.set, 2, ObservableMask::All()));
  EXPECT_EQ(exchange.in_use(), 1u);
  worker.Process(capture.frames().last(1));
  EXPECT_EQ(exchange.in_use(), 2u);
  exchange.Collect();
  // The literal lies across the reload; the stream's last bytes are those of the flow, not of a set.
  std::sort(matcher.found.begin(), matcher.found.end());
  EXPECT_EQ(matcher.found, (std::vector<std::string>{"1 get /a h", "2 198.41.0.4", "2 a http", "2 one.example"}));
  EXPECT_GT(worker.payload_match_counters().payload_bytes, scanned);
}

}  // namespace
}  // namespace vedette
