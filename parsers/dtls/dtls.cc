#include "parsers/dtls/dtls.h"

#include <algorithm>
#include <string_view>

#include "parsers/base/text.h"
#include "parsers/dtls/dtls_protocol.h"
#include "parsers/tls/tls_fingerprint.h"
#include "parsers/tls/tls_hello.h"

namespace vedette {
namespace {

// Handshake types: RFC 6347 section 4.3.2.
enum HandshakeType : uint8_t { kClientHello = 1, kServerHello = 2, kHelloVerifyRequest = 3 };

constexpr uint8_t kHandshakeRecord = 22;
constexpr std::array<uint8_t, 4> kCapwapHeader = {1, 0, 0, 0};
constexpr size_t kRandomBytes = 32;
constexpr uint16_t kMaxFirstMessageSeq = 2;  // hellos are a handshake's first messages

// Versions count downwards. Before the RFC, OpenSSL and with it Cisco's AnyConnect had one of their own.
constexpr uint16_t kDtls10 = 0xfeff, kDtls12 = 0xfefd, kDtls13 = 0xfefc, kBeforeRfc = 0x0100;
constexpr bool IsVersion(uint16_t version) {
  return version == kDtls10 || version == kDtls12 || version == kDtls13 || version == kBeforeRfc;
}

// RFC 7983 section 7: by the first byte, where STUN, SRTP and others share the ports.
constexpr bool IsOurs(uint8_t first) { return (first >= 20 && first <= 63) || first == kCapwapHeader[0]; }

std::string_view VersionName(uint16_t version) {
  switch (version) {
    case kDtls10:
      return "DTLS 1.0";
    case kDtls12:
      return "DTLS 1.2";
    case kDtls13:
      return "DTLS 1.3";
    default:
      return "";
  }
}

uint16_t OfferedVersion(const ClientHello& hello) {
  uint16_t newest = hello.legacy_version;
  ForEachU16(hello.supported_versions, [&](uint16_t version) {
    if (IsVersion(version) && version != kBeforeRfc) newest = std::min(newest, version);
  });
  return newest;
}

ByteReader RecordsOf(Bytes datagram) {
  ByteReader reader(datagram);
  const bool capwap = datagram.size() >= kCapwapHeader.size() &&
                      std::equal(kCapwapHeader.begin(), kCapwapHeader.end(), datagram.begin());
  return capwap ? ByteReader(datagram.subspan(kCapwapHeader.size())) : reader;
}

// What TLS has there: the same without the cookie, which stands behind the session id (RFC 6347 section 4.2.1).
bool WithoutCookie(Bytes body, std::vector<uint8_t>& tls) {
  ByteReader reader(body), session_id, cookie;
  uint16_t version = 0;
  if (!reader.ReadU16(version) || !reader.Skip(kRandomBytes) || !reader.ReadPrefixed8(session_id)) return false;
  const Bytes front = body.first(reader.position());
  if (!reader.ReadPrefixed8(cookie)) return false;
  tls.reserve(body.size());
  tls.assign(front.begin(), front.end());
  tls.insert(tls.end(), reader.rest().begin(), reader.rest().end());
  return true;
}

}  // namespace

// type, version, epoch, sequence number of 48 bits, length (RFC 6347 section 4.1). False: no record begins here, or it
// is not whole.
bool DtlsParser::ReadRecord(ByteReader& reader, bool& is_handshake, ByteReader& record) {
  uint8_t type = 0;
  uint16_t version = 0, epoch = 0;
  if (!reader.ReadU8(type) || !reader.ReadU16(version) || !IsVersion(version) || !reader.ReadU16(epoch) ||
      !reader.Skip(6) || !reader.ReadPrefixed16(record)) {
    return false;
  }
  is_handshake = type == kHandshakeRecord && epoch == 0;  // of a later epoch it is encrypted
  return true;
}

// RFC 6347 section 4.2.2.
bool DtlsParser::ReadFragment(ByteReader& record, Fragment& fragment) {
  ByteReader body;
  if (!record.ReadU8(fragment.type) || !record.ReadU24(fragment.message_bytes) ||
      !record.ReadU16(fragment.message_seq) || !record.ReadU24(fragment.offset) || !record.ReadPrefixed24(body)) {
    return false;
  }
  fragment.body = body.rest();
  return fragment.offset + fragment.body.size() <= fragment.message_bytes;
}

uint8_t DtlsParser::HelloTypeOf(Bytes datagram) {
  ByteReader reader = RecordsOf(datagram), record;
  bool is_handshake = false;
  Fragment fragment;
  if (!ReadRecord(reader, is_handshake, record) || !is_handshake || !ReadFragment(record, fragment)) return 0;
  const bool is_hello =
      fragment.type == kClientHello || fragment.type == kServerHello || fragment.type == kHelloVerifyRequest;
  return is_hello && fragment.message_seq <= kMaxFirstMessageSeq ? fragment.type : 0;
}

Sender DtlsParser::SenderOf(Bytes datagram) {
  if (!MayBegin(datagram)) return Sender::kUnknown;
  switch (HelloTypeOf(datagram)) {
    case kClientHello:
      return Sender::kClient;
    case kServerHello:
    case kHelloVerifyRequest:
      return Sender::kServer;
    default:
      return Sender::kUnknown;
  }
}

Outcome DtlsParser::Feed(const Datagram& datagram, ParserOutput& out) {
  if (datagram.data.empty() || !IsOurs(datagram.data[0])) return Outcome::NeedMore();
  ByteReader reader = RecordsOf(datagram.data), record;
  bool is_handshake = false;
  while (ReadRecord(reader, is_handshake, record)) {
    Fragment fragment;
    while (is_handshake && ReadFragment(record, fragment)) {
      if (fragment.type != kClientHello) continue;
      OnFragment(sides_[static_cast<size_t>(datagram.direction)], fragment, datagram.direction, out);
    }
  }
  return num_hellos_ < kMaxHellos ? Outcome::NeedMore() : Outcome::Done();
}

void DtlsParser::OnFragment(Side& side, const Fragment& fragment, Direction direction, ParserOutput& out) {
  if (num_hellos_ == kMaxHellos) return;
  if (fragment.body.size() == fragment.message_bytes) {
    side = {};
    return OnHello(fragment.body, direction, out);
  }
  if (fragment.body.empty()) return;
  if (fragment.message_bytes > kMaxHelloBytes) {
    if (fragment.offset == 0) out.Count<DtlsProtocol>(DtlsProtocol::kHelloLimit);
    return;
  }
  if (side.body.size() != fragment.message_bytes || side.message_seq != fragment.message_seq) {
    side = {};
    side.body.resize(fragment.message_bytes);
    side.message_seq = fragment.message_seq;
  }
  const bool whole = Place(side, fragment);
  if (side.ranges.size() > kMaxRanges) {
    side = {};
    out.Count<DtlsProtocol>(DtlsProtocol::kHelloLimit);
  }
  if (!whole) return;
  const std::vector<uint8_t> body = std::move(side.body);
  side = {};
  OnHello(body, direction, out);
}

// Of bytes that come twice the first count. True: the message is whole.
bool DtlsParser::Place(Side& side, const Fragment& fragment) {
  Range placed = {fragment.offset, fragment.offset + static_cast<uint32_t>(fragment.body.size())};
  uint32_t at = placed.begin;
  const auto copy = [&](uint32_t end) {
    if (at < end) {
      const Bytes part = fragment.body.subspan(at - fragment.offset, end - at);
      std::copy(part.begin(), part.end(), side.body.begin() + at);
    }
  };
  std::vector<Range> ranges;
  ranges.reserve(side.ranges.size() + 1);
  const uint32_t from = placed.begin, to = placed.end;
  for (const Range& range : side.ranges) {
    if (range.end < from || range.begin > to) {
      ranges.push_back(range);
      continue;
    }
    copy(std::min(range.begin, to));
    at = std::max(at, range.end);
    placed = {std::min(placed.begin, range.begin), std::max(placed.end, range.end)};
  }
  copy(to);
  ranges.insert(std::find_if(ranges.begin(), ranges.end(), [&](const Range& r) { return r.begin > placed.begin; }),
                placed);
  side.ranges = std::move(ranges);
  return placed.begin == 0 && placed.end == side.body.size();
}

void DtlsParser::OnHello(Bytes body, Direction direction, ParserOutput& out) {
  ObservableBatch& values = out.values();
  std::vector<uint8_t> tls;
  ClientHello hello;
  if (!WithoutCookie(body, tls) || !ParseClientHello(tls, hello) || !IsVersion(hello.legacy_version)) return;
  if (++num_hellos_ == kMaxHellos) out.Count<DtlsProtocol>(DtlsProtocol::kHelloLimit);
  values.BeginMessage();
  if (values.Wants(ObservableKind::kDtlsSni)) {
    hello.ForEachServerName(
        [&](std::string_view name) { values.AddText(ObservableKind::kDtlsSni, direction, NormaliseHost(name)); });
  }
  if (values.Wants(ObservableKind::kDtlsJa3)) values.AddText(ObservableKind::kDtlsJa3, direction, Ja3(hello));
  const uint16_t version = OfferedVersion(hello);
  if (values.Wants(ObservableKind::kDtlsJa4)) {
    ClientHello offered = hello;
    offered.legacy_version = version;
    offered.supported_versions = {};  // of which JA4 would take the highest number
    values.AddText(ObservableKind::kDtlsJa4, direction, Ja4(offered, Ja4Transport::kDtls));
    if (Ja4HasTwoForms(offered)) {
      values.AddText(ObservableKind::kDtlsJa4, direction, Ja4(offered, Ja4Transport::kDtls, Ja4AlpnRule::kNines));
    }
  }
  values.AddText(ObservableKind::kTlsVersion, direction, VersionName(version));
}

}  // namespace vedette
