// Indicators as comma-separated values, contract 5 (indicators.md): a header that names the columns, a row an
// indicator.
//
//   type,value,id,originator,tlp
//   domain,evil.example,ev-1,cert-a,green
//
// The separator may be a semicolon or a tab; the header tells.
#pragma once

#include <string_view>

#include "signatures/readers/read_indicators.h"
#include "signatures/set/indicator_set.h"

namespace vedette {

// Adds the rows, and the problems of those that cannot be used. False, and nothing was done: the first row does not
// name the columns `type` and `value`, so this is something else.
[[nodiscard]] bool ReadCsvIndicators(std::string_view path, std::string_view text, IndicatorSetBuilder& builder,
                                     SourceReport& report);

}  // namespace vedette
