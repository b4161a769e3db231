// What the reader of a format is. formats.h lists them; README.md ("Adding a format") shows one.
#pragma once

#include <concepts>
#include <cstdint>
#include <string_view>

#include "signatures/readers/row_sink.h"
#include "signatures/readers/text_source.h"

namespace vedette {

// What the first bytes of a text say of its format.
enum class Certainty : uint8_t {
  kNo,        // it is something else
  kPossible,  // nothing speaks against it: read so if no other format is surer
  kCertain,   // a header, or a name that only this format has
};

// A type with these three, and no state:
//   kName   in reports and documents
//   Probe   by the first bytes, at most TextSource::kHeadBytes; whole where the text is shorter
//   Read    from the front to the end: hands every row to `rows`, which counts it, and says there why one cannot be
//           used. Holds a row, never the text. At the end RowSink::EndOfTable or GaveNothing says what the file was
//           where it gave nothing.
template <class F>
concept IndicatorFormat = requires(std::string_view head, TextSource& text, RowSink& rows) {
  { F::kName } -> std::convertible_to<std::string_view>;
  { F::Probe(head) } -> std::same_as<Certainty>;
  { F::Read(text, rows) } -> std::same_as<void>;
};

}  // namespace vedette
