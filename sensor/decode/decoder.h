// From a frame to a packet: link layer, VLAN tags, IP with extension headers, fragments, transport header.
//
// Link types: Ethernet, BSD loopback, raw IP, Linux cooked v1 and v2, PPP, Cisco HDLC. Checksums are not judged. One
// decoder per worker; not thread safe. Payload views of reassembled datagrams hold until BeginBurst.
#pragma once

#include <cstdint>
#include <memory>

#include "sensor/decode/decode_counters.h"
#include "sensor/decode/packet.h"

namespace vedette {

class FragmentTable;
struct LinkLayer;
struct IpPayload;

// Packets go to workers by address pair, whichever way round: all fragments of a datagram and both directions of a flow
// meet in one worker. A frame without two IP addresses belongs to worker 0.
struct WorkerShare {
  uint32_t index = 0;
  uint32_t count = 1;
};

enum class DecodeResult : uint8_t {
  kPacket,  // `packet` is filled
  // Counted under a reason, but the addresses are known: source, destination, protocol, vlan and ip_bytes hold, ports,
  // ICMP type and payload are empty. Given for a header that could not be read behind a sound IP header, and for the
  // first fragment of a datagram to arrive, so that the addresses of a datagram that is never completed are not lost.
  kAddressesOnly,
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
    // Whether what is there of a datagram that is given up waits for TakeGivenUp, which has to be called then.
    bool keep_given_up = false;
  };
  explicit Decoder(const Options& options);
  ~Decoder();
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;

  void BeginBurst();
  // A datagram's age is judged when another of its fragments arrives, by packet time, so that the result depends on
  // its own packets alone and not on what else this worker sees, unless a bound of Options is reached.
  DecodeResult Decode(const Frame& frame, Packet& packet);
  // For a live sensor, now and then: datagrams that have waited too long by the clock are given up, so that a silence
  // does not hold their memory and their fragments count as timed out.
  void ExpireFragments(uint64_t now_ns);
  // Ends the run: what still waits is counted as timed out.
  void Finish();
  // The beginning of a datagram that was given up because the rest did not come: what its first fragments hold, as a
  // packet that the capture has cut. Its frames stay counted as they are. False: there is no other. After each Decode,
  // and after Finish. `packet` and its frame hold until BeginBurst; the frame has no bytes.
  [[nodiscard]] bool TakeGivenUp(Packet& packet);
  bool has_given_up() const;
  const DecodeCounters& counters() const { return counters_; }
  size_t fragment_bytes_held() const;

 private:
  struct Fragment;

  bool IsOurs(uint64_t source, uint64_t destination) const;
  DecodeResult WithoutAddresses(NotDecoded reason);
  DecodeResult AddressesOnly(NotDecoded reason, uint64_t num_frames, Packet& packet);
  DecodeResult DecodeIpv4(const Frame& frame, const LinkLayer& link, Packet& packet);
  DecodeResult DecodeIpv6(const Frame& frame, const LinkLayer& link, Packet& packet);
  DecodeResult DecodeFragment(const Fragment& fragment, Packet& packet);
  DecodeResult HandOn(const IpPayload& payload, uint64_t num_frames, Packet& packet);
  // As HandOn, behind headers of the chain that still stand before the transport's.
  DecodeResult HandOnBehindHeaders(const IpPayload& payload, uint64_t num_frames, Packet& packet);

  DecodeCounters counters_;
  WorkerShare share_;
  std::unique_ptr<FragmentTable> fragments_;
};

}  // namespace vedette
