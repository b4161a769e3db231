// Lines of other programs' block lists that name one host each, with certainty: response policy zones, dnsmasq,
// unbound.
#pragma once

#include <optional>
#include <string_view>

namespace vedette {

struct FeedLine {
  std::string_view name;    // in the line
  bool and_below = false;   // the names below it, too
  std::string_view reason;  // not empty: why it is not read; `name` may be the nearest reading
};

// "address=/evil.example/0.0.0.0", "local-zone: "evil.example" refuse", "evil.example CNAME ."; nullopt: no such line.
std::optional<FeedLine> ReadFeedLine(std::string_view line);

}  // namespace vedette
