#include "sensor/capture/packet_filter.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace vedette {
namespace {

// IPv4 and UDP, 192.0.2.1:53 to 192.0.2.2:5353, behind `link` bytes of link header.
std::vector<uint8_t> Udp(std::vector<uint8_t> link) {
  const std::vector<uint8_t> ip = {0x45, 0, 0,   28, 0, 0, 0, 0,  64,   17,   0, 0, 192, 0,
                                   2,    1, 192, 0,  2, 2, 0, 53, 0x14, 0xe9, 0, 8, 0,   0};
  link.insert(link.end(), ip.begin(), ip.end());
  return link;
}

const std::vector<uint8_t> kEthernet = Udp({1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 8, 0});
const std::vector<uint8_t> kCooked = Udp({0, 0, 0, 1, 0, 6, 1, 2, 3, 4, 5, 6, 0, 0, 8, 0});
const std::vector<uint8_t> kRaw = Udp({});

Frame FrameOf(const std::vector<uint8_t>& bytes, uint16_t link_type) {
  Frame frame;
  frame.data = bytes.data();
  frame.captured_bytes = frame.wire_bytes = static_cast<uint32_t>(bytes.size());
  frame.link_type = link_type;
  return frame;
}

std::unique_ptr<PacketFilter> MustCompile(const std::string& expression) {
  std::string error;
  auto filter = PacketFilter::Compile(expression, error);
  EXPECT_NE(filter, nullptr) << error;
  return filter;
}

TEST(PacketFilter, SameExpressionOnEveryLinkType) {
  const auto filter = MustCompile("udp port 53 and host 192.0.2.2");
  const auto other = MustCompile("tcp or host 198.51.100.1");
  for (int round = 0; round < 2; ++round) {
    for (const Frame& frame : {FrameOf(kEthernet, 1), FrameOf(kCooked, 113), FrameOf(kRaw, 101)}) {
      EXPECT_TRUE(filter->Matches(frame)) << frame.link_type;
      EXPECT_FALSE(other->Matches(frame)) << frame.link_type;
    }
  }
  EXPECT_TRUE(filter->unusable().empty());
}

TEST(PacketFilter, EmptyExpressionMatchesEverything) {
  const auto filter = MustCompile("");
  EXPECT_TRUE(filter->Matches(FrameOf(kEthernet, 1)));
  EXPECT_TRUE(filter->Matches(FrameOf({}, 1)));
}

TEST(PacketFilter, LengthIsThatOnTheWire) {
  const auto filter = MustCompile("greater 1000");
  Frame frame = FrameOf(kEthernet, 1);
  EXPECT_FALSE(filter->Matches(frame));
  frame.wire_bytes = 1000;
  EXPECT_TRUE(filter->Matches(frame));
}

TEST(PacketFilter, CutPacketsDoNotMatchWhatIsMissing) {
  const auto filter = MustCompile("udp port 53");
  Frame frame = FrameOf(kEthernet, 1);
  frame.captured_bytes = 30;
  EXPECT_FALSE(filter->Matches(frame));
}

TEST(PacketFilter, WrongExpressionIsQuoted) {
  for (const std::string expression : {"port", "host 1.2.3.4.5", "udp and (port 53"}) {
    std::string error;
    EXPECT_EQ(PacketFilter::Compile(expression, error), nullptr);
    EXPECT_NE(error.find('"' + expression + '"'), std::string::npos) << error;
    EXPECT_NE(error.find("pcap-filter(7)"), std::string::npos) << error;
  }
}

TEST(PacketFilter, ExpressionOfAnotherLinkTypeLeavesItsPacketsOut) {
  const auto filter = MustCompile("ether host 01:02:03:04:05:06");
  EXPECT_TRUE(filter->Matches(FrameOf(kEthernet, 1)));
  EXPECT_FALSE(filter->Matches(FrameOf(kRaw, 101)));
  EXPECT_FALSE(filter->Matches(FrameOf(kRaw, 101)));
  EXPECT_TRUE(filter->Matches(FrameOf(kEthernet, 1)));
  ASSERT_EQ(filter->unusable().size(), 1u);
  EXPECT_EQ(filter->unusable()[0].link_type, 101);
  EXPECT_NE(filter->unusable()[0].error.find("RAW (Raw IP)"), std::string::npos) << filter->unusable()[0].error;
}

TEST(PacketFilter, ExpressionThatEthernetDoesNotKnow) {
  EXPECT_NE(MustCompile("wlan type mgt"), nullptr);
  EXPECT_NE(MustCompile("inbound"), nullptr);
}

TEST(PacketFilter, UnknownLinkTypeIsSaid) {
  const auto filter = MustCompile("udp");
  EXPECT_FALSE(filter->Matches(FrameOf(kRaw, 4711)));
  ASSERT_EQ(filter->unusable().size(), 1u);
  EXPECT_NE(filter->unusable()[0].error.find("link type 4711"), std::string::npos) << filter->unusable()[0].error;
}

TEST(PacketFilter, KnowsWhetherItLooksAtPorts) {
  std::string error;
  for (const char* expression : {"port 80", "udp and src portrange 1-9", "tcp[13] & 2 != 0"})
    EXPECT_TRUE(PacketFilter::Compile(expression, error)->by_ports()) << expression;
  for (const char* expression : {"", "host 192.0.2.1", "tcp", "ip[6:2] & 0x1fff != 0"})
    EXPECT_FALSE(PacketFilter::Compile(expression, error)->by_ports()) << expression;
}

}  // namespace
}  // namespace vedette
