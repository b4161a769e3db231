// The hashes of a host name and of every domain above it, in one pass from the right.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "parsers/base/hash.h"

namespace vedette {

constexpr size_t kMaxHostNameBytes = 253;  // RFC 1035 section 3.1, as text without the trailing dot

// Calls `visit(begin, hash)` for every suffix of `host` that begins at a label, shortest first ("com", "example.com");
// `begin` is its offset in `host`. Of a longer text than any host name may be, only the suffixes that could be one are
// visited: at most 127, and a text that holds no dot in its last kMaxHostNameBytes has none.
template <class Visit>
void ForEachSuffix(std::string_view host, Visit&& visit) {
  const size_t floor = host.size() > kMaxHostNameBytes ? host.size() - kMaxHostNameBytes : 0;
  uint64_t hash = 0;
  size_t end = host.size();
  for (size_t at = host.size(); at > floor; --at) {
    if (host[at - 1] != '.') continue;
    hash = HashText(host.substr(at, end - at), hash);
    visit(at, FinishHash(hash));
    end = at - 1;
  }
  if (floor == 0 && end > 0) visit(size_t{0}, FinishHash(HashText(host.substr(0, end), hash)));
}

// The hash that ForEachSuffix gives the whole of `host`; at most kMaxHostNameBytes long.
inline uint64_t HashHost(std::string_view host) {
  uint64_t last = 0;
  ForEachSuffix(host, [&](size_t, uint64_t hash) { last = hash; });
  return last;
}

}  // namespace vedette
