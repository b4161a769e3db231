#include "exporter/alert/signature.h"

#include <algorithm>
#include <array>

#include "parsers/base/json_writer.h"
#include "parsers/base/text.h"

namespace vedette {
namespace {

constexpr uint8_t kHighConfidence = 75, kMediumConfidence = 40;

constexpr size_t kMaxComparedBytes = 4096;  // of a value; an alert shows no more of one

constexpr bool IsAlphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

constexpr std::string_view kPunctuation = "._-+@/";

// Of a label, whatever is around them.
constexpr std::array<bool, 256> kLabelBytes = [] {
  std::array<bool, 256> of_label{};
  for (size_t c = 0; c < 0x80; ++c) of_label[c] = IsAlphanumeric(static_cast<char>(c));
  for (const char c : kPunctuation) of_label[static_cast<uint8_t>(c)] = true;
  return of_label;
}();

// The source as a signature may show it; nothing in it ends a word of the text or steers a terminal.
std::string LabelOf(std::string_view source) {
  const auto of_label = [](char c) { return kLabelBytes[static_cast<uint8_t>(c)]; };
  if (source.size() <= kMaxSourceBytes && std::all_of(source.begin(), source.end(), of_label))
    return std::string(source);
  std::string label;
  for (const char c : ForTerminal(CutUtf8(source, kMaxSourceBytes))) {
    if (of_label(c) || static_cast<uint8_t>(c) >= 0x80) {
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
class Letters {
 public:
  explicit Letters(std::string_view text) {
    for (const char c : text.substr(0, kMaxComparedBytes)) {
      letters_[size_] = LowerAscii(c);
      size_ += IsAlphanumeric(c) ? 1 : 0;
    }
  }
  std::string_view text() const { return {letters_, size_}; }

 private:
  char letters_[kMaxComparedBytes];  // only the first size_ are set
  size_t size_ = 0;
};

// Whether a reader of the label learns the value: it holds all of it, or is most of it, or its beginning.
bool Tells(std::string_view label, std::string_view value) {
  if (value.empty()) return false;
  const Letters label_letters(label), value_letters(value);
  const std::string_view of_label = label_letters.text(), of_value = value_letters.text();
  if (of_value.empty() || of_label.empty()) return label.find(value) != std::string_view::npos;
  if (of_label.find(of_value) != std::string_view::npos) return true;
  return of_value.find(of_label) != std::string_view::npos &&
         (2 * of_label.size() >= of_value.size() || 2 * label.size() >= kMaxSourceBytes);
}

}  // namespace

uint32_t SignatureId(IndicatorType type, ObservableKind kind) {
  return TraitsOf(type).number * uint32_t{1000} + TraitsOf(kind).number;
}

std::string SignatureText(const IndicatorRecord& hit, ObservableKind kind, std::string_view seen) {
  std::string text = "Shared indicator: ";
  text += NameOf(hit.type);
  text += " in ";
  text += NameOf(kind);
  const std::string label = LabelOf(hit.source);
  if (label.empty() || Tells(label, hit.value) || (seen != hit.value && Tells(label, seen))) return text;
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
