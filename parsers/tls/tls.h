// TLS on a stream: names, fingerprints and certificates from the unencrypted part of a handshake.
//
// SSL 3.0 to TLS 1.3 (RFC 6101, 2246, 4346, 5246, 8446); of the SSLv2-compatible ClientHello (RFC 5246 appendix E.2)
// the offered version only. Nothing is decrypted.
//
//   ClientHello  tls.sni, tls.ja3, tls.ja4; the version offered
//   ServerHello  tls.ja3s; the version negotiated. A HelloRetryRequest counts as one, as does the ClientHello after it
//   Certificate  of either end: tls.cert.sha1 and tls.cert.sha256 of each (by its DER length, see CertificateOf),
//                tls.cert.name, subject and issuer of the first
//
// Each of them is one message of the batch. If a gap or the stream's end cuts a message short, what is complete
// before the cut is read: certificates, and a ClientHello's names. Fingerprints need the whole. The messages tell which
// end is the client, not Chunk::direction, because a capture that begins late may have it reversed.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "parsers/base/bytes.h"
#include "parsers/base/observable.h"
#include "parsers/base/parser.h"
#include "parsers/tls/tls_record.h"

namespace vedette {

class TlsParser {
 public:
  static constexpr size_t kMaxMessageBytes = tls::kMaxMessageBytes;  // of a handshake message
  // Certificates of one message that are read; OpenSSL verifies chains of at most 100.
  static constexpr size_t kMaxCertificates = 100;
  // How far a direction that lost synchronisation is searched for the next record: more than one handshake flight.
  static constexpr size_t kMaxSeekBytes = size_t{64} * 1024;

  static constexpr size_t kLimitBytes = 2 * kMaxMessageBytes;
  static constexpr size_t kMaxStateBytes = 192;
  static constexpr bool kReadsEnds = false;
  static constexpr bool kFollowsStartTls = true;
  static constexpr bool kStartCountsBehindAnswer = false;
  static constexpr bool kEachMessageTells = true;

  // kYes for the first bytes of a record with a handshake message that is known and has a plausible length, of a
  // ChangeCipherSpec, an alert in clear, application data, and of an SSLv2-compatible ClientHello.
  static Probe Identify(Bytes first, Direction direction);
  static Sender SenderOf(Bytes first);  // of a hello at the front of a record

  // Skips a direction to its end, and is done with the flow, as soon as nothing more can be seen: at the first
  // encrypted record at the latest.
  Outcome Feed(const Chunk& chunk, ParserOutput& out);

  size_t HeldBytes() const { return sides_[0].held.capacity() + sides_[1].held.capacity(); }
  bool InMessage(Direction direction) const {
    const Side& side = sides_[static_cast<size_t>(direction)];
    return side.state == State::kRecord || (side.state == State::kRecordHeader &&
                                            (side.header_size | side.message_header_size | side.message_left) != 0);
  }

 private:
  enum class State : uint8_t {
    kRecordHeader,  // at a record's start, or within its header
    kRecord,        // within a record
    kSeek,          // synchronisation lost: looking for the next record
    kClosed,        // nothing more to see
  };

  struct Side {
    std::vector<uint8_t> held;  // kRecord: the message so far; kSeek: the last bytes, which may begin a header
    uint32_t message_left = 0;  // bytes still missing of the current handshake message
    uint32_t message_bytes = 0;
    uint32_t seek_bytes = 0;
    uint16_t record_left = 0;  // bytes still missing of the current record
    std::array<uint8_t, 11> header{};
    uint8_t header_size = 0;
    std::array<uint8_t, 4> message_header{};
    uint8_t message_header_size = 0;
    uint8_t record_type = 0;
    uint8_t message_type = 0;
    State state = State::kRecordHeader;
    bool is_fed = false;
    bool begins_connection = false;  // Chunk::start of its first chunk
    bool is_aligned = false;         // a plausible record was seen: this is TLS, and record boundaries are known
    bool is_collecting = false;      // the current message is needed
    bool after_change_cipher = false;
    bool has_message = false;  // within a handshake message, its header read
  };

  void Consume(Side& side, ByteReader in, Direction direction, ObservableBatch& out);
  void ConsumeRecordHeader(Side& side, ByteReader& in, Direction direction, ObservableBatch& out);
  void ConsumeHandshake(Side& side, ByteReader& in, Direction direction, ObservableBatch& out);
  void StartRecord(Side& side, uint8_t type, uint16_t length);
  static bool ReadMessageHeader(Side& side, ByteReader& record, const ObservableBatch& out);
  static bool IsHelloInItsOwnRecord(const Side& side);
  static void Hold(Side& side, Bytes piece);
  void Seek(Side& side, ByteReader& in, Direction direction, ObservableBatch& out);
  static void PassGap(Side& side, uint32_t gap_bytes);
  static void LosePlace(Side& side);
  static void Close(Side& side);

  void OnMessage(Side& side, Bytes body, Direction direction, ObservableBatch& out);
  void OnClientHello(Bytes body, Direction direction, ObservableBatch& out);
  void OnCutClientHello(Bytes body, size_t message_bytes, Direction direction, ObservableBatch& out);
  void OnServerHello(Side& side, Bytes body, Direction direction, ObservableBatch& out);
  // `body`: as much of a message of `message_bytes` as there is; certificates that are complete in it are read.
  void OnCertificate(Bytes body, size_t message_bytes, Direction direction, ObservableBatch& out);
  // Reads what came before a gap or the end of an unfinished message.
  void SaveCutMessage(const Side& side, Direction direction, ObservableBatch& out);

  Side sides_[2];
  uint16_t negotiated_version_ = 0;
  uint8_t num_client_hellos_ = 0;  // up to 2, more do not count
  bool is_retried_ = false;        // by a HelloRetryRequest
  bool is_tls_ = false;            // a plausible record was seen in either direction
  bool is_malformed_ = false;
};

}  // namespace vedette
