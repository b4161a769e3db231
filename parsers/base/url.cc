#include "parsers/base/url.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <optional>

#include "parsers/base/address.h"
#include "parsers/base/text.h"

namespace vedette {
namespace {

constexpr char kHexDigits[] = "0123456789ABCDEF";
constexpr std::string_view kUnreservedBytes = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
constexpr std::string_view kReservedBytes = ":/?#[]@!$&'()*+,;=";

enum class UriByte : uint8_t { kEncode, kReserved, kUnreserved, kPercent };

constexpr std::array<UriByte, 256> MakeUriBytes() {
  std::array<UriByte, 256> table{};
  for (char c : kUnreservedBytes) table[static_cast<uint8_t>(c)] = UriByte::kUnreserved;
  for (char c : kReservedBytes) table[static_cast<uint8_t>(c)] = UriByte::kReserved;
  table['%'] = UriByte::kPercent;
  return table;
}
constexpr std::array<UriByte, 256> kUriBytes = MakeUriBytes();

UriByte ClassOf(char c) { return kUriBytes[static_cast<uint8_t>(c)]; }

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsAlpha(char c) { return LowerAscii(c) >= 'a' && LowerAscii(c) <= 'z'; }

int HexValue(char c) {
  if (IsDigit(c)) return c - '0';
  const char lower = LowerAscii(c);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// The byte that %hh at `at` stands for.
std::optional<char> DecodePercent(std::string_view text, size_t at) {
  if (text.size() - at < 3) return std::nullopt;
  const int high = HexValue(text[at + 1]), low = HexValue(text[at + 2]);
  if (high < 0 || low < 0) return std::nullopt;
  return static_cast<char>(high << 4 | low);
}

char* WriteEncoded(char c, char* to) {
  const auto byte = static_cast<uint8_t>(c);
  *to++ = '%';
  *to++ = kHexDigits[byte >> 4];
  *to++ = kHexDigits[byte & 15];
  return to;
}

char* WriteText(std::string_view text, char* to) {
  if (!text.empty()) std::memcpy(to, text.data(), text.size());
  return to + text.size();
}

char* WriteLower(std::string_view text, char* to) {
  return std::transform(text.begin(), text.end(), to, [](char c) { return LowerAscii(c); });
}

// Path and query in normal form. Length first, so that the memory is exact.
size_t PathLength(std::string_view text) {
  size_t length = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const UriByte byte_class = ClassOf(text[i]);
    if (byte_class == UriByte::kPercent) {
      if (const auto decoded = DecodePercent(text, i)) {
        length += ClassOf(*decoded) == UriByte::kUnreserved ? 1 : 3;
        i += 2;
        continue;
      }
    }
    length += byte_class == UriByte::kReserved || byte_class == UriByte::kUnreserved ? 1 : 3;
  }
  return length;
}

char* WritePath(std::string_view text, char* to) {
  for (size_t i = 0; i < text.size(); ++i) {
    const UriByte byte_class = ClassOf(text[i]);
    if (byte_class == UriByte::kReserved || byte_class == UriByte::kUnreserved) {
      *to++ = text[i];
      continue;
    }
    if (byte_class == UriByte::kPercent) {
      if (const auto decoded = DecodePercent(text, i)) {
        if (ClassOf(*decoded) == UriByte::kUnreserved) {
          *to++ = *decoded;
        } else {
          to = WriteEncoded(*decoded, to);
        }
        i += 2;
        continue;
      }
    }
    to = WriteEncoded(text[i], to);
  }
  return to;
}

// A host on its way to normal form: `text` still has to be lowered.
class NormalHost {
 public:
  explicit NormalHost(const HostAndPort& split) : text_(split.host), is_literal_(split.is_literal) {
    if (is_literal_) {
      const std::optional<IpAddress> address = IpAddress::Parse(text_);
      if (address && address->is_v6()) Convert(address->ToString());
      return;
    }
    // With a colon left in it, it is no name: dropping a dot at its end could make a port of what stands there.
    if (text_.empty() || text_.find(':') != std::string_view::npos) return;
    if (std::any_of(text_.begin(), text_.end(), [](char c) { return static_cast<uint8_t>(c) >= 0x80; })) {
      std::string name = NormaliseHost(text_);
      // Compatibility mapping can yield bytes that would move the host's end ("℀" is "a/c"); such a name is none.
      if (name.find_first_of("/?#@:[]\\") != std::string::npos) name = LowerAscii(text_);
      Convert(std::move(name));
    }
    while (!text_.empty() && text_.back() == '.') text_.remove_suffix(1);
    if (text_.empty()) text_ = ".";
  }
  NormalHost(const NormalHost&) = delete;
  NormalHost& operator=(const NormalHost&) = delete;

  bool is_literal() const { return is_literal_; }
  size_t size() const { return text_.size(); }
  char* Write(char* to) const { return WriteLower(text_, to); }

 private:
  void Convert(std::string converted) {
    converted_ = std::move(converted);
    text_ = converted_;
  }

  std::string_view text_;
  std::string converted_;
  bool is_literal_;
};

std::string_view DefaultPort(std::string_view scheme) {
  if (EqualsLower(scheme, "http") || EqualsLower(scheme, "ws")) return "80";
  if (EqualsLower(scheme, "https") || EqualsLower(scheme, "wss")) return "443";
  return EqualsLower(scheme, "ftp") ? "21" : "";
}

std::string_view Trimmed(std::string_view text) {
  while (!text.empty() && static_cast<uint8_t>(text.front()) <= ' ') text.remove_prefix(1);
  while (!text.empty() && static_cast<uint8_t>(text.back()) <= ' ') text.remove_suffix(1);
  return text;
}

// Length of the scheme in "scheme://…", or 0.
size_t SchemeLength(std::string_view text) {
  if (text.empty() || !IsAlpha(text.front())) return 0;
  size_t i = 1;
  while (i < text.size() &&
         (IsAlpha(text[i]) || IsDigit(text[i]) || text[i] == '+' || text[i] == '-' || text[i] == '.'))
    ++i;
  return text.substr(i, 3) == "://" ? i : 0;
}

struct Parts {
  std::string_view scheme = "http";
  std::string_view authority;
  std::string_view rest;  // path and query
};

std::string_view WithoutUserInformation(std::string_view authority) {
  const size_t at = authority.rfind('@');
  return at == std::string_view::npos ? authority : authority.substr(at + 1);
}

Parts Split(std::string_view url) {
  Parts parts;
  url = Trimmed(url);
  if (const size_t length = SchemeLength(url); length > 0) {
    parts.scheme = url.substr(0, length);
    url.remove_prefix(length + 3);
  }
  const size_t end = std::min(url.find_first_of("/?#"), url.size());
  parts.authority = WithoutUserInformation(url.substr(0, end));
  parts.rest = url.substr(end);
  return parts;
}

// `allocate(bytes)` gives the memory for the result.
template <class Allocate>
std::string_view Build(const Parts& parts, Allocate allocate) {
  const HostAndPort split = SplitHostAndPort(parts.authority);
  const NormalHost host(split);
  std::string_view port = split.port;
  while (port.size() > 1 && port.front() == '0') port.remove_prefix(1);
  if (port == DefaultPort(parts.scheme)) port = {};
  const std::string_view path = parts.rest.substr(0, parts.rest.find('#'));
  const bool slash = path.empty() || path.front() != '/';

  const size_t length = parts.scheme.size() + 3 + host.size() + (host.is_literal() ? 2 : 0) +
                        (port.empty() ? 0 : 1 + port.size()) + (slash ? 1 : 0) + PathLength(path);
  char* const out = allocate(length);
  char* to = WriteLower(parts.scheme, out);
  to = WriteText("://", to);
  if (host.is_literal()) *to++ = '[';
  to = host.Write(to);
  if (host.is_literal()) *to++ = ']';
  if (!port.empty()) {
    *to++ = ':';
    to = WriteText(port, to);
  }
  if (slash) *to++ = '/';
  to = WritePath(path, to);
  return {out, static_cast<size_t>(to - out)};
}

}  // namespace

std::string NormaliseUrl(std::string_view url) {
  std::string out;
  Build(Split(url), [&](size_t length) {
    out.resize(length);
    return out.data();
  });
  return out;
}

std::string_view StoreUrl(std::string_view url, Arena& arena) {
  return Build(Split(url), [&](size_t length) { return arena.Allocate(length); });
}

std::string_view StoreHttpUrl(std::string_view authority, std::string_view target, Arena& arena) {
  Parts parts;
  // A Host value with a slash in it is no authority; what stands before the slash is what NormaliseUrl would take.
  parts.authority = WithoutUserInformation(authority.substr(0, authority.find_first_of("/?#")));
  parts.rest = Trimmed(target);
  return Build(parts, [&](size_t length) { return arena.Allocate(length); });
}

HostAndPort SplitHostAndPort(std::string_view text) {
  const auto all_digits = [](std::string_view s) { return std::all_of(s.begin(), s.end(), IsDigit); };
  if (!text.empty() && text.front() == '[') {
    const size_t close = text.find(']');
    if (close == std::string_view::npos) return {.host = text, .port = {}};
    const std::string_view after = text.substr(close + 1);
    if (!after.empty() && (after.front() != ':' || !all_digits(after.substr(1)))) return {.host = text, .port = {}};
    return {.host = text.substr(1, close - 1), .port = after.empty() ? after : after.substr(1), .is_literal = true};
  }
  const size_t colon = text.find(':');
  if (colon == std::string_view::npos) return {.host = text, .port = {}};
  if (text.find(':', colon + 1) != std::string_view::npos) {
    return {.host = text, .port = {}, .is_literal = IpAddress::Parse(text).has_value()};
  }
  if (!all_digits(text.substr(colon + 1))) return {.host = text, .port = {}};
  return {.host = text.substr(0, colon), .port = text.substr(colon + 1)};
}

std::string_view StoreHost(const HostAndPort& split, Arena& arena) {
  const NormalHost host(split);
  char* const out = arena.Allocate(host.size());
  host.Write(out);
  return {out, host.size()};
}

std::string_view AuthorityOf(std::string_view url) { return IsAbsoluteUrl(url) ? Split(url).authority : ""; }

bool IsAbsoluteUrl(std::string_view text) { return SchemeLength(text) > 0; }

}  // namespace vedette
