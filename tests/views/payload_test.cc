// Whether anybody looks in payload shows in no view, however a stream is made to be read.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/views/traffic.h"

namespace vedette::views {
namespace {

// A flow that nobody parses any more is passed over where nobody looks in payload. How long it lasts, and so which of
// its packets begin another one, must not tell.
TEST(Views, HowLongAFlowLastsDoesNotTellWhetherAnybodyLooksInPayload) {
  Indicator own = Row(IndicatorType::kIp, "20.0.0.1"), secret = Row(IndicatorType::kContent, "secret");
  own.originator = "cert-a";
  own.tlp = Tlp::kGreen;
  secret.originator = "cert-b";
  secret.tlp = Tlp::kRed;
  Clearance partner;
  partner.partner = "a";
  partner.originators = {"cert-a"};
  partner.max_tlp = Tlp::kGreen;
  Traffic traffic;
  const Ipv4 out{.source = "192.0.2.1", .destination = "20.0.0.1"};
  Tcp segment{.source_port = 40'000, .destination_port = 4000, .sequence = 100};
  const std::string no_protocol(600, '\xee');
  for (int i = 0; i < 100; ++i, segment.sequence += 600) traffic.Add(out, segment(no_protocol));
  segment.flags = kTcpAck | kTcpFin;
  traffic.Add(out, segment(""));
  traffic.Pause(100);  // longer than a closed connection lasts, shorter than an open one
  segment.flags = kTcpAck;
  traffic.Add(out, segment(""));
  ExpectSame(CompareViews(traffic.InBursts(kBurst), {{own, secret}}, {partner}, {}));
}

// Traffic of a flow that nobody parses any more, as somebody makes it who wants to know whether payload is looked at.
struct Probe {
  Indicator name, address, secret;
  Clearance partner;
  Traffic traffic;
  Ipv4 out{.source = "192.0.2.1", .destination = "20.0.0.1"};
  Tcp segment{.source_port = 40'000, .destination_port = 4000, .sequence = 100};

  Probe()
      : name(Row(IndicatorType::kDomain, "mine.example.net")),
        address(Row(IndicatorType::kIp, "20.0.0.1")),
        secret(Row(IndicatorType::kContent, "secret")) {
    for (Indicator* own : {&name, &address}) {
      own->originator = "cert-a";
      own->tlp = Tlp::kGreen;
    }
    name.id = "name";
    address.id = "address";
    secret.originator = "cert-b";
    secret.tlp = Tlp::kRed;
    partner.partner = "a";
    partner.originators = {"cert-a"};
    partner.max_tlp = Tlp::kGreen;
    Send(std::string(600, '\xee'), 100);
  }
  void Send(const std::string& payload, int times = 1) {
    for (int i = 0; i < times; ++i, segment.sequence += static_cast<uint32_t>(payload.size())) {
      traffic.Add(out, segment(payload));
    }
  }
  void Close() {
    segment.flags = kTcpRst;
    traffic.Add(out, segment(""));
    traffic.Pause(100);  // longer than a closed connection lasts, shorter than an open one
    segment.flags = kTcpAck;
    traffic.Add(out, segment(""));
  }
  void ExpectSameView() {
    ExpectSame(CompareViews(traffic.InBursts(kBurst), {{name, address, secret}}, {partner}, {}));
  }
};

TEST(Views, AStreamThatGoesOnElsewhereDoesNotTellWhetherAnybodyLooksInPayload) {
  Probe probe;
  probe.segment.sequence += 100'000'000;
  for (int i = 0; i < 8; ++i) probe.Send("GET /" + std::to_string(i) + " HTTP/1.1\r\nHost: mine.example.net\r\n\r\n");
  probe.ExpectSameView();
}

TEST(Views, ACopyOfWhatNobodyParsesDoesNotTellWhetherAnybodyLooksInPayload) {
  Probe probe;
  probe.segment.sequence -= 1200;
  std::string request = "GET / HTTP/1.1\r\nHost: mine.example.net\r\n\r\n";
  request.resize(600, ' ');
  probe.Send(request);
  probe.Send(std::string(600, '\xee'), 10);
  probe.ExpectSameView();
}

TEST(Views, AResetAfterAHoleDoesNotTellWhetherAnybodyLooksInPayload) {
  for (const uint32_t hole : {1'000'000u, 60'000'000u}) {
    Probe probe;
    for (int i = 0; i < 60; ++i) {
      probe.segment.sequence += hole / 60;
      probe.Send("x");
    }
    probe.Close();
    probe.ExpectSameView();
  }
}

// Patterns of its own that come with a reload are looked for in running flows.
TEST(Views, AReloadDoesNotTellWhetherAnybodyLookedInPayloadBefore) {
  Probe probe;
  Indicator needle = Row(IndicatorType::kContent, "needle");
  needle.originator = "cert-a";
  needle.tlp = Tlp::kGreen;
  needle.id = "needle";
  probe.Send(std::string(600, '\xee'), 200);
  probe.Send("and here is a needle for whoever looks");
  probe.Send("x", 20);
  const std::vector<Indicator> first = {probe.name, probe.address, probe.secret};
  const std::vector<Indicator> later = {probe.name, probe.address, probe.secret, needle};
  Replayed all;
  ExpectSame(CompareViews(probe.traffic.InBursts(kBurst), {first, later}, {probe.partner}, {},
                          (probe.traffic.size() + kBurst - 1) / kBurst, &all));
  EXPECT_NE(all.views[0].find("needle"), std::string::npos);
}

// Heartbeats tell every partner what the sensor could not see.
TEST(Views, LossesDoNotTellWhetherAnybodyLooksInPayload) {
  Probe probe;
  probe.segment.flags = kTcpAck;
  Tcp answer{.source_port = 4000, .destination_port = 40'000, .sequence = 500, .flags = kTcpAck};
  for (int i = 0; i < 50; ++i) {
    probe.segment.sequence += 700;  // lost before the capture
    probe.Send("x");
    probe.Send("y", 3);
    answer.acknowledgment = probe.segment.sequence;
    probe.traffic.Add({.source = "20.0.0.1", .destination = "192.0.2.1"}, answer(""));
  }
  const std::vector<Indicator> own = {probe.name, probe.address}, all = {probe.name, probe.address, probe.secret};
  const Replayed alone = Replay(probe.traffic.InBursts(kBurst), {own}, {probe.partner}, {});
  const Replayed with_all = Replay(probe.traffic.InBursts(kBurst), {all}, {probe.partner}, {});
  EXPECT_EQ(alone.losses, with_all.losses);
}

}  // namespace
}  // namespace vedette::views
