// Indicators as lists, a value a line, whose types are guessed: addresses, networks, names, URLs, digests; hosts files,
// scores and comments behind a value (list_reader.h); tables of URLs without a header.
#pragma once

#include <string_view>

#include "signatures/readers/format.h"

namespace vedette {

struct ListFormat {
  static constexpr std::string_view kName = "list";
  // Possible: any text may be one.
  static Certainty Probe(std::string_view head);
  static void Read(TextSource& text, RowSink& rows);
};

}  // namespace vedette
