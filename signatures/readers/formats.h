// The formats of indicators that are read: one line each in IndicatorFormats. Nothing else knows them by name.
#pragma once

#include <span>
#include <string_view>
#include <tuple>

#include "signatures/readers/csv_indicators.h"
#include "signatures/readers/format.h"
#include "signatures/readers/list_indicators.h"
#include "signatures/readers/zeek_intel.h"

namespace vedette {

// Of two that are equally sure of a text, the first has it. The last reads whatever is a text.
using IndicatorFormats = std::tuple<  //
    ZeekIntelFormat,                  //
    CsvFormat,                        //
    ListFormat>;

// One of them as a value.
struct FormatEntry {
  std::string_view name;
  Certainty (*probe)(std::string_view head);
  void (*read)(TextSource& text, RowSink& rows);
};

std::span<const FormatEntry> AllFormats();  // in the order of the list
// The one that is surest of a text that begins so; there always is one.
const FormatEntry& FormatOf(std::string_view head);

}  // namespace vedette
