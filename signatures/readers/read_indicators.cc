#include "signatures/readers/read_indicators.h"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>

#include "parsers/base/address.h"
#include "parsers/base/text.h"
#include "signatures/readers/folder.h"
#include "signatures/readers/formats.h"
#include "signatures/readers/guess.h"
#include "signatures/value.h"

namespace vedette {
namespace {

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

// Reads `text` in the format that it has.
void ReadText(TextSource& text, IndicatorSetBuilder& builder, SourceReport& report) {
  if (text.error().empty()) {
    ProblemTally tally;
    builder.set_tally(&tally);
    const FormatEntry& format = FormatOf(text.Head());
    report.format = format.name;
    text.Seek(0);
    RowSink rows(builder, report);
    format.read(text, rows);
    builder.set_tally(nullptr);
    report.warned = tally.warned();
    report.problems = tally.ByCount();
  }
  if (!text.error().empty()) report.error = report.path + ": " + text.error();
}

// A file of a folder that holds no indicators (a licence, say) is reported as a problem and the others are used; one
// that was named is an error.
SourceReport ReadFile(const std::string& path, bool in_folder, IndicatorSetBuilder& builder) {
  SourceReport report;
  report.path = path;
  TextSource text(path);
  ReadText(text, builder, report);
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
  report.path = path;
  TextSource source(TextSource::InMemory{text});
  ReadText(source, builder, report);
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
