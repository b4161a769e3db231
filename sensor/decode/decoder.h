// From a frame to a packet: link layer, VLAN tags, IP with extension headers, fragments, tunnels, transport header.
//
// Link types: Ethernet, BSD loopback, raw IP, Linux cooked v1 and v2, PPP, Cisco HDLC. Checksums are not judged. One
// decoder per worker; not thread safe. Payload views of reassembled datagrams hold until BeginBurst.
#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "sensor/decode/decode_counters.h"
#include "sensor/decode/packet.h"
#include "sensor/decode/tunnel.h"

namespace vedette {

class FragmentTable;
struct IpFragment;
struct IpPlace;
struct LinkLayer;

// Packets go to workers by their innermost address pair, whichever way round, which is their flow's: both directions of
// a flow meet in one worker. A frame without two IP addresses belongs to worker 0.
//
// A frame counts in the worker of the innermost pair that it shows by itself. That is its packet's, unless it is a
// fragment of a datagram that carries another packet: it shows the datagram's pair, and the packet in it has its own.
// So every worker puts such datagrams together, as far as their protocol may carry a tunnel that is opened, and the one
// whose packet it is hands it on. All other fragments are one worker's.
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
    // Tunnels whose packets are looked into. None: every packet has one layer. What is not opened is a packet of its
    // outer headers, and its flow is counted as one that carries others.
    TunnelSet opened = TunnelSet::None();
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
  // What of a frame is counted, and what already is.
  struct Account {
    uint32_t frames = 1;        // 0: the frame is counted elsewhere
    size_t layers_counted = 0;  // of the packet's outer layers
  };

  bool IsOurs(uint64_t source, uint64_t destination) const;
  template <uint8_t kVersion>
  bool IsOursAt(const uint8_t* ip) const;  // by the addresses in that header
  bool IsOurs(const IpAddress& source, const IpAddress& destination) const;
  void Count(Account account, uint8_t version, const Packet& packet);
  void CountOuter(Account account, const Packet& packet);
  DecodeResult WithoutAddresses(NotDecoded reason);
  DecodeResult AddressesOnly(NotDecoded reason, uint64_t num_frames, Packet& packet);
  DecodeResult DecodeIpv4(const Frame& frame, const LinkLayer& link, Packet& packet);
  DecodeResult DecodeIpv6(const Frame& frame, const LinkLayer& link, Packet& packet);
  // The packet whose IP header is there. kOpens: it may carry others, and may be another worker's.
  template <uint8_t kVersion, bool kOpens>
  DecodeResult DecodeLayer(const IpPlace& at, Account account, Packet& packet);
  // If the packet's content is a tunnel that is opened, `result` is what became of the packet in it.
  bool Descend(const IpPayload& content, Account account, Packet& packet, DecodeResult& result);
  DecodeResult DecodeFragment(IpPayload part, const IpFragment& fragment, Account account, bool ours, Packet& packet);
  // The content of a datagram that came in fragments, or of its beginning.
  DecodeResult HandOnDatagram(IpPayload content, uint64_t num_frames, bool ours, Packet& packet);
  DecodeResult HandOn(const IpPayload& payload, uint64_t num_frames, Packet& packet);

  DecodeCounters counters_;
  WorkerShare share_;
  TunnelSet opened_;
  // By IP protocol: whether the content may be, or lead to, a tunnel that is opened.
  std::array<bool, 256> may_carry_{};
  std::unique_ptr<FragmentTable> fragments_;
};

}  // namespace vedette
