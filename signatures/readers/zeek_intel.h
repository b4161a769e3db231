// Files of Zeek's intelligence framework (https://docs.zeek.org/en/master/frameworks/intel.html).
//
//   #fields<TAB>indicator<TAB>indicator_type<TAB>meta.source<TAB>meta.desc
//   evil.example/gate.php<TAB>Intel::URL<TAB>Some feed<TAB>-
//
// A line a row, fields separated by one tab, `-` where nothing is said, \xHH for a byte that would break the line.
#pragma once

#include <string_view>

#include "signatures/readers/read_indicators.h"
#include "signatures/set/indicator_set.h"

namespace vedette {

// Among the lines at the beginning that begin with # is one that names `indicator` and `indicator_type`.
bool IsZeekIntel(std::string_view text);

// Of such a text: adds its rows, and the problems of those that cannot be used.
void ReadZeekIntel(std::string_view path, std::string_view text, IndicatorSetBuilder& builder, SourceReport& report);

}  // namespace vedette
