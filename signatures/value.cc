#include "signatures/value.h"

#include <libpsl.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "parsers/base/address.h"
#include "parsers/base/network.h"
#include "parsers/base/text.h"
#include "parsers/base/url.h"
#include "signatures/dot_segments.h"
#include "signatures/host_suffixes.h"
#include "signatures/patterns/regex_limits.h"
#include "signatures/patterns/regex_parser.h"
#include "signatures/value_parts.h"

namespace vedette {
namespace {

constexpr char kNotAnAddress[] = "not an IPv4 or IPv6 address";
constexpr char kSpecial[] = "a private or reserved address: it means another machine in every network";

bool Refuse(std::string& reason, std::string why) {
  reason = std::move(why);
  return false;
}

bool NormaliseAddress(std::string_view text, std::string& normal, std::string& reason) {
  const std::optional<IpAddress> address = ParseAddress(text);
  if (!address) {
    std::string_view host, port;
    const bool has_port = SplitPort(text, host, port) && ParseAddress(host);
    return Refuse(reason, std::string(kNotAnAddress) + (has_port ? "; with a port, its type is ip:port" : ""));
  }
  if (address->IsSpecial()) return Refuse(reason, kSpecial);
  normal = address->ToString();
  return true;
}

// First addresses of the private and reserved blocks that a wide prefix may hold inside.
constexpr std::string_view kInsidePrefixes[] = {"100.64.0.0",  "169.254.0.0", "172.16.0.0", "192.0.0.0",
                                                "192.0.2.0",   "192.168.0.0", "198.18.0.0", "198.51.100.0",
                                                "203.0.113.0", "2001:db8::",  "100::",      "3fff::"};

bool NormaliseCidr(IndicatorType& type, std::string_view text, std::string& normal, std::string& reason) {
  const size_t slash = text.find('/');
  std::optional<IpAddress> address = ParseAddress(text.substr(0, slash));
  if (!address) return Refuse(reason, kNotAnAddress);
  const unsigned width = WidthOf(*address);
  const std::optional<unsigned> given =
      slash == std::string_view::npos ? width : ParsePrefixLength(text.substr(slash + 1), *address);
  if (!given) return Refuse(reason, "the prefix length has to be a number up to " + std::to_string(width));
  const unsigned length = *given;
  const IpAddress network = MaskAddress(*address, length);
  if (length == width) {
    type = IndicatorType::kIp;
    return NormaliseAddress(network.ToString(), normal, reason);
  }
  if (network.IsSpecial()) return Refuse(reason, kSpecial);
  const unsigned least = address->is_v4() ? kMinPrefixV4 : kMinPrefixV6;
  if (length < least) {
    return Refuse(reason, "too wide: a prefix of at least " + std::to_string(least) + " bits is needed");
  }
  for (const std::string_view inside : kInsidePrefixes) {
    const std::optional<IpAddress> special = IpAddress::Parse(inside);
    if (special && special->version() == network.version() && MaskAddress(*special, length) == network) {
      return Refuse(reason, "covers private or reserved addresses (from " + std::string(inside) + " on)");
    }
  }
  type = IndicatorType::kCidr;
  normal = network.ToString() + '/' + std::to_string(length);
  return true;
}

bool NormaliseAddressPort(std::string_view text, std::string& normal, std::string& reason) {
  std::string_view address_text, port_text;
  unsigned port = 0;
  if (!SplitPort(text, address_text, port_text)) {
    return Refuse(reason, "not an address with a port: 198.51.100.7:443, or [2001:db8::7]:443");
  }
  const std::optional<IpAddress> address = ParseAddress(address_text);
  if (!address) return Refuse(reason, kNotAnAddress);
  if (!ParseNumber(port_text, 65535, port) || port == 0) return Refuse(reason, "the port has to be 1-65535");
  if (address->IsSpecial()) return Refuse(reason, kSpecial);
  normal = address->is_v4() ? address->ToString() : '[' + address->ToString() + ']';
  normal += ':' + std::to_string(port);
  return true;
}

bool IsHostByte(char c) { return (c >= 'a' && c <= 'z') || IsDigit(c) || c == '-' || c == '_'; }

// `host` in NormaliseHost's form. RFC 1035's lengths; the letters of RFC 952 and the underscore that names in use have.
bool IsPossibleHost(std::string_view host, std::string& reason) {
  if (host.empty() || host == ".") return Refuse(reason, "no name is there");
  if (host.size() > kMaxHostNameBytes) {
    return Refuse(reason, "longer than a host name can be (" + std::to_string(kMaxHostNameBytes) + " bytes)");
  }
  constexpr size_t kMaxLabelBytes = 63;
  size_t start = 0;
  std::string_view last;
  while (start <= host.size()) {
    const size_t end = std::min(host.find('.', start), host.size());
    last = host.substr(start, end - start);
    if (last.empty()) return Refuse(reason, "not a host name: an empty label (two dots side by side)");
    if (last.size() > kMaxLabelBytes) return Refuse(reason, "not a host name: a label of more than 63 bytes");
    for (const char c : last) {
      if (!IsHostByte(c)) return Refuse(reason, "not a host name: it holds '" + Escaped({&c, 1}) + "'");
    }
    start = end + 1;
  }
  if (AllOf(last, IsDigit)) return Refuse(reason, "not a host name: its last label is a number");
  return true;
}

bool IsPublicSuffix(const std::string& host) {
  // No public suffix of the ICANN section has more labels than this; most names do not either.
  constexpr auto kMaxDots = 3;
  if (std::count(host.begin(), host.end(), '.') > kMaxDots) return false;
  return psl_is_public_suffix2(psl_builtin(), host.c_str(), PSL_TYPE_ICANN | PSL_TYPE_NO_STAR_RULE) != 0;
}

bool NormaliseName(IndicatorType type, std::string_view text, std::string& normal, std::string& reason) {
  const size_t slash = text.find('/');
  if (text.find("://") != std::string_view::npos || (slash != std::string_view::npos && slash > 0))
    return Refuse(reason, "a URL: its type is url");
  std::string_view host, port;
  if (SplitPort(text, host, port) && !port.empty() && AllOf(port, IsDigit) && !ParseAddress(text))
    return Refuse(reason, "a name with a port: give the name alone, or the URL");
  if (type == IndicatorType::kDomain) {
    if (text.substr(0, 2) == "*.") text.remove_prefix(2);
    if (text.substr(0, 1) == ".") text.remove_prefix(1);
  }
  if (ParseAddress(text)) return Refuse(reason, "an address: its type is ip");
  normal = NormaliseHost(text);
  if (!IsPossibleHost(normal, reason)) return false;
  const bool single = normal.find('.') == std::string::npos;
  if (IsPublicSuffix(normal)) {
    return Refuse(reason, "a public suffix: everybody registers names below it (" + normal + ")");
  }
  if (single && type == IndicatorType::kDomain) {
    return Refuse(reason, "a single label is no domain; if it is the name of a machine, its type is hostname");
  }
  return true;
}

bool NormaliseHash(std::string_view text, size_t digits, std::string& normal, std::string& reason) {
  normal.clear();
  for (const char c : text) {
    if (c != ':') normal += LowerAscii(c);
  }
  if (normal.size() != digits || !AllOf(normal, IsHexDigit)) {
    return Refuse(reason, "not a hash of " + std::to_string(digits) + " hexadecimal digits");
  }
  return true;
}

bool NormaliseUrlValue(std::string_view text, std::string& normal, std::string& reason) {
  if (HoldsInvisible(text)) return Refuse(reason, "not a URL: it holds an invisible character, such as U+200B");
  // "hxxp//host/path", "http:/host".
  if (text.find("://") == std::string_view::npos) {
    std::string_view head = text.substr(0, text.find_first_of("/\\"));
    if (head.ends_with(':') || head.ends_with(';')) head.remove_suffix(1);
    if (head.size() != text.size() && (EqualsLower(head, "http") || EqualsLower(head, "https") ||
                                       EqualsLower(head, "hxxp") || EqualsLower(head, "hxxps")))
      return Refuse(reason, "not a URL: its :// is damaged");
  }
  normal = NormaliseUrl(text);
  // What stood apart may now read as made harmless ("[/x/../]"), so that the normal form is read anew. Each turn is
  // shorter.
  for (std::string refanged; HasDotSegments(normal);) {
    normal = WithoutDotSegments(normal);
    normal = NormaliseUrl(Refang(normal, refanged));
  }
  if (!IsAbsoluteUrl(normal)) return Refuse(reason, "not a URL: what precedes :// is not a scheme");
  const HostAndPort end = SplitHostAndPort(AuthorityOf(normal));
  if (!ParseAddress(end.host) && !IsPossibleHost(end.host, reason)) return false;
  unsigned port = 0;
  if (!end.port.empty() && (!ParseNumber(end.port, 65535, port) || port == 0)) {
    return Refuse(reason, "not a URL: the port has to be 1-65535");
  }
  return true;
}

bool NormaliseUri(std::string_view text, std::string& normal, std::string& reason) {
  if (text.front() != '/') return Refuse(reason, "a uri begins with /, as a request has it");
  for (const char c : text) {
    if (static_cast<uint8_t>(c) <= 0x20 || c == 0x7f)
      return Refuse(reason, "not a uri: it holds a blank or control byte");
  }
  normal = text;
  return true;
}

// Bytes as other tools write them, which would be looked for as the text they are.
bool IsForeignHex(std::string_view text, std::string& reason) {
  static constexpr char kHow[] = ": bytes are written |de ad be ef|";
  for (size_t i = text.find("\\x"); i != std::string_view::npos; i = text.find("\\x", i + 1)) {
    if (AllOf(text.substr(i + 2, 2), IsHexDigit) && text.size() >= i + 4) {
      return !Refuse(reason, "holds \\x" + std::string(text.substr(i + 2, 2)) + std::string(kHow) +
                                 ", and a \\ that is meant |5c|; or is it a regex?");
    }
  }
  text = Trimmed(text);
  if (text.size() >= 4 && text.size() % 2 == 0 && text[0] == '0' && LowerAscii(text[1]) == 'x' &&
      AllOf(text.substr(2), IsHexDigit)) {
    return !Refuse(reason, "begins with 0x" + std::string(kHow) + ", and this text, if it is meant, |30|" +
                               std::string(text.substr(1)));
  }
  const bool braces = text.size() > 2 && text.front() == '{' && text.back() == '}';
  if (braces) text = Trimmed(text.substr(1, text.size() - 2));
  // Pairs of digits with blanks between them; in braces without blanks, too.
  size_t pairs = 0, blanks = 0;
  while (text.size() >= 2 && IsHexDigit(text[0]) && IsHexDigit(text[1])) {
    ++pairs;
    text.remove_prefix(2);
    const std::string_view rest = Trimmed(text);
    blanks += rest.size() != text.size() && !rest.empty() ? 1 : 0;
    text = rest;
  }
  if (!text.empty() || pairs < 2 || (!braces && blanks + 1 != pairs)) return false;
  return !Refuse(reason, "looks like bytes" + std::string(kHow) +
                             ", and this text, if it is meant, with one of its characters as |hh|");
}

// As text with bytes between bars. A backslash is such a byte, and so is the first where the text could be taken for
// bytes as others write them: the normal form of a normal form is itself.
std::string WriteContent(std::string_view bytes, bool first_as_byte) {
  std::string out;
  bool hex = false;
  for (size_t i = 0; i < bytes.size(); ++i) {
    const char c = bytes[i];
    const bool printable = c >= 0x20 && c < 0x7f && c != '|' && c != '\\' && !(first_as_byte && i == 0);
    if (printable == hex) {
      out += '|';
      hex = !hex;
    } else if (hex) {
      out += ' ';
    }
    out += printable ? std::string(1, c) : ToHex({&c, 1});
  }
  if (hex) out += '|';
  return out;
}

bool NormaliseContent(std::string_view text, std::string& normal, std::string& reason) {
  if (IsForeignHex(text, reason)) return false;
  std::string bytes, unused;
  if (!DecodeContent(text, bytes, reason)) return false;
  normal = WriteContent(bytes, false);
  if (IsForeignHex(normal, unused)) normal = WriteContent(bytes, true);
  return true;
}

bool IsRefangable(IndicatorType type) {
  switch (type) {
    case IndicatorType::kIp:
    case IndicatorType::kCidr:
    case IndicatorType::kIpPort:
    case IndicatorType::kDomain:
    case IndicatorType::kHostname:
    case IndicatorType::kUrl:
    case IndicatorType::kEmail:
      return true;
    default:
      return false;
  }
}

}  // namespace

std::string_view Trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

namespace {

// "hxxp", "h**p", "meow" …: only these begin so and are not http.
bool MayHaveHarmlessScheme(std::string_view text) {
  if (text.empty() || text.find(':') == std::string_view::npos) return false;
  const char first = LowerAscii(text.front());
  return first == 'm' || (first == 'h' && !EqualsLower(text.substr(0, 4), "http"));
}

// The scheme that was made harmless: h and two of t, x, 0, * before p or ps, some in brackets ("h[tt]p"), or MISP's
// meow. Empty: it is none of these. "http[s]" means either, and is neither.
std::string_view SchemeMeant(std::string_view scheme) {
  std::string plain;
  bool in_brackets = false;
  for (const char c : scheme) {
    if (c == '[' || c == '(') {
      in_brackets = true;
    } else if (c == ']' || c == ')') {
      in_brackets = false;
    } else if (in_brackets && LowerAscii(c) == 's') {
      return {};
    } else {
      plain += LowerAscii(c);
    }
  }
  const auto stands_for_t = [](char c) { return c == 't' || c == 'x' || c == '0' || c == '*'; };
  const bool secure = plain.size() == 5 && plain.back() == 's';
  if (plain.size() != 4 && !secure) return {};
  const bool known = plain.starts_with("meow") ||
                     (plain[0] == 'h' && stands_for_t(plain[1]) && stands_for_t(plain[2]) && plain[3] == 'p');
  return !known ? "" : secure ? "https" : "http";
}

}  // namespace

std::string_view Refang(std::string_view text, std::string& storage) {
  struct Replacement {
    std::string_view from, to;
  };
  static constexpr Replacement kReplacements[] = {
      {"[.]", "."}, {"(.)", "."}, {"{.}", "."}, {"[dot]", "."}, {"(dot)", "."}, {"{dot}", "."},   {"\\.", "."},
      {"[:]", ":"}, {"[/]", "/"}, {"[@]", "@"}, {"[at]", "@"},  {"(at)", "@"},  {"[://]", "://"}, {"[//]", "//"},
  };
  const bool scheme = MayHaveHarmlessScheme(text);
  const auto begins_one = [](char c) { return c == '[' || c == '(' || c == '{' || c == '\\'; };
  if (!scheme && std::none_of(text.begin(), text.end(), begins_one)) return text;
  std::string& out = storage;
  out.clear();
  // Each is looked for where it ends, in what is written already: one within another ("[[.]]") is undone as well, and
  // what was read once reads the same again.
  const auto at_end = [&]() -> const Replacement* {
    for (const Replacement& one : kReplacements) {
      const size_t begin = out.size() - std::min(out.size(), one.from.size());
      if (LowerAscii(std::string_view(out).substr(begin)) == one.from) return &one;
    }
    return nullptr;
  };
  for (const char c : text) {
    out += c;
    if (c != ']' && c != ')' && c != '}' && c != '.') continue;
    while (const Replacement* one = at_end()) {
      out.resize(out.size() - one->from.size());
      out += one->to;
    }
  }
  // Only as a scheme: hxxp.example may be a name.
  if (const size_t end = out.find("://"); scheme && end != std::string::npos) {
    if (const std::string_view right = SchemeMeant(std::string_view(out).substr(0, end)); !right.empty())
      out.replace(0, end, right);
  }
  return out;
}

bool DecodeContent(std::string_view value, std::string& bytes, std::string& reason) {
  bytes.clear();
  while (!value.empty()) {
    if (value.front() != '|') {
      bytes += LowerAscii(value.front());
      value.remove_prefix(1);
      continue;
    }
    const size_t close = value.find('|', 1);
    if (close == std::string_view::npos) {
      return Refuse(reason, "a | is not closed: bytes are written |de ad be ef|, and a | itself |7c|");
    }
    std::string digits;
    for (const char c : value.substr(1, close - 1)) {
      if (c == ' ') continue;
      if (!IsHexDigit(c)) return Refuse(reason, "between two | stand pairs of hexadecimal digits: |de ad be ef|");
      digits += LowerAscii(c);
    }
    if (digits.empty() || digits.size() % 2 != 0) {
      return Refuse(reason, "between two | stand pairs of hexadecimal digits: |de ad be ef|");
    }
    for (size_t i = 0; i < digits.size(); i += 2) {
      const auto nibble = [](char c) { return static_cast<unsigned>(IsDigit(c) ? c - '0' : c - 'a' + 10); };
      bytes += LowerAscii(static_cast<char>(nibble(digits[i]) << 4 | nibble(digits[i + 1])));
    }
    value.remove_prefix(close + 1);
  }
  if (bytes.size() < kMinLiteralBytes) {
    return Refuse(reason, "shorter than " + std::to_string(kMinLiteralBytes) + " bytes: it would be found everywhere");
  }
  if (bytes.size() > kMaxLiteralBytes) {
    return Refuse(reason,
                  "longer than " + std::to_string(kMaxLiteralBytes) + " bytes: shorten it to its most telling part");
  }
  if (const size_t last = bytes.find_last_not_of(bytes.back());
      bytes.size() - (last == std::string::npos ? 0 : last + 1) > kMaxEqualEnd) {
    return Refuse(reason, "ends in 8 or more equal bytes, which slows every scan down: leave some of them away");
  }
  return true;
}

bool NormaliseValue(IndicatorType& type, std::string_view given, std::string& normal, std::string& reason) {
  if (given.size() > kMaxValueBytes) {
    return Refuse(reason, "longer than " + std::to_string(kMaxValueBytes) + " bytes");
  }
  if (type == IndicatorType::kContent) return NormaliseContent(given, normal, reason);
  if (type == IndicatorType::kRegex) {
    if (given.empty()) return Refuse(reason, "there is no value");
    if (!WithoutSlashes(given, normal, reason)) return false;
    const std::optional<Regex> regex = ParseRegex(normal, false, reason);
    return regex && IsUsable(*regex, reason);
  }
  std::string_view text = Trimmed(given);
  if (text.empty()) return Refuse(reason, "there is no value");
  std::string refanged;
  if (IsRefangable(type)) text = Refang(WithoutUnseen(text), refanged);
  switch (type) {
    case IndicatorType::kIp:
    case IndicatorType::kCidr:
      if (text.find('/') != std::string_view::npos) return NormaliseCidr(type, text, normal, reason);
      type = IndicatorType::kIp;
      return NormaliseAddress(text, normal, reason);
    case IndicatorType::kIpPort:
      return NormaliseAddressPort(text, normal, reason);
    case IndicatorType::kDomain:
    case IndicatorType::kHostname:
      return NormaliseName(type, text, normal, reason);
    case IndicatorType::kUrl:
      return NormaliseUrlValue(text, normal, reason);
    case IndicatorType::kUri:
      return NormaliseUri(text, normal, reason);
    case IndicatorType::kUserAgent:
    case IndicatorType::kWallet:
      normal = text;
      return true;
    case IndicatorType::kJa3:
    case IndicatorType::kJa3s:
    case IndicatorType::kHassh:
    case IndicatorType::kHasshServer:
    case IndicatorType::kFileMd5:
      return NormaliseHash(text, 32, normal, reason);
    case IndicatorType::kCertSha1:
    case IndicatorType::kFileSha1:
      return NormaliseHash(text, 40, normal, reason);
    case IndicatorType::kCertSha256:
    case IndicatorType::kFileSha256:
      return NormaliseHash(text, 64, normal, reason);
    case IndicatorType::kJa4:
      normal = LowerAscii(text);
      return IsJa4(normal) || Refuse(reason, "not a JA4 fingerprint such as t13d1516h2_8daaf6152771_b186095e22b6");
    case IndicatorType::kEmail:
      normal = LowerAscii(text);
      return normal.find('@') != std::string::npos || Refuse(reason, "not a mail address: no @");
    case IndicatorType::kRegex:
    case IndicatorType::kContent:
    case IndicatorType::kCount:
      break;
  }
  return Refuse(reason, "unknown type");
}

}  // namespace vedette
