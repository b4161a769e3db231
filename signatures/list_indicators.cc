#include "signatures/list_indicators.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

#include "parsers/text.h"
#include "signatures/csv.h"
#include "signatures/list_reader.h"
#include "signatures/value.h"

namespace vedette {
namespace {

constexpr size_t kMaxLineBytes = CsvReader::kMaxFieldBytes;
constexpr size_t kMaxNoteBytes = 500;  // of a trailing comment kept as description
constexpr size_t kTableSample = 100;   // URLs that tell whether the list has columns

// The separator of what looks like a list of URLs and is a table without a header: several URLs, all with the same
// number of commas (or semicolons), which may also stand in a URL. 0: it is none.
char TableSeparatorOf(std::string_view text) {
  for (const char separator : {',', ';'}) {
    std::ptrdiff_t count = 0;
    size_t lines = 0;
    bool same = true;
    for (size_t at = 0; at < text.size() && same && lines < kTableSample;) {
      const size_t end = std::min(text.find('\n', at), text.size());
      const std::string_view line = Trimmed(text.substr(at, std::min(end - at, kMaxLineBytes)));
      at = end + 1;
      if (line.find("://") == std::string_view::npos || line.front() == '#' || line.front() == ';') continue;
      const std::ptrdiff_t here = std::count(line.begin(), line.end(), separator);
      same = here != 0 && (++lines == 1 || here == count);
      count = here;
    }
    if (same && lines > 1) return separator;
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
    const std::optional<IndicatorType> type =
        line.from_hosts_file ? std::optional(IndicatorType::kHostname) : GuessType(value, reason);
    if (!type) return Refuse(value, std::move(reason));
    if (*type == IndicatorType::kUrl && separator_ != 0 && value.find(separator_) != std::string_view::npos)
      return Refuse(value, std::string(kNoSingleValue));
    ++guessed_[static_cast<size_t>(*type)];
    indicator_.type = *type;
    indicator_.value = value;
    indicator_.description = line.note.substr(0, kMaxNoteBytes);
    if (!builder_.TryAdd(indicator_, reason)) return Refuse(value, std::move(reason));
    any_usable_ = true;
    for (IndicatorProblem& problem : held_) builder_.AddProblem(std::move(problem));
    held_.clear();
  }

  // Problems are held until a first line can be used: a file without any is no list, and says so once.
  void Refuse(std::string_view value, std::string reason) {
    ++report_.unusable;
    constexpr size_t kMaxHeld = 1000;
    IndicatorProblem problem{indicator_.file, indicator_.line, std::string(value), std::move(reason)};
    if (any_usable_) {
      builder_.AddProblem(std::move(problem));
    } else if (held_.size() < kMaxHeld) {
      held_.push_back(std::move(problem));
    }
  }

  void Finish() {
    if (report_.rows == 0) {
      report_.error = indicator_.file + ": holds no indicator, only comments or blank lines";
    } else if (!any_usable_) {
      const IndicatorProblem& first = held_.front();
      report_.error = indicator_.file + ": none of its " + std::to_string(report_.rows) +
                      " lines is a usable indicator; line " + std::to_string(first.line) + ": " + first.reason +
                      ". A list has one value a line; a CSV file needs a header line with `type` and `value`";
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
  std::vector<IndicatorProblem> held_;
  bool any_usable_ = false;
};

}  // namespace

void ReadListIndicators(std::string_view path, std::string_view text, IndicatorSetBuilder& builder,
                        SourceReport& report) {
  ListSource(path, text, builder, report).Read();
}

}  // namespace vedette
