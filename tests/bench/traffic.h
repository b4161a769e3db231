// Ordinary traffic for benchmarks, made up but shaped like today's: what a sensor at the edge of a network sees.
//
//   TLS 42 % of the bytes (half of the hellos have 1.7 to 1.8 KB, over two segments: a post-quantum key share), HTTP 27 %,
//   HTTP/3 13 % (UDP 443: Initials of 1,200 bytes and more, then short headers), DNS, mail and SMB the rest.
//
// Flows overlap, end and have answers that are long now and then; packets have some 640 bytes on average. Deterministic.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace vedette::bench {

struct TrafficOptions {
  uint64_t bytes = 500'000'000;  // of frames, roughly
  double seconds = 50;           // that they span
  uint64_t seed = 1;
};

struct TrafficFrame {
  std::vector<uint8_t> bytes;  // Ethernet
  uint64_t time_ns = 0;        // since 1970; never before the frame before it
};
using TakeTrafficFrame = std::function<void(const TrafficFrame&)>;

// What the traffic shows, in the order of its first appearance: for lists that match some of it.
struct TrafficNames {
  std::vector<std::string> hosts;      // of TLS, HTTP and DNS
  std::vector<std::string> addresses;  // of servers
};

void MakeTraffic(const TrafficOptions& options, const TakeTrafficFrame& take, TrafficNames& names);

// A name, an address and a string of the kind that indicators have. From one seed always the same ones, and from another
// nothing in common.
class NameMaker {
 public:
  explicit NameMaker(uint64_t seed) : state_(seed) { state_ = Next() * 0xd1342543de82ef95ULL ^ seed; }
  uint64_t Next();
  uint64_t Below(uint64_t end) { return Next() % end; }
  double Share() { return static_cast<double>(Next() >> 11) * 0x1p-53; }
  std::string Host();
  std::string Address();  // public IPv4
  std::string Literal();  // 8 to 40 characters of a path or name

 private:
  std::string Word(uint64_t least, uint64_t most);
  uint64_t state_;
};

}  // namespace vedette::bench
