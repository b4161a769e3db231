#include "signatures/readers/text_source.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstring>
#include <optional>

#include "parsers/base/errno_text.h"

namespace vedette {
namespace {

constexpr std::string_view kTooLarge = "larger than 1 GiB: split it";
constexpr std::string_view kChanged = "was changed while it was read: load it again";
constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
static_assert(TextSource::kAheadBytes < TextSource::kWindowBytes);

// Why a file that begins so is no text, or nothing.
std::string_view NotTextBecause(std::string_view head, bool holds_nul) {
  struct Magic {
    std::string_view bytes, reason;
  };
  static constexpr Magic kMagics[] = {
      {"\x1f\x8b", "compressed with gzip: unpack it first (gunzip)"},
      {"PK\x03\x04", "a zip archive: unpack it first (unzip)"},
      {"\x28\xb5\x2f\xfd", "compressed with zstd: unpack it first (unzstd)"},
      {"BZh", "compressed with bzip2: unpack it first (bunzip2)"},
      {"\xfd"
       "7zXZ",
       "compressed with xz: unpack it first (unxz)"},
      {std::string_view("\xff\xfe\0\0", 4), "in UTF-32: convert it to UTF-8 first (iconv -f UTF-32 -t UTF-8)"},
      {"\xff\xfe", "in UTF-16: convert it to UTF-8 first (iconv -f UTF-16 -t UTF-8)"},
      {"\xfe\xff", "in UTF-16: convert it to UTF-8 first (iconv -f UTF-16 -t UTF-8)"},
  };
  for (const Magic& magic : kMagics) {
    if (head.substr(0, magic.bytes.size()) == magic.bytes) return magic.reason;
  }
  if (!holds_nul) return {};
  return head.size() > 3 && (head[0] == '\0') != (head[1] == '\0') && (head[2] == '\0') != (head[3] == '\0')
             ? "apparently in UTF-16: convert it to UTF-8 first (iconv -f UTF-16LE -t UTF-8, or UTF-16BE)"
             : "not text: it holds NUL bytes; a CSV file or a list is needed";
}

bool HoldsNul(const char* data, size_t size) { return size > 0 && std::memchr(data, '\0', size) != nullptr; }

}  // namespace

TextSource::TextSource(const std::string& path) { Open(path); }

TextSource::TextSource(InMemory memory) { Hold(memory.text); }

void TextSource::Open(const std::string& path) {
  file_ = FileDescriptor(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat status {};
  if (!file_.is_open()) {
    error_ = "cannot be opened: " + ErrnoText();
    return;
  }
  // A file of /proc says 0 bytes and has some.
  const bool can_seek = fstat(file_.get(), &status) == 0 && S_ISREG(status.st_mode) && status.st_size > 0;
  if (!(can_seek ? Scan() : ReadWhole()) && error_.empty()) error_ = "cannot be read: " + ErrnoText();
}

// What cannot be read twice.
bool TextSource::ReadWhole() {
  while (held_.size() <= kMaxFileBytes) {
    const size_t have = held_.size(), piece = std::max(kWindowBytes, have / 2);
    held_.resize(have + piece);
    const std::optional<size_t> got = ReadUpTo(file_.get(), held_.data() + have, piece);
    if (!got) return false;
    held_.resize(have + *got);
    if (*got < piece) break;
  }
  file_.Close();
  if (held_.size() > kMaxFileBytes) {
    error_ = kTooLarge;
    return false;
  }
  Hold(held_);
  return true;
}

// Reads the file to its end: how long it is, and whether it is a text.
bool TextSource::Scan() {
  window_ = std::make_unique_for_overwrite<char[]>(kWindowBytes);
  data_ = window_.get();
  bool holds_nul = false;
  for (;;) {
    const std::optional<size_t> got = ReadUpToAt(file_.get(), window_.get(), kWindowBytes, size_);
    if (!got) return false;
    if (*got == 0) break;
    holds_nul |= HoldsNul(window_.get(), *got);
    offset_ = size_;
    end_ = *got;
    size_ += *got;
    if (size_ > kMaxFileBytes) {
      error_ = kTooLarge;
      return false;
    }
  }
  CheckText(holds_nul);
  return error_.empty();
}

void TextSource::Hold(std::string_view text) {
  data_ = text.data();
  end_ = text.size();
  size_ = text.size();
  CheckText(HoldsNul(text.data(), text.size()));
}

// Goes to the front, behind a byte order mark.
void TextSource::CheckText(bool holds_nul) {
  Seek(0);
  const std::string_view head = Ahead();
  if (size_ == 0) {
    error_ = "is empty";
  } else if (const std::string_view reason = NotTextBecause(head, holds_nul); !reason.empty()) {
    error_ = "is " + std::string(reason);
  }
  is_text_ = error_.empty();
  mark_bytes_ = head.starts_with(kByteOrderMark) ? kByteOrderMark.size() : 0;
  Seek(0);
}

// Moves the window on. A file that was written meanwhile ends here: half of it is another list than was meant.
void TextSource::Fill() {
  if (at_ > 0) std::memmove(window_.get(), window_.get() + at_, end_ - at_);
  offset_ += at_;
  end_ -= at_;
  at_ = 0;
  const uint64_t next = offset_ + end_;
  const auto wanted = static_cast<size_t>(std::min<uint64_t>(kWindowBytes - end_, size_ - next));
  char* const to = window_.get() + end_;
  const std::optional<size_t> got = ReadUpToAt(file_.get(), to, wanted, next);
  if (!got) error_ = "cannot be read: " + ErrnoText();
  if (got && is_text_ && (*got < wanted || HoldsNul(to, *got))) error_ = kChanged;
  if (got && error_.empty()) {
    end_ += *got;
  } else {
    size_ = next;
  }
}

void TextSource::Seek(uint64_t position) {
  const uint64_t place = position + mark_bytes_;
  if (place >= offset_ && place <= offset_ + end_) {
    at_ = static_cast<size_t>(place - offset_);
    return;
  }
  offset_ = place;
  at_ = end_ = 0;
}

std::string_view TextSource::Head() {
  Seek(0);
  return Ahead().substr(0, kHeadBytes);
}

size_t LineReader::EndIn(std::string_view text) const {
  return ends_ == Ends::kNewline ? text.find('\n') : EndOfLine(text);
}

// Over the end of a line, if one comes next.
void LineReader::SkipEnd() {
  const std::string_view next = text_.Ahead();
  if (next.starts_with("\r\n")) {
    text_.Skip(2);
  } else if (!next.empty()) {
    text_.Skip(1);
  }
}

bool LineReader::Next() {
  const std::string_view next = text_.Ahead();
  if (next.empty()) return false;
  ++number_;
  const std::string_view possible = next.substr(0, max_bytes_ + 1);
  size_t end = EndIn(possible);
  too_long_ = end == std::string_view::npos && possible.size() > max_bytes_;
  if (too_long_) {
    long_line_ = possible.substr(0, max_bytes_);
    line_ = long_line_;
    std::string_view rest = next;
    while ((end = EndIn(rest)) == std::string_view::npos && !rest.empty()) {
      text_.Skip(rest.size());
      rest = text_.Ahead();
    }
    if (end != std::string_view::npos) text_.Skip(end);
    SkipEnd();
    return true;
  }
  line_ = possible.substr(0, end);
  if (end != std::string_view::npos) text_.Skip(next.substr(end, 2) == "\r\n" ? 2 : 1);
  text_.Skip(line_.size());
  if (ends_ == Ends::kNewline && line_.ends_with('\r')) line_.remove_suffix(1);
  return true;
}

}  // namespace vedette
