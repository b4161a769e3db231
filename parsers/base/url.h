// URLs in one normal form, so that an indicator and a request for it come out as the same bytes.
//
// The normal form, after RFC 3986 section 6.2:
//   - white space and control bytes around the URL are dropped; without "scheme://" it is an http URL;
//   - scheme and host in lower case, the host without trailing dots;
//   - IDN as A-labels (NormaliseHost);
//   - an IPv6 literal in brackets, in RFC 5952 form;
//   - no user information (a client never sends it in a request), no default port, no leading zeros in a port;
//   - an empty path is "/"; dot segments and an empty query stay as they are, because servers distinguish them;
//   - no fragment (it never leaves the client);
//   - in path and query, %hh of an unreserved character is that character, any other %hh has upper-case digits, and a
//     byte that may not stand in a URI (space, quotes, non-ASCII, a '%' without two digits) is percent-encoded.
// Normalising is idempotent.
#pragma once

#include <string>
#include <string_view>

#include "parsers/base/arena.h"

namespace vedette {

std::string NormaliseUrl(std::string_view url);

// NormaliseUrl of an absolute URL, stored in `arena`.
std::string_view StoreUrl(std::string_view url, Arena& arena);

// NormaliseUrl of "http://" + authority + target for the value of a Host field and a request target in origin form
// (RFC 9112 section 3.2.1), stored in `arena`.
std::string_view StoreHttpUrl(std::string_view authority, std::string_view target, Arena& arena);

// RFC 3986 section 3.2 without user information: views into what was split.
struct HostAndPort {
  std::string_view host;    // of "[2001:db8::1]:80" without the brackets
  std::string_view port;    // digits, or empty
  bool is_literal = false;  // was in brackets, or is an IPv6 address without them
};
// "name", "name:80", "192.0.2.1:80", "[2001:db8::1]:80", "2001:db8::1". A text with no port in these forms is all host.
HostAndPort SplitHostAndPort(std::string_view text);

// The host in its normal form, without brackets, stored in `arena`: equal to NormaliseHost, or to RFC 5952 where it is
// an IPv6 literal. Empty for an empty host. Allocates nothing elsewhere for an ASCII name.
std::string_view StoreHost(const HostAndPort& split, Arena& arena);

// The part of an absolute URL between "://" (and user information) and the path; empty where there is no "://".
std::string_view AuthorityOf(std::string_view url);

// True for "scheme://…" (RFC 3986 section 3.1).
bool IsAbsoluteUrl(std::string_view text);

}  // namespace vedette
