#include "signatures/readers/csv.h"

#include <algorithm>
#include <utility>

namespace vedette {

// A row ends, or is refused, within this many bytes.
static_assert(CsvReader::kMaxRowBytes + CsvReader::kMaxFieldBytes + 4 < TextSource::kAheadBytes);

CsvReader::CsvReader(TextSource& text, char separator) : source_(text), separator_(separator) {
  unquoted_.reserve(kMaxRowBytes);  // never grows, so that views into it hold
}

bool CsvReader::SkipLineEnd() {
  if (at_ == text_.size() || (text_[at_] != '\n' && text_[at_] != '\r')) return false;
  at_ += text_.substr(at_, 2) == "\r\n" ? 2 : 1;
  ++line_;
  return true;
}

void CsvReader::SkipLine() {
  for (;;) {
    text_ = source_.Ahead();
    at_ = std::min(EndOfLine(text_), text_.size());
    source_.Skip(at_);
    if (at_ < text_.size() || text_.empty()) break;
  }
  text_ = source_.Ahead();
  at_ = 0;
}

CsvReader::Result CsvReader::Next() {
  for (;;) {
    text_ = source_.Ahead();
    at_ = 0;
    if (text_.empty()) return Result::kEnd;
    if (SkipLineEnd()) {
      source_.Skip(at_);
    } else if (text_[0] == '#') {
      SkipLine();
    } else {
      const Result result = ReadRow();
      source_.Skip(at_);
      return result;
    }
  }
}

CsvReader::Result CsvReader::Malformed(std::string reason) {
  error_ = std::move(reason);
  SkipLine();
  line_ = row_line_;
  SkipLineEnd();
  return Result::kMalformed;
}

CsvReader::Result CsvReader::ReadRow() {
  row_line_ = line_;
  fields_.clear();
  unquoted_.clear();
  std::string reason;
  for (;;) {
    if (fields_.size() == kMaxFields) {
      return Malformed("more than " + std::to_string(kMaxFields) + " columns");
    }
    if (at_ < text_.size() && text_[at_] == '"') {
      if (!ReadQuoted(reason)) return Malformed(std::move(reason));
    } else {
      const size_t start = at_, limit = std::min(text_.size(), start + kMaxFieldBytes + 1);
      while (at_ < limit && text_[at_] != separator_ && text_[at_] != '\n' && text_[at_] != '\r') {
        if (text_[at_] == '"') {
          return Malformed("a quotation mark within a field: put the whole field in quotation marks and double it");
        }
        ++at_;
      }
      fields_.push_back(text_.substr(start, at_ - start));
    }
    if (fields_.back().size() > kMaxFieldBytes) {
      return Malformed("a field of more than " + std::to_string(kMaxFieldBytes) + " bytes");
    }
    if (at_ > kMaxRowBytes) {
      return Malformed("a row of more than " + std::to_string(kMaxRowBytes) + " bytes");
    }
    if (at_ == text_.size() || SkipLineEnd()) return Result::kRow;
    if (text_[at_] != separator_) {
      return Malformed("there is text between a closing quotation mark and the next separator");
    }
    ++at_;
  }
}

bool CsvReader::ReadQuoted(std::string& reason) {
  const size_t start = ++at_;
  const size_t stored = unquoted_.size();
  size_t copied = start;  // what lies before it is in unquoted_
  for (;; ++at_) {
    if (at_ == text_.size() || at_ - start > kMaxFieldBytes) {
      reason = "a quotation mark that is not closed within " + std::to_string(kMaxFieldBytes) + " bytes";
      return false;
    }
    const char c = text_[at_];
    if (c == '"') {
      if (at_ + 1 == text_.size() || text_[at_ + 1] != '"') break;
      if (unquoted_.size() + (at_ + 1 - copied) > kMaxRowBytes) {
        reason = "a row of more than " + std::to_string(kMaxRowBytes) + " bytes";
        return false;
      }
      unquoted_.append(text_.substr(copied, at_ + 1 - copied));
      copied = at_ + 2;
      ++at_;
    } else if (c == '\n' || (c == '\r' && text_.substr(at_ + 1, 1) != "\n")) {
      ++line_;
    }
  }
  if (copied == start) {
    fields_.push_back(text_.substr(start, at_ - start));
  } else {
    if (unquoted_.size() + (at_ - copied) > kMaxRowBytes) {
      reason = "a row of more than " + std::to_string(kMaxRowBytes) + " bytes";
      return false;
    }
    unquoted_.append(text_.substr(copied, at_ - copied));
    fields_.push_back(std::string_view(unquoted_).substr(stored));
  }
  ++at_;
  return true;
}

}  // namespace vedette
