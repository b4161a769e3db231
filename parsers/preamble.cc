#include "parsers/preamble.h"

#include <algorithm>
#include <string_view>

namespace vedette {
namespace {

constexpr char kTlsHandshake = 22;

constexpr bool IsText(uint8_t byte) {
  return byte >= ' ' ? byte != 0x7f : byte == '\r' || byte == '\n' || byte == '\t';
}

class Finder {
 public:
  explicit Finder(Bytes first) : first_(first) {}

  Preambles Find() {
    if (first_.empty()) return out_;
    switch (first_[0]) {
      case 0:
        Socks4Answer();
        PostgresRequest();
        break;
      case 1:
        Socks5Password();
        break;
      case 3:
        Rdp();
        break;
      case 4:
        Socks4Request();
        break;
      case 5:
        Socks5Hello();
        Socks5Request();
        break;
      case '\r':
        Proxy2();
        break;
      case 'P':
        Proxy1();
        break;
      case 0x20:
        MysqlRequest();
        break;
      case 0x30:
        Ldap();
        break;
      default:
        break;
    }
    if (IsText(first_[0])) Text();
    return out_;
  }

 private:
  void Add(size_t bytes, bool only_tls = false) {
    if (bytes > first_.size()) {
      out_.need_more = true;
    } else if (out_.size < Preambles::kMost) {
      out_.found[out_.size++] = {bytes, only_tls};
    }
  }
  // Whether `text` stands at the front; its beginning, at the end of what there is, needs more.
  bool Begins(std::string_view text) {
    const std::string_view front = AsText(first_).substr(0, text.size());
    if (front != text.substr(0, front.size())) return false;
    if (front.size() < text.size()) out_.need_more = true;
    return front.size() == text.size();
  }

  // "PROXY TCP4 192.0.2.1 198.51.100.1 50000 443\r\n"
  void Proxy1() {
    constexpr size_t kMaxBytes = 107;
    if (!Begins("PROXY ")) return;
    const std::string_view line = AsText(first_).substr(0, kMaxBytes);
    const size_t newline = line.find('\n');
    if (newline != std::string_view::npos) {
      Add(newline + 1);
    } else if (line.size() < kMaxBytes) {
      out_.need_more = true;
    }
  }

  void Proxy2() {
    constexpr std::string_view kSignature("\r\n\r\n\0\r\nQUIT\n", 12);
    if (!Begins(kSignature)) return;
    ByteReader reader(first_.subspan(kSignature.size()));
    uint8_t version = 0, family = 0;
    uint16_t length = 0;
    if (!reader.ReadU8(version) || !reader.ReadU8(family) || !reader.ReadU16(length)) {
      out_.need_more = true;
    } else if (version >> 4 == 2) {
      Add(kSignature.size() + 4 + length);
    }
  }

  // 4, command, port, address, user name and NUL; behind an address 0.0.0.x a host name and NUL.
  void Socks4Request() {
    constexpr size_t kFixedBytes = 8, kMaxTextBytes = 255;
    if (first_.size() < kFixedBytes) {
      out_.need_more |= first_.size() < 2 || first_[1] == 1 || first_[1] == 2;
      return;
    }
    if (first_[1] != 1 && first_[1] != 2) return;
    const bool has_name = first_[4] == 0 && first_[5] == 0 && first_[6] == 0 && first_[7] != 0;
    size_t at = kFixedBytes;
    for (int texts = has_name ? 2 : 1; texts > 0; --texts) {
      const std::string_view text = AsText(first_).substr(at, kMaxTextBytes + 1);
      const size_t end = text.find('\0');
      if (end == std::string_view::npos) {
        out_.need_more |= text.size() <= kMaxTextBytes;
        return;
      }
      at += end + 1;
    }
    Add(at);
  }
  // 0, 90 for granted, port, address.
  void Socks4Answer() {
    if (first_.size() > 1 && first_[1] == 90) Add(8);
  }

  // 5, then a number of methods and those; or 5 and the method chosen.
  void Socks5Hello() {
    if (first_.size() < 2) {
      out_.need_more = true;
      return;
    }
    if (first_[1] != 0) Add(2 + size_t{first_[1]});
    if (first_[1] == 0 || first_[1] == 2) Add(2);
  }
  // 5, command or reply, 0, kind of address, address, port.
  void Socks5Request() {
    constexpr size_t kFixedBytes = 4, kPortBytes = 2;
    if (first_.size() < kFixedBytes + 1 || first_[1] > 3 || first_[2] != 0) return;
    const uint8_t kind = first_[3];
    if (kind == 1) Add(kFixedBytes + 4 + kPortBytes);
    if (kind == 3) Add(kFixedBytes + 1 + first_[4] + kPortBytes);
    if (kind == 4) Add(kFixedBytes + 16 + kPortBytes);
  }
  // 1, user name, password, each behind its length; or 1 and 0 for granted.
  void Socks5Password() {
    ByteReader reader(first_.subspan(1)), name, password;
    if (reader.ReadPrefixed8(name) && !name.empty() && reader.ReadPrefixed8(password)) Add(1 + reader.position());
    if (first_.size() > 1 && first_[1] == 0) Add(2);
  }

  // Eight bytes: length, 1234, 5679 (5680 asks for GSSAPI first); 'S' answers it.
  void PostgresRequest() {
    constexpr std::string_view kBegin("\0\0\0\x08\x04\xd2\x16", 7);
    if (Begins(kBegin)) Add(kBegin.size() + 1);
  }

  // A packet of 32 bytes with the number 1: capabilities, TLS among them, and what follows those.
  void MysqlRequest() {
    constexpr size_t kBytes = 36;
    constexpr uint8_t kTls = 0x08;  // of the second byte
    if (first_.size() >= 6 && first_[1] == 0 && first_[2] == 0 && first_[3] == 1 && (first_[5] & kTls) != 0)
      Add(kBytes);
  }

  // TPKT (RFC 1006), then an X.224 connection request or confirmation.
  void Rdp() {
    constexpr uint8_t kRequest = 0xe0, kConfirm = 0xd0;
    if (first_.size() < 6 || first_[1] != 0 || (first_[5] != kRequest && first_[5] != kConfirm)) return;
    const size_t length = static_cast<size_t>(first_[2]) << 8 | first_[3];
    if (length >= 11) Add(length);
  }

  // LDAPMessage ::= SEQUENCE { messageID, extendedReq [APPLICATION 23] or extendedResp [APPLICATION 24] }
  void Ldap() {
    constexpr uint8_t kRequest = 0x77, kResponse = 0x78;
    ByteReader reader(first_.subspan(1));
    uint8_t length = 0, tag = 0;
    if (!reader.ReadU8(length)) return;
    size_t bytes = length;
    if (length >= 0x80) {
      if (length > 0x84) return;
      bytes = 0;
      for (uint8_t octet = 0; length > 0x80; --length) {
        if (!reader.ReadU8(octet)) return;
        bytes = bytes << 8 | octet;
      }
    }
    const size_t whole = 1 + reader.position() + bytes;
    ByteReader id;
    if (!reader.ReadU8(tag) || tag != 2 || !reader.ReadPrefixed8(id) || id.remaining() > 4 || !reader.ReadU8(tag))
      return;
    if (tag == kRequest || tag == kResponse) Add(whole);
  }

  // Up to what may be a TLS record. Bytes of UTF-8 are text.
  void Text() {
    std::string_view text = AsText(first_).substr(0, kMaxPreambleTextBytes);
    const size_t handshake = text.find(kTlsHandshake);
    if (handshake == 0 || handshake == std::string_view::npos) return;
    text = text.substr(0, handshake);
    // 'S' and no more is PostgreSQL's answer.
    if (text.back() != '\n' && text.back() != '>' && text != "S") return;
    if (std::all_of(text.begin(), text.end(), [](char c) { return IsText(static_cast<uint8_t>(c)); }))
      Add(text.size(), true);
  }

  Bytes first_;
  Preambles out_;
};

}  // namespace

bool MayHavePreamble(Bytes first) {
  if (first.empty()) return false;
  switch (first[0]) {
    case 0:
      return first.size() < 2 || first[1] == 0 || first[1] == 90;
    case 1:
    case 3:
    case 4:
    case 5:
    case '\r':
    case 'P':
    case 0x20:
    case 0x30:
      return true;
    default:
      return IsText(first[0]) &&
             AsText(first).substr(0, kMaxPreambleTextBytes).find(kTlsHandshake) != std::string_view::npos;
  }
}

Preambles FindPreambles(Bytes first) { return Finder(first).Find(); }

}  // namespace vedette
