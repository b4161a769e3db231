#include "signatures/readers/metadata.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "parsers/base/text.h"
#include "parsers/base/time_text.h"
#include "signatures/readers/string_array.h"
#include "signatures/value.h"

namespace vedette {
namespace {

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

bool ReadPlaces(std::string_view rest, ObservableMask& out, std::string& reason) {
  out = {};
  while (!rest.empty()) {
    const size_t end = std::min(rest.find_first_of(" \t"), rest.size());
    const std::string_view name = rest.substr(0, end);
    const std::optional<ObservableKind> kind = ObservableKindOf(name);
    if (!kind) {
      reason = "`in` names " + Escaped(name) + ", which is not seen here";
      return false;
    }
    out.Add(*kind);
    rest = Trimmed(rest.substr(end));
  }
  return true;
}

bool ReadDirection(std::string_view given, IndicatorDirection& out, std::string& reason) {
  out = IndicatorDirection::kAny;
  if (given.empty()) return true;
  const std::string text = LowerAscii(given);
  if (text == "src") out = IndicatorDirection::kSrc;
  if (text == "dst") out = IndicatorDirection::kDst;
  if (text == "any" || out != IndicatorDirection::kAny) return true;
  reason = "direction has to be src, dst or any";
  return false;
}

bool ReadTlp(std::string_view text, Tlp& out, std::string& reason) {
  out = Tlp::kNone;
  if (text.empty()) return true;
  const std::optional<Tlp> tlp = TlpOf(text);
  if (!tlp) {
    reason = "tlp has to be clear, green, amber, amber+strict or red";
    return false;
  }
  out = *tlp;
  return true;
}

bool ReadPap(std::string_view text, std::string& out, std::string& reason) {
  out.clear();
  if (text.empty()) return true;
  const std::optional<size_t> pap = PapOf(text);
  if (!pap) {
    reason = "pap has to be clear, green, amber or red";
    return false;
  }
  out = kPapNames[*pap];
  return true;
}

bool ReadConfidence(std::string_view text, std::optional<uint8_t>& out, std::string& reason) {
  out.reset();
  if (text.empty()) return true;
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value > 100) {
    reason = "confidence has to be a whole number from 0 to 100";
    return false;
  }
  out = static_cast<uint8_t>(value);
  return true;
}

bool ReadTime(std::string_view name, std::string_view text, std::optional<int64_t>& out, std::string& reason) {
  out.reset();
  if (text.empty()) return true;
  out = ParseBound(text);
  if (!out) reason = std::string(name) + " has to be a time as in RFC 3339: 2026-11-23T10:00:00Z";
  return out.has_value();
}

bool ReadTimes(const MetadataTexts& texts, Indicator& out, std::string& reason) {
  if (!ReadTime("valid_from", texts.valid_from, out.valid_from_ns, reason) ||
      !ReadTime("valid_until", texts.valid_until, out.valid_until_ns, reason)) {
    return false;
  }
  // Before all captures, or later than can be kept: no bound.
  if (out.valid_from_ns && *out.valid_from_ns < 0) out.valid_from_ns.reset();
  if (out.valid_until_ns == kLatestTimestamp) out.valid_until_ns.reset();
  if (out.valid_from_ns && out.valid_until_ns && *out.valid_until_ns < *out.valid_from_ns) {
    reason = "valid_until lies before valid_from";
    return false;
  }
  return true;
}

}  // namespace

bool MetadataReader::Read(const MetadataTexts& texts, Indicator& out, std::string& reason) {
  out.id = texts.id;
  out.source = texts.source;
  out.originator = texts.originator;
  out.description = texts.description;
  out.sharing_group = texts.sharing_group;
  out.reference = texts.reference;
  if (!(ReadPlaces(texts.in, out.in, reason) && ReadDirection(texts.direction, out.direction, reason) &&
        ReadTlp(texts.tlp, out.tlp, reason) && ReadPap(texts.pap, out.pap, reason) &&
        ReadConfidence(texts.confidence, out.confidence, reason) &&
        ReadArray(texts.tags, texts.tag_list, tags_, out.tags, reason) &&
        ReadArray(texts.recipients, texts.recipient_list, recipients_, out.recipients, reason) &&
        ReadTimes(texts, out, reason))) {
    return false;
  }
  HeedTags(out);
  return true;
}

bool MetadataReader::ReadArray(std::string_view text, std::span<const std::string> list, Array& last,
                               std::vector<std::string>& out, std::string& reason) const {
  if (!list.empty()) {
    last.text.clear();
    out.assign(list.begin(), list.end());
    return true;
  }
  if (text == last.text && (!text.empty() || out.empty())) return true;  // most rows say what the one before said
  last.text.clear();
  out.clear();
  if (text.empty()) return true;
  std::optional<std::vector<std::string>> array = ParseStringArray(text);
  if (!array) {
    reason = std::string(last.name) + R"( has to be a JSON array of strings: ["one","two words"])";
    return false;
  }
  out = std::move(*array);
  last.text = text;
  return true;
}

// MISP says TLP and PAP in tags. The stricter of tags and columns holds. A mark that is not understood may ask for more
// than is known here: the row is used, but shared no further than one without TLP.
void MetadataReader::HeedTags(Indicator& out) {
  remark_.clear();
  bool understood = true;
  for (const std::string& tag : out.tags) {
    const std::string text = LowerAscii(Trimmed(tag));
    if (text.starts_with("tlp:")) {
      const std::optional<Tlp> tlp = TlpOf(text);
      if (!tlp) RemarkOn(tag);
      out.tlp = std::max(out.tlp, tlp.value_or(Tlp::kNone));
      understood &= tlp.has_value();
    } else if (text.starts_with("pap:")) {
      const std::optional<size_t> pap = PapOf(text);
      if (!pap) {
        RemarkOn(tag);
        understood = false;
      } else if (out.pap.empty() || *pap > *PapOf(out.pap)) {
        out.pap = kPapNames[*pap];
      }
    }
  }
  // Without a TLP it stays so: its source has to be one of the partner's `unmarked_sources` as well.
  if (!understood && out.tlp != Tlp::kNone) out.tlp = std::max(out.tlp, Tlp::kAmberStrict);
}

void MetadataReader::RemarkOn(std::string_view tag) {
  remark_ = "used, as amber+strict or stricter: the tag " + Escaped(tag) + " is not understood";
}

}  // namespace vedette
