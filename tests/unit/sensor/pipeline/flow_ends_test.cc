// When a flow is over, and which of its ends is the client: through a worker with indicators, as alerts tell it.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "exporter/alert/alert_queue.h"
#include "sensor/pipeline/match_consumer.h"
#include "sensor/pipeline/worker.h"
#include "tests/unit/sensor/decode/packets.h"
#include "tests/unit/signatures/sets.h"

namespace vedette {
namespace {

using testing::Ethernet;
using testing::Ipv4;
using testing::OwnedFrame;
using testing::Tcp;
using testing::Udp;

constexpr uint64_t kSecond = 1'000'000'000;
constexpr uint64_t kNow = 1'700'000'000 * kSecond;
constexpr const char* kClient = "192.0.2.10";
constexpr const char* kServer = "20.1.2.3";

class Capture {
 public:
  void Add(const std::string& ip, uint64_t time_ns) {
    owned_.push_back(std::make_unique<OwnedFrame>(Ethernet(0x0800, ip), kLinkEthernet, time_ns, 0));
    frames_.push_back(**owned_.back());
    frames_.back().number = ++number_;
    frames_.back().file = file_;
  }
  void NextFile() {
    ++file_;
    number_ = 0;
  }
  void Send(const char* from, uint16_t source_port, const char* to, uint16_t destination_port, Tcp tcp,
            const std::string& payload, uint64_t time_ns) {
    tcp.source_port = source_port;
    tcp.destination_port = destination_port;
    Add(Ipv4{.source = from, .destination = to}(tcp(payload)), time_ns);
  }
  std::span<const Frame> frames() const { return frames_; }

 private:
  std::vector<std::unique_ptr<OwnedFrame>> owned_;
  std::vector<Frame> frames_;
  uint64_t number_ = 0;
  uint32_t file_ = 0;
};

struct Result {
  std::vector<Alert> alerts;
  WorkerCounters counters;
  uint64_t most_stream_bytes = 0;

  std::vector<std::string> Names() const {
    std::vector<std::string> out;
    for (const Alert& alert : alerts) {
      EXPECT_LE(alert.flow.first_ns, alert.flow.last_ns);
      out.push_back(std::string(NameOf(alert.kind)) + " " + alert.value + ", server " + alert.flow.server.ToString());
    }
    return out;
  }
};

Result Replay(const Capture& capture, const TestSet& set, size_t burst) {
  Doorbell doorbell;
  AlertQueue queue(doorbell, 1024);
  MatchConsumer consumer(queue, false);
  Worker worker({}, consumer, MatchKit::Make(set.set, 0, ObservableMask::All()));
  Result result;
  for (std::span<const Frame> rest = capture.frames(); !rest.empty();) {
    const size_t n = std::min(burst, rest.size());
    worker.Process(rest.first(n));
    result.most_stream_bytes = std::max(result.most_stream_bytes, worker.inspection_counters().stream_bytes);
    rest = rest.subspan(n);
  }
  worker.Finish();
  EXPECT_EQ(worker.inspection_counters().stream_bytes, 0u);
  while (queue.depth() != 0) result.alerts.push_back(queue.Pop()->alert);
  result.counters = worker.counters();
  return result;
}

// The same however the bursts are cut.
Result Replay(const Capture& capture, const TestSet& set) {
  Result whole = Replay(capture, set, 1000);
  for (const size_t burst : {size_t{1}, size_t{2}, size_t{3}}) {
    const Result cut = Replay(capture, set, burst);
    EXPECT_EQ(cut.Names(), whole.Names()) << burst;
    EXPECT_EQ(cut.counters.flows, whole.counters.flows) << burst;
  }
  return whole;
}

Indicator To(IndicatorType type, const char* value) {
  Indicator indicator = MakeIndicator(type, value);
  indicator.direction = IndicatorDirection::kDst;
  return indicator;
}

using Names = std::vector<std::string>;

const std::string kQuery("\x12\x34\x01\x00\0\1\0\0\0\0\0\0\4evil\7example\0\0\1\0\1", 30);
const std::string kRequest = "GET /a HTTP/1.1\r\nHost: evil.example\r\n\r\n";
const std::string kResponse = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

TEST(FlowTimes, TwoCapturesInTheWrongOrderOfTime) {
  const TestSet set({MakeIndicator(IndicatorType::kDomain, "evil.example")});
  const auto ask = [](Capture& capture, uint64_t time_ns) {
    Udp udp{.source_port = 50'000, .destination_port = 53};
    capture.Add(Ipv4{.source = kClient, .destination = kServer, .protocol = 17}(udp(kQuery)), time_ns);
  };
  for (const uint64_t apart : {1000 * kSecond, 94'608'000 * kSecond}) {
    for (const bool backwards : {false, true}) {
      Capture capture;
      ask(capture, backwards ? kNow + apart : kNow);
      capture.NextFile();
      ask(capture, backwards ? kNow : kNow + apart);
      EXPECT_EQ(Replay(capture, set).alerts.size(), 2u);
    }
  }
}

// Of an HTTP connection of four packets, each gets a wrong time once.
TEST(FlowTimes, OneWrongTimeEndsNoFlow) {
  const TestSet set({MakeIndicator(IndicatorType::kDomain, "evil.example")});
  for (const uint64_t wrong : {kSecond, kNow - 3600 * kSecond, kNow + 3600 * kSecond, kNow + 315'360'000 * kSecond}) {
    for (size_t which = 0; which < 5; ++which) {
      Capture capture;
      size_t at = 0;
      const auto time = [&] { return at++ == which ? wrong : kNow + at; };
      capture.Send(kClient, 50'000, kServer, 80, {.sequence = 999, .flags = kTcpSyn}, "", time());
      capture.Send(kServer, 80, kClient, 50'000, {.sequence = 1999, .acknowledgment = 1000, .flags = kTcpSyn | kTcpAck},
                   "", time());
      capture.Send(kClient, 50'000, kServer, 80, {.sequence = 1000, .acknowledgment = 2000}, kRequest.substr(0, 20),
                   time());
      capture.Send(kClient, 50'000, kServer, 80, {.sequence = 1020, .acknowledgment = 2000}, kRequest.substr(20),
                   time());
      capture.Send(kServer, 80, kClient, 50'000, {.sequence = 2000, .acknowledgment = 1040}, kResponse, time());
      const Result result = Replay(capture, set);
      EXPECT_EQ(result.counters.flows, 1u) << which << ' ' << wrong;
      EXPECT_EQ(result.alerts.size(), 1u) << which << ' ' << wrong;
    }
  }
}

TEST(FlowTimes, TheNextSegmentGoesOnWhateverTheTime) {
  const TestSet set({MakeIndicator(IndicatorType::kDomain, "evil.example")});
  for (const uint64_t later : {kNow + 7200 * kSecond, kNow - 7200 * kSecond}) {
    Capture capture;
    capture.Send(kClient, 50'000, kServer, 80, {.sequence = 1000}, kRequest.substr(0, 20), kNow);
    capture.NextFile();
    capture.Send(kClient, 50'000, kServer, 80, {.sequence = 1020}, kRequest.substr(20), later);
    capture.Send(kClient, 50'000, kServer, 80, {.sequence = 1040}, kRequest, later + 1);
    const Result result = Replay(capture, set);
    EXPECT_EQ(result.counters.flows, 1u);
    EXPECT_EQ(result.Names(), (Names{"http.host evil.example, server 20.1.2.3"}));

    // Not the next one: another connection, of which the capture misses the opening.
    Capture other;
    other.Send(kClient, 50'000, kServer, 80, {.sequence = 1000}, kRequest, kNow);
    other.NextFile();
    other.Send(kClient, 50'000, kServer, 80, {.sequence = 1000}, kRequest, later);
    EXPECT_EQ(Replay(other, set).alerts.size(), 2u);
  }
}

TEST(FlowTimes, TwoClocksInOneCaptureEndNoFlow) {
  const TestSet set({MakeIndicator(IndicatorType::kDomain, "evil.example")});
  for (const size_t run : {size_t{1}, size_t{2}}) {
    Capture capture;
    for (size_t i = 0; i < 400; ++i) {
      // Asked on one interface, answered on the other.
      const bool first = i / run % 2 == 0;
      Udp udp{.source_port = static_cast<uint16_t>(first ? 50'000 : 53),
              .destination_port = static_cast<uint16_t>(first ? 53 : 50'000)};
      capture.Add(Ipv4{.source = first ? kClient : kServer, .destination = first ? kServer : kClient, .protocol = 17}(
                      udp(kQuery)),
                  kNow + i * kSecond / 10 + (first ? 0 : 3600 * kSecond));
    }
    EXPECT_EQ(Replay(capture, set).counters.flows, 1u) << run;
  }
}

TEST(FlowClient, OfAFlowMetAtTheServersPacket) {
  const TestSet set({To(IndicatorType::kIp, kServer)});
  Capture capture;
  capture.Send(kServer, 8443, kClient, 50'000, {.sequence = 1000}, "x", kNow);
  capture.Add(Ipv4{.source = kServer, .destination = kClient, .protocol = 1}(std::string("\0\0\0\0\0\1\0\1", 8)), kNow);
  EXPECT_EQ(Replay(capture, set).Names(), (Names{"ip 20.1.2.3, server 20.1.2.3", "ip 20.1.2.3, server 20.1.2.3"}));
}

TEST(FlowClient, WhenTheBytesTellLaterTheAddressesAreLookedUpAgain) {
  const TestSet set({To(IndicatorType::kIp, kServer)});
  Capture capture;
  capture.Send(kServer, 50'001, kClient, 50'000, {.sequence = 2000, .acknowledgment = 1000}, "", kNow);
  capture.Send(kServer, 50'001, kClient, 50'000, {.sequence = 2000, .acknowledgment = 1000}, kResponse, kNow);
  const Result result = Replay(capture, set);
  EXPECT_EQ(result.Names(), Names{"ip 20.1.2.3, server 20.1.2.3"});
  EXPECT_FALSE(result.alerts[0].flow.client_known) << "the opening was not seen";
  EXPECT_EQ(result.alerts[0].flow.packets[1], 2u);

  // Told by the very first packet: nothing is looked up the wrong way round.
  const TestSet client({To(IndicatorType::kIp, kClient)});
  Capture first;
  first.Send(kServer, 50'001, kClient, 50'000, {.sequence = 2000, .acknowledgment = 1000}, kResponse, kNow);
  EXPECT_TRUE(Replay(first, client).alerts.empty());
  EXPECT_EQ(Replay(first, set).alerts.size(), 1u);
}

TEST(FlowClient, ALateSynOrAnswerOfDnsTells) {
  const TestSet set({To(IndicatorType::kIp, kServer)});
  Capture capture;
  capture.Send(kServer, 50'001, kClient, 50'000, {.sequence = 2000, .acknowledgment = 1000}, "", kNow);
  capture.Send(kClient, 50'000, kServer, 50'001, {.sequence = 999, .flags = kTcpSyn}, "", kNow);
  const Result late = Replay(capture, set);
  EXPECT_EQ(late.Names(), Names{"ip 20.1.2.3, server 20.1.2.3"});
  EXPECT_TRUE(late.alerts[0].flow.client_known);

  Capture dns;
  std::string answer = kQuery;
  answer[2] = '\x81';
  Udp udp{.source_port = 50'001, .destination_port = 50'000};
  const Ipv4 ip{.source = kServer, .destination = kClient, .protocol = 17};
  dns.Add(ip(udp("no DNS at all")), kNow);
  dns.Add(ip(udp(answer)), kNow);
  EXPECT_EQ(Replay(dns, set).Names(), Names{"ip 20.1.2.3, server 20.1.2.3"});
}

TEST(FlowClient, AnAlertThatIsOutIsNotContradicted) {
  const TestSet set(
      {MakeIndicator(IndicatorType::kIp, kServer), MakeIndicator(IndicatorType::kContent, "content-length")});
  Capture capture;
  capture.Send(kServer, 50'001, kClient, 50'000, {.sequence = 2000, .acknowledgment = 1000}, "", kNow);
  capture.Send(kServer, 50'001, kClient, 50'000, {.sequence = 2000, .acknowledgment = 1000}, kResponse, kNow);
  const Names names = Replay(capture, set).Names();
  EXPECT_EQ(names, (Names{"ip 20.1.2.3, server 192.0.2.10", "payload Content-Length, server 192.0.2.10"}));
}

TEST(FlowMemory, HoldsWhatStreamsHold) {
  const TestSet set({MakeIndicator(IndicatorType::kContent, "needle-in-the-hay")});
  Capture capture;
  for (uint16_t i = 0; i < 100; ++i) {
    capture.Send(kClient, static_cast<uint16_t>(40'000 + i), kServer, 80, {.sequence = 1000},
                 "GET /" + std::string(100, 'a'), kNow);
  }
  const uint64_t each = sizeof(StreamState) + sizeof(std::array<PayloadTail, 2>);
  const uint64_t most = Replay(capture, set, 1000).most_stream_bytes;
  EXPECT_GE(most, 100 * (each + 105)) << "with the text that no parser has taken yet";
  EXPECT_LE(most, 100 * (each + 2000));
}

}  // namespace
}  // namespace vedette
