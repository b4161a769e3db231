// Whether a compiled set finds its own indicators, before anyone relies on it.
#pragma once

#include <string>

#include "signatures/set/indicator_set.h"

namespace vedette {

// Looks up some of the set's own values, spread over all rows: at most kSelfTestRows of those that have one value that
// matches (all but regular expressions and CIDR blocks). A few milliseconds. False with an error that names the first
// that was not found.
constexpr uint32_t kSelfTestRows = 1000;
bool SelfTest(const IndicatorSet& set, std::string& error);

}  // namespace vedette
