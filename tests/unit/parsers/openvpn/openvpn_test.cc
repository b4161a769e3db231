#include "parsers/openvpn/openvpn.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tests/unit/parsers/stream_feeding.h"
#include "tests/unit/parsers/tls_build.h"

namespace vedette {
namespace {

using testing::CertificateMessage;
using testing::ClientHelloBody;
using testing::HandshakeRecord;
using testing::Message;
using testing::ServerHelloBody;
using testing::SniExtension;
using testing::U16;
using testing::U8;
using testing::Vector16;

constexpr uint8_t kSoftReset = 3, kControl = 4, kAck = 5, kDataV1 = 6, kResetClient = 7, kResetServer = 8;
constexpr Direction kUp = Direction::kToServer, kDown = Direction::kToClient;

std::string U32(uint32_t v) { return U16(v >> 16) + U16(v & 0xffff); }

// One end of a connection; makes its packets.
struct End {
  std::string session, remote;
  size_t hmac_bytes = 0;  // 0: no --tls-auth
  uint32_t sent = 0;
  std::string Packet(uint8_t opcode, uint32_t id, const std::string& tls, const std::vector<uint32_t>& acks = {},
                     uint8_t key = 0) {
    std::string out = U8(opcode << 3 | key) + session;
    if (hmac_bytes != 0) out += std::string(hmac_bytes, 'h') + U32(++sent) + U32(0x66000000);
    out += U8(acks.size());
    for (const uint32_t ack : acks) out += U32(ack);
    if (!acks.empty()) out += remote;
    return opcode == kAck ? out : out + U32(id) + tls;
  }
};

End Client(size_t hmac = 0) { return {"client-1", "server-1", hmac}; }
End Server(size_t hmac = 0) { return {"server-1", "client-1", hmac}; }

const std::string kClientHello =
    HandshakeRecord(Message(1, ClientHelloBody(0x0303, {0xc02f}, SniExtension("vpn.example"))));
const std::string kServerFlight = HandshakeRecord(Message(2, ServerHelloBody(0x0303, 0xc02f, ""))) +
                                  HandshakeRecord(CertificateMessage({std::string(700, 'c')})) +
                                  HandshakeRecord(Message(14, ""));

std::vector<testing::Turn> Conversation(size_t hmac) {
  End client = Client(hmac), server = Server(hmac);
  return {{kUp, Vector16(client.Packet(kResetClient, 0, ""))},
          {kDown, Vector16(server.Packet(kResetServer, 0, "", {0}))},
          {kUp, Vector16(client.Packet(kAck, 0, "", {0})) + Vector16(client.Packet(kControl, 1, kClientHello))},
          {kDown, Vector16(server.Packet(kControl, 1, kServerFlight.substr(0, 300), {1})) +
                      Vector16(U8(kDataV1 << 3) + std::string(1400, 'd')) +
                      Vector16(server.Packet(kControl, 2, kServerFlight.substr(300)))}};
}

std::vector<std::string> NamesOf(const std::vector<std::string>& found) {
  std::vector<std::string> names;
  for (const std::string& line : found) names.push_back(line.substr(0, line.find(' ')));
  return names;
}

TEST(OpenVpnParser, ReadsTheHandshakeWithAndWithoutTlsAuth) {
  for (const size_t hmac : {0, 16, 20, 28, 32, 48, 64}) {
    const std::vector<testing::Turn> turns = Conversation(hmac);
    EXPECT_EQ(OpenVpnParser::Identify(AsBytes(turns[0].bytes), kUp), Probe::kYes) << hmac;
    EXPECT_EQ(OpenVpnParser::Identify(AsBytes(turns[1].bytes), kDown), Probe::kYes) << hmac;
    const std::vector<std::string> found = testing::ExpectSameInPieces<OpenVpnParser>(turns);
    EXPECT_NE(std::find(found.begin(), found.end(), "tls.sni > vpn.example"), found.end()) << hmac;
    const std::vector<std::string> names = NamesOf(found);
    for (const char* name : {"tls.ja3", "tls.ja3s", "tls.cert.sha1"}) {
      EXPECT_EQ(std::count(names.begin(), names.end(), name), 1) << name << " " << hmac;
    }
  }
  testing::ExpectPrefixesAreQuiet<OpenVpnParser>(Conversation(20));
}

TEST(OpenVpnParser, IdentifiesWholeResetsOnly) {
  const std::string reset = Client(20).Packet(kResetClient, 0, "");
  const std::string framed = Vector16(reset);
  for (size_t length = 0; length < framed.size(); ++length) {
    EXPECT_EQ(OpenVpnParser::Identify(AsBytes(framed.substr(0, length)), kUp), Probe::kNeedMore) << length;
  }
  EXPECT_TRUE(OpenVpnParser::IdentifyDatagram(AsBytes(reset)));
  EXPECT_FALSE(OpenVpnParser::IdentifyDatagram(AsBytes(reset + "x")));
  EXPECT_FALSE(OpenVpnParser::IdentifyDatagram(AsBytes(Client().Packet(kResetClient, 1, ""))));
  EXPECT_FALSE(OpenVpnParser::IdentifyDatagram(AsBytes(Client().Packet(kControl, 0, ""))));
  EXPECT_FALSE(OpenVpnParser::IdentifyDatagram(AsBytes(std::string(14, '\0'))));
  // --tls-crypt: the same length as with an HMAC of 32 bytes, all of it encrypted.
  EXPECT_FALSE(OpenVpnParser::IdentifyDatagram(AsBytes(U8(kResetClient << 3) + std::string(53, 'e'))));
}

class Datagrams {
 public:
  void Send(Direction direction, const std::string& datagram) {
    const std::vector<uint8_t> exact(datagram.begin(), datagram.end());
    outcome = parser_.FeedDatagram(exact, direction, batch_);
    EXPECT_LE(parser_.HeldBytes(), OpenVpnParser::kLimitBytes);
  }
  // The flow is over.
  void End() {
    for (const Direction direction : {kUp, kDown})
      parser_.Feed({.data = {}, .direction = direction, .end = true}, batch_);
    EXPECT_EQ(parser_.HeldBytes(), 0u);
  }
  size_t Count(const std::string& name) const {
    return static_cast<size_t>(
        std::count_if(batch_.observables().begin(), batch_.observables().end(),
                      [&](const Observable& o) { return testing::Describe(o).rfind(name + " ", 0) == 0; }));
  }
  Outcome outcome;

 private:
  OpenVpnParser parser_;
  testing::ParserBatch batch_;
};

TEST(OpenVpnParser, DatagramsOutOfOrderAndTwice) {
  End client = Client(), server = Server();
  Datagrams udp;
  udp.Send(kUp, client.Packet(kResetClient, 0, ""));
  udp.Send(kUp, client.Packet(kResetClient, 0, ""));
  udp.Send(kDown, server.Packet(kResetServer, 0, "", {0}));
  udp.Send(kUp, client.Packet(kControl, 2, kClientHello.substr(40)));
  EXPECT_EQ(udp.Count("tls.sni"), 0u);
  udp.Send(kUp, client.Packet(kControl, 1, kClientHello.substr(0, 40)));
  udp.Send(kUp, client.Packet(kControl, 1, kClientHello.substr(0, 40)));
  EXPECT_EQ(udp.Count("tls.sni"), 1u);
  udp.Send(kDown, server.Packet(kControl, 3, kServerFlight.substr(600)));
  udp.Send(kDown, server.Packet(kControl, 2, kServerFlight.substr(200, 400)));
  udp.Send(kDown, server.Packet(kControl, 1, kServerFlight.substr(0, 200)));
  EXPECT_EQ(udp.Count("tls.ja3s"), 1u);
  EXPECT_EQ(udp.Count("tls.cert.sha1"), 1u);
}

TEST(OpenVpnParser, WhatIsLostIsAGap) {
  End client = Client(), server = Server();
  Datagrams udp;
  udp.Send(kUp, client.Packet(kResetClient, 0, ""));
  udp.Send(kDown, server.Packet(kResetServer, 0, "", {0}));
  // Packet 1 never comes; the hello in packet 2 is a record of its own.
  udp.Send(kUp, client.Packet(kControl, 2, kClientHello));
  EXPECT_EQ(udp.Count("tls.sni"), 0u);
  udp.End();
  EXPECT_EQ(udp.Count("tls.sni"), 1u);
}

TEST(OpenVpnParser, HoldsAWindowAtMost) {
  End client = Client();
  Datagrams udp;
  udp.Send(kUp, client.Packet(kResetClient, 0, ""));
  for (uint32_t id = 2; id < 200; ++id) udp.Send(kUp, client.Packet(kControl, id * 2, std::string(4096, 'x')));
  udp.Send(kUp, client.Packet(kControl, 1000, std::string(10000, 'x')));
  udp.End();
}

TEST(OpenVpnParser, ASoftResetBeginsAnotherHandshake) {
  End client = Client();
  Datagrams udp;
  udp.Send(kUp, client.Packet(kResetClient, 0, ""));
  udp.Send(kUp, client.Packet(kControl, 1, kClientHello));
  udp.Send(kUp, client.Packet(kSoftReset, 0, "", {}, 1));
  udp.Send(kUp, client.Packet(kControl, 1, kClientHello, {}, 1));
  EXPECT_EQ(udp.Count("tls.sni"), 2u);
  // Another session's packets do not get into this one.
  End other{"client-2", "server-1"};
  udp.Send(kUp, other.Packet(kControl, 2, kClientHello, {}, 1));
  EXPECT_EQ(udp.Count("tls.sni"), 2u);
  udp.Send(kUp, other.Packet(kResetClient, 0, ""));
  udp.Send(kUp, other.Packet(kControl, 1, kClientHello));
  EXPECT_EQ(udp.Count("tls.sni"), 3u);
}

TEST(OpenVpnParser, AGapWithinADataPacketKeepsThePlace) {
  End client = Client();
  OpenVpnParser parser;
  testing::ParserBatch batch;
  const std::string begin = Vector16(client.Packet(kResetClient, 0, "")) + U16(1000) + U8(kDataV1 << 3);
  const std::string rest = std::string(499, 'd') + Vector16(client.Packet(kControl, 1, kClientHello));
  parser.Feed({.data = AsBytes(begin), .direction = kUp, .start = true}, batch);
  parser.Feed({.data = AsBytes(rest), .direction = kUp, .gap_bytes = 500}, batch);
  EXPECT_EQ(std::count_if(batch.observables().begin(), batch.observables().end(),
                          [](const Observable& o) { return o.kind == ObservableKind::kTlsSni; }),
            1);
  const Outcome lost = parser.Feed({.data = AsBytes(rest), .direction = kUp, .gap_bytes = 1}, batch);
  EXPECT_EQ(lost.progress, Progress::kSkip);
}

}  // namespace
}  // namespace vedette
