// Makes TLS messages for tests, field by field.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace vedette::testing {

inline std::string U8(uint64_t v) { return std::string(1, static_cast<char>(v)); }
inline std::string U16(uint64_t v) { return U8(v >> 8 & 0xff) + U8(v & 0xff); }
inline std::string U24(uint64_t v) { return U8(v >> 16 & 0xff) + U16(v & 0xffff); }
inline std::string Vector8(const std::string& s) { return U8(s.size()) + s; }
inline std::string Vector16(const std::string& s) { return U16(s.size()) + s; }
inline std::string Vector24(const std::string& s) { return U24(s.size()) + s; }

inline std::string U16s(const std::vector<uint16_t>& values) {
  std::string out;
  for (const uint16_t value : values) out += U16(value);
  return out;
}

inline std::string Extension(uint16_t type, const std::string& body) { return U16(type) + Vector16(body); }
inline std::string SniExtension(const std::string& name) { return Extension(0, Vector16(U8(0) + Vector16(name))); }
inline std::string AlpnExtension(const std::string& protocol) { return Extension(16, Vector16(Vector8(protocol))); }
inline std::string GroupsExtension(const std::vector<uint16_t>& groups) {
  return Extension(10, Vector16(U16s(groups)));
}
inline std::string PointFormatsExtension(const std::string& formats) { return Extension(11, Vector8(formats)); }
inline std::string SignaturesExtension(const std::vector<uint16_t>& a) { return Extension(13, Vector16(U16s(a))); }
inline std::string VersionsExtension(const std::vector<uint16_t>& v) { return Extension(43, Vector8(U16s(v))); }

// The body of a ClientHello; `extensions` without the length of the block, left out where empty.
inline std::string ClientHelloBody(uint16_t version, const std::vector<uint16_t>& ciphers,
                                   const std::string& extensions) {
  return U16(version) + std::string(32, 'r') + Vector8("") + Vector16(U16s(ciphers)) + Vector8(U8(0)) +
         (extensions.empty() ? "" : Vector16(extensions));
}
inline std::string ServerHelloBody(uint16_t version, uint16_t cipher, const std::string& extensions,
                                   const std::string& random = std::string(32, 'R')) {
  return U16(version) + random + Vector8("") + U16(cipher) + U8(0) + (extensions.empty() ? "" : Vector16(extensions));
}

inline std::string Message(uint8_t type, const std::string& body) { return U8(type) + Vector24(body); }
inline std::string Record(uint8_t type, const std::string& body, uint16_t version = 0x0303) {
  return U8(type) + U16(version) + Vector16(body);
}
inline std::string HandshakeRecord(const std::string& messages) { return Record(22, messages); }

inline std::string CertificateMessage(const std::vector<std::string>& certificates) {
  std::string list;
  for (const std::string& der : certificates) list += Vector24(der);
  return Message(11, Vector24(list));
}

// RFC 5246 appendix E.2.
inline std::string Sslv2Hello(uint16_t version) {
  const std::string rest = U8(1) + U16(version) + U16(6) + U16(0) + U16(16) +
                           std::string("\x01\x00\x80\x00\x00\x04", 6) + std::string(16, 'c');
  return U16(0x8000 | rest.size()) + rest;
}

}  // namespace vedette::testing
