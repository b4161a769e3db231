#include "sensor/flow/client_guess.h"

#include <gtest/gtest.h>

#include <string>

#include "parsers/base/text.h"
#include "parsers/registry.h"
#include "sensor/flow/stream_inspector.h"

namespace vedette {
namespace {

Packet Between(const char* source, uint16_t source_port, const char* destination, uint16_t destination_port,
               uint8_t protocol) {
  Packet packet;
  packet.source = *IpAddress::Parse(source);
  packet.destination = *IpAddress::Parse(destination);
  packet.source_port = source_port;
  packet.destination_port = destination_port;
  packet.protocol = protocol;
  packet.tcp_flags = protocol == kIpProtoTcp ? kTcpAck : 0;
  return packet;
}

Packet Ports(uint16_t source_port, uint16_t destination_port, uint8_t protocol = kIpProtoTcp) {
  return Between("192.0.2.1", source_port, "198.51.100.7", destination_port, protocol);
}

// example.com A, as a query or its answer without records.
std::string Dns(bool answer) {
  return std::string("\x12\x34", 2) + (answer ? std::string("\x81\x80", 2) : std::string("\x01\x00", 2)) +
         std::string("\0\1\0\0\0\0\0\0\7example\3com\0\0\1\0\1", 25);
}

TEST(ClientGuess, AServicesPortIsTheServers) {
  for (const auto& [service, client] : std::vector<std::pair<uint16_t, uint16_t>>{{443, 50'000},
                                                                                  {8443, 50'000},
                                                                                  {8080, 40'000},
                                                                                  {3389, 33'000},
                                                                                  {4444, 60'999},
                                                                                  {5555, 49'152},
                                                                                  {6667, 1027},
                                                                                  {9001, 65'535},
                                                                                  {9050, 32'768},
                                                                                  {2049, 800},
                                                                                  {8443, 5002},
                                                                                  {80, 8080},
                                                                                  {12'000, 50'000},
                                                                                  {27'017, 2000}}) {
    for (const uint8_t protocol : {kIpProtoTcp, kIpProtoUdp}) {
      EXPECT_EQ(GuessClient(Ports(service, client, protocol)).client, PacketEnd::kReceiver) << service;
      EXPECT_EQ(GuessClient(Ports(client, service, protocol)).client, PacketEnd::kSender) << service;
    }
    EXPECT_FALSE(GuessClient(Ports(service, client)).settled);
  }
}

TEST(ClientGuess, OfEqualsTheFirstToSendIsTheClient) {
  for (const auto& [a, b] : std::vector<std::pair<uint16_t, uint16_t>>{
           {50'000, 40'000}, {53, 53}, {5353, 5353}, {500, 500}, {8080, 3389}, {0, 0}}) {
    EXPECT_EQ(GuessClient(Ports(a, b)).client, PacketEnd::kSender);
    EXPECT_EQ(GuessClient(Ports(b, a, kIpProtoUdp)).client, PacketEnd::kSender);
  }
}

TEST(ClientGuess, ASynSaysIt) {
  Packet packet = Ports(443, 50'000);
  packet.tcp_flags = kTcpSyn;
  ClientGuess guess = GuessClient(packet);
  EXPECT_EQ(guess.client, PacketEnd::kSender);
  EXPECT_TRUE(guess.settled && guess.start_seen);
  packet.tcp_flags = kTcpSyn | kTcpAck;
  guess = GuessClient(packet);
  EXPECT_EQ(guess.client, PacketEnd::kReceiver);
  EXPECT_TRUE(guess.settled && guess.start_seen);
}

TEST(ClientGuess, WhoAnswersIcmpWasAsked) {
  for (int type = 0; type < 256; ++type) {
    Packet packet = Ports(0, 0, kIpProtoIcmp);
    packet.icmp_type = static_cast<uint8_t>(type);
    const bool answer = type == 0 || type == 9 || type == 14 || type == 16 || type == 18;
    EXPECT_EQ(GuessClient(packet).client, answer ? PacketEnd::kReceiver : PacketEnd::kSender) << type;
    packet = Between("2001:db8::1", 0, "2001:db8::2", 0, kIpProtoIcmpV6);
    packet.icmp_type = static_cast<uint8_t>(type);
    const bool answer_v6 = type == 129 || type == 134 || type == 136 || type == 140 || type == 145;
    EXPECT_EQ(GuessClient(packet).client, answer_v6 ? PacketEnd::kReceiver : PacketEnd::kSender) << type;
    // Advertised to all nodes.
    packet.destination = *IpAddress::Parse("ff02::1");
    EXPECT_EQ(GuessClient(packet).client, PacketEnd::kSender) << type;
  }
}

TEST(ClientGuess, ADnsMessageSaysWhetherItAnswers) {
  for (const bool answer : {false, true}) {
    const std::string message = Dns(answer);
    const PacketEnd said = answer ? PacketEnd::kReceiver : PacketEnd::kSender;
    for (const auto& [source, destination] : std::vector<std::pair<uint16_t, uint16_t>>{
             {5353, 5353}, {53, 53}, {50'000, 40'000}, {4444, 50'000}, {50'000, 4444}}) {
      Packet packet = Ports(source, destination, kIpProtoUdp);
      packet.payload = AsBytes(message);
      EXPECT_EQ(GuessClient(packet).client, said) << source;
      EXPECT_TRUE(GuessClient(packet).settled);
      EXPECT_FALSE(GuessClient(packet).start_seen);
    }
    // DNS's own port is the server's, whatever is sent to it.
    Packet packet = Ports(50'000, 53, kIpProtoUdp);
    packet.payload = AsBytes(message);
    EXPECT_EQ(GuessClient(packet).client, PacketEnd::kSender);
    // mDNS tells a group what it knows.
    packet = Between("192.0.2.1", 5353, "224.0.0.251", 5353, kIpProtoUdp);
    packet.payload = AsBytes(message);
    EXPECT_EQ(GuessClient(packet).client, PacketEnd::kSender);
  }
}

TEST(ClientToldBy, ASynThatBeginsTheStreamAsItWasMet) {
  Flow flow;
  flow.protocol = kIpProtoTcp;
  flow.half[0].StartAt(1000, false);
  Packet packet = Ports(50'000, 40'000);
  packet.sequence = 999;
  EXPECT_FALSE(ClientToldBy(packet, flow, true));
  packet.tcp_flags = kTcpSyn | kTcpAck;
  ASSERT_TRUE(ClientToldBy(packet, flow, true));
  EXPECT_EQ(ClientToldBy(packet, flow, true)->client, PacketEnd::kReceiver);
  packet.sequence = 5;  // another connection's
  EXPECT_FALSE(ClientToldBy(packet, flow, true));
  packet.sequence = 999;
  flow.app = HttpProtocol::kId;  // its parser has told
  EXPECT_FALSE(ClientToldBy(packet, flow, true));
}

TEST(ClientToldBy, ADatagramOfDns) {
  Flow flow;
  flow.protocol = kIpProtoUdp;
  const std::string answer = Dns(true);
  Packet packet = Ports(50'000, 40'000, kIpProtoUdp);
  packet.payload = AsBytes(answer);
  ASSERT_TRUE(ClientToldBy(packet, flow, true));
  EXPECT_EQ(ClientToldBy(packet, flow, true)->client, PacketEnd::kReceiver);
  flow.app = OpenVpnProtocol::kId;
  EXPECT_FALSE(ClientToldBy(packet, flow, true));
}

}  // namespace
}  // namespace vedette
