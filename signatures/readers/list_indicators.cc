#include "signatures/readers/list_indicators.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

#include "parsers/base/text.h"
#include "signatures/readers/csv.h"
#include "signatures/readers/guess.h"
#include "signatures/readers/list_reader.h"
#include "signatures/value.h"
#include "signatures/value_parts.h"

namespace vedette {
namespace {

constexpr size_t kMaxLineBytes = CsvReader::kMaxFieldBytes;
constexpr size_t kMaxNoteBytes = 500;  // of a trailing comment kept as description
constexpr size_t kTableSample = 100;   // lines with a / that tell whether the list has columns

// The lines of a text that hold a `/`, and so may be URLs, and those of them that hold `separator`.
struct Sample {
  size_t lines = 0, with = 0;

  // The line at `at`; returns where the next begins.
  size_t Add(std::string_view text, size_t at, char separator) {
    const size_t end = std::min(text.find_first_of("\r\n", at), text.size());
    const std::string_view line = Trimmed(text.substr(at, std::min(end - at, kMaxLineBytes)));
    if (!line.empty() && line.front() != '#' && line.front() != ';' && line.find('/') != std::string_view::npos) {
      ++lines;
      with += line.find(separator) != std::string_view::npos ? 1 : 0;
    }
    return end + 1;
  }
};

// The separator of what looks like a list of URLs and is a table without a header: most lines hold it. It may also
// stand in a URL, so that the lines around tell. Looks at the first lines, and at some from all of the text. 0: it is
// none.
char TableSeparatorOf(std::string_view text) {
  for (const char separator : {',', ';'}) {
    Sample sample;
    size_t at = 0;
    while (at < text.size() && sample.lines < kTableSample) at = sample.Add(text, at, separator);
    Sample spread;
    const size_t step = text.size() / kTableSample;
    for (size_t next = at; step > 0 && next < text.size(); next += step) {
      const size_t line = text.find('\n', next);
      if (line != std::string_view::npos) spread.Add(text, line + 1, separator);
    }
    for (const Sample& one : {sample, spread}) {
      if (one.lines > 1 && one.with * 2 > one.lines) return separator;
    }
  }
  return 0;
}

class ListSource {
 public:
  ListSource(std::string_view path, std::string_view text, IndicatorSetBuilder& builder, SourceReport& report)
      : text_(WithoutByteOrderMark(text)), separator_(TableSeparatorOf(text_)), builder_(builder), report_(report) {
    indicator_.file = path;
  }

  void Read() {
    ListLine line;
    for (size_t at = 0; at < text_.size();) {
      size_t end = at;
      while (end < text_.size() && text_[end] != '\n' && text_[end] != '\r') ++end;
      const std::string_view raw = text_.substr(at, end - at);
      at = end + (text_.substr(end, 2) == "\r\n" ? 2 : 1);
      ++indicator_.line;
      if (raw.size() > kMaxLineBytes) {
        ++report_.rows;
        Refuse(raw.substr(0, kMaxValueBytes), "a line of more than " + std::to_string(kMaxLineBytes) + " bytes");
        continue;
      }
      ReadListLine(raw, line);
      for (const std::string_view value : line.values) {
        ++report_.rows;
        Add(value, line);
      }
    }
    Finish();
  }

 private:
  void Add(std::string_view value, const ListLine& line) {
    std::string reason;
    std::optional<Guess> guess;
    if (line.from_hosts_file) {
      guess = guesser_.OfHostsFile(value, reason);
    } else {
      guess = guesser_.Of(value, reason);
    }
    if (!guess) return Refuse(value, std::move(reason));
    const bool may_have_columns = guess->type == IndicatorType::kUrl || guess->type == IndicatorType::kUri;
    if (may_have_columns && separator_ != 0 && value.find(separator_) != std::string_view::npos)
      return Refuse(value, guesser_.NotSingle(value));
    ++guessed_[static_cast<size_t>(guess->type)];
    indicator_.type = guess->type;
    indicator_.value = guess->value;
    indicator_.description = line.note.substr(0, kMaxNoteBytes);
    if (!builder_.TryAdd(indicator_, reason)) return Refuse(value, std::move(reason));
    if (!guess->remark.empty())
      builder_.AddProblem({indicator_.file, indicator_.line, std::string(value), std::string(guess->remark), true});
  }

  void Refuse(std::string_view value, std::string reason) {
    if (++report_.unusable == 1) first_problem_ = "line " + std::to_string(indicator_.line) + ": " + reason;
    builder_.AddProblem({indicator_.file, indicator_.line, std::string(value), std::move(reason), false});
  }

  // For a file of which nothing is used.
  std::string_view WhatItIs() const {
    const std::string_view begin = WithoutUnseen(text_.substr(0, kMaxLineBytes));
    const std::string_view second = begin.empty() ? begin : WithoutUnseen(begin.substr(1));
    if (begin.starts_with('{') || (begin.starts_with('[') && !second.empty() &&
                                   (second.front() == '{' || second.front() == '"' || second.front() == '[')))
      return ". It looks like JSON, which is not read: write its values as a list or as CSV";
    if (begin.starts_with('<')) return ". It looks like XML or HTML, which is not read: write its values as a list";
    return ". A list has one value a line; a CSV file needs a header line with `type` and `value`";
  }

  void Finish() {
    if (report_.rows == 0) {
      report_.error = indicator_.file + ": holds no indicator, only comments or blank lines";
    } else if (report_.rows == report_.unusable) {
      report_.error = indicator_.file + ": none of its " + std::to_string(report_.rows) +
                      " lines is a usable indicator; " + first_problem_ + std::string(WhatItIs());
    }
    const auto kinds = std::count_if(guessed_.begin(), guessed_.end(), [](uint64_t n) { return n > 0; });
    report_.format = "list";
    const char* separator = " of ";
    for (size_t i = 0; i < guessed_.size(); ++i) {
      if (guessed_[i] == 0) continue;
      report_.format.append(separator).append(NameOf(static_cast<IndicatorType>(i)));
      if (kinds > 1) report_.format += " (" + std::to_string(guessed_[i]) + ")";
      separator = ", ";
    }
  }

  std::string_view text_;
  const char separator_;  // 0: URLs may hold any
  IndicatorSetBuilder& builder_;
  SourceReport& report_;
  Indicator indicator_;
  std::array<uint64_t, static_cast<size_t>(IndicatorType::kCount)> guessed_{};
  Guesser guesser_;
  std::string first_problem_;
};

}  // namespace

void ReadListIndicators(std::string_view path, std::string_view text, IndicatorSetBuilder& builder,
                        SourceReport& report) {
  ListSource(path, text, builder, report).Read();
}

}  // namespace vedette
