#include "parsers/tls/tls_record.h"

#include "parsers/tls/tls_hello.h"

namespace vedette::tls {
namespace {

constexpr uint16_t kMaxRecordBytes = 16384 + 2048;  // RFC 5246 section 6.2.3
constexpr uint16_t kMinEncryptedBytes = 17;         // a byte and the shortest tag or MAC

// The message that a handshake record begins with, `body` being the record's first bytes.
Probe ProbeHandshake(Bytes body, uint16_t record_length) {
  ByteReader reader(body);
  uint8_t type = 0;
  uint32_t length = 0;
  if (!reader.ReadU8(type)) return Probe::kNeedMore;
  if (!IsKnownInClear(type)) return Probe::kNo;
  if (record_length < kMessageHeaderBytes) {
    // A message cut into tiny records: the next one says whether it is one.
    if (!reader.Skip(record_length - 1)) return Probe::kNeedMore;
    uint8_t next = 0, major = 0;
    if (!reader.ReadU8(next) || !reader.ReadU8(major)) return Probe::kNeedMore;
    return next == kHandshake && major == 3 ? Probe::kYes : Probe::kNo;
  }
  if (!reader.ReadU24(length)) return Probe::kNeedMore;
  const bool is_whole = length + kMessageHeaderBytes <= record_length;
  uint8_t major = 0;
  switch (type) {
    case kClientHello:
    case kServerHello:
      if (length < 36 || length > kMaxMessageBytes) return Probe::kNo;
      if (record_length == kMessageHeaderBytes) return Probe::kYes;
      if (!reader.ReadU8(major)) return Probe::kNeedMore;
      return major == 3 || (type == kServerHello && major == 0x7f) ? Probe::kYes : Probe::kNo;
    case kCertificate: {
      uint32_t list_length = 0;
      if (length < 3 || length > kMaxMessageBytes) return Probe::kNo;
      if (record_length < kMessageHeaderBytes + 3) return Probe::kYes;
      if (!reader.ReadU24(list_length)) return Probe::kNeedMore;
      return list_length + 3 == length ? Probe::kYes : Probe::kNo;
    }
    case kHelloRequest:
    case kServerHelloDone:
      return length == 0 ? Probe::kYes : Probe::kNo;
    default:
      return is_whole && length != 0 ? Probe::kYes : Probe::kNo;
  }
}

}  // namespace

bool IsKnownInClear(uint8_t type) {
  switch (type) {
    case kHelloRequest:
    case kClientHello:
    case kServerHello:
    case kNewSessionTicket:
    case kDraftHelloRetryRequest:
    case kCertificate:
    case kServerKeyExchange:
    case kCertificateRequest:
    case kServerHelloDone:
    case kCertificateVerify:
    case kClientKeyExchange:
    case kCertificateUrl:
    case kCertificateStatus:
    case kSupplementalData:
    case kNextProtocol:
      return true;
    default:
      return false;
  }
}

bool IsPlausibleRecord(uint8_t type, uint16_t version, uint16_t length) {
  return type >= kChangeCipherSpec && type <= kHeartbeat && version >= kSsl30 && version <= kTls13 &&
         length <= kMaxRecordBytes && (type != kChangeCipherSpec || length == 1);
}

bool IsSslv2ClientHello(Bytes first, uint16_t& version, uint16_t& length) {
  ByteReader reader(first);
  uint8_t type = 0;
  uint16_t cipher_specs = 0, session_id = 0, challenge = 0;
  if (!reader.ReadU16(length) || !reader.ReadU8(type) || !reader.ReadU16(version) || !reader.ReadU16(cipher_specs) ||
      !reader.ReadU16(session_id) || !reader.ReadU16(challenge)) {
    return false;
  }
  const bool is_marked = (length & 0x8000) != 0;
  length &= 0x7fff;
  return is_marked && type == 1 && (version == kSsl20 || (version >= kSsl30 && version <= kTls12)) &&
         cipher_specs != 0 && cipher_specs % 3 == 0 && (session_id == 0 || session_id == 16) && challenge >= 16 &&
         challenge <= 32 && length == 9u + cipher_specs + session_id + challenge;
}

Probe ProbeRecord(Bytes first) {
  ByteReader reader(first);
  uint8_t type = 0, major = 0, minor = 0;
  uint16_t length = 0;
  if (!reader.ReadU8(type)) return Probe::kNeedMore;
  if (type < kChangeCipherSpec || type > kApplicationData) return Probe::kNo;
  if (!reader.ReadU8(major)) return Probe::kNeedMore;
  if (major != 3) return Probe::kNo;
  if (!reader.ReadU8(minor)) return Probe::kNeedMore;
  if (minor > 4) return Probe::kNo;
  if (!reader.ReadU16(length)) return Probe::kNeedMore;
  if (!IsPlausibleRecord(type, static_cast<uint16_t>(major << 8 | minor), length) || length == 0) return Probe::kNo;
  uint8_t value = 0;
  switch (type) {
    case kHandshake:
      return ProbeHandshake(reader.rest(), length);
    case kChangeCipherSpec:
      if (!reader.ReadU8(value)) return Probe::kNeedMore;
      return value == 1 ? Probe::kYes : Probe::kNo;
    case kAlert:
      if (length != 2) return Probe::kNo;
      if (!reader.ReadU8(value)) return Probe::kNeedMore;
      return value == 1 || value == 2 ? Probe::kYes : Probe::kNo;
    default:
      return length >= kMinEncryptedBytes ? Probe::kYes : Probe::kNo;
  }
}

}  // namespace vedette::tls
