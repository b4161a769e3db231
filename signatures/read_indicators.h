// Reading indicator files into a builder.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "signatures/indicator_set.h"

namespace vedette {

struct SourceReport {
  std::string path;
  std::string format;  // "csv", "zeek intel", or "list of domain", "list of ip": what was guessed, for the user to see
  uint64_t rows = 0;   // rows that hold something
  uint64_t unusable = 0;
  std::string error;   // not empty: the file could not be read at all; names it and says what to do
  std::string unused;  // not empty: why no row of it is used, although that is no error; without the file's name
};

// The files that `path` stands for: itself, or of a folder the regular files in it, in name order. What editors and
// copying programs leave there is none of them: names that begin with `.` or end in `~`. Empty with an error that says
// why.
std::vector<std::string> IndicatorFiles(const std::string& path, std::string& error);

// Reads a file, or every regular file of a folder in name order. The format is told from the content: a header line
// that has `type` and `value` is contract 5's CSV, one of Zeek's its intelligence file; else it is a list, one value a
// line, `#` and `;` comments, the type guessed for each line and reported. A file that was named and cannot be
// read or holds no usable line is an error; in a folder it is a problem, and the others are used.
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
