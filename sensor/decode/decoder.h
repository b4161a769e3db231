// From a frame to a packet: link layer, VLAN tags, IP with extension headers, fragments, transport header.
//
// Checksums are not judged. One decoder per worker; not thread safe. Payload views of reassembled datagrams hold until
// BeginBurst.
#pragma once

#include <cstdint>
#include <memory>

#include "sensor/decode/packet.h"

namespace vedette {

// Packets go to workers by address pair, whichever way round: all fragments of a datagram and both directions of a flow
// meet in one worker.
struct WorkerShare {
  uint32_t index = 0;
  uint32_t count = 1;
};

struct DecodeCounters {
  uint64_t received = 0;  // frames of this worker's share
  uint64_t decoded = 0;   // packets handed on; received == decoded + sum(not_decoded) at the end of a run
  std::array<uint64_t, static_cast<size_t>(NotDecoded::kCount)> not_decoded{};
  // Frames that are fragments of completed datagrams count as decoded; that many datagrams came of them.
  uint64_t datagrams_reassembled = 0;
  uint64_t ipv4 = 0, ipv6 = 0, tcp = 0, udp = 0, icmp = 0, other_transport = 0, vlan_tagged = 0, truncated = 0;
};

enum class DecodeResult : uint8_t {
  kPacket,    // `packet` is filled
  kNotOurs,   // another worker's share; not counted
  kConsumed,  // counted under a reason; nothing to hand on
};

class Decoder {
 public:
  struct Options {
    WorkerShare share;
    size_t fragment_bytes = size_t{16} << 20;       // held in all; beyond it the oldest datagram is given up
    uint32_t fragment_datagrams = 4096;             // waiting at once
    uint64_t fragment_timeout_ns = 30'000'000'000;  // RFC 791 suggests 15 s, Linux waits 30 s
  };
  explicit Decoder(const Options& options);
  ~Decoder();

  void BeginBurst();
  DecodeResult Decode(const Frame& frame, Packet& packet);
  // Ends the run: what still waits is counted as timed out.
  void Finish();
  const DecodeCounters& counters() const { return counters_; }

 private:
  class Impl;
  DecodeCounters counters_;
  std::unique_ptr<Impl> impl_;
};

}  // namespace vedette
