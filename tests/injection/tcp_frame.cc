#include "tests/injection/tcp_frame.h"

#include <algorithm>
#include <cstring>

#include "sensor/decode/link.h"

namespace vedette::injection {
namespace {

constexpr uint8_t kProtocolTcp = 6, kNextHeaderFragment = 44;
constexpr uint32_t kIpv4Bytes = 20, kIpv6Bytes = 40, kTcpBytes = 20;
constexpr size_t kSmallestEthernetBytes = 60;  // without its checksum

void Put16(uint8_t* at, uint32_t value) {
  at[0] = static_cast<uint8_t>(value >> 8);
  at[1] = static_cast<uint8_t>(value);
}

void Put32(uint8_t* at, uint32_t value) {
  Put16(at, value >> 16);
  Put16(at + 2, value);
}

uint32_t IpBytes(uint8_t version) { return version == 4 ? kIpv4Bytes : kIpv6Bytes; }

// Source and destination stand behind each other.
uint32_t AddressOffset(uint8_t version) { return version == 4 ? 12 : 8; }
uint32_t AddressBytes(uint8_t version) { return version == 4 ? 4 : 16; }

void Swap(uint8_t* at, size_t bytes) { std::swap_ranges(at, at + bytes, at + bytes); }

void PutIpLength(uint8_t* ip, uint8_t version, size_t content_bytes) {
  if (version == 6) return Put16(ip + 4, static_cast<uint32_t>(content_bytes));
  Put16(ip + 2, static_cast<uint32_t>(content_bytes + kIpv4Bytes));
}

void PutIpv4Checksum(uint8_t* ip) {
  Put16(ip + 10, 0);
  Put16(ip + 10, InternetChecksum({ip, kIpv4Bytes}));
}

uint16_t TcpChecksum(const uint8_t* ip, uint8_t version, Bytes tcp) {
  const Bytes addresses(ip + AddressOffset(version), size_t{2} * AddressBytes(version));
  std::vector<uint8_t> pseudo(addresses.begin(), addresses.end());
  uint8_t rest[8] = {};
  Put32(rest, static_cast<uint32_t>(tcp.size()));
  rest[7] = kProtocolTcp;
  pseudo.insert(pseudo.end(), rest, rest + sizeof rest);
  return InternetChecksum(pseudo, tcp);
}

void PadEthernet(uint16_t link_type, std::vector<uint8_t>& frame) {
  if (link_type == kLinkEthernet && frame.size() < kSmallestEthernetBytes) frame.resize(kSmallestEthernetBytes);
}

// A multiple of four bytes.
std::vector<uint8_t> OptionsOf(const Frame& pattern, const TcpFrame& parsed, Options kind) {
  constexpr uint8_t kNoOperation = 1, kTimestamp = 8, kMd5Signature = 19;
  const uint8_t* begin = pattern.data + parsed.tcp + kTcpBytes;
  std::vector<uint8_t> own(begin, pattern.data + parsed.payload);
  switch (kind) {
    case Options::kNone:
      return {};
    case Options::kKeep:
      return own;
    case Options::kMd5: {
      std::vector<uint8_t> out = {kMd5Signature, 18};
      out.resize(18, 0x5a);
      out.resize(20, kNoOperation);
      return out;
    }
    case Options::kOldTimestamp: {
      uint32_t value = 1, echo = 0;
      for (size_t at = 0; at < own.size() && own[at] != 0;) {
        if (own[at] == kNoOperation) {
          ++at;
          continue;
        }
        if (at + 1 >= own.size() || own[at + 1] < 2) break;
        if (own[at] == kTimestamp && at + 10 <= own.size()) {
          value = LoadU32(own.data() + at + 2) - (uint32_t{1} << 30);
          echo = LoadU32(own.data() + at + 6);
        }
        at += own[at + 1];
      }
      std::vector<uint8_t> out = {kNoOperation, kNoOperation, kTimestamp, 10};
      out.resize(12);
      Put32(out.data() + 4, value);
      Put32(out.data() + 8, echo);
      return out;
    }
  }
  return {};
}

}  // namespace

uint16_t InternetChecksum(Bytes first, Bytes second) {
  uint64_t sum = 0;
  for (const Bytes part : {first, second}) {
    size_t at = 0;
    for (; at + 1 < part.size(); at += 2) sum += static_cast<uint64_t>(part[at] << 8 | part[at + 1]);
    if (at < part.size()) sum += static_cast<uint64_t>(part[at]) << 8;
  }
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<uint16_t>(~sum);
}

bool Parse(const Frame& frame, TcpFrame& out) {
  LinkLayer link{};
  if (FindIp(frame, link) != kDecoded) return false;
  const uint8_t* ip = frame.data + link.ip_offset;
  const size_t left = frame.captured_bytes - link.ip_offset;
  uint32_t header = 0, content = 0;
  if (link.ip_version == 4) {
    if (left < kIpv4Bytes || ip[0] >> 4 != 4) return false;
    header = (ip[0] & 15u) * 4;
    const uint32_t total = LoadU16(ip + 2);
    if (header < kIpv4Bytes || total < header || ip[9] != kProtocolTcp || (LoadU16(ip + 6) & 0x3fff) != 0) return false;
    content = total - header;
  } else {
    if (left < kIpv6Bytes || ip[0] >> 4 != 6 || ip[6] != kProtocolTcp) return false;
    header = kIpv6Bytes;
    content = LoadU16(ip + 4);
  }
  if (left < header + kTcpBytes || content < kTcpBytes) return false;
  const uint8_t* tcp = ip + header;
  const uint32_t tcp_header = (tcp[12] >> 4) * 4u;
  if (tcp_header < kTcpBytes || tcp_header > content || left < header + tcp_header) return false;
  out.version = link.ip_version;
  out.ip = link.ip_offset;
  out.tcp = out.ip + header;
  out.payload = out.tcp + tcp_header;
  out.payload_bytes = content - tcp_header;
  out.captured_payload_bytes = std::min(out.payload_bytes, frame.captured_bytes - out.payload);
  out.source_port = LoadU16(tcp);
  out.destination_port = LoadU16(tcp + 2);
  out.sequence = LoadU32(tcp + 4);
  out.acknowledgment = LoadU32(tcp + 8);
  out.flags = tcp[13];
  out.window = LoadU16(tcp + 14);
  return true;
}

std::string FlowKeyOf(const Frame& frame, const TcpFrame& tcp) {
  const uint32_t bytes = AddressBytes(tcp.version);
  const char* source = reinterpret_cast<const char*>(frame.data) + tcp.ip + AddressOffset(tcp.version);
  const char* ports = reinterpret_cast<const char*>(frame.data) + tcp.tcp;
  const std::string a = std::string(source, bytes) + std::string(ports, 2);
  const std::string b = std::string(source + bytes, bytes) + std::string(ports + 2, 2);
  return std::min(a, b) + std::max(a, b);
}

std::vector<uint8_t> Build(const Frame& pattern, const TcpFrame& parsed, bool reversed, const Segment& segment) {
  const std::vector<uint8_t> options = OptionsOf(pattern, parsed, segment.options);
  const uint32_t ip_bytes = IpBytes(parsed.version);
  const size_t tcp_bytes = kTcpBytes + options.size() + segment.payload.size();
  std::vector<uint8_t> frame(pattern.data, pattern.data + parsed.ip);
  if (reversed && pattern.link_type == kLinkEthernet) Swap(frame.data(), 6);
  frame.resize(parsed.ip + ip_bytes + tcp_bytes);
  uint8_t* ip = frame.data() + parsed.ip;
  uint8_t* tcp = ip + ip_bytes;
  std::memcpy(ip, pattern.data + parsed.ip, ip_bytes);
  std::memcpy(tcp, pattern.data + parsed.tcp, kTcpBytes);
  PutIpLength(ip, parsed.version, tcp_bytes);
  if (reversed) {
    Swap(ip + AddressOffset(parsed.version), AddressBytes(parsed.version));
    Swap(tcp, 2);
  }
  if (segment.ttl != 0) ip[parsed.version == 4 ? 8 : 7] = segment.ttl;
  if (parsed.version == 4) {
    ip[0] = 0x45;
    PutIpv4Checksum(ip);
  }
  Put32(tcp + 4, segment.sequence);
  Put32(tcp + 8, (segment.flags & kAck) != 0 ? segment.acknowledgment : 0);
  tcp[12] = static_cast<uint8_t>((kTcpBytes + options.size()) / 4 << 4);
  tcp[13] = segment.flags;
  if (segment.window >= 0) Put16(tcp + 14, static_cast<uint32_t>(segment.window));
  Put32(tcp + 16, 0);
  std::copy(options.begin(), options.end(), tcp + kTcpBytes);
  std::copy(segment.payload.begin(), segment.payload.end(), tcp + kTcpBytes + options.size());
  const uint16_t checksum = TcpChecksum(ip, parsed.version, {tcp, tcp_bytes});
  Put16(tcp + 16, segment.wrong_checksum ? checksum ^ 0x5555u : checksum);
  frame.resize(frame.size() + segment.trailer_bytes);
  PadEthernet(pattern.link_type, frame);
  return frame;
}

std::vector<std::vector<uint8_t>> Fragmented(const Frame& frame, const TcpFrame& parsed, uint32_t identification) {
  if (!parsed.whole()) return {};
  const uint8_t* tcp = frame.data + parsed.tcp;
  const uint32_t tcp_bytes = parsed.payload - parsed.tcp + parsed.payload_bytes;
  const uint32_t cut = tcp_bytes / 2 & ~7u;  // fragments begin at multiples of eight bytes
  if (cut == 0) return {};
  const bool v4 = parsed.version == 4;
  const uint32_t header = v4 ? kIpv4Bytes : kIpv6Bytes + 8;
  std::vector<std::vector<uint8_t>> out;
  for (const bool last : {false, true}) {
    const uint32_t begin = last ? cut : 0, end = last ? tcp_bytes : cut;
    std::vector<uint8_t> fragment(frame.data, frame.data + parsed.ip);
    fragment.resize(parsed.ip + header);
    uint8_t* ip = fragment.data() + parsed.ip;
    std::memcpy(ip, frame.data + parsed.ip, IpBytes(parsed.version));
    if (v4) {
      ip[0] = 0x45;
      Put16(ip + 4, identification);
      Put16(ip + 6, (last ? 0 : 0x2000u) | begin / 8);
      PutIpLength(ip, 4, end - begin);
      PutIpv4Checksum(ip);
    } else {
      PutIpLength(ip, 6, 8 + end - begin);
      ip[6] = kNextHeaderFragment;
      ip[40] = kProtocolTcp;
      ip[41] = 0;
      Put16(ip + 42, begin | (last ? 0 : 1));
      Put32(ip + 44, identification);
    }
    fragment.insert(fragment.end(), tcp + begin, tcp + end);
    PadEthernet(frame.link_type, fragment);
    out.push_back(std::move(fragment));
  }
  return out;
}

uint16_t TcpChecksumError(const Frame& frame, const TcpFrame& parsed) {
  const uint32_t bytes = parsed.payload - parsed.tcp + parsed.payload_bytes;
  return TcpChecksum(frame.data + parsed.ip, parsed.version, {frame.data + parsed.tcp, bytes});
}

}  // namespace vedette::injection
