#include "signatures/readers/guess.h"

#include <algorithm>
#include <array>

#include "parsers/base/text.h"
#include "parsers/base/url.h"
#include "signatures/address_range.h"
#include "signatures/readers/feed_lines.h"
#include "signatures/readers/nearest.h"
#include "signatures/readers/url_signs.h"
#include "signatures/value.h"
#include "signatures/value_parts.h"

namespace vedette {
namespace {

constexpr std::string_view kCut = "cut off: it holds the … of a text that was shortened; the whole value is needed";
constexpr std::string_view kScheme = "no request shows a URL of this scheme; is it defanged?";
constexpr std::string_view kTwo = "two URLs in one row: write one per line";
constexpr std::string_view kNamePort = "a name with a port: give the name alone, or the URL";
constexpr std::string_view kDamaged = "a URL with a damaged ://, or a port after something that is not a name";
constexpr std::string_view kSingleLabel = "the host is a single label: neither a name on the Internet nor an address";
constexpr std::string_view kFileName = "the name of a file: its ending is not a top-level domain";
constexpr std::string_view kNumberLabel =
    "looks like a range of addresses or a version: a name's last label does not begin with a digit";
constexpr std::string_view kPattern = "a pattern: it ends in *, which would be matched literally";
constexpr std::string_view kInvisible = "holds an invisible character, such as U+200B, in its middle";
constexpr std::string_view kAdblock = "an ad blocker rule other than ||NAME^";
constexpr std::string_view kSlashes = "begins with //: a URL without its scheme, or a uri? Give it a type";
constexpr std::string_view kMaybeColumns =
    "used whole, but what follows its last , or ; may be a column of a table rather than part of the URL";
constexpr std::string_view kAround = "there is other text before or after the value";
constexpr std::string_view kLeadingZero = "an address with leading zeros, which some programs read as octal";
constexpr std::string_view kBackslash = "used, but it holds a \\, which clients send as / or as %5C";
constexpr size_t kMaxNearestBytes = 120;

// Of services whose URLs no HTTP request shows. Without a path such a URL names its host.
constexpr std::array<std::string_view, 24> kHostSchemes = {
    "ftp", "ftps", "sftp",  "tftp", "ssh",  "telnet", "smb",  "tcp",    "udp",    "tls",         "ssl",  "ws",
    "wss", "ldap", "ldaps", "irc",  "ircs", "rdp",    "mqtt", "socks4", "socks5", "stratum+tcp", "imap", "smtp"};

bool IsOneOfHostSchemes(std::string_view scheme) {
  return std::any_of(kHostSchemes.begin(), kHostSchemes.end(),
                     [&](std::string_view one) { return EqualsLower(scheme, one); });
}

// "hxxp//host/path", "http:/host".
constexpr std::array<std::string_view, 10> kDamagedSchemes = {
    "http", "https", "hxxp", "hxxps", "http:", "https:", "hxxp:", "hxxps:", "http;", "https;"};

// "evil.example;" of an ACL, "'evil.example'," of a script: what surrounds a value that holds no such byte itself.
std::string_view WithoutPunctuation(std::string_view text) {
  const bool is_url = text.find("://") != std::string_view::npos || text.front() == '/';
  if (!is_url || text.front() == '"' || text.front() == '\'') {
    while (text.size() > 1 && (text.back() == ',' || text.back() == ';')) text.remove_suffix(1);
  }
  if (text.size() > 2 && text.front() == text.back() && (text.front() == '"' || text.front() == '\'')) {
    text = WithoutUnseen(text.substr(1, text.size() - 2));
  }
  return text;
}

// Whether the path and query of a URL ask for nothing but the host.
bool IsBare(std::string_view rest) {
  rest = rest.substr(0, rest.find('#'));
  return rest.empty() || rest == "/";
}

// By the number of its digits, or as JA4 writes one.
std::optional<IndicatorType> TypeOfDigest(std::string_view text) {
  if (text.size() >= 32 && AllOf(text, IsHexDigit)) {
    if (text.size() == 32) return IndicatorType::kFileMd5;
    if (text.size() == 40) return IndicatorType::kFileSha1;
    if (text.size() == 64) return IndicatorType::kFileSha256;
  }
  if (text.size() == 36 && IsJa4(LowerAscii(text))) return IndicatorType::kJa4;
  return std::nullopt;
}

}  // namespace

// What decides where to look, found in one pass.
struct Guesser::Has {
  bool slash = false, colon = false, at = false, blank = false, mark = false, not_ascii = false, bracket = false;
  explicit Has(std::string_view text) {
    for (const char c : text) {
      switch (c) {
        case '/':
          slash = true;
          break;
        case ':':
          colon = true;
          break;
        case '@':
          at = true;
          break;
        case ' ':
        case '\t':
          blank = true;
          break;
        case ',':
        case ';':
        case '#':
        case '|':
        case '"':
          mark = true;
          break;
        case '[':
        case '(':
        case '{':
        case '\\':
          bracket = true;
          break;
        default:
          not_ascii |= static_cast<uint8_t>(c) >= 0x80;
      }
    }
  }
};

std::optional<Guess> Guesser::Refuse(std::string_view why, std::string_view nearest) {
  reason_ = why;
  if (!nearest.empty() && nearest.size() <= kMaxNearestBytes)
    reason_.append(" (nearest reading: ").append(nearest) += ')';
  return std::nullopt;
}

std::string_view Guesser::Lowered(std::string_view host) {
  if (std::any_of(host.begin(), host.end(), [](char c) { return static_cast<uint8_t>(c) >= 0x80; })) {
    lowered_ = NormaliseHost(host);
  } else {
    while (host.ends_with('.')) host.remove_suffix(1);
    lowered_.resize(host.size());
    std::transform(host.begin(), host.end(), lowered_.begin(), [](char c) { return LowerAscii(c); });
  }
  return lowered_;
}

bool Guesser::IsNameOfHost(std::string_view host) {
  if (Lowered(host).find('.') == std::string_view::npos) {
    reason_ = kSingleLabel;
    return false;
  }
  const LastLabel last = last_labels_.Of(lowered_);
  if (last == LastLabel::kNumber) reason_ = HasLeadingZero(lowered_) ? kLeadingZero : kNumberLabel;
  if (last == LastLabel::kFileEnding) reason_ = kFileName;
  return last != LastLabel::kNumber && last != LastLabel::kFileEnding;
}

// `scheme_bytes`: before the colon; 0: without a scheme, which is http then.
std::optional<Guess> Guesser::OfUrl(std::string_view text, size_t scheme_bytes) {
  const std::string_view scheme = text.substr(0, scheme_bytes);
  const std::string_view behind = scheme_bytes == 0 ? text : text.substr(scheme_bytes + 3);
  const size_t end = std::min(behind.find_first_of("/?#"), behind.size());
  std::string_view authority = behind.substr(0, end);
  const std::string_view rest = behind.substr(end);
  if (const size_t at = authority.rfind('@'); at != std::string_view::npos) authority.remove_prefix(at + 1);
  const HostAndPort split = SplitHostAndPort(authority);
  const bool is_http = scheme_bytes == 0 || EqualsLower(scheme, "http") || EqualsLower(scheme, "https");
  if (!is_http && !IsOneOfHostSchemes(scheme))
    return Refuse(kScheme, end == 0 ? std::string() : "http://" + std::string(behind));
  if (const size_t second = SecondUrl(text, scheme_bytes); second != std::string_view::npos) {
    std::string_view one = text.substr(0, second);
    while (one.ends_with(',') || one.ends_with(';')) one.remove_suffix(1);
    return Refuse(kTwo, one);
  }
  const InUrl in(text);
  if (in.mark && IsCut(text)) return Refuse(kCut);
  if (HoldsInvisible(text)) return Refuse(kInvisible);
  if (text.ends_with('*')) return Refuse(kPattern, split.host);
  if (in.angle) return Refuse(kNoSingleValue, NearestIn(text, last_labels_));
  if (in.separator && HoldsADateBehindAComma(rest)) return Refuse(kNoSingleValue, NearestIn(text, last_labels_));
  const std::optional<IpAddress> address = ParseAddress(split.host);
  if (!address && split.host.find_first_of(",;") != std::string_view::npos)
    return Refuse(kNoSingleValue, NearestIn(text, last_labels_));
  if (!address && !IsNameOfHost(split.host)) return std::nullopt;
  const bool is_default = (split.port == "80" && (scheme_bytes == 0 || EqualsLower(scheme, "http"))) ||
                          (split.port == "443" && EqualsLower(scheme, "https"));
  const bool has_port = !split.port.empty() && (address || !is_default);
  if (IsBare(rest)) {
    if (address) {
      const bool plain = authority.find(':') == std::string_view::npos || has_port;
      return Guess{has_port ? IndicatorType::kIpPort : IndicatorType::kIp, plain ? authority : split.host, {}};
    }
    if (!has_port) return Guess{IndicatorType::kHostname, split.host, {}};
    if (!is_http) return Refuse(kNamePort, split.host);
  } else if (!is_http) {
    return Refuse(kScheme, split.host);
  }
  std::string_view remark = in.backslash ? kBackslash : std::string_view();
  if (const size_t at = in.separator ? rest.find_last_of(",;") : std::string_view::npos; at != std::string_view::npos) {
    if (MayEndInColumn(rest) || !NearestIn(rest.substr(at + 1), last_labels_).empty()) remark = kMaybeColumns;
  }
  return Guess{IndicatorType::kUrl, text, remark};
}

// Text that begins with a slash.
std::optional<Guess> Guesser::OfPath(std::string_view text) {
  if (IsCut(text)) return Refuse(kCut);
  if (HoldsInvisible(text)) return Refuse(kInvisible);
  if (text.ends_with('*')) return Refuse(kPattern);
  if (text.starts_with("//")) {
    const std::string_view host = text.substr(2, text.find_first_of("/:?#", 2) - 2);
    lowered_ = NormaliseHost(host);
    const bool is_name =
        lowered_.find('.') != std::string::npos && lowered_.front() != '.' &&
        (last_labels_.Of(lowered_) == LastLabel::kTopLevel || last_labels_.Of(lowered_) == LastLabel::kSpecialUse);
    if (ParseAddress(host) || is_name) return Refuse(kSlashes, "http:" + std::string(text));
  }
  return Guess{IndicatorType::kUri, text, {}};
}

std::optional<Guess> Guesser::OfFeedLine(const FeedLine& line) {
  if (!line.reason.empty()) return Refuse(line.reason, NearestIn(line.name, last_labels_));
  std::optional<Guess> guess = OfName(line.name);
  if (guess && !line.and_below) guess->type = IndicatorType::kHostname;
  return guess;
}

std::optional<Guess> Guesser::OfAdblock(std::string_view text) {
  const size_t end = std::min(text.find('^'), text.size());
  const std::string_view name = text.substr(2, end - 2), options = text.substr(end);
  // What blocks the page itself, whatever asks for it.
  const bool whole =
      options == "^" || options == "^$all" || options == "^$document" || options == "^$doc" || options == "^$important";
  if (!whole || name.find_first_of("/*") != std::string_view::npos)
    return Refuse(kAdblock, NearestIn(name.substr(0, name.find('/')), last_labels_));
  if (ParseAddress(name)) return Guess{IndicatorType::kIp, name, {}};
  return OfName(name);
}

std::optional<Guess> Guesser::OfName(std::string_view text) {
  std::string_view host = text;
  if (host.starts_with("*.")) host.remove_prefix(2);
  while (host.ends_with('.')) host.remove_suffix(1);
  // "20.1.2.x", "20.1.2.*", "20.1.2": nothing but numbers, and wildcards.
  if (!host.empty() && IsDigit(host.front()) &&
      AllOf(host, [](char c) { return IsDigit(c) || c == '.' || c == 'x' || c == 'X' || c == '*' || c == '-'; }))
    return Refuse(HasLeadingZero(host) ? kLeadingZero : kNumberLabel);
  constexpr std::string_view kSurrounds = "`^$+<>()[]{}'!=~&";
  const bool surrounded = !host.empty() && (kSurrounds.find(host.front()) != std::string_view::npos ||
                                            kSurrounds.find(host.back()) != std::string_view::npos);
  if (surrounded && host.find('*') == std::string_view::npos) {
    if (const std::string nearest = NearestIn(host, last_labels_); !nearest.empty()) return Refuse(kAround, nearest);
  }
  const LastLabel last = last_labels_.Of(Lowered(host));
  if (last == LastLabel::kNumber) {
    std::string nearest = NearestIn(host, last_labels_);
    if (ParseAddress(nearest)) return Refuse(kAround, nearest);
    return Refuse(kNumberLabel, nearest);
  }
  if (last == LastLabel::kFileEnding && lowered_.find('.') != std::string::npos) return Refuse(kFileName);
  return Guess{IndicatorType::kDomain, text, {}};
}

std::optional<Guess> Guesser::OfHostsFile(std::string_view name, std::string& reason) {
  std::string_view host = name;
  while (host.ends_with('.')) host.remove_suffix(1);
  const size_t dot = host.rfind('.');
  if (dot != std::string_view::npos && last_labels_.Of(Lowered(host.substr(dot + 1))) == LastLabel::kFileEnding) {
    reason = kFileName;
    return std::nullopt;
  }
  return Guess{IndicatorType::kHostname, name, {}};
}

std::string Guesser::NotSingle(std::string_view text) {
  Refuse(kNoSingleValue, NearestIn(text, last_labels_));
  return reason_;
}

std::optional<Guess> Guesser::Of(std::string_view given, std::string& reason) {
  reason_.clear();
  const std::optional<Guess> out = OfGiven(given);
  if (!out) reason = reason_;
  return out;
}

// Strips what surrounds the value, and handles what its first characters tell.
std::optional<Guess> Guesser::OfGiven(std::string_view given) {
  std::string_view text = WithoutUnseen(given);
  if (text.empty()) return Refuse("there is no value");
  text = WithoutPunctuation(text);
  if (text.starts_with("||")) return OfAdblock(text);
  if (text.starts_with("@@")) return Refuse("an exception in an ad blocker's list, not an indicator");
  text = Refang(text, refanged_);
  if (text.empty()) return Refuse("there is no value");
  const Has has(text);
  if (text.front() == '/' && !has.blank) return OfPath(text);
  if (text.front() == '/') return Guess{IndicatorType::kUri, text, {}};  // its reader says what is wrong
  if (has.not_ascii && HoldsInvisible(text)) return Refuse(kInvisible);
  return OfText(text, has);
}

// By the marks that the text holds, the surest first.
std::optional<Guess> Guesser::OfText(std::string_view text, const Has& has) {
  const size_t url = has.colon && has.slash ? text.find("://") : std::string_view::npos;
  const bool single = !has.blank && text.find_first_of("|\"") == std::string_view::npos;
  if (url != std::string_view::npos) {
    const size_t scheme = SchemeBytes(text);
    if (!single) return Refuse(kNoSingleValue, NearestIn(text, last_labels_));
    if (scheme == url && scheme != 0) return OfUrl(text, scheme);
    // "url,http://…", "[http://…", "http;//…://": more than a URL, unless it begins with a name and a slash.
    if (text.find_first_of("/?") == url + 1) return Refuse(kNoSingleValue, NearestIn(text, last_labels_));
  }
  bool is_address = false;
  if (has.not_ascii || has.blank) {
    hyphened_ = WithPlainHyphen(text);
    if (hyphened_.find('-') != std::string::npos && hyphened_.find_first_of(" \t") == std::string::npos &&
        hyphened_ != text) {
      std::optional<Guess> found = OfAddress(hyphened_, is_address);
      if (is_address) return found;
    }
  }
  if (has.blank) return OfWords(text);
  if (IsDigit(text.front()) || has.colon) {
    std::optional<Guess> found = OfAddress(text, is_address);
    if (is_address) return found;
  }
  if (!single) return Refuse(kNoSingleValue, NearestIn(text, last_labels_));
  if (has.slash) return OfSlash(text);
  std::string_view host, port;
  if (has.colon && SplitPort(text, host, port))
    return host.find('.') == std::string_view::npos ? Refuse(kDamaged, NearestIn(text, last_labels_))
                                                    : Refuse(kNamePort, NearestIn(host, last_labels_));
  if (has.at) return Guess{IndicatorType::kEmail, text, {}};
  if (const std::optional<IndicatorType> digest = TypeOfDigest(text)) return Guess{*digest, text, {}};
  if (has.mark) return Refuse(kNoSingleValue, NearestIn(text, last_labels_));
  return OfName(text);
}

// Text with a slash that is no address, and does not begin with a scheme.
std::optional<Guess> Guesser::OfSlash(std::string_view text) {
  if (const std::optional<FeedLine> line = ReadFeedLine(text)) return OfFeedLine(*line);
  const size_t slash = text.find('/');
  const std::string head = LowerAscii(text.substr(0, slash));
  if (std::find(kDamagedSchemes.begin(), kDamagedSchemes.end(), head) == kDamagedSchemes.end()) return OfUrl(text, 0);
  const std::string_view behind = text.substr(std::min(text.find_first_not_of('/', slash), text.size()));
  return Refuse(kDamaged, "http://" + std::string(behind));
}

}  // namespace vedette
