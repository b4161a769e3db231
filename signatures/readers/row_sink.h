// Where the reader of a format puts the rows of one file: used, or refused with the line and the reason. Counts them,
// and reads what is said of a row besides its value (metadata.h), the same for every format.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "signatures/indicator.h"
#include "signatures/readers/metadata.h"
#include "signatures/readers/source_report.h"
#include "signatures/set/indicator_set.h"

namespace vedette {

// Not thread safe. A row begins with Begin and ends with one call of Use or Refuse.
class RowSink {
 public:
  // `report`: of this file; its path names the file in problems. Both outlive the sink.
  RowSink(IndicatorSetBuilder& builder, SourceReport& report);

  // Counts a row, at `line` (from 1) of the file.
  void Begin(uint32_t line) {
    ++report_.rows;
    row_.line = line;
  }
  // The row's value and its type as the format has it.
  void SetValue(IndicatorType type, std::string_view value) {
    row_.type = type;
    row_.value = value;
  }
  // All that is said besides the value, which takes the place of what the row before said. False, with `reason`: it
  // cannot be read, so that the row has to be refused.
  [[nodiscard]] bool SetMetadata(const MetadataTexts& texts, std::string& reason) {
    return metadata_.Read(texts, row_, reason);
  }
  void SetDescription(std::string_view text) { row_.description = text; }  // of a format that says nothing else

  // Adds the row to the set. `shown`: its value as the file has it, for the person who made it. False: the set refuses
  // it, which is reported. Problems of the row that are none of its use come last.
  bool Use(std::string_view shown);
  bool Use() { return Use(row_.value); }
  // The row cannot be used.
  void Refuse(std::string_view shown, std::string reason);
  // Of a row that is used, or of a line that is no row: `reason` begins with "used, " where it is one.
  void Remark(uint32_t line, std::string_view shown, std::string_view reason);

  uint64_t rows() const { return report_.rows; }
  bool none_used() const { return report_.rows == report_.unusable; }
  // Of the first row that was refused: "line 2: no type".
  const std::string& first_problem() const { return first_problem_; }

  // At the end of a file whose header says what it is: that it gave nothing is no error then.
  void EndOfTable();
  // At the end of one that nothing says it of: it gave nothing, and is taken for something else.
  void GaveNothing(std::string_view reason);
  // Behind the format's name in the report: " of domain".
  void Describe(std::string_view content) { report_.format += content; }

 private:
  std::string_view RemarkOnTimes() const;

  IndicatorSetBuilder& builder_;
  SourceReport& report_;
  Indicator row_;  // reused, so that a row allocates little
  MetadataReader metadata_;
  std::string reason_;
  std::string first_problem_;
  const int64_t now_ns_;
};

}  // namespace vedette
