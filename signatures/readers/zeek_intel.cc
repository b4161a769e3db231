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

class ZeekRows {
 public:
  ZeekRows(TextSource& text, RowSink& rows) : lines_(text, LineReader::Ends::kNewline, kMaxLineBytes), rows_(rows) {}

  void Read() {
    while (lines_.Next()) {
      const std::string_view line = lines_.line();
      if (line.starts_with('#')) {
        ReadHeader(line);
      } else if (!Trimmed(line).empty()) {
        rows_.Begin(lines_.number());
        ReadRow(line);
      }
    }
    rows_.EndOfTable();
  }

 private:
  void ReadHeader(std::string_view line) {
    const std::optional<Places> header = PlacesOf(line);
    if (!header) return;
    places_ = header;
    num_fields_ = static_cast<size_t>(std::count(line.begin(), line.end(), '\t'));
  }

  void ReadRow(std::string_view line) {
    if (lines_.too_long()) return Refuse(line, "a line of more than " + std::to_string(kMaxLineBytes) + " bytes");
    const std::vector<std::string_view> fields = FieldsOf(line);
    if (!places_ || fields.size() != num_fields_) {
      return Refuse(fields.front(), std::to_string(fields.size()) + " columns where #fields names " +
                                        std::to_string(num_fields_) + "; they are separated by tabs");
    }
    const auto given = [&](Column column) {
      const int at = (*places_)[column];
      return at < 0 ? std::string_view("-") : fields[static_cast<size_t>(at)];
    };
    const std::string value = Unescaped(given(kIndicator));
    std::string reason;
    const std::optional<IndicatorType> type = TypeOf(given(kType), value, reason);
    if (!type) return Refuse(value, std::move(reason));
    rows_.SetValue(*type, value);
    const std::string source = Unescaped(given(kSource)), description = Unescaped(given(kDescription)),
                      reference = Unescaped(given(kUrl));
    MetadataTexts texts;
    texts.source = source;
    texts.description = description;
    texts.reference = reference;
    if (!rows_.SetMetadata(texts, reason)) return Refuse(value, std::move(reason));
    rows_.Use(value);
  }

  void Refuse(std::string_view value, std::string reason) {
    rows_.Refuse(value.substr(0, kMaxValueBytes), std::move(reason));
  }

  LineReader lines_;
  RowSink& rows_;
  std::optional<Places> places_;
  size_t num_fields_ = 0;
};

}  // namespace

Certainty ZeekIntelFormat::Probe(std::string_view head) {
  TextSource text(TextSource::InMemory{head});
  LineReader lines(text, LineReader::Ends::kNewline, kMaxLineBytes);
  while (lines.Next() && lines.line().starts_with('#')) {
    if (PlacesOf(lines.line())) return Certainty::kCertain;
  }
  return Certainty::kNo;
}

void ZeekIntelFormat::Read(TextSource& text, RowSink& rows) { ZeekRows(text, rows).Read(); }

}  // namespace vedette
