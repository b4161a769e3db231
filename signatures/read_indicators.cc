#include "signatures/read_indicators.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>

#include "parsers/address.h"
#include "parsers/text.h"
#include "signatures/csv.h"
#include "signatures/indicator_rows.h"
#include "signatures/list_reader.h"
#include "signatures/metadata.h"
#include "signatures/value.h"
#include "signatures/zeek_intel.h"

namespace vedette {
namespace {

constexpr size_t kMaxFileBytes = size_t{1} << 30;  // read as a whole; ten million indicators with descriptions
constexpr size_t kMaxLineBytes = CsvReader::kMaxFieldBytes;  // of a list
constexpr size_t kMaxNoteBytes = 500;                        // of a trailing comment kept as description
constexpr size_t kTableSample = 100;                         // URLs of a list that tell whether it has columns

// --- the file -------------------------------------------------------------------------------------------------------

bool ReadWhole(const std::string& path, std::string& text, std::string& error) {
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) {
    error = path + ": cannot be opened: " + std::error_code(errno, std::generic_category()).message();
    return false;
  }
  struct stat status {};
  constexpr size_t kLeastPiece = size_t{64} * 1024;  // a pipe says nothing of its size
  size_t piece = kLeastPiece;
  if (fstat(file, &status) == 0 && status.st_size > 0) {
    piece = std::min(static_cast<size_t>(status.st_size), kMaxFileBytes) + 1;  // one more, to see the end
  }
  size_t have = 0;
  for (;;) {
    if (have == text.size()) text.resize(have + piece);
    const ssize_t got = read(file, text.data() + have, text.size() - have);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) error = path + ": cannot be read: " + std::error_code(errno, std::generic_category()).message();
    have += got > 0 ? static_cast<size_t>(got) : 0;
    if (have > kMaxFileBytes) error = path + ": larger than 1 GiB: split it";
    if (got <= 0 || !error.empty()) break;
    piece = std::max(kLeastPiece, have / 2);
  }
  text.resize(have);
  close(file);
  return error.empty();
}

// Why these bytes are no text, or nothing.
std::string_view NotTextBecause(std::string_view text) {
  struct Magic {
    std::string_view bytes, reason;
  };
  static constexpr Magic kMagics[] = {
      {"\x1f\x8b", "compressed with gzip: unpack it first (gunzip)"},
      {"PK\x03\x04", "a zip archive: unpack it first (unzip)"},
      {"\x28\xb5\x2f\xfd", "compressed with zstd: unpack it first (unzstd)"},
      {"BZh", "compressed with bzip2: unpack it first (bunzip2)"},
      {"\xfd"
       "7zXZ",
       "compressed with xz: unpack it first (unxz)"},
      {"\xff\xfe", "in UTF-16: convert it to UTF-8 first (iconv -f UTF-16 -t UTF-8)"},
      {"\xfe\xff", "in UTF-16: convert it to UTF-8 first (iconv -f UTF-16 -t UTF-8)"},
  };
  for (const Magic& magic : kMagics) {
    if (text.substr(0, magic.bytes.size()) == magic.bytes) return magic.reason;
  }
  if (text.find('\0') != std::string_view::npos)
    return "not a text: it holds NUL bytes; a CSV file or a list is needed";
  return {};
}

// --- comma-separated values -----------------------------------------------------------------------------------------

// In the order of contract 5.
enum Column : uint8_t {
  kType,
  kValue,
  kIn,
  kDirection,
  kId,
  kSource,
  kOriginator,
  kDescription,
  kTags,
  kTlp,
  kPap,
  kSharingGroup,
  kRecipients,
  kConfidence,
  kValidFrom,
  kValidUntil,
  kReference,
  kColumns
};
constexpr std::array<std::string_view, kColumns> kColumnNames = {
    "type",       "value",       "in",         "direction",   "id",       "source",
    "originator", "description", "tags",       "tlp",         "pap",      "sharing_group",
    "recipients", "confidence",  "valid_from", "valid_until", "reference"};

// Permissible Actions Protocol, from the loosest on.
constexpr std::array<std::string_view, 4> kPapNames = {"clear", "green", "amber", "red"};
// Accepts any case, with or without "pap:"; "white" is clear.
std::optional<size_t> PapOf(std::string_view name) {
  const std::string lowered = LowerAscii(name);
  std::string_view text = lowered;
  if (text.starts_with("pap:")) text.remove_prefix(4);
  if (text == "white") text = "clear";
  const auto* const at = std::find(kPapNames.begin(), kPapNames.end(), text);
  if (at == kPapNames.end()) return std::nullopt;
  return static_cast<size_t>(at - kPapNames.begin());
}

struct Header {
  char separator = ',';
  std::vector<int> columns;  // of each field; -1: not known
  std::vector<std::string> unknown;
};

// The columns of a first row; nullopt where `type` or `value` is not among them.
std::optional<Header> HeaderOf(const std::vector<std::string_view>& fields, char separator) {
  Header header;
  header.separator = separator;
  bool seen[kColumns] = {};
  for (const std::string_view field : fields) {
    const std::string name = LowerAscii(Trimmed(field));
    int column = -1;
    for (int i = 0; i < kColumns; ++i) {
      if (kColumnNames[static_cast<size_t>(i)] == name && !seen[i]) column = i;
    }
    if (column >= 0) {
      seen[column] = true;
    } else {
      header.unknown.push_back(name);
    }
    header.columns.push_back(column);
  }
  if (!seen[kType] || !seen[kValue]) return std::nullopt;
  return header;
}

std::optional<Header> FindHeader(std::string_view text) {
  for (const char separator : {',', ';', '\t'}) {
    CsvReader reader(text.substr(0, 2 * CsvReader::kMaxRowBytes), separator);
    if (reader.Next() != CsvReader::Result::kRow) continue;
    if (std::optional<Header> header = HeaderOf(reader.fields(), separator)) return header;
  }
  return std::nullopt;
}

class CsvSource {
 public:
  CsvSource(std::string_view path, std::string_view text, Header header, IndicatorSetBuilder& builder,
            SourceReport& report)
      : reader_(text, header.separator), header_(std::move(header)), builder_(builder), report_(report) {
    indicator_.file = path;
  }

  void Read() {
    report_.format = "csv";
    bool in_header = true;
    for (;;) {
      const CsvReader::Result result = reader_.Next();
      if (result == CsvReader::Result::kEnd) break;
      if (in_header) {
        in_header = false;
        for (const std::string& name : header_.unknown) {
          builder_.AddProblem({indicator_.file, reader_.line(), name,
                               "a column of this name is not known, or there twice: it is not read"});
        }
        continue;
      }
      ++report_.rows;
      if (!(result == CsvReader::Result::kRow ? ReadRow() : Refuse({}, reader_.error()))) ++report_.unusable;
    }
    if (report_.rows == report_.unusable)
      report_.unused = report_.rows == 0
                           ? "has a header and no rows"
                           : "none of its " + std::to_string(report_.rows) + " rows can be used; " + first_problem_;
  }

 private:
  bool Refuse(std::string_view value, std::string reason) {
    if (first_problem_.empty()) first_problem_ = "line " + std::to_string(reader_.line()) + ": " + reason;
    builder_.AddProblem({indicator_.file, reader_.line(), std::string(value), std::move(reason)});
    return false;
  }

  bool ReadRow() {
    const std::vector<std::string_view>& fields = reader_.fields();
    if (fields.size() != header_.columns.size()) {
      return Refuse(fields.front(), std::to_string(fields.size()) + " columns where the header has " +
                                        std::to_string(header_.columns.size()));
    }
    columns_.fill({});
    for (size_t i = 0; i < fields.size(); ++i) {
      if (header_.columns[i] >= 0) columns_[static_cast<size_t>(header_.columns[i])] = fields[i];
    }
    std::string reason;
    if (!FillIn(reason)) return Refuse(columns_[kValue], std::move(reason));
    if (!builder_.TryAdd(indicator_, reason)) return Refuse(indicator_.value, std::move(reason));
    if (!remark_.empty()) builder_.AddProblem({indicator_.file, indicator_.line, indicator_.value, remark_});
    return true;
  }

  bool FillIn(std::string& reason) {
    const std::string type = LowerAscii(Trimmed(columns_[kType]));
    const std::optional<IndicatorType> known = IndicatorTypeOf(type);
    if (!known) {
      reason = type.empty() ? "no type" : "unknown type \"" + Escaped(type) + "\"";
      return false;
    }
    indicator_.type = *known;
    indicator_.value = columns_[kValue];
    indicator_.line = reader_.line();
    indicator_.id = Trimmed(columns_[kId]);
    indicator_.source = Trimmed(columns_[kSource]);
    indicator_.originator = Trimmed(columns_[kOriginator]);
    indicator_.description = columns_[kDescription];
    indicator_.sharing_group = Trimmed(columns_[kSharingGroup]);
    indicator_.reference = Trimmed(columns_[kReference]);
    if (!(ReadPlaces(reason) && ReadDirection(reason) && ReadSharing(reason) && ReadConfidence(reason) &&
          ReadArray(kTags, indicator_.tags, reason) && ReadArray(kRecipients, indicator_.recipients, reason) &&
          ReadTimes(reason))) {
      return false;
    }
    HeedTags();
    return true;
  }

  bool ReadPlaces(std::string& reason) {
    indicator_.in = {};
    std::string_view rest = Trimmed(columns_[kIn]);
    while (!rest.empty()) {
      const size_t end = std::min(rest.find_first_of(" \t"), rest.size());
      const std::string_view name = rest.substr(0, end);
      const std::optional<ObservableKind> kind = ObservableKindOf(name);
      if (!kind) {
        reason = "`in` names " + Escaped(name) + ", which is not seen here";
        return false;
      }
      indicator_.in.Add(*kind);
      rest = Trimmed(rest.substr(end));
    }
    return true;
  }

  bool ReadDirection(std::string& reason) {
    const std::string text = LowerAscii(Trimmed(columns_[kDirection]));
    if (text.empty() || text == "any") {
      indicator_.direction = IndicatorDirection::kAny;
    } else if (text == "src" || text == "dst") {
      indicator_.direction = text == "src" ? IndicatorDirection::kSrc : IndicatorDirection::kDst;
    } else {
      reason = "direction has to be src, dst or any";
      return false;
    }
    return true;
  }

  // A row that asks for more protection than is understood must not be shared as if it had not.
  bool ReadSharing(std::string& reason) {
    indicator_.tlp = Tlp::kNone;
    if (const std::string_view text = Trimmed(columns_[kTlp]); !text.empty()) {
      const std::optional<Tlp> tlp = TlpOf(text);
      if (!tlp) {
        reason = "tlp has to be clear, green, amber, amber+strict or red";
        return false;
      }
      indicator_.tlp = *tlp;
    }
    indicator_.pap.clear();
    if (const std::string_view text = Trimmed(columns_[kPap]); !text.empty()) {
      const std::optional<size_t> pap = PapOf(text);
      if (!pap) {
        reason = "pap has to be clear, green, amber or red";
        return false;
      }
      indicator_.pap = kPapNames[*pap];
    }
    return true;
  }

  // MISP says TLP and PAP in tags. The stricter of tags and columns holds. A mark that is not understood may ask for
  // more than is known here: the row is used, but shared no further than one without TLP.
  void HeedTags() {
    remark_.clear();
    for (const std::string& tag : indicator_.tags) {
      const std::string text = LowerAscii(Trimmed(tag));
      if (text.starts_with("tlp:")) {
        const std::optional<Tlp> tlp = TlpOf(text);
        if (!tlp) RemarkOn(tag);
        indicator_.tlp = std::max(indicator_.tlp, tlp.value_or(Tlp::kAmberStrict));
      } else if (text.starts_with("pap:")) {
        const std::optional<size_t> pap = PapOf(text);
        if (!pap) {
          RemarkOn(tag);
          indicator_.tlp = std::max(indicator_.tlp, Tlp::kAmberStrict);
        } else if (indicator_.pap.empty() || *pap > *PapOf(indicator_.pap)) {
          indicator_.pap = kPapNames[*pap];
        }
      }
    }
  }

  void RemarkOn(std::string_view tag) {
    remark_ = "used, as amber+strict or stricter: the tag " + Escaped(tag) + " is not understood";
  }

  bool ReadConfidence(std::string& reason) {
    indicator_.confidence.reset();
    const std::string_view text = Trimmed(columns_[kConfidence]);
    if (text.empty()) return true;
    unsigned value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || value > 100) {
      reason = "confidence has to be a whole number from 0 to 100";
      return false;
    }
    indicator_.confidence = static_cast<uint8_t>(value);
    return true;
  }

  bool ReadArray(Column column, std::vector<std::string>& out, std::string& reason) {
    const std::string_view text = Trimmed(columns_[column]);
    std::string& last = last_arrays_[column == kTags ? 0 : 1];
    if (text == last) return true;  // most rows say the same as the one before
    last.clear();
    out.clear();
    if (text.empty()) return true;
    std::optional<std::vector<std::string>> array = ParseStringArray(text);
    if (!array) {
      reason = std::string(kColumnNames[column]) + R"( has to be a JSON array of texts: ["one","two words"])";
      return false;
    }
    out = std::move(*array);
    last = text;
    return true;
  }

  bool ReadTime(Column column, std::optional<int64_t>& out, std::string& reason) {
    out.reset();
    const std::string_view text = Trimmed(columns_[column]);
    if (text.empty()) return true;
    out = ParseTimestamp(text);
    if (!out) reason = std::string(kColumnNames[column]) + " has to be a time as in RFC 3339: 2026-11-23T10:00:00Z";
    return out.has_value();
  }

  bool ReadTimes(std::string& reason) {
    if (!ReadTime(kValidFrom, indicator_.valid_from_ns, reason) ||
        !ReadTime(kValidUntil, indicator_.valid_until_ns, reason)) {
      return false;
    }
    if (indicator_.valid_from_ns && indicator_.valid_until_ns &&
        *indicator_.valid_until_ns < *indicator_.valid_from_ns) {
      reason = "valid_until lies before valid_from";
      return false;
    }
    return true;
  }

  CsvReader reader_;
  Header header_;
  IndicatorSetBuilder& builder_;
  SourceReport& report_;
  std::array<std::string_view, kColumns> columns_;
  Indicator indicator_;                     // reused, so that a row allocates little
  std::array<std::string, 2> last_arrays_;  // what its tags and recipients were read from
  std::string first_problem_;
  std::string remark_;  // on a row that is used
};

// --- lists ----------------------------------------------------------------------------------------------------------

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

// --- values given on the spot
// ------------------------------------------------------------------------------------------

// "word:…", but no address, no name or address with a port, and no URL.
bool LooksLikeType(std::string_view text) {
  const size_t colon = text.find(':');
  if (colon == 0 || colon == std::string_view::npos || IpAddress::Parse(text)) return false;
  const std::string_view word = text.substr(0, colon), rest = text.substr(colon + 1);
  const auto in_type = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_'; };
  const std::string lower = LowerAscii(word);
  if (!std::all_of(lower.begin(), lower.end(), in_type) || lower[0] < 'a') return false;
  const size_t port = std::min(rest.find_first_not_of("0123456789"), rest.size());
  return !rest.starts_with("//") && (port == 0 || (port < rest.size() && rest[port] != '/'));
}

// For a message.
std::string TypesThatAreSeen() {
  std::string out;
  for (size_t i = 0; i < static_cast<size_t>(IndicatorType::kCount); ++i) {
    const auto type = static_cast<IndicatorType>(i);
    if (DefaultPlacesOf(type).empty()) continue;
    out += out.empty() ? "" : ", ";
    out += NameOf(type);
  }
  return out;
}

// --- files ----------------------------------------------------------------------------------------------------------

// A file of a folder that holds no indicators (a licence, say) is reported as a problem and the others are used; one
// that was named is an error.
SourceReport ReadFile(const std::string& path, bool in_folder, IndicatorSetBuilder& builder) {
  SourceReport report;
  report.path = path;
  std::string text;
  if (ReadWhole(path, text, report.error)) ReadIndicatorText(path, text, builder, report);
  if (in_folder && !report.error.empty()) {
    report.unused = report.error.substr(path.size() + 2);  // behind "path: "
    builder.AddProblem({path, 0, {}, report.unused});
    report.format = "not used";
    report.error.clear();
  }
  return report;
}

}  // namespace

void ReadIndicatorText(std::string_view path, std::string_view text, IndicatorSetBuilder& builder,
                       SourceReport& report) {
  const std::string name(path);
  if (text.empty()) {
    report.error = name + ": is empty";
  } else if (const std::string_view reason = NotTextBecause(text); !reason.empty()) {
    report.error = name + ": is " + std::string(reason);
  } else if (IsZeekIntel(text)) {
    ReadZeekIntel(path, text, builder, report);
  } else if (std::optional<Header> header = FindHeader(text)) {
    CsvSource(path, text, std::move(*header), builder, report).Read();
  } else {
    ListSource(path, text, builder, report).Read();
  }
}

std::vector<std::string> IndicatorFiles(const std::string& path, std::string& error) {
  std::error_code failure;
  if (!std::filesystem::is_directory(path, failure)) return {path};
  std::vector<std::string> files;
  for (std::filesystem::directory_iterator at(path, failure), end; !failure && at != end; at.increment(failure)) {
    const std::string name = at->path().filename().string();
    std::error_code ignored;  // a file that is gone again is none
    if (!name.starts_with('.') && !name.ends_with('~') && at->is_regular_file(ignored))
      files.push_back(at->path().string());
  }
  if (failure) {
    error = path + ": cannot be listed: " + failure.message();
    return {};
  }
  if (files.empty())
    error =
        path +
        ": holds no file; name a file, or a folder with files (folders inside it are not read, nor names that begin "
        "with . or end in ~)";
  std::sort(files.begin(), files.end());
  return files;
}

std::vector<SourceReport> ReadIndicators(const std::string& path, IndicatorSetBuilder& builder) {
  std::error_code ignored;
  if (!std::filesystem::is_directory(path, ignored)) return {ReadFile(path, false, builder)};
  SourceReport whole;
  whole.path = path;
  const std::vector<std::string> files = IndicatorFiles(path, whole.error);
  if (!whole.error.empty()) return {whole};
  std::vector<SourceReport> reports;
  reports.reserve(files.size() + 1);
  for (const std::string& file : files) reports.push_back(ReadFile(file, true, builder));
  if (std::all_of(reports.begin(), reports.end(), [](const SourceReport& r) { return r.rows == r.unusable; })) {
    whole.error = path + ": none of its " + std::to_string(files.size()) + " files holds a usable indicator; " +
                  reports.front().path + ": " + reports.front().unused;
    reports.push_back(whole);
  }
  return reports;
}

std::string TextOf(const IndicatorProblem& problem) {
  std::string text = problem.file;
  if (problem.line != 0) text += ':' + std::to_string(problem.line);
  text += ": ";
  if (!problem.value.empty()) text += problem.value + ": ";
  return text + problem.reason;
}

bool AddFromText(std::string_view text, IndicatorSetBuilder& builder, std::string& error, std::string* guessed) {
  Indicator indicator;
  std::optional<IndicatorType> type;
  std::string_view value = text;
  // "ip:port:…" before "ip:…".
  for (size_t colon = text.find(':'); colon != std::string_view::npos; colon = text.find(':', colon + 1)) {
    if (const std::optional<IndicatorType> named = IndicatorTypeOf(LowerAscii(text.substr(0, colon)))) {
      type = named;
      value = text.substr(colon + 1);
    }
  }
  const bool given = type.has_value();
  std::string advice;
  if (!given && LooksLikeType(text)) {
    error = "unknown type \"" + Escaped(text.substr(0, text.find(':'))) + "\"";
    advice = "; the types are " + TypesThatAreSeen();
  } else if (!given) {
    type = GuessType(text, error);
    advice = "; a type can be put in front: domain:example.org";
  }
  if (type) {
    indicator.type = *type;
    indicator.value = value;
    indicator.id = text;
    indicator.source = "command line";
    indicator.file = "command line";
    if (builder.TryAdd(indicator, error)) {
      if (guessed != nullptr) *guessed = given ? std::string_view() : NameOf(*type);
      return true;
    }
    if (*type == IndicatorType::kFileMd5) advice = "; a fingerprint is written ja3:… or ja3s:…";
    if (*type == IndicatorType::kFileSha1) advice = "; a certificate's digest is written cert.sha1:…";
    if (*type == IndicatorType::kFileSha256) advice = "; a certificate's digest is written cert.sha256:…";
  }
  error = "\"" + Escaped(text) + "\": " + error + advice;
  return false;
}

}  // namespace vedette
