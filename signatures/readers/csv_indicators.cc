#include "signatures/readers/csv_indicators.h"

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

// What MISP, OTX, STIX and others call the types that are seen here; empty: not known.
std::string_view TypeLike(std::string_view name) {
  static constexpr std::pair<std::string_view, std::string_view> kOthers[] = {
      {"ip-src", "ip, with src as direction"},
      {"ip-dst", "ip, with dst as direction"},
      {"ip-src|port", "ip:port, written ADDRESS:PORT, with src as direction"},
      {"ip-dst|port", "ip:port, written ADDRESS:PORT, with dst as direction"},
      {"ipv4", "ip"},
      {"ipv6", "ip"},
      {"ipv4-addr", "ip"},
      {"ipv6-addr", "ip"},
      {"ip_port", "ip:port"},
      {"domain|ip", "a row with domain and a row with ip"},
      {"domain-name", "domain"},
      {"fqdn", "hostname"},
      {"host", "hostname"},
      {"hostname|port", "hostname, without the port"},
      {"uri-path", "uri"},
      {"link", "url"},
      {"user-agent", "user_agent"},
      {"ja3-fingerprint-md5", "ja3"},
      {"ja3s-fingerprint-md5", "ja3s"},
      {"x509-fingerprint-sha1", "cert.sha1"},
      {"x509-fingerprint-sha256", "cert.sha256"},
      {"pattern-in-traffic", "content or regex"},
      {"md5", "file.md5"},
      {"sha1", "file.sha1"},
      {"sha256", "file.sha256"},
      {"subnet", "cidr"},
      {"network", "cidr"},
  };
  for (const auto& [other, here] : kOthers) {
    if (other == name) return here;
  }
  return {};
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

// Of a text that begins with `head`.
std::optional<Header> FindHeader(std::string_view head) {
  for (const char separator : {',', ';', '\t'}) {
    TextSource text(TextSource::InMemory{head});
    CsvReader reader(text, separator);
    if (reader.Next() != CsvReader::Result::kRow) continue;
    if (std::optional<Header> header = HeaderOf(reader.fields(), separator)) return header;
  }
  return std::nullopt;
}

class CsvRows {
 public:
  CsvRows(TextSource& text, const Header& header, RowSink& rows)
      : reader_(text, header.separator), header_(header), rows_(rows) {}

  void Read() {
    bool in_header = true;
    for (;;) {
      const CsvReader::Result result = reader_.Next();
      if (result == CsvReader::Result::kEnd) break;
      if (std::exchange(in_header, false)) {
        for (const std::string& name : header_.unknown)
          rows_.Remark(reader_.line(), name, "this column is unknown, or is there twice: it is ignored");
        continue;
      }
      rows_.Begin(reader_.line());
      if (result == CsvReader::Result::kRow) {
        ReadRow();
      } else {
        rows_.Refuse({}, reader_.error());
      }
    }
    rows_.EndOfTable();
  }

 private:
  // The field in the value's place, of a row with too few or too many fields.
  std::string_view ValueOf(const std::vector<std::string_view>& fields) const {
    const auto at = std::find(header_.columns.begin(), header_.columns.end(), static_cast<int>(kValue));
    const auto index = static_cast<size_t>(at - header_.columns.begin());
    return index < fields.size() ? fields[index] : fields.front();
  }

  void ReadRow() {
    const std::vector<std::string_view>& fields = reader_.fields();
    if (fields.size() != header_.columns.size()) {
      return rows_.Refuse(ValueOf(fields), std::to_string(fields.size()) + " columns where the header has " +
                                               std::to_string(header_.columns.size()));
    }
    columns_.fill({});
    for (size_t i = 0; i < fields.size(); ++i) {
      if (header_.columns[i] >= 0) columns_[static_cast<size_t>(header_.columns[i])] = fields[i];
    }
    std::string reason;
    if (!ReadType(reason) || !rows_.SetMetadata(Metadata(), reason))
      return rows_.Refuse(columns_[kValue], std::move(reason));
    rows_.Use(columns_[kValue]);
  }

  bool ReadType(std::string& reason) {
    const std::string type = LowerAscii(Trimmed(columns_[kType]));
    const std::optional<IndicatorType> known = IndicatorTypeOf(type);
    if (!known) {
      reason = type.empty() ? "no type" : "unknown type \"" + Escaped(type) + "\"";
      if (const std::string_view near = TypeLike(type); !near.empty()) reason.append("; here it is ").append(near);
      return false;
    }
    rows_.SetValue(*known, columns_[kValue]);
    return true;
  }

  // Tables that people write have blanks around their columns; those of a description are its own.
  MetadataTexts Metadata() const {
    const auto column = [&](Column which) { return Trimmed(columns_[which]); };
    MetadataTexts texts;
    texts.in = column(kIn);
    texts.direction = column(kDirection);
    texts.id = column(kId);
    texts.source = column(kSource);
    texts.originator = column(kOriginator);
    texts.description = columns_[kDescription];
    texts.sharing_group = column(kSharingGroup);
    texts.reference = column(kReference);
    texts.tlp = column(kTlp);
    texts.pap = column(kPap);
    texts.confidence = column(kConfidence);
    texts.valid_from = column(kValidFrom);
    texts.valid_until = column(kValidUntil);
    texts.tags = column(kTags);
    texts.recipients = column(kRecipients);
    return texts;
  }

  CsvReader reader_;
  const Header& header_;
  RowSink& rows_;
  std::array<std::string_view, kColumns> columns_;
};

}  // namespace

Certainty CsvFormat::Probe(std::string_view head) { return FindHeader(head) ? Certainty::kCertain : Certainty::kNo; }

void CsvFormat::Read(TextSource& text, RowSink& rows) {
  const std::optional<Header> header = FindHeader(text.Head());
  if (header) CsvRows(text, *header, rows).Read();
}

}  // namespace vedette
