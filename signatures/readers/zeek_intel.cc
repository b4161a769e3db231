#include "signatures/readers/zeek_intel.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "parsers/base/text.h"
#include "signatures/readers/csv.h"
#include "signatures/value.h"

namespace vedette {
namespace {

constexpr size_t kMaxLineBytes = CsvReader::kMaxRowBytes;
constexpr std::string_view kFields = "#fields";

enum Column : uint8_t { kIndicator, kType, kSource, kDescription, kUrl, kColumns };
constexpr std::array<std::string_view, kColumns> kColumnNames = {"indicator", "indicator_type", "meta.source",
                                                                 "meta.desc", "meta.url"};

std::string_view TakeLine(std::string_view& text) {
  const size_t end = std::min(text.find('\n'), text.size());
  std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

std::vector<std::string_view> FieldsOf(std::string_view line) {
  std::vector<std::string_view> fields;
  for (size_t tab = line.find('\t'); tab != std::string_view::npos; tab = line.find('\t')) {
    fields.push_back(line.substr(0, tab));
    line.remove_prefix(tab + 1);
  }
  fields.push_back(line);
  return fields;
}

// Which field each column is in; -1: in none.
using Places = std::array<int, kColumns>;

std::optional<Places> PlacesOf(std::string_view line) {
  std::vector<std::string_view> names = FieldsOf(line);
  if (names.front() != kFields) return std::nullopt;
  Places places;
  places.fill(-1);
  for (size_t i = 1; i < names.size(); ++i) {
    const auto* const name = std::find(kColumnNames.begin(), kColumnNames.end(), names[i]);
    if (name != kColumnNames.end()) places[static_cast<size_t>(name - kColumnNames.begin())] = static_cast<int>(i) - 1;
  }
  if (places[kIndicator] < 0 || places[kType] < 0) return std::nullopt;
  return places;
}

// What is written there; `-` is nothing.
std::string Unescaped(std::string_view field) {
  if (field == "-" || field == "(empty)") return {};
  std::string out;
  for (size_t i = 0; i < field.size(); ++i) {
    const std::string_view rest = field.substr(i);
    const auto nibble = [&](size_t at) {
      const char c = LowerAscii(rest[at]);
      return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
    };
    if (rest.size() >= 4 && rest.substr(0, 2) == "\\x" && nibble(2) >= 0 && nibble(3) >= 0) {
      out += static_cast<char>(nibble(2) * 16 + nibble(3));
      i += 3;
    } else {
      out += field[i];
    }
  }
  return out;
}

// By the number of its digits.
std::optional<IndicatorType> HashOf(std::string_view value, bool certificate) {
  switch (value.size()) {
    case 32:
      return certificate ? std::nullopt : std::optional(IndicatorType::kFileMd5);
    case 40:
      return certificate ? IndicatorType::kCertSha1 : IndicatorType::kFileSha1;
    case 64:
      return certificate ? IndicatorType::kCertSha256 : IndicatorType::kFileSha256;
    default:
      return std::nullopt;
  }
}

std::optional<IndicatorType> TypeOf(std::string_view name, std::string_view value, std::string& reason) {
  using T = IndicatorType;
  static constexpr std::pair<std::string_view, T> kTypes[] = {
      {"Intel::ADDR", T::kIp}, {"Intel::SUBNET", T::kCidr},        {"Intel::DOMAIN", T::kDomain},
      {"Intel::URL", T::kUrl}, {"Intel::SOFTWARE", T::kUserAgent}, {"Intel::EMAIL", T::kEmail},
      {"Intel::JA3", T::kJa3},
  };
  for (const auto& [zeek, type] : kTypes) {
    if (zeek == name) return type;
  }
  const bool certificate = name == "Intel::CERT_HASH";
  if (certificate || name == "Intel::FILE_HASH") {
    const std::optional<T> type = HashOf(value, certificate);
    if (!type)
      reason =
          certificate ? "not a hash of 40 or 64 hexadecimal digits" : "not a hash of 32, 40 or 64 hexadecimal digits";
    return type;
  }
  reason = "Zeek's type \"" + Escaped(name) + "\" has no counterpart here";
  return std::nullopt;
}

}  // namespace

bool IsZeekIntel(std::string_view text) {
  text = WithoutByteOrderMark(text);
  while (text.starts_with('#')) {
    if (PlacesOf(TakeLine(text).substr(0, kMaxLineBytes))) return true;
  }
  return false;
}

void ReadZeekIntel(std::string_view path, std::string_view text, IndicatorSetBuilder& builder, SourceReport& report) {
  report.format = "zeek intel";
  text = WithoutByteOrderMark(text);
  std::optional<Places> places;
  size_t num_fields = 0;
  std::string first_problem;
  Indicator indicator;
  indicator.file = path;
  while (!text.empty()) {
    const std::string_view line = TakeLine(text);
    ++indicator.line;
    if (line.starts_with('#')) {
      if (const std::optional<Places> header = PlacesOf(line.substr(0, kMaxLineBytes))) {
        places = header;
        num_fields = static_cast<size_t>(std::count(line.begin(), line.end(), '\t'));
      }
      continue;
    }
    if (Trimmed(line).empty()) continue;
    ++report.rows;
    const auto refuse = [&](std::string_view value, std::string reason) {
      if (++report.unusable == 1) first_problem = "line " + std::to_string(indicator.line) + ": " + reason;
      builder.AddProblem({indicator.file, indicator.line, std::string(value.substr(0, kMaxValueBytes)), reason, false});
    };
    if (line.size() > kMaxLineBytes) {
      refuse(line, "a line of more than " + std::to_string(kMaxLineBytes) + " bytes");
      continue;
    }
    const std::vector<std::string_view> fields = FieldsOf(line);
    if (!places || fields.size() != num_fields) {
      refuse(fields.front(), std::to_string(fields.size()) + " columns where #fields names " +
                                 std::to_string(num_fields) + "; they are separated by tabs");
      continue;
    }
    const auto field = [&](Column column) {
      const int at = (*places)[column];
      return at < 0 ? std::string() : Unescaped(fields[static_cast<size_t>(at)]);
    };
    indicator.value = field(kIndicator);
    std::string reason;
    const std::optional<IndicatorType> type =
        TypeOf(fields[static_cast<size_t>((*places)[kType])], indicator.value, reason);
    if (!type) {
      refuse(indicator.value, std::move(reason));
      continue;
    }
    indicator.type = *type;
    indicator.source = field(kSource);
    indicator.description = field(kDescription);
    indicator.reference = field(kUrl);
    if (!builder.TryAdd(indicator, reason)) refuse(indicator.value, std::move(reason));
  }
  if (report.rows == report.unusable)
    report.unused = report.rows == 0
                        ? "has a header and no rows"
                        : "none of its " + std::to_string(report.rows) + " rows can be used; " + first_problem;
}

}  // namespace vedette
