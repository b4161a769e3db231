#include "signatures/readers/read_indicators.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>

#include "parsers/base/address.h"
#include "parsers/base/text.h"
#include "signatures/readers/csv_indicators.h"
#include "signatures/readers/folder.h"
#include "signatures/readers/guess.h"
#include "signatures/readers/list_indicators.h"
#include "signatures/readers/zeek_intel.h"
#include "signatures/value.h"

namespace vedette {
namespace {

constexpr size_t kMaxFileBytes = size_t{1} << 30;  // read as a whole; ten million indicators with descriptions

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
      {std::string_view("\xff\xfe\0\0", 4), "in UTF-32: convert it to UTF-8 first (iconv -f UTF-32 -t UTF-8)"},
      {"\xff\xfe", "in UTF-16: convert it to UTF-8 first (iconv -f UTF-16 -t UTF-8)"},
      {"\xfe\xff", "in UTF-16: convert it to UTF-8 first (iconv -f UTF-16 -t UTF-8)"},
  };
  for (const Magic& magic : kMagics) {
    if (text.substr(0, magic.bytes.size()) == magic.bytes) return magic.reason;
  }
  if (text.find('\0') != std::string_view::npos)
    return text.size() > 3 && (text[0] == '\0') != (text[1] == '\0') && (text[2] == '\0') != (text[3] == '\0')
               ? "in UTF-16, as it seems: convert it to UTF-8 first (iconv -f UTF-16LE -t UTF-8, or UTF-16BE)"
               : "not a text: it holds NUL bytes; a CSV file or a list is needed";
  return {};
}

// --- values given on the spot ---------------------------------------------------------------------------------------

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
    builder.AddProblem({path, 0, {}, report.unused, false});
    report.format = "not used";
    report.error.clear();
  } else if (!report.error.empty() && report.rows == 0) {
    builder.AddProblem({path, 0, {}, report.error.substr(path.size() + 2), false});
  }
  return report;
}

}  // namespace

void ReadIndicatorText(std::string_view path, std::string_view text, IndicatorSetBuilder& builder,
                       SourceReport& report) {
  const std::string name(path);
  ProblemTally tally;
  builder.set_tally(&tally);
  if (text.empty()) {
    report.error = name + ": is empty";
  } else if (const std::string_view reason = NotTextBecause(text); !reason.empty()) {
    report.error = name + ": is " + std::string(reason);
  } else if (IsZeekIntel(text)) {
    ReadZeekIntel(path, text, builder, report);
  } else if (!ReadCsvIndicators(path, text, builder, report)) {
    ReadListIndicators(path, text, builder, report);
  }
  builder.set_tally(nullptr);
  report.warned = tally.warned();
  report.problems = tally.ByCount();
}

std::vector<SourceReport> ReadIndicators(const std::string& path, IndicatorSetBuilder& builder) {
  std::error_code ignored;
  if (!std::filesystem::is_directory(path, ignored)) return {ReadFile(path, false, builder)};
  SourceReport whole;
  whole.path = path;
  const IndicatorFolder folder = ListIndicators(path);
  whole.error = folder.error;
  std::vector<SourceReport> reports;
  reports.reserve(folder.files.size() + folder.passed_over.size() + 1);
  size_t used = 0;
  const SourceReport* unused = nullptr;
  for (const std::string& file : folder.files) {
    const SourceReport& report = reports.emplace_back(ReadFile(file, true, builder));
    if (report.rows != report.unusable) {
      ++used;
    } else if (unused == nullptr) {
      unused = &report;
    }
  }
  if (used == 0 && whole.error.empty()) {
    whole.error = path + ": none of its " + std::to_string(folder.files.size()) + " files holds a usable indicator; " +
                  unused->path + ": " + unused->unused;
  }
  for (const IndicatorFolder::PassedOver& entry : folder.passed_over) {
    SourceReport& report = reports.emplace_back();
    report.path = entry.path;
    report.format = "passed over";
    report.unused = entry.reason;
    report.passed_over = true;
    report.missed = entry.missed;
  }
  if (!whole.error.empty()) reports.push_back(whole);
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
  Guesser guesser;  // holds the value that it read
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
    if (const std::optional<Guess> guess = guesser.Of(text, error)) {
      type = guess->type;
      value = guess->value;
    }
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
