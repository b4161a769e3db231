// Writes one JSON document into a string, in the order of the calls. The result is always valid UTF-8 JSON on one
// line, whatever the values contain.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace vedette {

// Longer values are cut, so that no input can make a line grow without bound. A line of a feed stays far below the
// megabyte that message brokers accept by default.
constexpr size_t kMaxValueBytes = 4096;

// Appends to a string that outlives it. Not thread safe. Keys are literals of the project: plain ASCII, not escaped.
class JsonWriter {
 public:
  explicit JsonWriter(std::string& out) : out_(out) {}

  void BeginObject() { Open('{'); }
  void BeginObject(std::string_view key) { Key(key), Open('{'); }
  void EndObject() { Close('}'); }
  void BeginArray(std::string_view key) { Key(key), Open('['); }
  void EndArray() { Close(']'); }

  // Bytes seen in traffic, written as contract 2 does: what is not UTF-8 as \xhh, a tab \t, a newline \n, a backslash
  // \\. A cut value ends in `\...`, which no whole value does.
  void Observed(std::string_view key, std::string_view value, size_t max_bytes = kMaxValueBytes) {
    Key(key), AppendObserved(value, max_bytes);
  }
  void Observed(std::string_view value) { Comma(), AppendObserved(value, kMaxValueBytes); }
  // Text that people wrote (descriptions, ids, file names): as it is; only what is not UTF-8 becomes \xhh. A cut text
  // ends in an ellipsis.
  void Text(std::string_view key, std::string_view text, size_t max_bytes = kMaxValueBytes) {
    Key(key), AppendText(text, max_bytes);
  }
  void Text(std::string_view text, size_t max_bytes = kMaxValueBytes) { Comma(), AppendText(text, max_bytes); }
  // Plain ASCII without quotes and backslashes, which the caller made itself: addresses, names, times.
  void Plain(std::string_view key, std::string_view text) {
    Key(key, '"');
    out_ += text;
    out_ += '"';
    comma_ = true;
  }
  void Plain(std::string_view text) {
    Comma();
    out_ += '"';
    out_ += text;
    out_ += '"';
    comma_ = true;
  }
  void Number(std::string_view key, uint64_t value) { Key(key), AppendNumber(value); }
  void Number(uint64_t value) { Comma(), AppendNumber(value); }
  // Nothing is written if `value` is not finite: JSON has no such number.
  void Decimal(std::string_view key, double value);
  void Bool(std::string_view key, bool value) {
    Key(key);
    out_ += value ? "true" : "false";
    comma_ = true;
  }

 private:
  void Comma() {
    if (comma_) out_ += ',';
  }
  // `then`: what follows the colon; 0: nothing. Appended in one piece, which takes a third of the time of several.
  void Key(std::string_view key, char then = 0) {
    constexpr size_t kAround = 5;  // comma, two quotes, colon and what follows
    constexpr size_t kShortKey = 59;
    char piece[kShortKey + kAround];
    char* end = piece;
    if (comma_) *end++ = ',';
    *end++ = '"';
    if (key.size() <= kShortKey) [[likely]] {
      std::memcpy(end, key.data(), key.size());
      end += key.size();
    } else {
      out_.append(piece, static_cast<size_t>(end - piece));
      out_ += key;
      end = piece;
    }
    *end++ = '"';
    *end++ = ':';
    if (then != 0) *end++ = then;
    out_.append(piece, static_cast<size_t>(end - piece));
  }
  void Open(char bracket) {
    if (bracket == '{' && comma_ && !out_.empty() && out_.back() != ':') out_ += ',';
    out_ += bracket;
    comma_ = false;
  }
  void Close(char bracket) {
    out_ += bracket;
    comma_ = true;
  }
  void AppendObserved(std::string_view value, size_t max_bytes);
  void AppendText(std::string_view text, size_t max_bytes);
  void AppendNumber(uint64_t value);

  std::string& out_;
  bool comma_ = false;
};

// The longest prefix of at most `max_bytes` that does not end within a UTF-8 sequence.
std::string_view CutUtf8(std::string_view text, size_t max_bytes);

}  // namespace vedette
