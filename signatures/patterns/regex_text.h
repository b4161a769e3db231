// The text of a regular expression and a place in it: single bytes, escapes and classes as PCRE writes them. What is
// built of them is regex_parser's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "signatures/patterns/byte_set.h"

namespace vedette {

// Every function that reads stops at the first thing it cannot read; `reason` says what. Not thread safe.
class RegexText {
 public:
  // Both outlive it.
  RegexText(std::string_view text, std::string& reason) : text_(text), reason_(reason) {}

  // False, for the caller to return.
  bool Fail(std::string why);
  // Of what one pass over the bytes cannot answer.
  bool FailUnsupported(std::string_view what);

  bool AtEnd() const { return at_ == text_.size(); }
  char Peek() const { return text_[at_]; }
  std::string_view Rest() const { return text_.substr(at_); }
  bool Take(std::string_view what) {
    if (Rest().substr(0, what.size()) != what) return false;
    at_ += what.size();
    return true;
  }
  void Skip(size_t bytes) { at_ += bytes; }  // at most what is left

  // Behind a backslash: a byte, in a class or outside.
  bool TakeByteEscape(uint8_t& byte);
  // Behind a [: the bytes that are meant. `caseless`: letters in either case.
  bool TakeClass(bool caseless, ByteSet& out);

 private:
  bool TakeHexEscape(uint8_t& byte);
  bool TakePosixClass(bool caseless, ByteSet& out, bool& taken);
  bool TakeClassByte(bool quoted, uint8_t& byte, std::optional<ByteSet>& several);
  bool TakeRange(bool quoted, ByteSet& out);

  std::string_view text_;
  std::string& reason_;
  size_t at_ = 0;
};

bool IsRegexDigit(char c);
bool IsRegexLetter(char c);
// The bytes of \d \w \s \h \v and, in capitals, all others; nullopt: no such escape.
std::optional<ByteSet> ClassOfEscape(char c);
// What . and \N stand for.
ByteSet AllButNewline();

}  // namespace vedette
