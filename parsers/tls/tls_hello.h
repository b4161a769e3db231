// The hello messages of TLS, as views, for names and fingerprints. QUIC and DTLS carry them too.
//
// RFC 5246 section 7.4.1, RFC 8446 section 4.1. Every view points into the message that was parsed.
#pragma once

#include <cstdint>
#include <string_view>

#include "parsers/base/bytes.h"

namespace vedette {

namespace tls {
constexpr uint16_t kSsl20 = 0x0002, kSsl30 = 0x0300, kTls10 = 0x0301, kTls11 = 0x0302, kTls12 = 0x0303, kTls13 = 0x0304;

// Extension types.
constexpr uint16_t kServerName = 0, kSupportedGroups = 10, kEcPointFormats = 11, kSignatureAlgorithms = 13, kAlpn = 16,
                   kSupportedVersions = 43;
}  // namespace tls

// RFC 8701: meaningless values that keep implementations tolerant. No fingerprint includes them.
constexpr bool IsGrease(uint16_t value) { return (value & 0x0f0f) == 0x0a0a && (value >> 8) == (value & 0xff); }

// TLS 1.3 or one of its drafts: everything after the ServerHello is encrypted.
constexpr bool IsTls13OrDraft(uint16_t version) {
  return version == tls::kTls13 || (version >> 8) == 0x7f || (version >> 8) == 0xfb;
}

// "TLS 1.2"; "" for a version nobody defined.
std::string_view TlsVersionName(uint16_t version);

// Calls visit(value) for each 16-bit value; an odd byte at the end is ignored.
template <class Visit>
void ForEachU16(Bytes list, Visit visit) {
  for (size_t i = 0; i + 2 <= list.size(); i += 2) visit(static_cast<uint16_t>(list[i] << 8 | list[i + 1]));
}

// Calls visit(type, body) for each extension of a block that a Parse function accepted.
template <class Visit>
void ForEachExtension(Bytes extensions, Visit visit) {
  ByteReader reader(extensions);
  uint16_t type = 0;
  ByteReader body;
  while (reader.ReadU16(type) && reader.ReadPrefixed16(body)) visit(type, body.rest());
}

// The lists are without their length prefix, and empty if the extension is absent or its length is wrong; if an
// extension occurs twice, the first counts.
struct ClientHello {
  uint16_t legacy_version = 0;
  Bytes cipher_suites;         // 16-bit values
  Bytes extensions;            // types and bodies
  Bytes server_names;          // ServerName entries, RFC 6066 section 3
  Bytes supported_groups;      // 16-bit values
  Bytes ec_point_formats;      // 8-bit values
  Bytes signature_algorithms;  // 16-bit values
  Bytes alpn;                  // ProtocolName entries, RFC 7301
  Bytes supported_versions;    // 16-bit values

  // The highest version offered; GREASE apart.
  uint16_t OfferedVersion() const;
  // The first protocol of the ALPN list; empty where there is none.
  std::string_view FirstAlpn() const;
  // Calls visit(name) for each host_name entry, as on the wire, at most kMaxServerNames (RFC 6066 allows one).
  template <class Visit>
  void ForEachServerName(Visit visit) const {
    ByteReader reader(server_names);
    uint8_t type = 0;
    ByteReader name;
    for (int i = 0; i < kMaxServerNames && reader.ReadU8(type) && reader.ReadPrefixed16(name); ++i) {
      if (type == 0 && !name.empty()) visit(AsText(name.rest()));
    }
  }
  static constexpr int kMaxServerNames = 8;
};

struct ServerHello {
  uint16_t legacy_version = 0;
  uint16_t cipher_suite = 0;
  Bytes extensions;
  uint16_t selected_version = 0;  // of supported_versions; 0 where absent
  bool is_hello_retry_request = false;

  uint16_t NegotiatedVersion() const { return selected_version != 0 ? selected_version : legacy_version; }
};

// `body`: a handshake message without its four-byte header. False if lengths do not fit; bytes after the
// extensions are accepted, because TLS stacks differ in that.
[[nodiscard]] bool ParseClientHello(Bytes body, ClientHello& hello);
// The values of a ClientHello of `message_bytes` of which only the beginning, `body`, is there: `server_names`, as far
// as it goes, and of the other lists `supported_versions`, if it is complete. Not enough for a fingerprint.
// False if it ends before its extensions, or if lengths do not fit.
[[nodiscard]] bool ParseCutClientHello(Bytes body, size_t message_bytes, ClientHello& hello);
[[nodiscard]] bool ParseServerHello(Bytes body, ServerHello& hello);

}  // namespace vedette
