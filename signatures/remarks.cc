#include "signatures/remarks.h"

#include <algorithm>

#include "parsers/base/address.h"
#include "parsers/base/url.h"
#include "signatures/dot_segments.h"

namespace vedette {
namespace {

constexpr std::string_view kHttps =
    "used, but it is an https URL: it matches only unencrypted requests, as a proxy sees them";
constexpr std::string_view kNoHttp = "used, but no request shows a URL of this scheme";
constexpr std::string_view kHostOnly =
    "used, but as a URL without a path it matches only a request for /: an address or a name has a type of its own";
constexpr std::string_view kBeginning =
    "used, but it ends in =, ?, & or + like the beginning of something longer, and is compared whole";
constexpr std::string_view kCut = "used, but it looks like the beginning of a longer one, cut off at … or ...";
constexpr std::string_view kTwoUrls = "used, but it looks like two URLs in one";
constexpr std::string_view kDotSegments =
    "used, but it holds /./ or /../, which clients resolve before they send a request";
constexpr std::string_view kHtml = "used, but it holds &amp;, as a web page writes &: clients send & alone";
constexpr std::string_view kNoFragment = "used, but it contains a #, which no request does";
constexpr std::string_view kSentEncoded =
    "used, but it holds a character that clients send percent-encoded, and a uri is compared as it was sent";
constexpr std::string_view kNoTopLevel = "used, but its last label is not a known top-level domain";

// `url` in normal form: a second one behind a separator. In a path or a query there may be one.
bool HoldsTwoUrls(std::string_view url) {
  for (size_t at = url.find("://", 8); at != std::string_view::npos; at = url.find("://", at + 3)) {
    for (const std::string_view begin :
         {",http", ",https", ";http", ";https", "%20http", "%20https", "%7Chttp", "%7Chttps", "%0Ahttp", "%0Ahttps",
          "%0Dhttp", "%0Dhttps", "%09http", "%09https"}) {
      if (url.substr(0, at).ends_with(begin)) return true;
    }
  }
  return false;
}
bool IsSentEncoded(char c) {
  constexpr std::string_view kNever = "\"<>\\^`{|}";
  return static_cast<uint8_t>(c) >= 0x80 || kNever.find(c) != std::string_view::npos;
}
bool IsBeginning(std::string_view text) { return text.find_last_of("=?&+") == text.size() - 1; }

}  // namespace

std::string_view Remarks::On(IndicatorType type, std::string_view normal) {
  switch (type) {
    case IndicatorType::kDomain:
    case IndicatorType::kHostname:
      return OnHost(normal);
    case IndicatorType::kUrl:
      return OnUrl(normal);
    case IndicatorType::kUri:
      if (normal.find('#') != std::string_view::npos) return kNoFragment;
      if (IsBeginning(normal)) return kBeginning;
      if (HasDotSegments(normal)) return kDotSegments;
      if (normal.find("&amp;") != std::string_view::npos) return kHtml;
      return std::any_of(normal.begin(), normal.end(), IsSentEncoded) ? kSentEncoded : std::string_view();
    default:
      return {};
  }
}

std::string_view Remarks::OnHost(std::string_view host) {
  if (host.find('.') == std::string_view::npos) return {};
  const LastLabel last = last_labels_.Of(host);
  return last == LastLabel::kTopLevel || last == LastLabel::kSpecialUse ? std::string_view() : kNoTopLevel;
}

std::string_view Remarks::OnUrl(std::string_view url) {
  if (url.starts_with("https://")) return kHttps;
  if (!url.starts_with("http://")) return kNoHttp;
  const std::string_view rest = url.substr(url.find("://") + 3);
  const size_t slash = rest.find('/');
  if (slash + 1 == rest.size()) return kHostOnly;
  if (IsBeginning(url)) return kBeginning;
  if (url.ends_with("...") || url.find("%E2%80%A6") != std::string_view::npos) return kCut;
  if (HoldsTwoUrls(url)) return kTwoUrls;
  if (url.find("&amp;") != std::string_view::npos) return kHtml;
  const std::string_view host = SplitHostAndPort(rest.substr(0, slash)).host;
  return IpAddress::Parse(host) ? std::string_view() : OnHost(host);
}

}  // namespace vedette
