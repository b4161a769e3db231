// Reading indicator files into a builder.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "signatures/set/indicator_set.h"

namespace vedette {

struct SourceReport {
  std::string path;
  std::string format;  // "csv", "zeek intel", or "list of domain", "list of ip": what was guessed, for the user to see
  uint64_t rows = 0;   // rows that hold something
  uint64_t unusable = 0;              // of them: refused
  uint64_t warned = 0;                // of them: used, and something may be wrong with them
  std::vector<ProblemKind> problems;  // the refused and the warned by reason, most frequent first; of reading alone
  bool passed_over = false;           // of a folder: not read, for `unused` says what it is
  bool missed = false;                // passed over, although it may hold lists that no other report is of
  std::string error;                  // not empty: the file could not be read at all; names it and says what to do
  std::string unused;  // not empty: why no row of it is used, although that is no error; without the file's name
};

// Reads a file, or the files of a folder and of those inside it (folder.h). The format is told from the content: a
// header line that has `type` and `value` is contract 5's CSV, one of Zeek's its intelligence file; else it is a list,
// one value a line, `#` and `;` comments, the type guessed for each line and reported. A file that was named and cannot
// be read or holds no usable line is an error; in a folder it is a problem, and the others are used. What is passed
// over in a folder has a report as well.
std::vector<SourceReport> ReadIndicators(const std::string& path, IndicatorSetBuilder& builder);

// The same for text that is in memory already; `path` names it in problems.
void ReadIndicatorText(std::string_view path, std::string_view text, IndicatorSetBuilder& builder,
                       SourceReport& report);

// "file:line: value: reason", without what a problem of a whole file does not have.
std::string TextOf(const IndicatorProblem& problem);

// For `--match VALUE`: guesses the type (or takes it from "type:value") and adds it. False, with `error`, where it fits
// none. `guessed`: gets the type's name where none was given.
bool AddFromText(std::string_view text, IndicatorSetBuilder& builder, std::string& error,
                 std::string* guessed = nullptr);

}  // namespace vedette
