#include "parsers/tls/tls.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "parsers/base/digest.h"
#include "parsers/base/held_bytes.h"
#include "parsers/base/text.h"
#include "parsers/tls/tls_fingerprint.h"
#include "parsers/tls/tls_hello.h"
#include "parsers/tls/tls_record.h"
#include "parsers/tls/x509.h"

namespace vedette {
namespace {

using enum tls::RecordType;
using enum tls::HandshakeType;
using tls::kMessageHeaderBytes;
using tls::kRecordHeaderBytes;
using tls::kSslv2HelloBytes;

constexpr size_t kFirstHeldBytes = 4096;  // most messages; what is claimed beyond is only believed as it comes

bool WantsNames(const ObservableBatch& out) {
  return out.Wants(ObservableKind::kTlsCertName) || out.Wants(ObservableKind::kTlsSubject) ||
         out.Wants(ObservableKind::kTlsIssuer);
}

bool WantsCertificates(const ObservableBatch& out) {
  return out.Wants(ObservableKind::kTlsCertSha1) || out.Wants(ObservableKind::kTlsCertSha256) || WantsNames(out);
}

void AddServerNames(const ClientHello& hello, Direction direction, ObservableBatch& out) {
  if (!out.Wants(ObservableKind::kTlsSni)) return;
  hello.ForEachServerName(
      [&](std::string_view name) { out.AddText(ObservableKind::kTlsSni, direction, NormaliseHost(name)); });
}

}  // namespace

Probe TlsParser::Identify(Bytes first, Direction) {
  if (first.empty()) return Probe::kNeedMore;
  if (!(first[0] & 0x80)) return tls::ProbeRecord(first);
  if (first.size() > 2 && first[2] != 1) return Probe::kNo;
  if (first.size() < kSslv2HelloBytes) return Probe::kNeedMore;
  uint16_t version = 0, length = 0;
  return tls::IsSslv2ClientHello(first.first(kSslv2HelloBytes), version, length) ? Probe::kYes : Probe::kNo;
}

Sender TlsParser::SenderOf(Bytes first) {
  if (first.size() <= kRecordHeaderBytes || first[0] != kHandshake) return Sender::kUnknown;
  switch (first[kRecordHeaderBytes]) {
    case kClientHello:
      return Sender::kClient;
    case kServerHello:
      return Sender::kServer;
    default:
      return Sender::kUnknown;
  }
}

Outcome TlsParser::Feed(const Chunk& chunk, ParserOutput& output) {
  ObservableBatch& out = output.values();
  Side& side = sides_[static_cast<size_t>(chunk.direction)];
  if (!side.is_fed) {
    side.is_fed = true;
    side.begins_connection = chunk.start && chunk.gap_bytes == 0;
  }
  if (chunk.gap_bytes != 0) {
    SaveCutMessage(side, chunk.direction, out);
    PassGap(side, chunk.gap_bytes);
  }
  Consume(side, ByteReader(chunk.data), chunk.direction, out);
  if (is_malformed_) return Outcome::Malformed();
  if (chunk.end) {
    SaveCutMessage(side, chunk.direction, out);
    Close(side);
  }
  if (sides_[0].state == State::kClosed && sides_[1].state == State::kClosed) return Outcome::Done();
  return side.state == State::kClosed ? Outcome::Skip(Outcome::kSkipAll) : Outcome::NeedMore();
}

void TlsParser::Consume(Side& side, ByteReader in, Direction direction, ObservableBatch& out) {
  while (!in.empty()) {
    switch (side.state) {
      case State::kRecordHeader:
        ConsumeRecordHeader(side, in, direction, out);
        break;
      case State::kRecord:
        if (side.record_type == kHandshake) {
          ConsumeHandshake(side, in, direction, out);
        } else {
          const size_t count = std::min<size_t>(side.record_left, in.remaining());
          if (!in.Skip(count)) return;
          side.record_left -= static_cast<uint16_t>(count);
        }
        if (side.state == State::kRecord && side.record_left == 0) side.state = State::kRecordHeader;
        break;
      case State::kSeek:
        Seek(side, in, direction, out);
        break;
      case State::kClosed:
        return;
    }
  }
}

void TlsParser::ConsumeRecordHeader(Side& side, ByteReader& in, Direction direction, ObservableBatch& out) {
  const uint8_t first = side.header_size != 0 ? side.header[0] : in.rest()[0];
  const bool may_be_sslv2 = !side.is_aligned && (first & 0x80) != 0;
  const size_t wanted = may_be_sslv2 ? kSslv2HelloBytes : kRecordHeaderBytes;
  Bytes piece;
  if (!in.ReadBytes(std::min(wanted - side.header_size, in.remaining()), piece)) return;
  std::copy(piece.begin(), piece.end(), side.header.begin() + side.header_size);
  side.header_size = static_cast<uint8_t>(side.header_size + piece.size());
  if (side.header_size < wanted) return;

  const Bytes header = Bytes(side.header).first(wanted);
  side.header_size = 0;
  uint16_t version = 0, length = 0;
  if (may_be_sslv2) {
    if (tls::IsSslv2ClientHello(header, version, length)) {
      out.BeginMessage();
      out.AddText(ObservableKind::kTlsVersion, direction, TlsVersionName(version));
      num_client_hellos_ = 1;
      return StartRecord(side, kSslv2Hello, static_cast<uint16_t>(length + 2 - kSslv2HelloBytes));
    }
  } else {
    ByteReader reader(header);
    uint8_t type = 0;
    if (reader.ReadU8(type) && reader.ReadU16(version) && reader.ReadU16(length) &&
        tls::IsPlausibleRecord(type, version, length)) {
      return StartRecord(side, type, length);
    }
  }
  if (side.is_aligned || side.begins_connection) {
    is_malformed_ = !is_tls_;
    return Close(side);
  }
  LosePlace(side);
  side.held.assign(header.begin(), header.end());
}

void TlsParser::StartRecord(Side& side, uint8_t type, uint16_t length) {
  is_tls_ = side.is_aligned = true;
  side.record_type = type;
  side.record_left = length;
  side.state = length != 0 ? State::kRecord : State::kRecordHeader;
  if (type == kChangeCipherSpec) side.after_change_cipher = true;
  if (type == kApplicationData) Close(side);
}

void TlsParser::ConsumeHandshake(Side& side, ByteReader& in, Direction direction, ObservableBatch& out) {
  ByteReader record(in.rest().first(std::min<size_t>(side.record_left, in.remaining())));
  const size_t size = record.remaining();
  while (!record.empty() && side.state == State::kRecord) {
    if (!side.has_message) {
      const size_t before = record.position();
      const bool is_read = ReadMessageHeader(side, record, out);
      side.record_left -= static_cast<uint16_t>(record.position() - before);
      if (!is_read) continue;
      if (side.after_change_cipher && !IsHelloInItsOwnRecord(side)) return Close(side);
      side.after_change_cipher = false;
    }
    Bytes piece;
    const size_t count = std::min<size_t>(side.message_left, record.remaining());
    if (!record.ReadBytes(count, piece)) break;
    side.message_left -= static_cast<uint32_t>(count);
    side.record_left -= static_cast<uint16_t>(count);
    if (side.message_left != 0) {
      Hold(side, piece);
    } else if (side.held.empty()) {
      side.has_message = false;
      OnMessage(side, piece, direction, out);
    } else {
      Hold(side, piece);
      const std::vector<uint8_t> message = std::exchange(side.held, {});
      side.has_message = false;
      OnMessage(side, message, direction, out);
    }
  }
  if (!in.Skip(size - record.remaining())) Close(side);
}

// Encrypted from a ChangeCipherSpec on, except where that is the empty gesture of TLS 1.3 (RFC 8446 appendix D.4)
// around a HelloRetryRequest: then a hello in clear follows, in a record of its own.
bool TlsParser::IsHelloInItsOwnRecord(const Side& side) {
  return (side.message_type == kClientHello || side.message_type == kServerHello) &&
         side.message_left == side.record_left;
}

bool TlsParser::ReadMessageHeader(Side& side, ByteReader& record, const ObservableBatch& out) {
  Bytes piece;
  const size_t count = std::min<size_t>(kMessageHeaderBytes - side.message_header_size, record.remaining());
  if (!record.ReadBytes(count, piece)) return false;
  std::copy(piece.begin(), piece.end(), side.message_header.begin() + side.message_header_size);
  side.message_header_size = static_cast<uint8_t>(side.message_header_size + count);
  if (side.message_header_size < kMessageHeaderBytes) return false;
  side.message_header_size = 0;
  ByteReader header{Bytes(side.message_header)};
  if (!header.ReadU8(side.message_type) || !header.ReadU24(side.message_left)) return false;
  if (!tls::IsKnownInClear(side.message_type)) {
    Close(side);
    return false;
  }
  side.message_bytes = side.message_left;
  side.has_message = true;
  const bool is_hello = side.message_type == kClientHello || side.message_type == kServerHello;
  side.is_collecting = side.message_bytes <= kMaxMessageBytes &&
                       (is_hello || (side.message_type == kCertificate && WantsCertificates(out)));
  return true;
}

void TlsParser::Hold(Side& side, Bytes piece) {
  if (!side.is_collecting) return;
  const size_t needed = side.held.size() + piece.size();
  if (needed > side.held.capacity()) {
    const size_t grown = std::max({needed, 2 * side.held.capacity(), kFirstHeldBytes});
    side.held.reserve(std::min<size_t>(grown, side.message_bytes));
  }
  side.held.insert(side.held.end(), piece.begin(), piece.end());
}

void TlsParser::Seek(Side& side, ByteReader& in, Direction direction, ObservableBatch& out) {
  std::vector<uint8_t> joined = std::exchange(side.held, {});
  Bytes bytes = in.rest();
  if (!joined.empty()) {
    AppendBytes(joined, bytes);
    bytes = joined;
  }
  side.seek_bytes += static_cast<uint32_t>(in.remaining());
  if (!in.Skip(in.remaining())) return;
  for (size_t at = 0; at < bytes.size(); ++at) {
    const Probe probe = tls::ProbeRecord(bytes.subspan(at));
    if (probe == Probe::kNo) continue;
    if (probe == Probe::kNeedMore && side.seek_bytes <= kMaxSeekBytes) {
      side.held.assign(bytes.begin() + static_cast<std::ptrdiff_t>(at), bytes.end());
      return;
    }
    if (probe == Probe::kNeedMore) break;
    side.state = State::kRecordHeader;
    return Consume(side, ByteReader(bytes.subspan(at)), direction, out);
  }
  if (side.seek_bytes > kMaxSeekBytes) Close(side);
}

void TlsParser::PassGap(Side& side, uint32_t gap_bytes) {
  if (side.state == State::kClosed) return;
  const bool is_in_record = side.state == State::kRecord && gap_bytes <= side.record_left;
  const bool is_handshake = side.record_type == kHandshake;
  if (!is_in_record || (is_handshake && (!side.has_message || gap_bytes > side.message_left))) return LosePlace(side);
  // Within one record, and within one message where it has any: the place is known, the message is lost.
  side.record_left -= static_cast<uint16_t>(gap_bytes);
  if (is_handshake) {
    side.message_left -= gap_bytes;
    side.is_collecting = false;
    side.held = {};
    if (side.message_left == 0) side.has_message = false;
  }
  if (side.record_left == 0) side.state = State::kRecordHeader;
}

void TlsParser::LosePlace(Side& side) {
  side.held = {};
  side.header_size = side.message_header_size = 0;
  side.has_message = false;
  side.state = State::kSeek;
}

void TlsParser::Close(Side& side) {
  side.held = {};
  side.state = State::kClosed;
}

void TlsParser::OnMessage(Side& side, Bytes body, Direction direction, ObservableBatch& out) {
  switch (side.message_type) {
    case kClientHello:
      if (side.is_collecting) OnClientHello(body, direction, out);
      return;
    case kServerHello:
      if (side.is_collecting) OnServerHello(side, body, direction, out);
      return;
    case kCertificate:
      if (side.is_collecting) OnCertificate(body, side.message_bytes, direction, out);
      return;
    case kServerHelloDone:
    case kClientKeyExchange:  // of what each end says in clear after these, nothing is of use
      return Close(side);
    default:
      return;
  }
}

void TlsParser::OnClientHello(Bytes body, Direction direction, ObservableBatch& out) {
  ClientHello hello;
  if (!ParseClientHello(body, hello)) return;
  num_client_hellos_ = static_cast<uint8_t>(std::min(num_client_hellos_ + 1, 2));
  out.BeginMessage();
  AddServerNames(hello, direction, out);
  if (out.Wants(ObservableKind::kTlsJa3)) out.AddText(ObservableKind::kTlsJa3, direction, Ja3(hello));
  if (out.Wants(ObservableKind::kTlsJa4)) {
    out.AddText(ObservableKind::kTlsJa4, direction, Ja4(hello, Ja4Transport::kTcp));
    if (Ja4HasTwoForms(hello)) {
      out.AddText(ObservableKind::kTlsJa4, direction, Ja4(hello, Ja4Transport::kTcp, Ja4AlpnRule::kNines));
    }
  }
  out.AddText(ObservableKind::kTlsVersion, direction, TlsVersionName(hello.OfferedVersion()));
}

void TlsParser::OnCutClientHello(Bytes body, size_t message_bytes, Direction direction, ObservableBatch& out) {
  ClientHello hello;
  if (!ParseCutClientHello(body, message_bytes, hello)) return;
  num_client_hellos_ = static_cast<uint8_t>(std::min(num_client_hellos_ + 1, 2));
  out.BeginMessage();
  AddServerNames(hello, direction, out);
  if (hello.supported_versions.empty()) return;  // the other number says nothing since TLS 1.3
  out.AddText(ObservableKind::kTlsVersion, direction, TlsVersionName(hello.OfferedVersion()));
}

void TlsParser::OnServerHello(Side& side, Bytes body, Direction direction, ObservableBatch& out) {
  ServerHello hello;
  if (!ParseServerHello(body, hello)) return;
  const uint16_t version = hello.NegotiatedVersion();
  out.BeginMessage();
  if (out.Wants(ObservableKind::kTlsJa3s)) out.AddText(ObservableKind::kTlsJa3s, direction, Ja3s(hello));
  out.AddText(ObservableKind::kTlsVersion, direction, TlsVersionName(version));
  if (hello.is_hello_retry_request) {
    is_retried_ = true;
    return;
  }
  negotiated_version_ = version;
  if (!IsTls13OrDraft(version)) return;
  // The server encrypts all that follows, and so does the client: unless its hello is still to come, as captures have
  // the directions out of step at times.
  Close(side);
  if (num_client_hellos_ > (is_retried_ ? 1 : 0)) Close(sides_[static_cast<size_t>(Opposite(direction))]);
}

void TlsParser::SaveCutMessage(const Side& side, Direction direction, ObservableBatch& out) {
  if (!side.has_message || !side.is_collecting) return;
  if (side.message_type == kClientHello) OnCutClientHello(side.held, side.message_bytes, direction, out);
  if (side.message_type == kCertificate) OnCertificate(side.held, side.message_bytes, direction, out);
}

// Certificate ::= ASN.1Cert certificate_list<0..2^24-1>; ASN.1Cert: opaque<1..2^24-1> (RFC 5246 section 7.4.2)
void TlsParser::OnCertificate(Bytes body, size_t message_bytes, Direction direction, ObservableBatch& out) {
  ByteReader reader(body), certificate;
  uint32_t list_bytes = 0;
  if (!reader.ReadU24(list_bytes) || list_bytes + 3 > message_bytes) return;
  ByteReader list(reader.rest().first(std::min<size_t>(list_bytes, reader.remaining())));
  ByteReader first = list;
  if (!first.ReadPrefixed24(certificate)) return;
  std::optional<Digester> sha1, sha256;
  if (out.Wants(ObservableKind::kTlsCertSha1)) sha1.emplace(DigestAlgorithm::kSha1);
  if (out.Wants(ObservableKind::kTlsCertSha256)) sha256.emplace(DigestAlgorithm::kSha256);
  out.BeginMessage();
  for (size_t i = 0; i < kMaxCertificates && list.ReadPrefixed24(certificate); ++i) {
    const Bytes der = CertificateOf(certificate.rest());
    if (der.empty()) continue;
    if (sha1) out.AddText(ObservableKind::kTlsCertSha1, direction, sha1->Of(der).Hex());
    if (sha256) out.AddText(ObservableKind::kTlsCertSha256, direction, sha256->Of(der).Hex());
    CertificateNames names;
    if (i != 0 || !WantsNames(out) || !ReadCertificateNames(der, names)) continue;
    for (const std::string& host : names.hosts) out.AddText(ObservableKind::kTlsCertName, direction, host);
    out.AddText(ObservableKind::kTlsSubject, direction, names.subject);
    out.AddText(ObservableKind::kTlsIssuer, direction, names.issuer);
  }
  out.AddText(ObservableKind::kTlsVersion, direction, TlsVersionName(negotiated_version_));
}

}  // namespace vedette
