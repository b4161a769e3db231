// Takes a text apart from its front, a character or a number at a time.
#pragma once

#include <cstddef>
#include <string_view>

namespace vedette {

// Every step fails at the end, and where something else comes next. The text outlives it.
class TextReader {
 public:
  explicit TextReader(std::string_view text) : text_(text) {}

  bool empty() const { return text_.empty(); }
  bool Take(char c) {
    if (text_.empty() || text_.front() != c) return false;
    text_.remove_prefix(1);
    return true;
  }
  bool TakeAny(char& c) {
    if (text_.empty()) return false;
    c = text_.front();
    text_.remove_prefix(1);
    return true;
  }
  // Exactly `digits` decimal digits.
  bool TakeNumber(size_t digits, int& out) {
    out = 0;
    for (size_t i = 0; i < digits; ++i) {
      char c = 0;
      if (!TakeAny(c) || c < '0' || c > '9') return false;
      out = out * 10 + (c - '0');
    }
    return true;
  }
  bool NextIsDigit() const { return !text_.empty() && text_.front() >= '0' && text_.front() <= '9'; }

  void SkipBlanks() {
    while (!text_.empty() &&
           (text_.front() == ' ' || text_.front() == '\t' || text_.front() == '\n' || text_.front() == '\r')) {
      text_.remove_prefix(1);
    }
  }

 private:
  std::string_view text_;
};

}  // namespace vedette
