#include "exporter/file_sink.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

namespace vedette {
namespace {

constexpr size_t kFlushBytes = size_t{64} * 1024;  // one write for some fifty alerts

// A file with more than that behind its last newline is no file of alerts; they take a few kilobytes.
constexpr uint64_t kLongestLineBytes = uint64_t{1} << 20;

std::string CannotWrite(const std::string& path) {
  return path + ": cannot be written: " + std::strerror(errno) + "; name a file in a folder that exists and is yours";
}

bool ShowAll(const IndicatorRecord&) { return true; }

// Of its first bytes; of fewer, where it has no more.
std::string DigestOfFile(int descriptor, uint64_t num_bytes) {
  Digester digester(DigestAlgorithm::kSha256);
  std::vector<uint8_t> buffer(size_t{1} << 20);
  for (uint64_t at = 0; at < num_bytes;) {
    const ssize_t num_read =
        pread(descriptor, buffer.data(), std::min<uint64_t>(buffer.size(), num_bytes - at), static_cast<off_t>(at));
    if (num_read <= 0) break;
    digester.Update(Bytes(buffer).first(static_cast<size_t>(num_read)));
    at += static_cast<uint64_t>(num_read);
  }
  return digester.Finish().Hex();
}

// How many bytes stand behind the last newline of the file. False with `error`.
bool UnfinishedLine(const std::string& path, uint64_t file_bytes, uint64_t& line_bytes, std::string& error) {
  std::string tail(std::min(file_bytes, kLongestLineBytes), '\0');
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  size_t done = 0;
  while (descriptor >= 0 && done < tail.size()) {
    const ssize_t num_read =
        pread(descriptor, tail.data() + done, tail.size() - done, static_cast<off_t>(file_bytes - tail.size() + done));
    if (num_read < 0 && errno == EINTR) continue;
    if (num_read <= 0) break;
    done += static_cast<size_t>(num_read);
  }
  const int reason = errno;
  if (descriptor >= 0) close(descriptor);
  if (done < tail.size()) {
    error = path + ": cannot be read, to see whether its last line is whole: " + std::strerror(reason);
    return false;
  }
  const size_t newline = tail.rfind('\n');
  line_bytes = newline == std::string::npos ? tail.size() : tail.size() - newline - 1;
  if (newline != std::string::npos || file_bytes <= kLongestLineBytes) return true;
  error = fmt::format("{}: no newline in its last {} bytes, so it is no file of alerts; name another, or move it away",
                      path, kLongestLineBytes);
  return false;
}

}  // namespace

std::optional<OutputFormat> OutputFormatOf(std::string_view name) {
  if (name == "jsonl") return OutputFormat::kJsonl;
  if (name == "table") return OutputFormat::kTable;
  if (name == "csv") return OutputFormat::kCsv;
  return std::nullopt;
}

std::unique_ptr<FileSink> FileSink::Open(const std::string& path, OutputFormat format, AlertRenderer& renderer,
                                         std::string& error) {
  int descriptor = STDOUT_FILENO;
  if (path != "-") {
    descriptor = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
    if (descriptor < 0) {
      error = CannotWrite(path);
      return nullptr;
    }
  }
  std::unique_ptr<FileSink> sink(new FileSink(descriptor, path, format, renderer));
  if (format == OutputFormat::kTable) sink->buffer_ = AlertRenderer::TableHeader();
  if (format == OutputFormat::kCsv) sink->buffer_ = AlertRenderer::CsvHeader();
  return sink;
}

std::unique_ptr<FileSink> FileSink::Append(const std::string& path, AlertRenderer& renderer, uint64_t& cut_bytes,
                                           std::string& error) {
  cut_bytes = 0;
  if (path == "-") return Open(path, OutputFormat::kJsonl, renderer, error);
  const int descriptor = open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
  struct stat status {};
  if (descriptor < 0 || fstat(descriptor, &status) != 0) {
    error = CannotWrite(path);
    if (descriptor >= 0) close(descriptor);
    return nullptr;
  }
  std::unique_ptr<FileSink> sink(new FileSink(descriptor, path, OutputFormat::kJsonl, renderer));
  if (!S_ISREG(status.st_mode)) return sink;
  // What looks like an unfinished line may be one that another sensor is about to finish.
  if (flock(descriptor, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    error = path + ": another sensor is writing it; end that one, or name another file";
    return nullptr;
  }
  // Its length now that nobody else writes: that one may have finished its line meanwhile.
  if (fstat(descriptor, &status) != 0) {
    error = CannotWrite(path);
    return nullptr;
  }
  const auto file_bytes = static_cast<uint64_t>(status.st_size);
  if (!UnfinishedLine(path, file_bytes, cut_bytes, error)) return nullptr;
  if (cut_bytes != 0 && ftruncate(descriptor, static_cast<off_t>(file_bytes - cut_bytes)) != 0) {
    error = path + ": its unfinished last line cannot be cut off: " + std::strerror(errno);
    return nullptr;
  }
  return sink;
}

std::unique_ptr<FileSink> FileSink::Continue(const std::string& path, OutputFormat format, AlertRenderer& renderer,
                                             const OutputMark& mark, std::string& error) {
  const int descriptor = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0640);
  struct stat status {};
  if (descriptor < 0 || fstat(descriptor, &status) != 0) {
    error = CannotWrite(path);
    if (descriptor >= 0) close(descriptor);
    return nullptr;
  }
  std::unique_ptr<FileSink> sink(new FileSink(descriptor, path, format, renderer));
  sink->digester_ = std::make_unique<Digester>(DigestAlgorithm::kSha256);
  sink->mark_ = mark;
  sink->synced_bytes_ = mark.bytes;
  if (!S_ISREG(status.st_mode)) {
    error = path + ": not a regular file, which cannot be continued";
    return nullptr;
  }
  if (DigestOfFile(descriptor, mark.bytes) != mark.sha256 && mark.bytes != 0) {
    error = fmt::format(
        "{}: its first {} bytes are not those that the interrupted run wrote; begin again without the "
        "state",
        path, mark.bytes);
    return nullptr;
  }
  if (ftruncate(descriptor, static_cast<off_t>(mark.bytes)) != 0 || lseek(descriptor, 0, SEEK_END) < 0) {
    error = path + ": cannot be cut to what is certain: " + std::strerror(errno);
    return nullptr;
  }
  if (format == OutputFormat::kTable) sink->buffer_ = AlertRenderer::TableHeader();
  if (format == OutputFormat::kCsv) sink->buffer_ = AlertRenderer::CsvHeader();
  return sink;
}

FileSink::FileSink(int descriptor, std::string path, OutputFormat format, AlertRenderer& renderer)
    : descriptor_(descriptor), path_(std::move(path)), format_(format), renderer_(renderer) {}

FileSink::~FileSink() {
  if (descriptor_ >= 0 && descriptor_ != STDOUT_FILENO) close(descriptor_);
}

bool FileSink::Accept(const Alert& alert) {
  if (failed_) {
    ++lost_;
    return false;
  }
  if (failing_ && buffer_.size() >= kHeldBytes) {
    ++lost_;
    return true;
  }
  bool shown = false;
  switch (format_) {
    case OutputFormat::kJsonl:
      shown = renderer_.AppendJson(alert, ShowAll, buffer_);
      break;
    case OutputFormat::kTable:
      if (group_rows_) {
        TableRow row;
        if (renderer_.MakeTableRow(alert, ShowAll, row)) table_.Add(std::move(row));
        if (table_.full()) buffered_alerts_ += table_.AppendTo(buffer_);
        break;
      }
      shown = renderer_.AppendTableRow(alert, ShowAll, buffer_);
      break;
    case OutputFormat::kCsv:
      shown = renderer_.AppendCsv(alert, ShowAll, buffer_);
      break;
  }
  if (shown) ++buffered_alerts_;
  return failing_ || buffer_.size() < kFlushBytes || Flush();
}

void FileSink::Idle() {
  if (failed_ || buffer_.empty()) return;
  if (!failing_ || std::chrono::steady_clock::now() >= next_try_) Flush();
}

void FileSink::Fail(std::string reason) {
  failed_ = true;
  error_ = std::move(reason);
  buffer_.clear();
}

// What has been written before: digested, and away.
bool FileSink::SkipWritten() {
  if (total_bytes_ >= mark_.bytes) return true;
  const size_t count = std::min<uint64_t>(buffer_.size(), mark_.bytes - total_bytes_);
  digester_->Update(AsBytes(buffer_).first(count));
  total_bytes_ += count;
  buffer_.erase(0, count);
  if (total_bytes_ < mark_.bytes || digester_->SoFar().Hex() == mark_.sha256) return true;
  if (EndedEarly()) {
    over_ = true;
    return true;
  }
  Fail(
      fmt::format("{}: the alerts found again differ from the {} bytes that the interrupted run wrote: the captures or "
                  "the program are not the same any more; begin again without the state",
                  path_, mark_.bytes));
  return false;
}

bool FileSink::Written(OutputMark& mark) {
  if (failed_ || over_ || digester_ == nullptr || !Flush() || total_bytes_ <= synced_bytes_) return false;
  if (total_bytes_ != mark.bytes) mark = {total_bytes_, digester_->SoFar().Hex()};
  return true;
}

bool FileSink::Sync(OutputMark& mark) {
  if (failed_ || over_ || digester_ == nullptr || !Flush() || total_bytes_ <= synced_bytes_) return false;
  if (fdatasync(descriptor_) != 0) {
    Fail(path_ + ": cannot be brought to disk: " + std::strerror(errno));
    return false;
  }
  synced_bytes_ = total_bytes_;
  mark = {total_bytes_, digester_->SoFar().Hex()};
  return true;
}

bool FileSink::Flush() {
  if (digester_ != nullptr) {
    if (!SkipWritten()) return false;
    if (over_) buffer_.clear();
    digester_->Update(AsBytes(buffer_));
    total_bytes_ += buffer_.size();
  }
  size_t written = 0;
  while (written < buffer_.size()) {
    const ssize_t n = write(descriptor_, buffer_.data() + written, buffer_.size() - written);
    if (n >= 0) {
      written += static_cast<size_t>(n);
      continue;
    }
    if (errno == EINTR) continue;
    const int reason = errno;
    const size_t whole = CutToWholeLines(written);
    const bool reader_gone = path_ == "-" && reason == EPIPE;  // which no waiting mends
    if (say_ && !reader_gone) {
      Hold(whole, reason);
      return true;
    }
    failed_ = true;
    if (say_ && !std::exchange(failing_, true)) lost_before_ = lost_;
    if (whole == written && written != 0 && buffer_[written - 1] != '\n' && path_ != "-")
      error_ = path_ + ": ends in half a line; ";
    const auto lines_lost =
        static_cast<uint64_t>(std::count(buffer_.begin() + static_cast<std::ptrdiff_t>(whole), buffer_.end(), '\n'));
    lost_ += std::min(lines_lost, buffered_alerts_);
    buffered_alerts_ = 0;
    if (reader_gone) {
      error_ +=
          "standard output: its reader has gone; alerts found after that are not written (name a file to keep them: ";
      error_ += say_ ? "`output` of the configuration)" : "--out FILE)";
    } else {
      error_ += (path_ == "-" ? std::string("standard output") : path_) +
                ": cannot be written: " + std::strerror(reason) +
                "; everything before is complete. Free some space, or name another file with --out, and run again";
    }
    buffer_.clear();
    return false;
  }
  buffer_.clear();
  buffered_alerts_ = 0;
  if (std::exchange(failing_, false)) {
    say_(fmt::format("{}: can be written again; {} alerts were lost meanwhile", path_, lost_ - lost_before_), false);
  }
  return true;
}

// Half a line would spoil the last alert for its reader: it is taken back where that can be done. Returns where in the
// buffer what is not in the file begins.
size_t FileSink::CutToWholeLines(size_t written) {
  const size_t newline = written == 0 ? std::string::npos : buffer_.rfind('\n', written - 1);
  const size_t whole = newline == std::string::npos ? 0 : newline + 1;
  if (whole == written || path_ == "-") return written;
  const off_t end = lseek(descriptor_, 0, SEEK_CUR);
  const bool cut = end >= 0 && ftruncate(descriptor_, end - static_cast<off_t>(written - whole)) == 0 &&
                   lseek(descriptor_, 0, SEEK_END) >= 0;
  return cut ? whole : written;
}

// Keeps what is not in the file; where its last line could not be taken back, its rest comes first.
void FileSink::Hold(size_t from, int reason) {
  buffer_.erase(0, from);
  buffered_alerts_ = static_cast<uint64_t>(std::count(buffer_.begin(), buffer_.end(), '\n'));
  next_try_ = std::chrono::steady_clock::now() + kTryAgain;
  error_ = path_ + ": cannot be written: " + std::strerror(reason);
  if (std::exchange(failing_, true)) return;
  lost_before_ = lost_;
  say_(
      fmt::format("{}; it is tried again every second, up to {} KiB of alerts wait for that, and those beyond are lost",
                  error_, kHeldBytes / 1024),
      true);
}

bool FileSink::Close() {
  if (!failed_) buffered_alerts_ += table_.AppendTo(buffer_);
  if (!failed_) Flush();
  if (failing_) {
    failed_ = true;
    lost_ += buffered_alerts_;
    error_ += fmt::format("; {} alerts were lost since that began", lost_ - lost_before_);
  }
  if (!failed_ && total_bytes_ < mark_.bytes && !EndedEarly()) {
    Fail(fmt::format(
        "{}: the alerts found again are {} bytes, the interrupted run wrote {}: the captures or the program "
        "are not the same any more; begin again without the state",
        path_, total_bytes_, mark_.bytes));
  }
  if (!failed_ && digester_ != nullptr) {
    if (fdatasync(descriptor_) != 0) Fail(path_ + ": cannot be brought to disk: " + std::strerror(errno));
    mark_ = {total_bytes_, digester_->SoFar().Hex()};
  }
  if (descriptor_ >= 0 && descriptor_ != STDOUT_FILENO) {
    if (close(descriptor_) != 0 && !failed_) {
      failed_ = true;
      error_ = path_ + ": cannot be written to the end: " + std::strerror(errno);
    }
    descriptor_ = -1;
  }
  return !failed_;
}

}  // namespace vedette
