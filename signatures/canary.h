// The indicator that every live set holds, so that the sensor can test itself: names below kCanaryDomain, in DNS
// queries. RFC 6761 keeps `invalid` for names that nobody ever has.
#pragma once

#include <string_view>

namespace vedette {

constexpr std::string_view kCanaryDomain = "canary.vedette.invalid";
constexpr std::string_view kCanarySource = "vedette-canary";  // its source, id and originator
constexpr std::string_view kCanaryView = "vedette-canary";    // the view of the feed that carries it; no partner's

}  // namespace vedette
