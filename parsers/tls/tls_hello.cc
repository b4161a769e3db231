#include "parsers/tls/tls_hello.h"

#include <algorithm>
#include <array>

namespace vedette {
namespace {

constexpr size_t kRandomBytes = 32;

// RFC 8446 section 4.1.3: SHA-256 of "HelloRetryRequest", in place of the server's random.
constexpr std::array<uint8_t, kRandomBytes> kHelloRetryRandom = {
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
    0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c};

// Drafts of TLS 1.3 before 22 put their own number here and left out session id and compression.
constexpr bool IsShortServerHello(uint16_t legacy_version) {
  return (legacy_version >> 8) == 0x7f && (legacy_version & 0xff) < 22;
}

void TakeList16(Bytes body, Bytes& list) {
  ByteReader reader(body), content;
  if (list.empty() && reader.ReadPrefixed16(content)) list = content.rest();
}

void TakeList8(Bytes body, Bytes& list) {
  ByteReader reader(body), content;
  if (list.empty() && reader.ReadPrefixed8(content)) list = content.rest();
}

bool ReadBeforeExtensions(ByteReader& reader, ClientHello& hello) {
  ByteReader session_id, cipher_suites, compression_methods;
  if (!reader.ReadU16(hello.legacy_version) || !reader.Skip(kRandomBytes) || !reader.ReadPrefixed8(session_id) ||
      !reader.ReadPrefixed16(cipher_suites) || !reader.ReadPrefixed8(compression_methods)) {
    return false;
  }
  hello.cipher_suites = cipher_suites.rest();
  return true;
}

// Whether the block is made of whole extensions.
bool IsExtensionBlock(ByteReader reader) {
  while (!reader.empty()) {
    uint16_t type = 0;
    ByteReader body;
    if (!reader.ReadU16(type) || !reader.ReadPrefixed16(body)) return false;
  }
  return true;
}

// The block at the end of a hello; none at all is as good as an empty one.
bool ReadExtensions(ByteReader& reader, Bytes& extensions) {
  if (reader.empty()) return true;
  ByteReader block;
  if (!reader.ReadPrefixed16(block) || !IsExtensionBlock(block)) return false;
  extensions = block.rest();
  return true;
}

}  // namespace

std::string_view TlsVersionName(uint16_t version) {
  switch (version) {
    case tls::kSsl20:
      return "SSL 2.0";
    case tls::kSsl30:
      return "SSL 3.0";
    case tls::kTls10:
      return "TLS 1.0";
    case tls::kTls11:
      return "TLS 1.1";
    case tls::kTls12:
      return "TLS 1.2";
    default:
      return IsTls13OrDraft(version) ? "TLS 1.3" : "";
  }
}

uint16_t ClientHello::OfferedVersion() const {
  uint16_t highest = 0;
  ForEachU16(supported_versions, [&](uint16_t version) {
    if (!IsGrease(version)) highest = std::max(highest, version);
  });
  return highest != 0 ? highest : legacy_version;
}

std::string_view ClientHello::FirstAlpn() const {
  ByteReader reader(alpn), name;
  return reader.ReadPrefixed8(name) ? AsText(name.rest()) : std::string_view();
}

bool ParseClientHello(Bytes body, ClientHello& hello) {
  ByteReader reader(body);
  if (!ReadBeforeExtensions(reader, hello) || !ReadExtensions(reader, hello.extensions)) return false;
  ForEachExtension(hello.extensions, [&](uint16_t type, Bytes extension) {
    switch (type) {
      case tls::kServerName:
        return TakeList16(extension, hello.server_names);
      case tls::kSupportedGroups:
        return TakeList16(extension, hello.supported_groups);
      case tls::kEcPointFormats:
        return TakeList8(extension, hello.ec_point_formats);
      case tls::kSignatureAlgorithms:
        return TakeList16(extension, hello.signature_algorithms);
      case tls::kAlpn:
        return TakeList16(extension, hello.alpn);
      case tls::kSupportedVersions:
        return TakeList8(extension, hello.supported_versions);
      default:
        return;
    }
  });
  return true;
}

bool ParseCutClientHello(Bytes body, size_t message_bytes, ClientHello& hello) {
  ByteReader reader(body);
  uint16_t block_bytes = 0;
  if (!ReadBeforeExtensions(reader, hello) || !reader.ReadU16(block_bytes)) return false;
  const size_t end = reader.position() + block_bytes;
  if (end > message_bytes) return false;
  uint16_t type = 0, length = 0;
  while (reader.position() < end && reader.ReadU16(type) && reader.ReadU16(length)) {
    if (length > end - reader.position()) return false;
    const Bytes extension = reader.rest().first(std::min<size_t>(length, reader.remaining()));
    if (type == tls::kServerName && hello.server_names.empty()) {
      ByteReader list(extension);
      uint16_t list_bytes = 0;
      if (list.ReadU16(list_bytes) && list_bytes + 2 <= length) {
        hello.server_names = list.rest().first(std::min<size_t>(list_bytes, list.remaining()));
      }
    }
    if (!reader.Skip(length)) break;
    if (type == tls::kSupportedVersions) TakeList8(extension, hello.supported_versions);
  }
  return true;
}

bool ParseServerHello(Bytes body, ServerHello& hello) {
  ByteReader reader(body), session_id;
  Bytes random;
  uint8_t compression = 0;
  if (!reader.ReadU16(hello.legacy_version) || !reader.ReadBytes(kRandomBytes, random)) return false;
  const bool is_short = IsShortServerHello(hello.legacy_version);
  if ((!is_short && !reader.ReadPrefixed8(session_id)) || !reader.ReadU16(hello.cipher_suite) ||
      (!is_short && !reader.ReadU8(compression)) || !ReadExtensions(reader, hello.extensions)) {
    return false;
  }
  hello.is_hello_retry_request = std::equal(random.begin(), random.end(), kHelloRetryRandom.begin());
  ForEachExtension(hello.extensions, [&](uint16_t type, Bytes extension) {
    ByteReader version(extension);
    if (type == tls::kSupportedVersions && !version.ReadU16(hello.selected_version)) hello.selected_version = 0;
  });
  return true;
}

}  // namespace vedette
