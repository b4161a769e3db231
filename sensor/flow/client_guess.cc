#include "sensor/flow/client_guess.h"

#include <algorithm>
#include <iterator>

#include "parsers/registry.h"

namespace vedette {
namespace {

// Ports that services listen on, ascending.
constexpr uint16_t kServicePorts[] = {
    // Assigned by IANA between 512 and 1023. The others there are what rsh and the clients of NFS bind (bindresvport).
    512, 513, 514, 515, 520, 521, 543, 544, 546, 547, 548, 554, 563, 587, 593, 623, 631, 636, 646, 666, 853, 860, 873,
    902, 989, 990, 992, 993, 994, 995,
    // Registered with IANA, or the default of software in wide use. Those after them are also the defaults of remote
    // access tools and of their servers, as published analyses name them: 1177 and 5552 njRAT, 1604 DarkComet, 2404
    // Remcos, 3460 Poison Ivy, 4444 Metasploit, 4782 Quasar, 6606, 7707 and 8808 AsyncRAT, 31337 Sliver, 50050 Cobalt
    // Strike; 3333, 5555, 7777, 14444 and 45700 miners' pools; 6660 to 6669, 6697 and 7000 IRC; 9001, 9030, 9050, 9051,
    // 9150 and 9200 Tor and its proxies.
    1080, 1177, 1194, 1337, 1433, 1434, 1521, 1604, 1645, 1646, 1701, 1720, 1723, 1812, 1813, 1883, 1900, 1935, 2049,
    2082, 2083, 2086, 2087, 2095, 2096, 2121, 2152, 2181, 2222, 2323, 2375, 2376, 2379, 2404, 2483, 2484, 2598, 3000,
    3128, 3260, 3268, 3269, 3306, 3333, 3389, 3460, 3478, 3479, 3690, 3702, 4022, 4040, 4070, 4369, 4433, 4443, 4444,
    4500, 4505, 4506, 4567, 4782, 4786, 4789, 4840, 4899, 5000, 5001, 5004, 5005, 5038, 5060, 5061, 5222, 5223, 5228,
    5269, 5349, 5351, 5353, 5355, 5357, 5432, 5500, 5552, 5555, 5601, 5631, 5632, 5666, 5671, 5672, 5683, 5684, 5800,
    5900, 5901, 5902, 5938, 5984, 5985, 5986, 6000, 6001, 6081, 6379, 6443, 6514, 6606, 6653, 6660, 6661, 6662, 6663,
    6664, 6665, 6666, 6667, 6668, 6669, 6697, 6881, 6969, 7000, 7001, 7070, 7443, 7547, 7680, 7707, 7777, 8000, 8001,
    8008, 8009, 8010, 8080, 8081, 8082, 8083, 8086, 8088, 8089, 8090, 8118, 8123, 8140, 8161, 8181, 8200, 8291, 8333,
    8443, 8500, 8530, 8531, 8554, 8728, 8800, 8808, 8880, 8883, 8888, 8983, 9000, 9001, 9030, 9042, 9050, 9051, 9090,
    9091, 9092, 9100, 9150, 9200, 9300, 9418, 9443, 9981, 9987, 9999, 10000, 10050, 10051, 10250, 10443, 11211, 12345,
    14444, 15672, 16992, 16993, 18080, 19132, 20000, 22222, 25565, 26257, 27015, 27017, 27018, 28015, 30303, 31337,
    32400, 33434, 33848, 37777, 44818, 45700, 47808, 48101, 50050, 51820, 54321, 64738};
static_assert(std::is_sorted(std::begin(kServicePorts), std::end(kServicePorts)));

// RFC 792, 950 and 1256: echo, router advertisement, timestamp, information, address mask.
constexpr bool IsAnswer(uint8_t type) { return type == 0 || type == 9 || type == 14 || type == 16 || type == 18; }
// RFC 4443, 4861, 4620 and 6275: echo, router and neighbour advertisement, node information, home agent discovery.
constexpr bool IsAnswerV6(uint8_t type) {
  return type == 129 || type == 134 || type == 136 || type == 140 || type == 145;
}

// Answers to a group go to whoever listens.
bool IsGroup(const IpAddress& address) {
  const uint8_t* bytes = address.bytes().data();
  if (address.version() == 4) return bytes[12] >= 224;  // multicast, reserved and broadcast: RFC 5771, RFC 919
  return bytes[0] == 0xff;                              // RFC 4291
}

std::optional<PacketEnd> ClientByDatagram(const Packet& packet) {
  switch (SenderOfDatagram(packet.payload, packet.source_port, packet.destination_port)) {
    case Sender::kClient:
      return PacketEnd::kSender;
    case Sender::kServer:
      return PacketEnd::kReceiver;
    case Sender::kUnknown:
      break;
  }
  return std::nullopt;
}

}  // namespace

int ServiceScore(uint16_t port) {
  constexpr uint16_t kFirstBoundByClients = 512;  // bindresvport
  constexpr uint16_t kFirstUser = 1024;           // RFC 6335 section 6
  // Given out by Windows up to XP and by the BSDs of its time; Linux begins at 32768, RFC 6335 at 49152.
  constexpr uint16_t kFirstOld = 1025, kLastOld = 5000, kFirstDynamic = 32768;
  if (port == 0) return 0;
  const bool listed = std::binary_search(std::begin(kServicePorts), std::end(kServicePorts), port);
  if (port < kFirstUser) return listed || port < kFirstBoundByClients ? 5 : 3;
  if (listed) return 4;
  if (port >= kFirstDynamic) return 0;
  return port >= kFirstOld && port <= kLastOld ? 1 : 2;
}

ClientGuess GuessClient(const Packet& packet) {
  ClientGuess guess;
  if (packet.protocol == kIpProtoTcp && (packet.tcp_flags & kTcpSyn) != 0) {
    guess.client = (packet.tcp_flags & kTcpAck) != 0 ? PacketEnd::kReceiver : PacketEnd::kSender;
    guess.settled = guess.start_seen = true;
    return guess;
  }
  if (IsGroup(packet.destination)) {
    guess.settled = true;
    return guess;
  }
  if (packet.protocol == kIpProtoIcmp || packet.protocol == kIpProtoIcmpV6) {
    const bool answer = packet.protocol == kIpProtoIcmp ? IsAnswer(packet.icmp_type) : IsAnswerV6(packet.icmp_type);
    guess.client = answer ? PacketEnd::kReceiver : PacketEnd::kSender;
    guess.settled = true;
    return guess;
  }
  if (packet.protocol == kIpProtoUdp) {
    if (const std::optional<PacketEnd> told = ClientByDatagram(packet)) return {*told, true, false};
  }
  if (ServiceScore(packet.source_port) > ServiceScore(packet.destination_port)) guess.client = PacketEnd::kReceiver;
  guess.settled = packet.protocol == kIpProtoUdp && IsOwnPort(packet.source_port) != IsOwnPort(packet.destination_port);
  return guess;
}

std::optional<ClientGuess> ClientToldBy(const Packet& packet, const Flow& flow, bool from_client) {
  if (!MayTellClient(packet, flow)) return std::nullopt;
  if (packet.protocol == kIpProtoTcp) {
    const TcpHalf& half = flow.half[from_client ? 0 : 1];
    if (half.known() && half.first() != packet.sequence + 1) return std::nullopt;
    return GuessClient(packet);
  }
  const std::optional<PacketEnd> told = ClientByDatagram(packet);
  if (!told) return std::nullopt;
  return ClientGuess{*told, true, false};
}

}  // namespace vedette
