#include "tests/bench/traffic.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <queue>
#include <utility>

#include "tests/unit/parsers/tls_build.h"

namespace vedette::bench {
namespace {

using testing::AlpnExtension;
using testing::Extension;
using testing::GroupsExtension;
using testing::HandshakeRecord;
using testing::Message;
using testing::Record;
using testing::ServerHelloBody;
using testing::SignaturesExtension;
using testing::SniExtension;
using testing::U16;
using testing::U16s;
using testing::U8;
using testing::Vector16;
using testing::Vector8;
using testing::VersionsExtension;

constexpr uint64_t kBegin = 1'700'000'000'000'000'000;
constexpr size_t kMss = 1460;
constexpr size_t kHosts = 8'000, kServers = 4'000, kClients = 3'000;
constexpr uint8_t kTcp = 6, kUdp = 17;
constexpr uint8_t kFin = 1, kSyn = 2, kPush = 8, kAck = 16;

void Put16(std::vector<uint8_t>& out, size_t at, uint32_t value) {
  out[at] = static_cast<uint8_t>(value >> 8);
  out[at + 1] = static_cast<uint8_t>(value);
}
void Put32(std::vector<uint8_t>& out, size_t at, uint32_t value) {
  Put16(out, at, value >> 16);
  Put16(out, at + 2, value & 0xffff);
}

// RFC 1071, over [from, to), on top of `sum`.
uint16_t Checksum(const std::vector<uint8_t>& bytes, size_t from, size_t to, uint32_t sum) {
  for (size_t i = from; i + 1 < to; i += 2) sum += static_cast<uint32_t>(bytes[i] << 8 | bytes[i + 1]);
  if ((to - from) % 2 != 0) sum += static_cast<uint32_t>(bytes[to - 1] << 8);
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<uint16_t>(~sum);
}

struct End {
  uint32_t address;  // IPv4
  uint16_t port;
};

std::vector<uint8_t> FrameOf(const End& from, const End& to, uint8_t protocol, const std::vector<uint8_t>& transport) {
  constexpr size_t kIp = 14, kTransport = kIp + 20;
  std::vector<uint8_t> out(kTransport);
  out.reserve(kTransport + transport.size());
  out[5] = 2;
  out[11] = 1;
  out[12] = 8;
  out[kIp] = 0x45;
  Put16(out, kIp + 2, static_cast<uint32_t>(20 + transport.size()));
  out[kIp + 6] = 0x40;
  out[kIp + 8] = 64;
  out[kIp + 9] = protocol;
  Put32(out, kIp + 12, from.address);
  Put32(out, kIp + 16, to.address);
  Put16(out, kIp + 10, Checksum(out, kIp, kTransport, 0));
  out.insert(out.end(), transport.begin(), transport.end());
  uint32_t sum = protocol + static_cast<uint32_t>(transport.size());
  for (size_t i = kIp + 12; i < kTransport; i += 2) sum += static_cast<uint32_t>(out[i] << 8 | out[i + 1]);
  const size_t at = kTransport + (protocol == kTcp ? 16 : 6);
  Put16(out, at, 0);
  Put16(out, at, Checksum(out, kTransport, out.size(), sum));
  return out;
}

// One flow's frames with the time of each, from its start on.
class FlowMaker {
 public:
  FlowMaker(NameMaker& random, End client, End server, uint64_t start_ns)
      : random_(random),
        ends_{client, server},
        now_(start_ns),
        rtt_ns_(1'000'000 + random.Below(40'000'000)),
        ack_every_(1 + random.Below(2)) {}

  void Datagram(size_t side, const std::string& payload) {
    std::vector<uint8_t> udp(8);
    Put16(udp, 0, ends_[side].port);
    Put16(udp, 2, ends_[1 - side].port);
    Put16(udp, 4, static_cast<uint32_t>(8 + payload.size()));
    udp.insert(udp.end(), payload.begin(), payload.end());
    Add(side, kUdp, udp);
  }
  void Turn() { now_ += rtt_ns_; }

  void Open() {
    next_[0] = static_cast<uint32_t>(random_.Next());
    next_[1] = static_cast<uint32_t>(random_.Next());
    Segment(0, kSyn, {});
    Turn();
    Segment(1, kSyn | kAck, {});
    Turn();
    Segment(0, kAck, {});
  }
  // In segments, each of which is acknowledged, or every second one.
  void Say(size_t side, std::string_view bytes) {
    for (size_t number = 1; !bytes.empty(); ++number) {
      const std::string_view piece = bytes.substr(0, kMss);
      bytes.remove_prefix(piece.size());
      Segment(side, static_cast<uint8_t>(kAck | (bytes.empty() ? kPush : 0)), piece);
      if (number % ack_every_ == 0) Segment(1 - side, kAck, {});
    }
    Turn();
  }
  void Close() {
    Segment(0, kFin | kAck, {});
    Segment(1, kFin | kAck, {});
    Segment(0, kAck, {});
  }
  std::vector<TrafficFrame> Take() { return std::move(frames_); }

 private:
  void Segment(size_t side, uint8_t flags, std::string_view payload) {
    std::vector<uint8_t> tcp(20);
    Put16(tcp, 0, ends_[side].port);
    Put16(tcp, 2, ends_[1 - side].port);
    Put32(tcp, 4, next_[side]);
    if ((flags & kAck) != 0) Put32(tcp, 8, next_[1 - side]);
    tcp[12] = 5 << 4;
    tcp[13] = flags;
    Put16(tcp, 14, 65535);
    tcp.insert(tcp.end(), payload.begin(), payload.end());
    next_[side] += static_cast<uint32_t>(payload.size()) + ((flags & (kSyn | kFin)) != 0 ? 1 : 0);
    Add(side, kTcp, tcp);
  }
  void Add(size_t side, uint8_t protocol, const std::vector<uint8_t>& transport) {
    now_ += 12'000 + random_.Below(40'000);
    frames_.push_back({FrameOf(ends_[side], ends_[1 - side], protocol, transport), now_});
  }

  NameMaker& random_;
  const End ends_[2];
  uint64_t now_;
  const uint64_t rtt_ns_;
  const size_t ack_every_;
  uint32_t next_[2] = {0, 0};
  std::vector<TrafficFrame> frames_;
};

// Most answers are short, and a few have most of the bytes.
size_t Length(NameMaker& random, size_t median, size_t most) {
  double sum = 0;  // of twelve: close enough to a normal distribution
  for (int i = 0; i < 12; ++i) sum += random.Share();
  return std::min(most, static_cast<size_t>(static_cast<double>(median) * std::exp(1.6 * (sum - 6))));
}

std::string Sealed(NameMaker& random, size_t bytes) {
  std::string out(bytes, '\0');
  for (size_t i = 0; i < bytes; i += 8) {
    const uint64_t word = random.Next();
    for (size_t j = i; j < std::min(bytes, i + 8); ++j) out[j] = static_cast<char>(word >> 8 * (j - i));
  }
  return out;
}

std::string Page(NameMaker& random, size_t bytes) {
  static constexpr std::array<std::string_view, 12> kParts = {
      "<div class=\"", "\"><a href=\"/", "</a></div>\n", ".php?id=",  "https://www.", ".com/",
      " the ",         "ing of ",        "<td>",         "function(", "return ",      "};\n"};
  std::string out;
  while (out.size() < bytes) {
    out += kParts[random.Below(kParts.size())];
    for (uint64_t i = 2 + random.Below(7); i > 0; --i) out += static_cast<char>('a' + random.Below(26));
  }
  out.resize(bytes);
  return out;
}

// ClientHello as browsers send it; with a key share of X25519MLKEM768 (1,216 bytes) it is two segments long.
std::string ClientHello(NameMaker& random, const std::string& host, bool post_quantum) {
  std::string shares;
  if (post_quantum) shares += U16(0x11ec) + Vector16(Sealed(random, 1216));
  shares += U16(29) + Vector16(Sealed(random, 32));
  const std::string extensions =
      SniExtension(host) + Extension(23, "") + Extension(0xff01, U8(0)) +
      GroupsExtension(post_quantum ? std::vector<uint16_t>{0x11ec, 29, 23, 24} : std::vector<uint16_t>{29, 23, 24}) +
      Extension(11, Vector8(U8(0))) + Extension(35, "") + AlpnExtension("h2") +
      SignaturesExtension({0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601}) + Extension(18, "") +
      Extension(51, Vector16(shares)) + Extension(45, Vector8(U8(1))) + VersionsExtension({0x0304, 0x0303}) +
      Extension(0xfe0d, Sealed(random, 186 + random.Below(64)));
  const std::vector<uint16_t> ciphers = {0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9,
                                         0xcca8, 0xc013, 0xc014, 0x009c, 0x009d, 0x002f, 0x0035};
  const std::string body = U16(0x0303) + Sealed(random, 32) + Vector8(Sealed(random, 32)) + Vector16(U16s(ciphers)) +
                           Vector8(U8(0)) + Vector16(extensions);
  return Record(22, Message(1, body), 0x0301);
}

void Tls(NameMaker& random, FlowMaker& flow, const std::string& host) {
  const bool post_quantum = random.Below(2) == 0;
  flow.Open();
  flow.Say(0, ClientHello(random, host, post_quantum));
  const std::string share =
      post_quantum ? U16(0x11ec) + Vector16(Sealed(random, 1120)) : U16(29) + Vector16(Sealed(random, 32));
  flow.Say(1,
           HandshakeRecord(Message(2, ServerHelloBody(0x0303, 0x1301, Extension(51, share) + Extension(43, U16(0x0304)),
                                                      Sealed(random, 32)))) +
               Record(20, U8(1)) + Record(23, Sealed(random, 2'000 + random.Below(2'500))));
  flow.Say(0, Record(20, U8(1)) + Record(23, Sealed(random, 53)));
  for (uint64_t turns = 1 + random.Below(4); turns > 0; --turns) {
    flow.Say(0, Record(23, Sealed(random, 90 + random.Below(500))));
    std::string answer;
    for (size_t left = Length(random, 2'500, 3'000'000); left > 0;) {
      const size_t piece = std::min<size_t>(left, 16'384);
      answer += Record(23, Sealed(random, piece + 17));
      left -= piece;
    }
    flow.Say(1, answer);
  }
  flow.Close();
}

void Http(NameMaker& random, FlowMaker& flow, const std::string& host) {
  flow.Open();
  for (uint64_t turns = 1 + random.Below(5); turns > 0; --turns) {
    flow.Say(0,
             "GET /" + random.Literal() + "?id=" + std::to_string(random.Below(1'000'000)) +
                 " HTTP/1.1\r\nHost: " + host +
                 "\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r\n"
                 "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n"
                 "Accept-Language: en-US,en;q=0.5\r\nAccept-Encoding: gzip, deflate\r\nConnection: keep-alive\r\n\r\n");
    const bool text = random.Below(3) != 0;
    const std::string body =
        text ? Page(random, Length(random, 2'500, 400'000)) : Sealed(random, Length(random, 4'000, 3'000'000));
    flow.Say(1, std::string("HTTP/1.1 200 OK\r\nServer: nginx\r\nContent-Type: ") +
                    (text ? "text/html" : "image/jpeg") + "\r\nContent-Length: " + std::to_string(body.size()) +
                    "\r\nConnection: keep-alive\r\n\r\n" + body);
  }
  flow.Close();
}

// An Initial of QUIC version 1 and its answer, padded as RFC 9000 section 14.1 wants it, then packets with short headers.
void Http3(NameMaker& random, FlowMaker& flow) {
  const auto initial = [&](size_t bytes) {
    std::string packet = U8(0xc3) + U16(0) + U16(1) + Vector8(Sealed(random, 8)) + Vector8(Sealed(random, 8)) + U8(0);
    packet += U16(0x4000 | (bytes - packet.size() - 2));
    return packet + Sealed(random, bytes - packet.size());
  };
  flow.Datagram(0, initial(1'250));
  flow.Datagram(0, initial(1'250));  // a hello with a post-quantum key share fills two
  flow.Turn();
  flow.Datagram(1, initial(1'252));
  flow.Datagram(1, initial(1'252));
  flow.Turn();
  size_t number = 0;
  for (size_t left = Length(random, 8'000, 3'000'000); left > 0; ++number) {
    const size_t piece = std::min<size_t>(left, 1'220);
    flow.Datagram(1, U8(0x40 | random.Below(32)) + Sealed(random, piece + 28));
    if (number % 4 == 3) flow.Datagram(0, U8(0x40 | random.Below(32)) + Sealed(random, 35));
    left -= piece;
  }
}

void Dns(NameMaker& random, FlowMaker& flow, const std::string& host, uint32_t address) {
  std::string name;
  for (size_t at = 0; at < host.size();) {
    const size_t dot = std::min(host.find('.', at), host.size());
    name += Vector8(host.substr(at, dot - at));
    at = dot + 1;
  }
  const std::string question = name + U8(0) + U16(random.Below(4) == 0 ? 28 : 1) + U16(1);
  const std::string id = U16(random.Next());
  flow.Datagram(0, id + U16(0x0100) + U16(1) + U16(0) + U16(0) + U16(1) + question + U8(0) + U16(41) + U16(1232) +
                       std::string(6, '\0'));
  flow.Turn();
  const auto record = [&](uint32_t last) {
    return U16(0xc00c) + U16(1) + U16(1) + U16(0) + U16(300) + U16(4) + U16(last >> 16) + U16(last & 0xffff);
  };
  flow.Datagram(
      1, id + U16(0x8180) + U16(1) + U16(2) + U16(0) + U16(0) + question + record(address) + record(address + 1));
}

// Mail in clear, and blocks of a file server.
void Other(NameMaker& random, FlowMaker& flow, const std::string& host, bool mail) {
  flow.Open();
  if (mail) {
    flow.Say(1, "220 mail." + host + " ESMTP\r\n");
    flow.Say(0, "EHLO client." + host + "\r\n");
    flow.Say(1, "250-mail." + host + "\r\n250-SIZE 52428800\r\n250 8BITMIME\r\n");
    flow.Say(0, "MAIL FROM:<a@" + host + ">\r\nRCPT TO:<b@" + host + ">\r\nDATA\r\n");
    flow.Say(1, "354 End data with <CR><LF>.<CR><LF>\r\n");
    flow.Say(0,
             "Subject: " + random.Literal() + "\r\n\r\n" + Page(random, Length(random, 8'000, 400'000)) + "\r\n.\r\n");
    flow.Say(1, "250 2.0.0 Ok: queued\r\n");
  } else {
    for (uint64_t turns = 2 + random.Below(6); turns > 0; --turns) {
      const std::string head = std::string("\xfeSMB", 4) + Sealed(random, 60);
      flow.Say(0, U16(0) + U16(head.size()) + head);
      const std::string block = head + Sealed(random, Length(random, 5'000, 60'000));
      flow.Say(1, U16(0) + U16(block.size()) + block);
    }
  }
  flow.Close();
}

struct Later {
  std::vector<TrafficFrame> frames;
  size_t at = 0;
  uint64_t number = 0;  // of the flow: what has one time has an order
  uint64_t time() const { return frames[at].time_ns; }
};
struct IsLater {
  bool operator()(const Later& a, const Later& b) const {
    return a.time() != b.time() ? a.time() > b.time() : a.number > b.number;
  }
};

}  // namespace

uint64_t NameMaker::Next() {
  uint64_t z = state_ += 0x9e3779b97f4a7c15ULL;  // splitmix64
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
  return z ^ z >> 31;
}

std::string NameMaker::Word(uint64_t least, uint64_t most) {
  static constexpr std::array<std::string_view, 24> kSyllables = {"ba", "co", "di", "fu", "ga", "he", "ik", "jo",
                                                                  "ka", "lo", "mi", "no", "pa", "qu", "ra", "se",
                                                                  "ti", "un", "va", "we", "st", "pl", "cr", "sh"};
  std::string out;
  for (uint64_t i = least + Below(most - least + 1); i > 0; --i) out += kSyllables[Below(kSyllables.size())];
  return out;
}

std::string NameMaker::Host() {
  static constexpr std::array<std::string_view, 12> kEndings = {".com", ".net", ".org",   ".info",   ".ru",     ".top",
                                                                ".xyz", ".de",  ".co.uk", ".online", ".com.br", ".io"};
  std::string out;
  const uint64_t kind = Below(10);
  if (kind < 4) {
    for (uint64_t i = 8 + Below(13); i > 0; --i) out += "abcdefghijklmnopqrstuvwxyz0123456789"[Below(36)];
  } else if (kind < 8) {
    out = Word(3, 6);
    if (Below(5) < 2) out += '-' + Word(2, 4);
  } else {
    static constexpr std::array<std::string_view, 5> kFronts = {"www.", "cdn.", "mail.", "api.", "update."};
    out = std::string(kFronts[Below(kFronts.size())]) + Word(4, 6);
  }
  return out.append(kEndings[Below(kEndings.size())]);
}

std::string NameMaker::Address() {
  for (;;) {
    const uint64_t bits = Next();
    const unsigned a = bits & 255, b = bits >> 8 & 255;
    const bool special =
        a < 11 || a == 100 || a == 127 || a == 169 || a == 172 || a == 192 || a == 198 || a == 203 || a > 223;
    if (special) continue;
    return std::to_string(a) + '.' + std::to_string(b) + '.' + std::to_string(bits >> 16 & 255) + '.' +
           std::to_string(bits >> 24 & 255);
  }
}

std::string NameMaker::Literal() {
  std::string out = Word(2, 5);
  for (uint64_t parts = 1 + Below(3); parts > 0; --parts) out += "/._-"[Below(4)] + Word(1, 4);
  out.resize(std::min<size_t>(out.size(), 40));
  while (out.size() < 8) out += static_cast<char>('a' + Below(26));
  return out;
}

void MakeTraffic(const TrafficOptions& options, const TakeTrafficFrame& take, TrafficNames& names) {
  NameMaker random(options.seed);
  for (size_t i = 0; i < kHosts; ++i) names.hosts.push_back(random.Host());
  std::vector<uint32_t> servers;
  for (size_t i = 0; i < kServers; ++i) {
    names.addresses.push_back(random.Address());
    unsigned part[4] = {};
    (void)std::sscanf(names.addresses.back().c_str(), "%u.%u.%u.%u", &part[0], &part[1], &part[2], &part[3]);
    servers.push_back(part[0] << 24 | part[1] << 16 | part[2] << 8 | part[3]);
  }
  // Few are asked for often (Zipf's law, roughly).
  const auto popular = [&](size_t count) {
    return std::min(count - 1,
                    static_cast<size_t>(std::exp(random.Share() * std::log(static_cast<double>(count)))) - 1);
  };
  // Shares of bytes, in the order TLS, HTTP, HTTP/3, DNS, mail, SMB: whichever has least of its share comes next.
  constexpr std::array<double, 6> kShares = {0.42, 0.27, 0.13, 0.015, 0.055, 0.11};
  constexpr std::array<uint16_t, 6> kPorts = {443, 80, 443, 53, 25, 445};
  std::array<double, 6> sent{};
  std::priority_queue<Later, std::vector<Later>, IsLater> waiting;
  const auto hand_on = [&](uint64_t until) {
    while (!waiting.empty() && waiting.top().time() < until) {
      Later later = std::move(const_cast<Later&>(waiting.top()));
      waiting.pop();
      take(later.frames[later.at]);
      if (++later.at < later.frames.size()) waiting.push(std::move(later));
    }
  };
  double made = 0;
  for (uint64_t number = 0; made < static_cast<double>(options.bytes); ++number) {
    size_t kind = 0;
    for (size_t i = 1; i < kShares.size(); ++i) {
      if (sent[i] / kShares[i] < sent[kind] / kShares[kind]) kind = i;
    }
    const auto start = static_cast<uint64_t>(made / static_cast<double>(options.bytes) * options.seconds * 1e9);
    hand_on(kBegin + start);
    const std::string& host = names.hosts[popular(kHosts)];
    const End client = {static_cast<uint32_t>(0x0a000002 + random.Below(kClients)),
                        static_cast<uint16_t>(10'000 + number % 50'000)};
    const End server = {servers[popular(kServers)], kPorts[kind]};
    FlowMaker flow(random, client, server, kBegin + start);
    if (kind == 0) Tls(random, flow, host);
    if (kind == 1) Http(random, flow, host);
    if (kind == 2) Http3(random, flow);
    if (kind == 3) Dns(random, flow, host, server.address);
    if (kind >= 4) Other(random, flow, host, kind == 4);
    Later later;
    later.frames = flow.Take();
    later.number = number;
    for (const TrafficFrame& frame : later.frames) {
      sent[kind] += static_cast<double>(frame.bytes.size());
      made += static_cast<double>(frame.bytes.size());
    }
    waiting.push(std::move(later));
  }
  hand_on(UINT64_MAX);
}

}  // namespace vedette::bench
