// Reading indicator files into a builder.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "signatures/readers/source_report.h"
#include "signatures/set/indicator_set.h"

namespace vedette {

// Reads a file, or the files of a folder and of those inside it (folder.h). The format is told from the content
// (formats.h) and reported. A file that was named and cannot be read or holds no usable line is an error; in a folder
// it is a problem, and the others are used. What is passed over in a folder has a report as well.
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
