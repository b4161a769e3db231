// Files of Zeek's intelligence framework (https://docs.zeek.org/en/master/frameworks/intel.html).
//
//   #fields<TAB>indicator<TAB>indicator_type<TAB>meta.source<TAB>meta.desc
//   evil.example/gate.php<TAB>Intel::URL<TAB>Some feed<TAB>-
//
// A line a row, fields separated by one tab, `-` where nothing is said, \xHH for a byte that would break the line.
#pragma once

#include <string_view>

#include "signatures/readers/format.h"

namespace vedette {

struct ZeekIntelFormat {
  static constexpr std::string_view kName = "zeek intel";
  // Certain where one of the lines at the beginning that begin with # names `indicator` and `indicator_type`.
  static Certainty Probe(std::string_view head);
  static void Read(TextSource& text, RowSink& rows);
};

}  // namespace vedette
