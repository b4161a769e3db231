#include "exporter/file_sink.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace vedette {
namespace {

constexpr size_t kFlushBytes = size_t{64} * 1024;  // one write for some fifty alerts

bool ShowAll(const IndicatorRecord&) { return true; }

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
      error =
          path + ": cannot be written: " + std::strerror(errno) + "; name a file in a folder that exists and is yours";
      return nullptr;
    }
  }
  std::unique_ptr<FileSink> sink(new FileSink(descriptor, path, format, renderer));
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
  bool shown = false;
  switch (format_) {
    case OutputFormat::kJsonl:
      shown = renderer_.AppendJson(alert, ShowAll, buffer_);
      break;
    case OutputFormat::kTable:
      shown = renderer_.AppendTableRow(alert, ShowAll, buffer_);
      break;
    case OutputFormat::kCsv:
      shown = renderer_.AppendCsv(alert, ShowAll, buffer_);
      break;
  }
  if (shown) ++buffered_alerts_;
  return buffer_.size() < kFlushBytes || Flush();
}

void FileSink::Idle() {
  if (!failed_ && !buffer_.empty()) Flush();
}

bool FileSink::Flush() {
  size_t written = 0;
  while (written < buffer_.size()) {
    const ssize_t n = write(descriptor_, buffer_.data() + written, buffer_.size() - written);
    if (n >= 0) {
      written += static_cast<size_t>(n);
      continue;
    }
    if (errno == EINTR) continue;
    const int reason = errno;
    failed_ = true;
    // Half a line would spoil the last alert for its reader: take it back where that can be done.
    const size_t whole = buffer_.rfind('\n', written == 0 ? 0 : written - 1) == std::string::npos || written == 0
                             ? 0
                             : buffer_.rfind('\n', written - 1) + 1;
    if (whole < written && path_ != "-") {
      const off_t end = lseek(descriptor_, 0, SEEK_CUR);
      if (end >= 0 && ftruncate(descriptor_, end - static_cast<off_t>(written - whole)) != 0)
        error_ = path_ + ": ends in half a line; ";
    }
    const auto lines_lost =
        static_cast<uint64_t>(std::count(buffer_.begin() + static_cast<std::ptrdiff_t>(whole), buffer_.end(), '\n'));
    lost_ += std::min(lines_lost, buffered_alerts_);
    if (path_ == "-" && reason == EPIPE) {
      error_ +=
          "standard output: its reader has gone; alerts found after that are not written (use --out FILE to keep them)";
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
  return true;
}

bool FileSink::Close() {
  if (!failed_) Flush();
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
