// Traffic that somebody made to find out what others list, and what a view shows of it.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/unit/sensor/decode/packets.h"
#include "tests/views/view_replay.h"

namespace vedette::views {

using testing::Ethernet;
using testing::Ipv4;
using testing::OwnedFrame;
using testing::Tcp;
using testing::Udp;

using Random = std::mt19937_64;

// Frames that somebody made, at 1,000 a second.
class Traffic {
 public:
  void Add(const Ipv4& ip, const std::string& segment) {
    owned_.emplace_back(Ethernet(0x0800, ip(segment)), kLinkEthernet, time_ns_);
    time_ns_ += 1'000'000;
  }
  void Pause(uint64_t seconds) { time_ns_ += seconds * 1'000'000'000; }
  void AddUdp(const std::string& client, uint16_t client_port, const std::string& server, uint16_t server_port,
              const std::string& payload, bool from_client = true) {
    Ipv4 ip{
        .source = from_client ? client : server, .destination = from_client ? server : client, .protocol = kIpProtoUdp};
    Udp udp{.source_port = from_client ? client_port : server_port,
            .destination_port = from_client ? server_port : client_port};
    Add(ip, udp(payload));
  }
  // A connection that is opened, says this, cut at random places, and is closed.
  void AddTcp(const std::string& client, uint16_t client_port, const std::string& server, uint16_t server_port,
              const std::string& stream, Random& random, size_t longest = 1400) {
    const Ipv4 out{.source = client, .destination = server}, back{.source = server, .destination = client};
    Tcp to{.source_port = client_port,
           .destination_port = server_port,
           .sequence = 99,
           .acknowledgment = 0,
           .flags = kTcpSyn};
    Tcp from{.source_port = server_port,
             .destination_port = client_port,
             .sequence = 499,
             .acknowledgment = 100,
             .flags = kTcpSyn | kTcpAck};
    Add(out, to(""));
    Add(back, from(""));
    to.flags = kTcpAck;
    to.sequence = 100;
    to.acknowledgment = 500;
    for (size_t at = 0; at < stream.size();) {
      const size_t length = std::min<size_t>(1 + random() % longest, stream.size() - at);
      Add(out, to(stream.substr(at, length)));
      at += length;
      to.sequence = static_cast<uint32_t>(100 + at);
    }
    to.flags = kTcpAck | kTcpFin;
    Add(out, to(""));
    from.flags = kTcpAck | kTcpFin;
    from.sequence = 500;
    from.acknowledgment = to.sequence + 1;
    Add(back, from(""));
  }

  Bursts InBursts(size_t burst) const {
    auto frames = std::make_shared<std::vector<Frame>>();
    for (const OwnedFrame& owned : owned_) {
      frames->push_back(*owned);
      frames->back().number = frames->size();
    }
    return [frames, burst](const std::function<void(std::span<const Frame>)>& each) {
      for (std::span<const Frame> rest = *frames; !rest.empty();) {
        const size_t n = std::min(burst, rest.size());
        each(rest.first(n));
        rest = rest.subspan(n);
      }
    };
  }
  size_t size() const { return owned_.size(); }

 private:
  std::deque<OwnedFrame> owned_;
  uint64_t time_ns_ = 1'700'000'000'000'000'000;
};

inline Indicator Row(IndicatorType type, std::string value) {
  Indicator row;
  row.type = type;
  row.value = std::move(value);
  return row;
}

inline void ExpectSame(const Difference& difference) {
  EXPECT_GT(difference.bytes, 0u) << "nothing was shown, so nothing was tested";
  EXPECT_EQ(difference.differing, 0u) << difference.example.substr(0, 6000);
}

inline constexpr size_t kBurst = 32;

}  // namespace vedette::views
