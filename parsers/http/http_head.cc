#include "parsers/http/http_head.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "parsers/base/text.h"

namespace vedette {
namespace {

// IANA's HTTP Method Registry, and those of WebDAV servers, Microsoft's RPC and SSTP over HTTP, and UPnP.
constexpr std::string_view kMethods[] = {
    "GET",
    "POST",
    "HEAD",
    "PUT",
    "DELETE",
    "OPTIONS",
    "CONNECT",
    "TRACE",
    "PATCH",
    "PROPFIND",
    "PROPPATCH",
    "MKCOL",
    "COPY",
    "MOVE",
    "LOCK",
    "UNLOCK",
    "REPORT",
    "SEARCH",
    "QUERY",
    "ACL",
    "BASELINE-CONTROL",
    "BIND",
    "CHECKIN",
    "CHECKOUT",
    "LABEL",
    "LINK",
    "MERGE",
    "MKACTIVITY",
    "MKCALENDAR",
    "MKREDIRECTREF",
    "MKWORKSPACE",
    "ORDERPATCH",
    "PRI",
    "REBIND",
    "UNBIND",
    "UNCHECKOUT",
    "UNLINK",
    "UPDATE",
    "UPDATEREDIRECTREF",
    "VERSION-CONTROL",
    "BCOPY",
    "BDELETE",
    "BMOVE",
    "BPROPFIND",
    "BPROPPATCH",
    "NOTIFY",
    "POLL",
    "SUBSCRIBE",
    "UNSUBSCRIBE",
    "X-MS-ENUMATTS",
    "RPC_CONNECT",
    "RPC_IN_DATA",
    "RPC_OUT_DATA",
    "CCM_POST",
    "SSTP_DUPLEX_POST",
    "PURGE",
    "DEBUG",
    "TRACK",
    "M-SEARCH",
};

constexpr size_t kCommonMethods = 8;  // at the front of kMethods

bool IsCommonMethod(std::string_view method) {
  return std::find(std::begin(kMethods), std::begin(kMethods) + kCommonMethods, method) !=
         std::begin(kMethods) + kCommonMethods;
}

bool IsKnownMethod(std::string_view method) {
  return std::find(std::begin(kMethods), std::end(kMethods), method) != std::end(kMethods);
}

// RFC 9110 section 5.6.2.
constexpr std::array<bool, 256> MakeTokenBytes() {
  std::array<bool, 256> table{};
  for (char c : std::string_view("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$%&'*+-.^_`|~")) {
    table[static_cast<uint8_t>(c)] = true;
  }
  return table;
}
constexpr std::array<bool, 256> kTokenBytes = MakeTokenBytes();

bool IsToken(char c) { return kTokenBytes[static_cast<uint8_t>(c)]; }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsUpper(char c) { return c >= 'A' && c <= 'Z'; }
bool IsBlank(char c) { return c == ' ' || c == '\t'; }

bool StartsWithLower(std::string_view text, std::string_view lower) {
  return EqualsLower(text.substr(0, lower.size()), lower);
}

std::string_view WithoutLineEnding(std::string_view line) {
  if (!line.empty() && line.back() == '\n') line.remove_suffix(1);
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  return line;
}

std::string_view TrimBlanksRight(std::string_view text) {
  while (!text.empty() && (IsBlank(text.back()) || text.back() == '\r')) text.remove_suffix(1);
  return text;
}
std::string_view TrimBlanksLeft(std::string_view text) {
  while (!text.empty() && IsBlank(text.front())) text.remove_prefix(1);
  return text;
}

// The version at the end of a request line, or empty.
std::string_view TrailingVersion(std::string_view rest) {
  const size_t blank = rest.find_last_of(" \t");
  if (blank == std::string_view::npos) return {};
  const std::string_view last = rest.substr(blank + 1);
  const bool version = StartsWithLower(last, "http/") && last.find_first_not_of("0123456789.", 5) == last.npos;
  return version ? last : std::string_view();
}

// "RTSP/1.0", "SIP/2.0", "ICAP/1.0": the line is another protocol's.
bool IsOtherVersion(std::string_view token) {
  const size_t slash = token.find('/');
  if (slash == std::string_view::npos || slash < 2 || slash + 1 >= token.size()) return false;
  return std::all_of(token.begin(), token.begin() + static_cast<std::ptrdiff_t>(slash), IsUpper) &&
         std::all_of(token.begin() + static_cast<std::ptrdiff_t>(slash) + 1, token.end(),
                     [](char c) { return IsDigit(c) || c == '.'; });
}

// Registered or not; text that happens to end in a version is no request.
bool IsPlausibleMethod(std::string_view method) {
  const auto is_upper = [](char c) { return IsUpper(c) || IsDigit(c) || c == '-' || c == '_'; };
  if (std::all_of(method.begin(), method.end(), is_upper)) return true;
  return std::any_of(std::begin(kMethods), std::end(kMethods), [&](std::string_view known) {
    return std::equal(known.begin(), known.end(), method.begin(), method.end(),
                      [](char a, char b) { return LowerAscii(a) == LowerAscii(b); });
  });
}

size_t MethodLength(std::string_view text) {
  const size_t limit = std::min(text.size(), kMaxMethodBytes + 1);
  size_t length = 0;
  while (length < limit && IsToken(text[length])) ++length;
  return length;
}

bool IsHttpUrl(std::string_view target) {
  return StartsWithLower(target, "http://") || StartsWithLower(target, "https://");
}

// "HTTP/1.…" or "HTTP/0.…".
bool IsVersion1(std::string_view text) {
  return StartsWithLower(text, "http/") && text.size() >= 7 && (text[5] == '1' || text[5] == '0') && text[6] == '.';
}

// The field of a header line, judged by its name; `value` starts after the colon.
bool MatchField(std::string_view line, HeaderField& field, size_t& value_start) {
  struct Name {
    std::string_view lower;
    HeaderField field;
  };
  // By their first letters, so that most lines are compared with none.
  static constexpr Name kNames[] = {
      {"cf-connecting-ip", HeaderField::kForwardedFor},
      {"content-length", HeaderField::kContentLength},
      {"expect", HeaderField::kExpect},
      {"forwarded", HeaderField::kForwarded},
      {"host", HeaderField::kHost},
      {"true-client-ip", HeaderField::kForwardedFor},
      {"transfer-encoding", HeaderField::kTransferEncoding},
      {"user-agent", HeaderField::kUserAgent},
      {"x-client-ip", HeaderField::kForwardedFor},
      {"x-cluster-client-ip", HeaderField::kForwardedFor},
      {"x-forwarded-for", HeaderField::kForwardedFor},
      {"x-real-ip", HeaderField::kForwardedFor},
  };
  static constexpr std::array<uint8_t, 27> kBegins = [] {
    std::array<uint8_t, 27> begins{};  // of each letter's names, and their end
    for (size_t letter = 0; letter < begins.size(); ++letter) {
      for (const Name& name : kNames) begins[letter] += name.lower.front() < static_cast<char>('a' + letter);
    }
    return begins;
  }();
  const char first = line.empty() ? '\0' : LowerAscii(line.front());
  if (first < 'a' || first > 'z') return false;
  const auto letter = static_cast<size_t>(first - 'a');
  for (size_t i = kBegins[letter]; i < kBegins[letter + 1]; ++i) {
    const Name& name = kNames[i];
    if (!StartsWithLower(line, name.lower)) continue;
    // White space before the colon is forbidden (RFC 9112 section 5.1), and accepted by many.
    size_t at = name.lower.size();
    while (at < line.size() && IsBlank(line[at])) ++at;
    if (at == line.size() || line[at] != ':') continue;
    field = name.field;
    value_start = at + 1;
    return true;
  }
  return false;
}

}  // namespace

std::string_view TrimHttp(std::string_view text) {
  const auto is_space = [](char c) { return IsBlank(c) || c == '\r' || c == '\n'; };
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

bool ParseRequestLine(std::string_view line, RequestLine& out) {
  line = WithoutLineEnding(line);
  const size_t length = MethodLength(line);
  if (length == 0 || length > kMaxMethodBytes || length == line.size() || !IsBlank(line[length])) return false;
  out.method = line.substr(0, length);
  const std::string_view rest = TrimBlanksRight(line.substr(length + 1));
  const std::string_view version = TrailingVersion(rest);
  out.has_version = !version.empty();
  out.is_http2_preface = false;
  if (out.has_version) {
    if (!IsPlausibleMethod(out.method)) return false;
    out.target = TrimBlanksLeft(TrimBlanksRight(rest.substr(0, rest.size() - version.size())));
    out.is_http2_preface = out.method == "PRI" && out.target == "*" && StartsWithLower(version, "http/2");
    return true;
  }
  const std::string_view words = TrimBlanksLeft(rest);
  out.target = words.substr(0, words.find_first_of(" \t"));
  if (out.target.empty() || !IsKnownMethod(out.method)) return false;
  const size_t blank = words.find_last_of(" \t");
  return blank == std::string_view::npos || !IsOtherVersion(words.substr(blank + 1));
}

bool ParseStatusLine(std::string_view line, StatusLine& out) {
  line = WithoutLineEnding(line);
  size_t at = 0;
  if (StartsWithLower(line, "http/")) {
    at = 5;
    while (at < line.size() && (IsDigit(line[at]) || line[at] == '.')) ++at;
    if (at == 5) return false;
  } else if (line.substr(0, 4) == "ICY ") {
    at = 3;
  } else {
    return false;
  }
  const size_t after_version = at;
  while (at < line.size() && IsBlank(line[at])) ++at;
  if (at == after_version || line.size() - at < 3) return false;
  if (!IsDigit(line[at]) || !IsDigit(line[at + 1]) || !IsDigit(line[at + 2])) return false;
  if (at + 3 < line.size() && IsDigit(line[at + 3])) return false;
  out.status_text = line.substr(at, 3);
  out.status = static_cast<uint16_t>((line[at] - '0') * 100 + (line[at + 1] - '0') * 10 + (line[at + 2] - '0'));
  out.reason = TrimHttp(line.substr(at + 3));
  return true;
}

bool IsUnmistakableHead(std::string_view line) {
  if (line.empty() || !IsUpper(line.front())) return false;
  if (IsVersion1(line)) {
    StatusLine status;
    return ParseStatusLine(line, status);
  }
  RequestLine request;
  if (!ParseRequestLine(line, request) || !request.has_version || request.target.empty()) return false;
  const std::string_view trimmed = TrimHttp(line);
  if (!IsVersion1(trimmed.substr(trimmed.find_last_of(" \t") + 1))) return false;
  return request.target.front() == '/' || request.target == "*" || IsHttpUrl(request.target) ||
         request.method == "CONNECT";
}

Probe ProbeHead(std::string_view prefix) {
  constexpr std::string_view kHttp = "http/";
  if (StartsWithLower(prefix, kHttp)) return Probe::kYes;
  const size_t length = MethodLength(prefix);
  if (length > kMaxMethodBytes) return Probe::kNo;
  if (length == prefix.size()) return Probe::kNeedMore;
  return length > 0 && IsBlank(prefix[length]) ? Probe::kYes : Probe::kNo;
}

Probe IdentifyHttp1(std::string_view first) {
  // RFC 9112 section 2.2: empty lines before a request are ignored.
  constexpr size_t kMaxEmptyLineBytes = 8;
  std::string_view window = first.substr(0, kIdentifyBytes);
  const bool full = window.size() == kIdentifyBytes;
  const size_t text = window.find_first_not_of("\r\n");
  if (text > kMaxEmptyLineBytes) return window.size() > kMaxEmptyLineBytes ? Probe::kNo : Probe::kNeedMore;
  window.remove_prefix(text);
  if (ProbeHead(window) == Probe::kNo) return Probe::kNo;
  const size_t newline = window.find('\n');
  if (newline != std::string_view::npos) {
    const std::string_view line = window.substr(0, newline);
    StatusLine status;
    if (ParseStatusLine(line, status))
      return StartsWithLower(line, "http/") && IsVersion1(line) ? Probe::kYes : Probe::kNo;
    RequestLine request;
    if (!ParseRequestLine(line, request)) return Probe::kNo;
    if (request.has_version) {
      const std::string_view trimmed = TrimHttp(line);
      return IsVersion1(trimmed.substr(trimmed.find_last_of(" \t") + 1)) ? Probe::kYes : Probe::kNo;
    }
    // Without a version: the simple request of HTTP/0.9, or a broken line that says HTTP elsewhere.
    const bool target = request.target.front() == '/' || IsHttpUrl(request.target) || IsVersion1(request.target);
    return IsCommonMethod(request.method) && target ? Probe::kYes : Probe::kNo;
  }
  if (!full) return Probe::kNeedMore;
  const size_t length = MethodLength(window);
  if (length == window.size() || !IsKnownMethod(window.substr(0, length))) return Probe::kNo;
  const std::string_view target = TrimBlanksLeft(window.substr(length));
  return !target.empty() && (target.front() == '/' || IsHttpUrl(target)) ? Probe::kYes : Probe::kNo;
}

HeadEnd FindHeadEnd(std::string_view text, size_t from) {
  while (true) {
    const size_t newline = text.find('\n', from);
    if (newline == std::string_view::npos) return {.line_start = from};
    if (newline == from || (newline == from + 1 && text[from] == '\r')) return {.complete = true, .end = newline + 1};
    from = newline + 1;
  }
}

bool IsReadField(std::string_view line) {
  HeaderField field;
  size_t value_start = 0;
  return MatchField(line, field, value_start);
}

bool HeaderReader::Next(HeaderField& field, std::string_view& value) {
  while (!rest_.empty()) {
    size_t end = rest_.find('\n');
    if (end == std::string_view::npos) break;
    size_t value_start = 0;
    const bool found = MatchField(rest_.substr(0, end), field, value_start);
    if (!found) {
      rest_.remove_prefix(end + 1);
      continue;
    }
    while (end + 1 < rest_.size() && IsBlank(rest_[end + 1])) {
      end = rest_.find('\n', end + 1);
      if (end == std::string_view::npos) break;
    }
    if (end == std::string_view::npos || (!complete_ && end + 1 == rest_.size())) break;
    value = TrimHttp(rest_.substr(value_start, end - value_start));
    rest_.remove_prefix(end + 1);
    return true;
  }
  rest_ = {};
  return false;
}

std::string_view FindField(std::string_view lines, std::string_view lower_name) {
  while (!lines.empty()) {
    const std::string_view line = lines.substr(0, lines.find('\n'));
    if (line.size() > lower_name.size() && line[lower_name.size()] == ':' &&
        EqualsLower(line.substr(0, lower_name.size()), lower_name)) {
      return TrimHttp(line.substr(lower_name.size() + 1));
    }
    lines.remove_prefix(std::min(line.size() + 1, lines.size()));
  }
  return {};
}

std::string_view FileNameOf(std::string_view disposition) {
  constexpr std::string_view kName = "filename=";
  for (size_t at = disposition.find(';'); at != std::string_view::npos; at = disposition.find(';', at + 1)) {
    std::string_view parameter = TrimHttp(disposition.substr(at + 1));
    if (parameter.size() < kName.size() || !EqualsLower(parameter.substr(0, kName.size()), kName)) continue;
    parameter.remove_prefix(kName.size());
    if (parameter.starts_with('"')) return parameter.substr(1, parameter.find('"', 1) - 1);
    return TrimHttp(parameter.substr(0, parameter.find(';')));
  }
  return {};
}

size_t Unfold(std::string_view value, char* out) {
  const auto is_space = [](char c) { return IsBlank(c) || c == '\r' || c == '\n'; };
  size_t length = 0;
  for (size_t i = 0; i < value.size();) {
    size_t end = i;
    bool fold = false;
    while (end < value.size() && is_space(value[end])) fold |= value[end++] == '\n';
    if (fold) {
      out[length++] = ' ';
      i = end;
      continue;
    }
    end = std::max(end, i + 1);
    std::memcpy(out + length, value.data() + i, end - i);
    length += end - i;
    i = end;
  }
  return length;
}

void Framing::AddContentLength(std::string_view value) {
  // A list of equal numbers is one number (RFC 9110 section 8.6).
  while (true) {
    const size_t comma = value.find(',');
    std::string_view digits = TrimHttp(value.substr(0, comma));
    while (digits.size() > 1 && digits.front() == '0') digits.remove_prefix(1);
    constexpr size_t kMaxDigits = 18;  // fits 63 bits; more is nothing that anyone transfers
    if (digits.empty() || digits.size() > kMaxDigits || !std::all_of(digits.begin(), digits.end(), IsDigit)) {
      contradictory = true;
      return;
    }
    uint64_t number = 0;
    for (char c : digits) number = number * 10 + static_cast<uint64_t>(c - '0');
    if (has_length && number != content_length) contradictory = true;
    content_length = has_length ? std::min(content_length, number) : number;
    has_length = true;
    if (comma == std::string_view::npos) return;
    value.remove_prefix(comma + 1);
  }
}

void Framing::AddTransferEncoding(std::string_view value) {
  if (EqualsLower(value, "identity")) return;  // RFC 2616 section 3.6: no coding at all
  has_coding = true;
  const size_t comma = value.rfind(',');
  const std::string_view last = comma == std::string_view::npos ? value : value.substr(comma + 1);
  chunked = EqualsLower(TrimHttp(last.substr(0, last.find(';'))), "chunked");
}

bool ParseChunkSize(std::string_view line, uint64_t& size) {
  line = TrimHttp(line);
  size = 0;
  size_t digits = 0, i = 0;
  for (; i < line.size(); ++i) {
    const char c = LowerAscii(line[i]);
    const bool hex = IsDigit(c) || (c >= 'a' && c <= 'f');
    if (!hex) break;
    if (size >> 59 != 0) return false;
    size = size << 4 | static_cast<uint64_t>(IsDigit(c) ? c - '0' : c - 'a' + 10);
    ++digits;
  }
  return digits > 0 && (i == line.size() || line[i] == ';' || IsBlank(line[i]));
}

}  // namespace vedette
