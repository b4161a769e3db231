// OpenVPN's control channel: the TLS handshake inside it, read by TlsParser, over TCP and UDP.
//
// No RFC; the layout is that of OpenVPN 2.x (its doc/doxygen/doc_protocol_overview.h). Over TCP each packet has its
// length before it (two bytes, not counted), over UDP it is a datagram:
//
//   opcode << 3 | key id   session id   [HMAC      replay id   time]   acks   [their ids   remote session id]   id TLS
//   1                      8            16 to 64   4           4       1      4 each       8                    4    …
//   every packet                        with --tls-auth                       where acks is not 0               none in
//   an ACK
//
// A connection opens with a hard reset of each end, which carries id 0 and no TLS; ids count up from there, and the TLS
// bytes in their order are the handshake. How long the HMAC is shows in the length of the reset. What --tls-crypt
// encrypts, and the data channel, show nothing. A soft reset begins a handshake anew under the next key id.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "parsers/base/bytes.h"
#include "parsers/base/observable.h"
#include "parsers/base/parser.h"
#include "parsers/tls/tls.h"

namespace vedette {

class OpenVpnParser {
 public:
  // A control packet fits a datagram: 1250 bytes by default, and --tls-mtu and --fragment stay below this.
  static constexpr size_t kMaxControlBytes = 4096;
  // Packets of one end held ahead of their turn: its own window (TLS_RELIABLE_N_REC_BUFFERS).
  static constexpr size_t kMaxAhead = 12;

  static constexpr size_t kLimitBytes = TlsParser::kLimitBytes + 2 * (kMaxAhead + 1) * (kMaxControlBytes + 2);
  static constexpr size_t kMaxStateBytes = 384;
  static constexpr bool kReadsEnds = false;
  static constexpr bool kFollowsStartTls = false;
  static constexpr bool kStartCountsBehindAnswer = false;
  static constexpr bool kEachMessageTells = true;

  // kYes for a whole hard reset, the first packet of either end.
  static Probe Identify(Bytes first, Direction direction);  // over TCP, with its length before it
  static bool IdentifyDatagram(Bytes datagram) { return AuthBytesOfReset(datagram) != kNoReset; }
  static Sender SenderOf(Bytes first);  // by which end's reset it is

  Outcome Feed(const Chunk& chunk, ParserOutput& out);
  Outcome FeedDatagram(Bytes datagram, Direction direction, ParserOutput& out);

  size_t HeldBytes() const {
    return held_bytes_ + sides_[0].frame.capacity() + sides_[1].frame.capacity() + tls_.HeldBytes();
  }
  bool InMessage(Direction direction) const {
    const Side& side = sides_[static_cast<size_t>(direction)];  // what follows a reset needs its session
    return !side.frame.empty() || (side.reset_seen && !side.closed);
  }

 private:
  struct Ahead {
    uint32_t id;
    std::vector<uint8_t> tls;
  };
  struct Side {
    std::vector<uint8_t> frame;  // TCP: the beginning of a packet, its length included
    std::vector<Ahead> ahead;    // by id; at most kMaxAhead
    uint64_t session = 0;
    uint32_t next_id = 0;
    uint32_t drop_bytes = 0;  // TCP: of a packet that is of no use
    bool has_session = false;
    bool reset_seen = false;
    bool fed_any = false;
    bool closed = false;  // nothing more to see
  };

  static constexpr size_t kNoReset = SIZE_MAX;
  // Bytes between session id and acks, where the packet is a hard reset.
  static size_t AuthBytesOfReset(Bytes packet);

  void ReadFrames(Side& side, Bytes data, Direction direction, ParserOutput& out);
  static void PassGap(Side& side, uint32_t gap_bytes);
  void OnPacket(Side& side, Bytes packet, Direction direction, ParserOutput& out);
  // Whether the packet belongs to the handshake at hand; a reset may begin another.
  bool TakeReset(Side& side, uint8_t opcode, uint8_t key, uint64_t session);
  void Restart(uint8_t key);
  void TakeTls(Side& side, uint32_t id, Bytes tls, Direction direction, ParserOutput& out);
  void TakeAhead(Side& side, bool past_gaps, Direction direction, ParserOutput& out);
  void FeedTls(Side& side, Bytes tls, bool after_gap, bool end, Direction direction, ParserOutput& out);
  Outcome Answer(const Side& side) const;

  TlsParser tls_;
  Side sides_[2];
  size_t held_bytes_ = 0;  // in `ahead` of both
  size_t auth_bytes_ = kNoReset;
  uint8_t key_ = 0;
  bool done_ = false;
};

// The same over UDP: a packet is a datagram.
class OpenVpnDatagramParser {
 public:
  static constexpr std::array<uint16_t, 0> kPorts = {};
  static constexpr bool kKeepsState = true;
  static constexpr bool kLaterTellsSender = false;
  static constexpr size_t kLimitBytes = OpenVpnParser::kLimitBytes;
  static constexpr size_t kMaxStateBytes = OpenVpnParser::kMaxStateBytes;

  static bool Begins(const Datagram& datagram) { return OpenVpnParser::IdentifyDatagram(datagram.data); }
  // Resets are short, and bytes of other protocols may look like one.
  static Sender SenderOf(Bytes) { return Sender::kUnknown; }
  // A datagram that was cut counts as lost.
  Outcome Feed(const Datagram& datagram, ParserOutput& out) {
    if (datagram.missing_bytes != 0) return Outcome::NeedMore();
    return packets_.FeedDatagram(datagram.data, datagram.direction, out);
  }
  size_t HeldBytes() const { return packets_.HeldBytes(); }

 private:
  OpenVpnParser packets_;
};

}  // namespace vedette
