#include "parsers/base/json_writer.h"

#include <array>
#include <charconv>
#include <cmath>

#include "parsers/base/text.h"

namespace vedette {
namespace {

constexpr char kHexDigits[] = "0123456789abcdef";

// Bytes that stand for themselves in a JSON string, whatever is around them.
constexpr std::array<bool, 256> kPlainBytes = [] {
  std::array<bool, 256> plain{};
  for (size_t c = 0x20; c < 0x7f; ++c) plain[c] = c != '"' && c != '\\';
  return plain;
}();

size_t PlainLength(std::string_view text) {
  size_t length = 0;
  while (length < text.size() && kPlainBytes[static_cast<uint8_t>(text[length])]) ++length;
  return length;
}

// Contract 2's \xhh inside a JSON string.
void AppendHexByte(char c, std::string& out) {
  const auto byte = static_cast<uint8_t>(c);
  out += "\\\\x";
  out += kHexDigits[byte >> 4];
  out += kHexDigits[byte & 15];
}

bool IsControl(char c) { return static_cast<uint8_t>(c) < 0x20 || c == 0x7f; }

}  // namespace

std::string_view CutUtf8(std::string_view text, size_t max_bytes) {
  if (text.size() <= max_bytes) return text;
  constexpr size_t kLongestSequence = 4;
  for (size_t back = 1; back < kLongestSequence && back <= max_bytes; ++back) {
    const size_t length = Utf8Length(text.substr(max_bytes - back));
    if (length > back) return text.substr(0, max_bytes - back);
    if (length != 0) break;
  }
  return text.substr(0, max_bytes);
}

void JsonWriter::AppendObserved(std::string_view value, size_t max_bytes) {
  const bool cut = value.size() > max_bytes;
  if (cut) value = CutUtf8(value, max_bytes);
  out_ += '"';
  while (true) {
    const size_t plain = PlainLength(value);
    out_.append(value.data(), plain);
    value.remove_prefix(plain);
    if (value.empty()) break;
    const char c = value.front();
    size_t length = 1;
    if (c == '"') {
      out_ += "\\\"";
    } else if (c == '\\') {
      out_ += "\\\\\\\\";
    } else if (c == '\t') {
      out_ += "\\\\t";
    } else if (c == '\n') {
      out_ += "\\\\n";
    } else if (IsControl(c) || (length = Utf8Length(value)) == 0) {
      AppendHexByte(c, out_);
      length = 1;
    } else {
      out_.append(value.data(), length);
    }
    value.remove_prefix(length);
  }
  if (cut) out_ += "\\\\...";
  out_ += '"';
  comma_ = true;
}

void JsonWriter::AppendText(std::string_view text, size_t max_bytes) {
  const bool cut = text.size() > max_bytes;
  if (cut) text = CutUtf8(text, max_bytes);
  out_ += '"';
  while (true) {
    const size_t plain = PlainLength(text);
    out_.append(text.data(), plain);
    text.remove_prefix(plain);
    if (text.empty()) break;
    const char c = text.front();
    size_t length = 1;
    if (c == '"' || c == '\\') {
      out_ += '\\';
      out_ += c;
    } else if (c == '\n') {
      out_ += "\\n";
    } else if (c == '\t') {
      out_ += "\\t";
    } else if (IsControl(c)) {
      out_ += "\\u00";
      out_ += kHexDigits[static_cast<uint8_t>(c) >> 4];
      out_ += kHexDigits[static_cast<uint8_t>(c) & 15];
    } else if ((length = Utf8Length(text)) == 0) {
      AppendHexByte(c, out_);
      length = 1;
    } else {
      out_.append(text.data(), length);
    }
    text.remove_prefix(length);
  }
  if (cut) out_ += "\xe2\x80\xa6";
  out_ += '"';
  comma_ = true;
}

void JsonWriter::AppendNumber(uint64_t value) {
  char buffer[20];  // digits of 2^64
  out_.append(buffer, static_cast<size_t>(std::to_chars(buffer, buffer + sizeof buffer, value).ptr - buffer));
  comma_ = true;
}

void JsonWriter::Decimal(std::string_view key, double value) {
  if (!std::isfinite(value)) return;
  Key(key);
  char buffer[32];  // the shortest text of a double that reads back the same has at most 24 characters
  out_.append(buffer, static_cast<size_t>(std::to_chars(buffer, buffer + sizeof buffer, value).ptr - buffer));
  comma_ = true;
}

}  // namespace vedette
