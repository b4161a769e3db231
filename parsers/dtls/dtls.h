// DTLS over UDP: what a client's hello shows (RFC 4347, RFC 6347; of RFC 9147 the hello, which is in clear).
//
//   ClientHello  dtls.sni, dtls.ja3, dtls.ja4; the version offered
//
// One message of the batch each, as many as the client sends: a HelloVerifyRequest asks for a second one, with a cookie.
// A hello in fragments is put together, in whatever order they come. Nothing is decrypted, and other handshake messages
// are passed over. Records may stand behind the four bytes of CAPWAP (RFC 5415 section 4.2), and between datagrams of
// other protocols on the same ports (RFC 7983): STUN, SRTP.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "parsers/base/bytes.h"
#include "parsers/base/observable.h"
#include "parsers/base/parser.h"

namespace vedette {

class DtlsParser {
 public:
  // Of a hello that is put together; real ones have 100 to 2000.
  static constexpr size_t kMaxHelloBytes = 16 * 1024;
  // Pieces without a seam between them, at one time.
  static constexpr size_t kMaxRanges = 32;
  // Hellos of one flow that are read: retransmissions, and later handshakes on the same ports, count.
  static constexpr uint8_t kMaxHellos = 64;

  static constexpr size_t kLimitBytes = 2 * (kMaxHelloBytes + 2 * kMaxRanges * 8);
  static constexpr size_t kMaxStateBytes = 192;
  static constexpr std::array<uint16_t, 0> kPorts = {};
  static constexpr bool kKeepsState = true;
  static constexpr bool kLaterTellsSender = false;

  // A record that begins with a hello, of either end, or with a HelloVerifyRequest.
  static bool Begins(const Datagram& datagram) { return MayBegin(datagram.data) && HelloTypeOf(datagram.data) != 0; }
  static Sender SenderOf(Bytes datagram);

  Outcome Feed(const Datagram& datagram, ParserOutput& out);
  size_t HeldBytes() const { return BytesOf(sides_[0]) + BytesOf(sides_[1]); }

 private:
  struct Range {
    uint32_t begin, end;
  };
  // A hello of which a part has come.
  struct Side {
    std::vector<uint8_t> body;
    std::vector<Range> ranges;  // of `body`, ascending, apart
    uint16_t message_seq = 0;
  };
  struct Fragment {
    uint8_t type = 0;
    uint32_t message_bytes = 0;
    uint16_t message_seq = 0;
    uint32_t offset = 0;
    Bytes body;
  };

  static bool MayBegin(Bytes datagram) {
    constexpr uint8_t kHandshake = 22, kCapwap = 1;
    return !datagram.empty() && (datagram[0] == kHandshake || datagram[0] == kCapwap);
  }
  // The handshake type of the first message in the first record; 0 where it is none of those.
  static uint8_t HelloTypeOf(Bytes datagram);
  static bool ReadRecord(ByteReader& reader, bool& is_handshake, ByteReader& record);
  static bool ReadFragment(ByteReader& record, Fragment& fragment);

  void OnFragment(Side& side, const Fragment& fragment, Direction direction, ParserOutput& out);
  void OnHello(Bytes body, Direction direction, ParserOutput& out);
  static bool Place(Side& side, const Fragment& fragment);
  static size_t BytesOf(const Side& side) { return side.body.capacity() + side.ranges.capacity() * sizeof(Range); }

  Side sides_[2];
  uint8_t num_hellos_ = 0;
};

}  // namespace vedette
