#include "sensor/decode/tcp_header.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/unit/sensor/decode/packets.h"

namespace vedette {
namespace {

// A packet as the decoder would fill it. Owns the bytes.
struct TcpPacket {
  std::string bytes;
  Packet packet;

  TcpPacket(const std::string& source, const std::string& destination, std::string segment)
      : bytes(std::move(segment)) {
    packet.source = *IpAddress::Parse(source);
    packet.destination = *IpAddress::Parse(destination);
    packet.protocol = kIpProtoTcp;
    packet.tcp_header = AsBytes(bytes).data();
    packet.payload = AsBytes(bytes).subspan(static_cast<size_t>(static_cast<uint8_t>(bytes[12]) >> 4) * 4);
  }
};

std::string Header(const std::string& options, const std::string& checksum, uint8_t flags = kTcpSyn) {
  const auto words = static_cast<char>((5 + options.size() / 4) << 4);
  return testing::Be16(40000) + testing::Be16(80) + testing::Be32(1) + testing::Be32(0) + words +
         static_cast<char>(flags) + testing::Be16(0x2000) + checksum + testing::Be16(0) + options;
}

// 192.0.2.1 to 198.51.100.2 with "abc": the sums by hand (RFC 9293 section 3.1, RFC 1071), the odd byte padded.
//   pseudo header  c000 + 0201 + c633 + 6402 + 0006 + 0017
//   header         9c40 + 0050 + 0000 + 0001 + 0000 + 0000 + 5002 + 2000 + 0000
//   payload        6162 + 6300
TEST(TcpHeader, ChecksumIsJudged) {
  const uint32_t sum =
      0xc000 + 0x0201 + 0xc633 + 0x6402 + 6 + 0x17 + 0x9c40 + 0x0050 + 1 + 0x5002 + 0x2000 + 0x6162 + 0x6300;
  const auto checksum = static_cast<uint16_t>(~((sum & 0xffff) + (sum >> 16)));
  TcpPacket right("192.0.2.1", "198.51.100.2", Header("", testing::Be16(checksum)) + "abc");
  EXPECT_EQ(ChecksumOf(right.packet), Checksum::kRight);
  TcpPacket wrong("192.0.2.1", "198.51.100.2", Header("", testing::Be16(checksum)) + "abd");
  EXPECT_EQ(ChecksumOf(wrong.packet), Checksum::kWrong);
  TcpPacket elsewhere("192.0.2.9", "198.51.100.2", Header("", testing::Be16(checksum)) + "abc");
  EXPECT_EQ(ChecksumOf(elsewhere.packet), Checksum::kWrong);
  right.packet.truncated = true;
  EXPECT_EQ(ChecksumOf(right.packet), Checksum::kUnknown);
}

TEST(TcpHeader, WindowScaleIsFoundAmongOptions) {
  const auto scale = [](const std::string& options) {
    return WindowScaleOf(TcpPacket("192.0.2.1", "198.51.100.2", Header(options, testing::Be16(0))).packet);
  };
  EXPECT_EQ(scale(""), 0) << "no option: no scaling";
  EXPECT_EQ(scale(std::string("\x02\x04\x05\xb4\x01\x03\x03\x07", 8)), 7);
  EXPECT_EQ(scale(std::string("\x03\x03\x0f\x00", 4)), 14) << "RFC 7323 section 2.3";
  EXPECT_EQ(scale(std::string("\x00\x03\x03\x07", 4)), 0) << "behind the end of options";
  EXPECT_EQ(scale(std::string("\x02\x01\x03\x03", 4)), 0) << "a length that cannot be";
  EXPECT_EQ(scale(std::string("\x02\xff\x03\x03", 4)), 0) << "longer than the header";
  EXPECT_EQ(scale(std::string("\x01\x01\x01\x03", 4)), 0) << "cut off";
}

}  // namespace
}  // namespace vedette
