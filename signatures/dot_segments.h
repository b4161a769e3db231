// Dot segments of URLs (RFC 3986 sections 5.2.4 and 6.2.2.3): most clients ask for /a where a page links to /x/../a,
// some programs send what they were given. Both are one URL.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

namespace vedette {

namespace dot_segments {
// Where the path of a URL in normal form begins; its size where there is none.
inline size_t PathBegin(std::string_view url) {
  const size_t scheme = url.find("://");
  return scheme == std::string_view::npos ? 0 : std::min(url.find('/', scheme + 3), url.size());
}
}  // namespace dot_segments

// Whether the path of `url` (in NormaliseUrl's form) has a segment "." or "..".
inline bool HasDotSegments(std::string_view url) {
  size_t at = url.find("/.");
  if (at == std::string_view::npos) return false;
  const std::string_view path = url.substr(0, url.find('?'));
  for (; at < path.size(); at = path.find("/.", at + 1)) {
    const std::string_view segment = path.substr(at + 1, path.find('/', at + 1) - (at + 1));
    if (segment == "." || segment == "..") return true;
  }
  return false;
}

// `url` (in NormaliseUrl's form) with the dot segments of its path removed.
inline std::string WithoutDotSegments(std::string_view url) {
  const size_t begin = dot_segments::PathBegin(url);
  const size_t end = std::min(url.find('?', begin), url.size());
  std::string out(url.substr(0, begin));
  bool ends_in_slash = true;
  for (size_t at = begin; at < end;) {
    // At a slash.
    const size_t next = std::min(url.find('/', at + 1), end);
    const std::string_view segment = url.substr(at + 1, next - at - 1);
    ends_in_slash = segment == "." || segment == "..";
    if (segment == "..") {
      const size_t last = out.rfind('/');
      if (out.size() > begin && last != std::string::npos && last >= begin) out.resize(last);
    } else if (segment != ".") {
      out += '/';
      out += segment;
    }
    at = next;
  }
  if (ends_in_slash) out += '/';
  return out.append(url.substr(end));
}

}  // namespace vedette
