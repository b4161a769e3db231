// Reading comma-separated values (RFC 4180), row by row.
//
// Rows end with LF, CRLF or CR; the last needs no end. A field in quotation marks may hold separators, line ends and
// doubled quotation marks. Whatever breaks these rules costs one row: it is
// reported with its first line, and reading goes on with the line after that one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "signatures/readers/text_source.h"

namespace vedette {

class CsvReader {
 public:
  static constexpr size_t kMaxFieldBytes = size_t{32} * 1024;  // the longest URLs and descriptions in use are far below
  static constexpr size_t kMaxRowBytes = size_t{64} * 1024;  // a quotation mark never closed must not swallow the file
  static constexpr size_t kMaxFields = 256;

  // Reads on from where `text` is, which outlives the reader.
  explicit CsvReader(TextSource& text, char separator = ',');

  enum class Result : uint8_t { kRow, kMalformed, kEnd };
  // kRow: fields() holds the row. kMalformed: error() says why; the next call goes on behind it. Blank lines are
  // skipped, and so are lines whose first byte is '#'.
  Result Next();

  // Views into the text, or into memory of the reader; the next call of Next ends both.
  const std::vector<std::string_view>& fields() const { return fields_; }
  uint32_t line() const { return row_line_; }  // 1-based, where the row begins
  const std::string& error() const { return error_; }

 private:
  Result ReadRow();
  Result Malformed(std::string reason);
  [[nodiscard]] bool ReadQuoted(std::string& reason);
  // Steps over one line end, if there is one.
  bool SkipLineEnd();
  // Steps over the rest of a line, its end not; however long it is.
  void SkipLine();

  TextSource& source_;
  char separator_;
  std::string_view text_;  // from the beginning of the row on: all of the row that may be in one
  size_t at_ = 0;          // in it
  uint32_t line_ = 1;
  uint32_t row_line_ = 1;
  std::vector<std::string_view> fields_;
  std::string unquoted_;  // of the fields whose doubled quotation marks had to be undone; reserved once
  std::string error_;
};

}  // namespace vedette
