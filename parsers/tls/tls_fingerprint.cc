#include "parsers/tls/tls_fingerprint.h"

#include <algorithm>
#include <charconv>
#include <string_view>
#include <vector>

#include "parsers/base/digest.h"

namespace vedette {
namespace {

constexpr char kHexDigits[] = "0123456789abcdef";
constexpr size_t kJa4HashCharacters = 12;
constexpr std::string_view kJa4NoValues = "000000000000";
constexpr size_t kUsualTextBytes = 512;  // longer for few clients; saves growing step by step

void AppendDecimal(uint16_t value, std::string& out) {
  char digits[5];
  out.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
}

// Appends decimal values with '-' between them.
class DashedList {
 public:
  explicit DashedList(std::string& out) : out_(out) {}
  void Add(uint16_t value) {
    if (IsGrease(value)) return;
    if (!first_) out_ += '-';
    first_ = false;
    AppendDecimal(value, out_);
  }

 private:
  std::string& out_;
  bool first_ = true;
};

void AppendExtensionTypes(Bytes extensions, std::string& out) {
  DashedList list(out);
  ForEachExtension(extensions, [&](uint16_t type, Bytes) { list.Add(type); });
}

std::string Md5Of(const std::string& text) { return Digester(DigestAlgorithm::kMd5).Of(AsBytes(text)).Hex(); }

// Four hex digits a value, with commas.
std::string HexList(const std::vector<uint16_t>& values) {
  std::string out;
  out.reserve(kUsualTextBytes);
  for (const uint16_t value : values) {
    if (!out.empty()) out += ',';
    for (int shift = 12; shift >= 0; shift -= 4) out += kHexDigits[value >> shift & 15];
  }
  return out;
}

std::string_view Ja4Version(uint16_t version) {
  switch (version) {
    case 0x0304:
      return "13";
    case 0x0303:
      return "12";
    case 0x0302:
      return "11";
    case 0x0301:
      return "10";
    case 0x0300:
      return "s3";
    case 0x0002:
      return "s2";
    case 0xfeff:
      return "d1";
    case 0xfefd:
      return "d2";
    case 0xfefc:
      return "d3";
    default:
      return "00";
  }
}

void AppendCount(size_t count, std::string& out) {
  count = std::min<size_t>(count, 99);
  out += static_cast<char>('0' + count / 10);
  out += static_cast<char>('0' + count % 10);
}

constexpr bool IsAlphanumeric(char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}
constexpr bool IsAscii(char c) { return static_cast<uint8_t>(c) < 0x80; }

void AppendAlpn(std::string_view protocol, Ja4AlpnRule rule, std::string& out) {
  if (protocol.empty()) {
    out += "00";
    return;
  }
  const char first = protocol.front(), last = protocol.back();
  if (rule == Ja4AlpnRule::kNines) {
    out += IsAscii(first) ? first : '9';
    out += IsAscii(last) ? last : '9';
  } else if (IsAlphanumeric(first) && IsAlphanumeric(last)) {
    out += first;
    out += last;
  } else {
    out += kHexDigits[static_cast<uint8_t>(first) >> 4];
    out += kHexDigits[static_cast<uint8_t>(last) & 15];
  }
}

void AppendHash(Digester& sha256, const std::string& text, std::string& out) {
  out += text.empty() ? kJa4NoValues : std::string_view(sha256.Of(AsBytes(text)).Hex()).substr(0, kJa4HashCharacters);
}

}  // namespace

std::string Ja3Text(const ClientHello& hello) {
  std::string out;
  out.reserve(kUsualTextBytes);
  AppendDecimal(hello.legacy_version, out);
  out += ',';
  DashedList cipher_suites(out);
  ForEachU16(hello.cipher_suites, [&](uint16_t value) { cipher_suites.Add(value); });
  out += ',';
  AppendExtensionTypes(hello.extensions, out);
  out += ',';
  DashedList groups(out);
  ForEachU16(hello.supported_groups, [&](uint16_t value) { groups.Add(value); });
  out += ',';
  DashedList formats(out);
  for (const uint8_t format : hello.ec_point_formats) formats.Add(format);
  return out;
}

std::string Ja3sText(const ServerHello& hello) {
  std::string out;
  AppendDecimal(hello.legacy_version, out);
  out += ',';
  AppendDecimal(hello.cipher_suite, out);
  out += ',';
  AppendExtensionTypes(hello.extensions, out);
  return out;
}

std::string Ja3(const ClientHello& hello) { return Md5Of(Ja3Text(hello)); }
std::string Ja3s(const ServerHello& hello) { return Md5Of(Ja3sText(hello)); }

std::string Ja4(const ClientHello& hello, Ja4Transport transport, Ja4AlpnRule rule) {
  std::vector<uint16_t> cipher_suites, extensions, algorithms;
  cipher_suites.reserve(hello.cipher_suites.size() / 2);
  algorithms.reserve(hello.signature_algorithms.size() / 2);
  bool has_server_name = false;
  size_t num_extensions = 0;
  ForEachU16(hello.cipher_suites, [&](uint16_t value) {
    if (!IsGrease(value)) cipher_suites.push_back(value);
  });
  ForEachU16(hello.signature_algorithms, [&](uint16_t value) {
    if (!IsGrease(value)) algorithms.push_back(value);
  });
  ForEachExtension(hello.extensions, [&](uint16_t type, Bytes) {
    if (IsGrease(type)) return;
    ++num_extensions;
    has_server_name |= type == tls::kServerName;
    if (type != tls::kServerName && type != tls::kAlpn) extensions.push_back(type);
  });
  std::sort(cipher_suites.begin(), cipher_suites.end());
  std::sort(extensions.begin(), extensions.end());

  std::string out;
  out += static_cast<char>(transport);
  out += Ja4Version(hello.OfferedVersion());
  out += has_server_name ? 'd' : 'i';
  AppendCount(cipher_suites.size(), out);
  AppendCount(num_extensions, out);
  AppendAlpn(hello.FirstAlpn(), rule, out);
  Digester sha256(DigestAlgorithm::kSha256);
  out += '_';
  AppendHash(sha256, HexList(cipher_suites), out);
  out += '_';
  std::string hashed = HexList(extensions);
  if (!algorithms.empty()) hashed += '_' + HexList(algorithms);
  AppendHash(sha256, hashed, out);
  return out;
}

bool Ja4HasTwoForms(const ClientHello& hello) {
  const std::string_view protocol = hello.FirstAlpn();
  return !protocol.empty() && !(IsAscii(protocol.front()) && IsAscii(protocol.back()));
}

}  // namespace vedette
