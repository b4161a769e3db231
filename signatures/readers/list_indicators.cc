#include "signatures/readers/list_indicators.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

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
constexpr std::array<char, 2> kSeparators = {',', ';'};

// The lines of a text that hold a `/`, and so may be URLs, and those of them that hold each separator.
struct Sample {
  size_t lines = 0;
  std::array<size_t, kSeparators.size()> with{};

  // The line that comes next; steps over it.
  void Add(TextSource& text) {
    std::string_view ahead = text.Ahead();
    size_t end = EndOfLine(ahead);
    Count(Trimmed(ahead.substr(0, std::min(end, kMaxLineBytes))));
    for (; end == std::string_view::npos && !ahead.empty(); end = EndOfLine(ahead)) {
      text.Skip(ahead.size());
      ahead = text.Ahead();
    }
    if (end != std::string_view::npos) text.Skip(end + 1);
  }
  void Count(std::string_view line) {
    if (line.empty() || line.front() == '#' || line.front() == ';' || line.find('/') == std::string_view::npos) return;
    ++lines;
    for (size_t i = 0; i < kSeparators.size(); ++i) {
      with[i] += line.find(kSeparators[i]) != std::string_view::npos ? 1 : 0;
    }
  }
};

// The separator of what looks like a list of URLs and is a table without a header: most lines hold it. It may also
// stand in a URL, so that the lines around tell. Looks at the first lines, and at some from all of the text. 0: it is
// none.
char TableSeparatorOf(TextSource& text) {
  Sample first, spread;
  text.Seek(0);
  while (text.position() < text.size() && first.lines < kTableSample) first.Add(text);
  const uint64_t step = text.size() / kTableSample;
  for (uint64_t next = text.position(); step > 0 && next < text.size(); next += step) {
    text.Seek(next);
    // Of a line that is longer than any that is read, the end is not looked for.
    const size_t newline = text.Ahead().substr(0, TextSource::kAheadBytes).find('\n');
    if (newline == std::string_view::npos) continue;
    text.Skip(newline + 1);
    spread.Add(text);
  }
  text.Seek(0);
  for (size_t i = 0; i < kSeparators.size(); ++i) {
    for (const Sample& one : {first, spread}) {
      if (one.lines > 1 && one.with[i] * 2 > one.lines) return kSeparators[i];
    }
  }
  return 0;
}

class ListRows {
 public:
  ListRows(TextSource& text, RowSink& rows) : text_(text), separator_(TableSeparatorOf(text)), rows_(rows) {}

  void Read() {
    LineReader lines(text_, LineReader::Ends::kAnyReturn, kMaxLineBytes);
    ListLine line;
    while (lines.Next()) {
      if (lines.too_long()) {
        rows_.Begin(lines.number());
        rows_.Refuse(lines.line().substr(0, kMaxValueBytes),
                     "a line of more than " + std::to_string(kMaxLineBytes) + " bytes");
        continue;
      }
      ReadListLine(lines.line(), line);
      for (const std::string_view value : line.values) {
        rows_.Begin(lines.number());
        Add(value, line, lines.number());
      }
    }
    Finish();
  }

 private:
  void Add(std::string_view value, const ListLine& line, uint32_t number) {
    std::string reason;
    const std::optional<Guess> guess =
        line.from_hosts_file ? guesser_.OfHostsFile(value, reason) : guesser_.Of(value, reason);
    if (!guess) return rows_.Refuse(value, std::move(reason));
    const bool may_have_columns = guess->type == IndicatorType::kUrl || guess->type == IndicatorType::kUri;
    if (may_have_columns && separator_ != 0 && value.find(separator_) != std::string_view::npos)
      return rows_.Refuse(value, guesser_.NotSingle(value));
    ++guessed_[static_cast<size_t>(guess->type)];
    rows_.SetValue(guess->type, guess->value);
    rows_.SetDescription(line.note.substr(0, kMaxNoteBytes));
    if (rows_.Use(value) && !guess->remark.empty()) rows_.Remark(number, value, guess->remark);
  }

  // For a file of which nothing is used.
  std::string_view WhatItIs() {
    const std::string_view begin = WithoutUnseen(text_.Head().substr(0, kMaxLineBytes));
    const std::string_view second = begin.empty() ? begin : WithoutUnseen(begin.substr(1));
    if (begin.starts_with('{') || (begin.starts_with('[') && !second.empty() &&
                                   (second.front() == '{' || second.front() == '"' || second.front() == '[')))
      return ". It looks like JSON, which is not read: write its values as a list or as CSV";
    if (begin.starts_with('<')) return ". It looks like XML or HTML, which is not read: write its values as a list";
    return ". A list has one value per line; a CSV file needs a header line with `type` and `value`";
  }

  void Finish() {
    if (rows_.rows() == 0) {
      rows_.GaveNothing("holds no indicator, only comments or blank lines");
    } else if (rows_.none_used()) {
      rows_.GaveNothing("none of its " + std::to_string(rows_.rows()) + " lines is a usable indicator; " +
                        rows_.first_problem() + std::string(WhatItIs()));
    }
    const auto kinds = std::count_if(guessed_.begin(), guessed_.end(), [](uint64_t n) { return n > 0; });
    const char* separator = " of ";
    for (size_t i = 0; i < guessed_.size(); ++i) {
      if (guessed_[i] == 0) continue;
      rows_.Describe(separator);
      rows_.Describe(NameOf(static_cast<IndicatorType>(i)));
      if (kinds > 1) rows_.Describe(" (" + std::to_string(guessed_[i]) + ")");
      separator = ", ";
    }
  }

  TextSource& text_;
  const char separator_;  // 0: URLs may hold any
  RowSink& rows_;
  std::array<uint64_t, static_cast<size_t>(IndicatorType::kCount)> guessed_{};
  Guesser guesser_;
};

}  // namespace

Certainty ListFormat::Probe(std::string_view) { return Certainty::kPossible; }

void ListFormat::Read(TextSource& text, RowSink& rows) { ListRows(text, rows).Read(); }

}  // namespace vedette
