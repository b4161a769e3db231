#include "sensor/live/canary_frame.h"

#include <array>
#include <random>
#include <string_view>

#include "parsers/base/ip_protocol.h"
#include "parsers/base/text.h"
#include "sensor/decode/ether_type.h"
#include "signatures/canary.h"

namespace vedette {
namespace {

constexpr std::array<uint8_t, 4> kClient = {192, 0, 2, 1}, kServer = {192, 0, 2, 53};
constexpr std::array<uint8_t, 12> kMacs = {0x02, 0, 0, 0, 0, 0x35, 0x02, 0, 0, 0, 0, 0x01};  // destination, source
constexpr size_t kIpBytes = 20, kUdpBytes = 8;

class FrameWriter {
 public:
  void U8(uint8_t value) { bytes_.push_back(value); }
  void U16(size_t value) {
    U8(static_cast<uint8_t>(value >> 8));
    U8(static_cast<uint8_t>(value));
  }
  template <class Range>
  void Append(const Range& range) {
    bytes_.insert(bytes_.end(), range.begin(), range.end());
  }
  size_t size() const { return bytes_.size(); }
  std::vector<uint8_t>& bytes() { return bytes_; }

 private:
  std::vector<uint8_t> bytes_;
};

// RFC 1071, over an even number of bytes.
uint16_t Checksum(const uint8_t* bytes, size_t size) {
  uint32_t sum = 0;
  for (size_t i = 0; i + 1 < size; i += 2) sum += static_cast<uint32_t>(bytes[i] << 8 | bytes[i + 1]);
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<uint16_t>(~sum);
}

std::vector<uint8_t> QueryFor(std::string_view name, uint16_t id) {
  FrameWriter dns;
  dns.U16(id);
  dns.U16(0x0100);                                         // a query, recursion desired
  for (const size_t count : {1, 0, 0, 0}) dns.U16(count);  // one question
  while (!name.empty()) {
    const size_t dot = name.find('.');
    const std::string_view label = name.substr(0, dot);
    dns.U8(static_cast<uint8_t>(label.size()));
    dns.Append(label);
    name.remove_prefix(dot == std::string_view::npos ? name.size() : dot + 1);
  }
  dns.U8(0);
  dns.U16(1);  // A
  dns.U16(1);  // IN
  return std::move(dns.bytes());
}

}  // namespace

Canary NewCanary() {
  std::array<char, 8> chance{};
  std::random_device random;  // getrandom(2), by libstdc++ or by the processor
  for (char& byte : chance) byte = static_cast<char>(random());
  Canary canary;
  canary.client = IpAddress::V4(kClient.data());
  canary.server = IpAddress::V4(kServer.data());
  canary.client_port = static_cast<uint16_t>(1024 + random() % (65'536 - 1024));
  canary.name = ToHex({chance.data(), chance.size()}) + "." + std::string(kCanaryDomain);
  return canary;
}

std::vector<uint8_t> FrameOf(const Canary& canary) {
  const std::vector<uint8_t> dns = QueryFor(canary.name, canary.client_port);
  FrameWriter frame;
  frame.Append(kMacs);
  frame.U16(kEtherIpv4);
  const size_t ip = frame.size();
  frame.U8(0x45);
  frame.U8(0);
  frame.U16(kIpBytes + kUdpBytes + dns.size());
  frame.U16(canary.client_port);  // identification
  frame.U16(0x4000);              // don't fragment
  frame.U8(1);                    // lives for one hop: should it be sent, no router passes it on
  frame.U8(kIpProtoUdp);
  frame.U16(0);
  frame.Append(canary.client.wire());
  frame.Append(canary.server.wire());
  const uint16_t checksum = Checksum(frame.bytes().data() + ip, kIpBytes);
  frame.bytes()[ip + 10] = static_cast<uint8_t>(checksum >> 8);
  frame.bytes()[ip + 11] = static_cast<uint8_t>(checksum);
  frame.U16(canary.client_port);
  frame.U16(canary.server_port);
  frame.U16(kUdpBytes + dns.size());
  frame.U16(0);  // no checksum, as RFC 768 allows over IPv4
  frame.Append(dns);
  return std::move(frame.bytes());
}

}  // namespace vedette
