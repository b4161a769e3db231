// The text of one file of indicators, in bounded memory: a window that moves forward over the file. However large the
// file, only the window is held; what is no regular file (a pipe) cannot be read twice and is held whole, once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "parsers/base/file.h"

namespace vedette {

// Not thread safe.
class TextSource {
 public:
  static constexpr size_t kMaxFileBytes = size_t{1} << 30;    // ten million indicators with descriptions
  static constexpr size_t kAheadBytes = size_t{128} * 1024;   // more than the longest row that any format allows
  static constexpr size_t kHeadBytes = kAheadBytes;           // by which the format is told
  static constexpr size_t kWindowBytes = size_t{256} * 1024;  // moved and read again when less than kAheadBytes is left

  // Of a file. Reads it once from end to end, so that it is refused before any row is used where it is no text.
  explicit TextSource(const std::string& path);
  // Of text in memory, which outlives the source.
  struct InMemory {
    std::string_view text;
  };
  explicit TextSource(InMemory memory);
  TextSource(const TextSource&) = delete;
  TextSource& operator=(const TextSource&) = delete;

  // Not empty: why it cannot be read, is no text, or could not be read to its end; without the file's name. Look at it
  // before and after reading.
  const std::string& error() const { return error_; }

  // What comes next: at least kAheadBytes, or all that is left; empty at the end. A UTF-8 byte order mark at the front
  // is no part of the text. The view holds until the next call of Ahead or Seek.
  std::string_view Ahead() {
    if (end_ - at_ < kAheadBytes && offset_ + end_ < size_) Fill();
    return {data_ + at_, end_ - at_};
  }
  void Skip(size_t bytes) { at_ += bytes; }  // at most as many as Ahead gave
  void Seek(uint64_t position);              // from the front of the text; at most size()
  uint64_t position() const { return offset_ + at_ - mark_bytes_; }
  uint64_t size() const { return size_ - mark_bytes_; }
  // The first bytes of the text, by which its format is told. Holds as Ahead; goes to the front.
  std::string_view Head();

 private:
  void Open(const std::string& path);
  bool ReadWhole();
  bool Scan();
  void Hold(std::string_view text);
  void CheckText(bool holds_nul);
  void Fill();

  FileDescriptor file_;             // open: what is beyond the window is read from it
  std::string held_;                // of what is no regular file
  std::unique_ptr<char[]> window_;  // kWindowBytes, of a regular file
  const char* data_ = nullptr;      // of the window, or of the whole text
  size_t at_ = 0, end_ = 0;         // in data_
  uint64_t offset_ = 0;             // of data_ in the file
  uint64_t size_ = 0;               // of the file, as it was when it was opened
  size_t mark_bytes_ = 0;           // the byte order mark
  bool is_text_ = false;            // as it was when it was opened
  std::string error_;
};

// Where the first LF or CR is; npos: nowhere.
inline size_t EndOfLine(std::string_view text) {
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\n' || text[i] == '\r') return i;
  }
  return std::string_view::npos;
}

// Lines of such a text, without their ends, one after the other.
class LineReader {
 public:
  enum class Ends : uint8_t {
    kNewline,    // LF or CRLF
    kAnyReturn,  // LF, CRLF or CR
  };
  // `max_bytes`: of a line, below TextSource::kAheadBytes. `text` outlives the reader.
  LineReader(TextSource& text, Ends ends, size_t max_bytes) : text_(text), ends_(ends), max_bytes_(max_bytes) {}

  // False: there are no more.
  bool Next();
  std::string_view line() const { return line_; }  // of one that is too long: its beginning. Holds until Next
  bool too_long() const { return too_long_; }
  uint32_t number() const { return number_; }  // of the line, from 1

 private:
  size_t EndIn(std::string_view text) const;
  void SkipEnd();

  TextSource& text_;
  const Ends ends_;
  const size_t max_bytes_;
  std::string_view line_;
  std::string long_line_;
  bool too_long_ = false;
  uint32_t number_ = 0;
};

}  // namespace vedette
