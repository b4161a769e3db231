#include "parsers/base/community_id.h"

#include <cstring>
#include <utility>

#include "parsers/base/digest.h"

namespace vedette {
namespace {

constexpr uint8_t kIcmp = 1, kTcp = 6, kUdp = 17, kIcmpV6 = 58, kSctp = 132;

struct Pair {
  uint8_t type, counterpart;
};
// RFC 792, 950, 1256.
constexpr Pair kIcmpPairs[] = {{8, 0},   {0, 8},  {13, 14}, {14, 13}, {15, 16},
                               {16, 15}, {10, 9}, {9, 10},  {17, 18}, {18, 17}};
// RFC 4443, 2710, 4861, 4620, 6275.
constexpr Pair kIcmpV6Pairs[] = {{128, 129}, {129, 128}, {133, 134}, {134, 133}, {135, 136}, {136, 135},
                                 {130, 131}, {131, 130}, {139, 140}, {140, 139}, {144, 145}, {145, 144}};

const Pair* CounterpartOf(uint8_t protocol, uint16_t type) {
  const auto find = [type](const auto& pairs) -> const Pair* {
    for (const Pair& pair : pairs) {
      if (pair.type == type) return &pair;
    }
    return nullptr;
  };
  return protocol == kIcmp ? find(kIcmpPairs) : find(kIcmpV6Pairs);
}

std::string Base64(const uint8_t* bytes, size_t size) {
  static constexpr char kAlphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  out.reserve((size + 2) / 3 * 4);
  for (size_t i = 0; i < size; i += 3) {
    const size_t left = size - i;
    const uint32_t group = static_cast<uint32_t>(bytes[i]) << 16 |
                           (left > 1 ? static_cast<uint32_t>(bytes[i + 1]) << 8 : 0u) |
                           (left > 2 ? static_cast<uint32_t>(bytes[i + 2]) : 0u);
    out += kAlphabet[group >> 18];
    out += kAlphabet[group >> 12 & 63];
    out += left > 1 ? kAlphabet[group >> 6 & 63] : '=';
    out += left > 2 ? kAlphabet[group & 63] : '=';
  }
  return out;
}

}  // namespace

IcmpPorts IcmpPortsOf(uint8_t protocol, uint8_t type, uint8_t code) {
  const Pair* pair = CounterpartOf(protocol, type);
  return pair != nullptr ? IcmpPorts{type, pair->counterpart, false} : IcmpPorts{type, code, true};
}

std::string CommunityId(const IpAddress& source, uint16_t source_port, const IpAddress& destination,
                        uint16_t destination_port, uint8_t protocol) {
  if (source.version() == 0 || source.version() != destination.version()) return {};
  const bool icmp = protocol == kIcmp || protocol == kIcmpV6;
  const bool ports = icmp || protocol == kTcp || protocol == kUdp || protocol == kSctp;
  Bytes first = source.wire(), second = destination.wire();
  if (!ports) source_port = destination_port = 0;
  const bool one_way = icmp && CounterpartOf(protocol, source_port) == nullptr;
  const int order = std::memcmp(first.data(), second.data(), first.size());
  if (!one_way && (order > 0 || (order == 0 && source_port > destination_port))) {
    std::swap(first, second);
    std::swap(source_port, destination_port);
  }

  // seed (16 bits) | source | destination | protocol | 0 | source port | destination port
  uint8_t message[2 + 16 + 16 + 2 + 4];
  size_t size = 0;
  const auto put = [&](const uint8_t* bytes, size_t count) {
    std::memcpy(message + size, bytes, count);
    size += count;
  };
  const auto put16 = [&](uint16_t value) {
    message[size++] = static_cast<uint8_t>(value >> 8);
    message[size++] = static_cast<uint8_t>(value);
  };
  put16(0);
  put(first.data(), first.size());
  put(second.data(), second.size());
  message[size++] = protocol;
  message[size++] = 0;
  if (ports) {
    put16(source_port);
    put16(destination_port);
  }
  const Sha1Digest digest = Sha1({message, size});
  return "1:" + Base64(digest.data(), digest.size());
}

}  // namespace vedette
