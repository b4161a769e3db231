// Indicators as comma-separated values, contract 5 (indicators.md): a header that names the columns, a row an
// indicator.
//
//   type,value,id,originator,tlp
//   domain,evil.example,ev-1,cert-a,green
//
// The separator may be a semicolon or a tab; the header tells.
#pragma once

#include <string_view>

#include "signatures/readers/format.h"

namespace vedette {

struct CsvFormat {
  static constexpr std::string_view kName = "csv";
  // Certain where the first row names the columns `type` and `value`.
  static Certainty Probe(std::string_view head);
  static void Read(TextSource& text, RowSink& rows);
};

}  // namespace vedette
