// A generated TCP conversation, as Ethernet frames, for tests that have to know every byte of it.
#pragma once

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/injection/trace.h"

namespace vedette::injection {

class Conversation {
 public:
  struct Ends {
    uint8_t version = 4;  // of IP
    bool vlan = false;    // one tag, number 7
    uint32_t client = 1;  // last bytes of the addresses, 10.x.x.x or 2001:db8::x and 192.0.2.x or 2001:db8:1::x
    uint32_t server = 1;
    uint16_t client_port = 40000, server_port = 80;
    uint32_t first[2] = {1000, 5'000'000};  // initial sequence numbers
    uint16_t window = 65535;                // no scale
  };
  explicit Conversation(const Ends& ends);

  void Open();  // the three packets of the handshake
  // In segments of at most `mss` bytes, each with the ACK flag and everything acknowledged; `acknowledged`: the other
  // side answers each with a bare ACK.
  void Send(size_t side, std::string_view bytes, size_t mss = 1460, bool acknowledged = true);
  void Acknowledge(size_t side);
  void Close();  // FIN of both sides
  // As that side would send it now; nothing moves on.
  void Put(size_t side, const Segment& segment);
  Segment Next(size_t side) const;

  const std::vector<std::vector<uint8_t>>& frames() const { return frames_; }
  // The frames since the last call.
  std::vector<std::vector<uint8_t>> Take() { return std::exchange(frames_, {}); }
  Trace trace() const { return Trace::Of(frames_, 1); }

 private:
  Frame pattern() const;
  void Advance(size_t side, uint8_t flags, Bytes payload);

  std::vector<uint8_t> pattern_;  // an empty segment of the client
  TcpFrame parsed_;
  uint32_t next_[2];
  uint16_t window_;
  std::vector<std::vector<uint8_t>> frames_;
};

}  // namespace vedette::injection
