// Indicators as lists, a value a line, whose types are guessed: addresses, networks, names, URLs, digests; hosts files,
// scores and comments behind a value (list_reader.h); tables of URLs without a header.
#pragma once

#include <string_view>

#include "signatures/readers/read_indicators.h"
#include "signatures/set/indicator_set.h"

namespace vedette {

// Adds what the lines hold, and the problems of those that cannot be used.
void ReadListIndicators(std::string_view path, std::string_view text, IndicatorSetBuilder& builder,
                        SourceReport& report);

}  // namespace vedette
