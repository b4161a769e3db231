// TLS's record layer: what a record and the message in it look like from outside, and by which bytes they are told.
#pragma once

#include <cstddef>
#include <cstdint>

#include "parsers/base/bytes.h"
#include "parsers/base/parser.h"

namespace vedette::tls {

// ContentType, RFC 8446 section 5.1 and RFC 6520.
enum RecordType : uint8_t {
  kChangeCipherSpec = 20,
  kAlert = 21,
  kHandshake = 22,
  kApplicationData = 23,
  kHeartbeat = 24,
  kSslv2Hello = 0x80,  // not on the wire: the rest of an SSLv2-compatible ClientHello
};

// HandshakeType, RFC 8446 section 4 and those it replaces.
enum HandshakeType : uint8_t {
  kHelloRequest = 0,
  kClientHello = 1,
  kServerHello = 2,
  kNewSessionTicket = 4,
  kDraftHelloRetryRequest = 6,
  kCertificate = 11,
  kServerKeyExchange = 12,
  kCertificateRequest = 13,
  kServerHelloDone = 14,
  kCertificateVerify = 15,
  kClientKeyExchange = 16,
  kCertificateUrl = 21,
  kCertificateStatus = 22,
  kSupplementalData = 23,
  kNextProtocol = 67,
};

inline constexpr size_t kRecordHeaderBytes = 5;
inline constexpr size_t kMessageHeaderBytes = 4;
inline constexpr size_t kSslv2HelloBytes = 11;  // up to and with the length of the challenge
// The longest handshake message that is reassembled. OpenSSL's peers accept Certificate messages of up to 100 KiB and
// ClientHellos of up to 128 KiB; real ones have 2 to 10. Longer ones are skipped.
inline constexpr size_t kMaxMessageBytes = size_t{128} * 1024;

// Handshake messages that are sent in clear.
bool IsKnownInClear(uint8_t type);

// Of a record's header; `type` is a RecordType.
bool IsPlausibleRecord(uint8_t type, uint16_t version, uint16_t length);

// RFC 5246 appendix E.2: 15 bits of length under a set bit, 1, version, lengths of cipher specs (in threes), session id
// and challenge, which fill it exactly. `first` has kSslv2HelloBytes.
bool IsSslv2ClientHello(Bytes first, uint16_t& version, uint16_t& length);

// Whether a record begins here, by its header and the message in it.
Probe ProbeRecord(Bytes first);

}  // namespace vedette::tls
