#include "signatures/readers/csv_indicators.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "parsers/base/text.h"
#include "signatures/readers/csv.h"
#include "signatures/readers/metadata.h"
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
                               "a column of this name is not known, or there twice: it is not read", true});
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
    builder_.AddProblem({indicator_.file, reader_.line(), std::string(value), std::move(reason), false});
    return false;
  }

  // Of a row with too few or too many fields, what stands where the value should.
  std::string_view ValueOf(const std::vector<std::string_view>& fields) const {
    const auto at = std::find(header_.columns.begin(), header_.columns.end(), static_cast<int>(kValue));
    const auto index = static_cast<size_t>(at - header_.columns.begin());
    return index < fields.size() ? fields[index] : fields.front();
  }

  bool ReadRow() {
    const std::vector<std::string_view>& fields = reader_.fields();
    if (fields.size() != header_.columns.size()) {
      return Refuse(ValueOf(fields), std::to_string(fields.size()) + " columns where the header has " +
                                         std::to_string(header_.columns.size()));
    }
    columns_.fill({});
    for (size_t i = 0; i < fields.size(); ++i) {
      if (header_.columns[i] >= 0) columns_[static_cast<size_t>(header_.columns[i])] = fields[i];
    }
    std::string reason;
    if (!FillIn(reason)) return Refuse(columns_[kValue], std::move(reason));
    if (!builder_.TryAdd(indicator_, reason)) return Refuse(indicator_.value, std::move(reason));
    if (!remark_.empty()) builder_.AddProblem({indicator_.file, indicator_.line, indicator_.value, remark_, true});
    if (const std::string_view remark = RemarkOnTimes(); !remark.empty())
      builder_.AddProblem({indicator_.file, indicator_.line, indicator_.value, std::string(remark), true});
    return true;
  }

  std::string_view RemarkOnTimes() const {
    if (indicator_.valid_until_ns && *indicator_.valid_until_ns < now_ns_)
      return "used, but its valid_until has passed: it hits only in traffic from before";
    if (indicator_.valid_from_ns && *indicator_.valid_from_ns > now_ns_)
      return "used, but its valid_from is yet to come: it hits only in traffic from then on";
    return {};
  }

  bool FillIn(std::string& reason) {
    const std::string type = LowerAscii(Trimmed(columns_[kType]));
    const std::optional<IndicatorType> known = IndicatorTypeOf(type);
    if (!known) {
      reason = type.empty() ? "no type" : "unknown type \"" + Escaped(type) + "\"";
      if (const std::string_view near = TypeLike(type); !near.empty()) reason.append("; here it is ").append(near);
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
    bool understood = true;
    for (const std::string& tag : indicator_.tags) {
      const std::string text = LowerAscii(Trimmed(tag));
      if (text.starts_with("tlp:")) {
        const std::optional<Tlp> tlp = TlpOf(text);
        if (!tlp) RemarkOn(tag);
        indicator_.tlp = std::max(indicator_.tlp, tlp.value_or(Tlp::kNone));
        understood &= tlp.has_value();
      } else if (text.starts_with("pap:")) {
        const std::optional<size_t> pap = PapOf(text);
        if (!pap) {
          RemarkOn(tag);
          understood = false;
        } else if (indicator_.pap.empty() || *pap > *PapOf(indicator_.pap)) {
          indicator_.pap = kPapNames[*pap];
        }
      }
    }
    // Without a TLP it stays so: its source has to be one of the partner's `unmarked_sources` as well.
    if (!understood && indicator_.tlp != Tlp::kNone) indicator_.tlp = std::max(indicator_.tlp, Tlp::kAmberStrict);
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
    out = ParseBound(text);
    if (!out) reason = std::string(kColumnNames[column]) + " has to be a time as in RFC 3339: 2026-11-23T10:00:00Z";
    return out.has_value();
  }

  bool ReadTimes(std::string& reason) {
    if (!ReadTime(kValidFrom, indicator_.valid_from_ns, reason) ||
        !ReadTime(kValidUntil, indicator_.valid_until_ns, reason)) {
      return false;
    }
    // Before all captures, or later than can be kept: no bound.
    if (indicator_.valid_from_ns && *indicator_.valid_from_ns < 0) indicator_.valid_from_ns.reset();
    if (indicator_.valid_until_ns == kLatestTimestamp) indicator_.valid_until_ns.reset();
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
  const int64_t now_ns_ =
      std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
};

}  // namespace

bool ReadCsvIndicators(std::string_view path, std::string_view text, IndicatorSetBuilder& builder,
                       SourceReport& report) {
  std::optional<Header> header = FindHeader(text);
  if (!header) return false;
  CsvSource(path, text, std::move(*header), builder, report).Read();
  return true;
}

}  // namespace vedette
