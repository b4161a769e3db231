#include "exporter/signature.h"

#include <algorithm>

#include "exporter/json_writer.h"
#include "parsers/text.h"

namespace vedette {
namespace {

// No `default` in either: the compiler asks for the number of a new enumerator.
uint32_t NumberOf(IndicatorType type) {
  switch (type) {
    case IndicatorType::kIp:
      return 1;
    case IndicatorType::kCidr:
      return 2;
    case IndicatorType::kIpPort:
      return 3;
    case IndicatorType::kDomain:
      return 4;
    case IndicatorType::kHostname:
      return 5;
    case IndicatorType::kUrl:
      return 6;
    case IndicatorType::kUri:
      return 7;
    case IndicatorType::kUserAgent:
      return 8;
    case IndicatorType::kJa3:
      return 9;
    case IndicatorType::kJa3s:
      return 10;
    case IndicatorType::kJa4:
      return 11;
    case IndicatorType::kHassh:
      return 12;
    case IndicatorType::kHasshServer:
      return 13;
    case IndicatorType::kCertSha1:
      return 14;
    case IndicatorType::kCertSha256:
      return 15;
    case IndicatorType::kFileMd5:
      return 16;
    case IndicatorType::kFileSha1:
      return 17;
    case IndicatorType::kFileSha256:
      return 18;
    case IndicatorType::kEmail:
      return 19;
    case IndicatorType::kWallet:
      return 20;
    case IndicatorType::kContent:
      return 21;
    case IndicatorType::kRegex:
      return 22;
    case IndicatorType::kCount:
      break;
  }
  return 0;
}

// Blocks by protocol, with room for the names that contract 2 has beyond today's.
uint32_t NumberOf(ObservableKind kind) {
  switch (kind) {
    case ObservableKind::kIp:
      return 1;
    case ObservableKind::kIpInner:
      return 2;
    case ObservableKind::kIpQuoted:
      return 3;
    case ObservableKind::kDnsQuery:
      return 11;
    case ObservableKind::kDnsAnswer:
      return 12;
    case ObservableKind::kDnsCname:
      return 13;
    case ObservableKind::kHttpHost:
      return 21;
    case ObservableKind::kHttpUri:
      return 22;
    case ObservableKind::kHttpUrl:
      return 23;
    case ObservableKind::kHttpUserAgent:
      return 24;
    case ObservableKind::kHttpXff:
      return 25;
    case ObservableKind::kHttpHostField:
      return 26;
    case ObservableKind::kTlsSni:
      return 41;
    case ObservableKind::kTlsJa3:
      return 42;
    case ObservableKind::kTlsJa3s:
      return 43;
    case ObservableKind::kTlsJa4:
      return 44;
    case ObservableKind::kTlsCertSha1:
      return 45;
    case ObservableKind::kTlsCertSha256:
      return 46;
    case ObservableKind::kTlsCertName:
      return 47;
    case ObservableKind::kPayload:
      return 900;
    case ObservableKind::kDnsType:
    case ObservableKind::kDnsRcode:
    case ObservableKind::kHttpMethod:
    case ObservableKind::kHttpTarget:
    case ObservableKind::kHttpStatus:
    case ObservableKind::kTlsVersion:
    case ObservableKind::kTlsSubject:
    case ObservableKind::kTlsIssuer:
    case ObservableKind::kCount:
      break;  // never matched
  }
  return 0;
}

constexpr uint8_t kHighConfidence = 75, kMediumConfidence = 40;

constexpr size_t kMaxComparedBytes = 4096;  // of a value; an alert shows no more of one

bool IsAlphanumeric(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }

// The source as a signature may show it; nothing in it ends a word of the text or steers a terminal.
std::string LabelOf(std::string_view source) {
  constexpr std::string_view kPunctuation = "._-+@/";
  std::string label;
  for (const char c : ForTerminal(CutUtf8(source, kMaxSourceBytes))) {
    if (IsAlphanumeric(c) || kPunctuation.find(c) != std::string_view::npos || static_cast<uint8_t>(c) >= 0x80) {
      label += c;
    } else if (c != ' ') {
      label += '_';
    } else if (!label.empty() && label.back() != ' ') {
      label += ' ';
    }
  }
  label = CutUtf8(label, kMaxSourceBytes);  // an escaped byte takes four
  while (!label.empty() && label.back() == ' ') label.pop_back();
  return label;
}

// What is left when a value is written otherwise: bad[.]example, BAD.EXAMPLE and bad_example are one.
std::string LettersOf(std::string_view text) {
  std::string letters;
  for (const char c : text.substr(0, kMaxComparedBytes)) {
    if (IsAlphanumeric(c)) letters += LowerAscii(c);
  }
  return letters;
}

// Whether a reader of the label learns the value: it holds all of it, or is most of it, or its beginning.
bool Tells(std::string_view label, std::string_view value) {
  if (value.empty()) return false;
  const std::string of_label = LettersOf(label), of_value = LettersOf(value);
  if (of_value.empty() || of_label.empty()) return label.find(value) != std::string_view::npos;
  if (of_label.find(of_value) != std::string::npos) return true;
  return of_value.find(of_label) != std::string::npos &&
         (2 * of_label.size() >= of_value.size() || 2 * label.size() >= kMaxSourceBytes);
}

}  // namespace

uint32_t SignatureId(IndicatorType type, ObservableKind kind) { return NumberOf(type) * 1000 + NumberOf(kind); }

std::string SignatureText(const IndicatorRecord& hit, ObservableKind kind, std::string_view seen) {
  std::string text = "Shared indicator: ";
  text += NameOf(hit.type);
  text += " in ";
  text += NameOf(kind);
  const std::string label = LabelOf(hit.source);
  if (label.empty() || Tells(label, hit.value) || Tells(label, seen)) return text;
  return text + ", listed by " + label;
}

uint32_t SeverityOf(const IndicatorRecord& record) {
  for (std::string_view tag : record.tags) {
    constexpr std::string_view kPrefix = "misp:threat-level=\"";
    if (tag.substr(0, kPrefix.size()) != kPrefix) continue;
    tag.remove_prefix(kPrefix.size());
    if (tag == "high-risk\"") return 1;
    if (tag == "medium-risk\"") return 2;
    if (tag == "low-risk\"" || tag == "no-risk\"") return 3;
  }
  if (!record.confidence) return 2;
  return *record.confidence >= kHighConfidence ? 1 : *record.confidence >= kMediumConfidence ? 2 : 3;
}

}  // namespace vedette
